/* SPDX-License-Identifier: MIT */
#include "actors/router/order/router_rollout_order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "actors/router/answer/router_frames.h"
#include "actors/router/base/histogram.h"
#include "actors/router/order/router_order.h"
#include "actors/router/pool/router_rollout.h"
#include "actors/router/state/router_pair.h"
#include "actors/router/state/router_services.h"

#define NS_PER_S INT64_C(1000000000)

/* ---- showing ---- */

static void put_share(trp_writer_t *writer, const char *key, uint64_t part, uint64_t whole)
{
    trp_put_real(writer, key, whole == 0 ? 0.0 : (double)part / (double)whole);
}

/* The most memory that one of its workers has had in use. */
static int64_t memory_of(const pool_t *pool)
{
    int64_t most = 0;
    const worker_t *worker;
    DL_FOREACH(pool->workers, worker)
    {
        most = worker->rss_bytes > most ? worker->rss_bytes : most;
    }
    return most;
}

static void write_side(trp_writer_t *writer, const rollout_side_t *side, const pool_t *pool)
{
    trp_write_map(writer, 10);
    trp_put_text(writer, "pool", pool->name);
    trp_put_int(writer, "calls", (int64_t)side->calls);
    trp_put_int(writer, "errors", (int64_t)side->errors);
    put_share(writer, "error_rate", side->errors, side->calls);
    trp_put_int(writer, "p50_us", histogram_percentile(&side->time, 50));
    trp_put_int(writer, "p95_us", histogram_percentile(&side->time, 95));
    trp_put_int(writer, "p99_us", histogram_percentile(&side->time, 99));
    trp_put_int(writer, "rss_bytes", memory_of(pool));
    trp_put_int(writer, "crashes", (int64_t)side->crashes);
    put_share(writer, "crash_rate", side->crashes, side->calls);
}

static void write_figures(const router_t *router, const rollout_t *rollout, trp_writer_t *writer)
{
    const uint64_t figures[] = {rollout->shadows, rollout->skipped, rollout->equal,
                                rollout->different, rollout->incomplete};
    static const char *const names[] = {"shadows", "skipped", "equal", "different", "incomplete"};
    trp_put_text(writer, "tool", rollout->first->name);
    trp_put_text(writer, "mode", rollout->mode == ROLLOUT_TAKE ? "take" : "compare");
    trp_put_int(writer, "share", rollout->share);
    trp_put_int(writer, "since_s",
                (runtime_now_ns(router->runtime) - rollout->since_ns) / NS_PER_S);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        trp_put_int(writer, names[i], (int64_t)figures[i]);
    }
    trp_write_key(writer, "sides");
    trp_write_array(writer, 2);
    write_side(writer, &rollout->sides[0], rollout->first->pool);
    write_side(writer, &rollout->sides[1], rollout->second.pool);
}

static void write_bytes(trp_writer_t *writer, const char *key, const char *data, size_t size)
{
    trp_write_key(writer, key);
    if (size == 0) {
        trp_write_nil(writer);
    } else {
        router_write_value(writer, data, size);
    }
}

static void write_input(trp_writer_t *writer, zmq_msg_t *input)
{
    trp_document_t document;
    trp_fault_t fault;
    task_run_t run = {.body = {NULL, 0}};
    const trp_text_t packed = {zmq_msg_data(input), zmq_msg_size(input)};
    bool is_kept = packed.size > 0 &&
                   trp_schema_unpack(&task_run_schema, packed, &document, &run, &fault) == TRP_OK;
    write_bytes(writer, "input", run.body.data, run.body.size);
    if (is_kept) {
        trp_document_fini(&document);
    }
}

static void write_examples(const rollout_t *rollout, trp_writer_t *writer)
{
    static const char *const sides[] = {"first", "second"};
    size_t count = rollout->example_count < ROLLOUT_EXAMPLES ? (size_t)rollout->example_count
                                                             : ROLLOUT_EXAMPLES;
    trp_write_key(writer, "examples");
    trp_write_array(writer, count);
    for (size_t i = 0; i < count; i++) {
        rollout_example_t *example = (rollout_example_t *)(uintptr_t)&rollout->examples[i];
        trp_write_map(writer, 5);
        trp_put_text(writer, "task_id", example->task_id);
        trp_put_text(writer, "path", example->path);
        write_input(writer, &example->input);
        for (size_t side = 0; side < 2; side++) {
            write_bytes(writer, sides[side], zmq_msg_data(&example->results[side]),
                        zmq_msg_size(&example->results[side]));
        }
    }
}

/* ---- orders ---- */

/* NULL: none, which was said. */
static rollout_t *find(order_t *order)
{
    const service_t *service = service_find(order->router, order->wish->tool);
    if (service == NULL || service->rollout == NULL) {
        order_fail(order, "E_NOT_FOUND",
                   "no pool has that tool in rollout_tools; `troupe rollout` lists those that are");
        return NULL;
    }
    return service->rollout;
}

void order_list_rollouts(order_t *order)
{
    size_t count = 0;
    size_t mark = trp_write_array_begin(&order->result);
    for (const rollout_t *rollout = order->router->rollouts; rollout != NULL;
         rollout = rollout->next) {
        trp_write_map(&order->result, 10);
        write_figures(order->router, rollout, &order->result);
        count++;
    }
    trp_write_array_end(&order->result, mark, count);
}

void order_show_rollout(order_t *order)
{
    const rollout_t *rollout = find(order);
    if (rollout != NULL) {
        trp_write_map(&order->result, 11);
        write_figures(order->router, rollout, &order->result);
        write_examples(rollout, &order->result);
    }
}

static bool is_word(const trp_text_t *text, const char *word)
{
    return text->size == strlen(word) && memcmp(text->data, word, text->size) == 0;
}

/* The mode stays when none is said. */
void order_set_rollout(order_t *order)
{
    const router_order_t *wish = order->wish;
    rollout_t *rollout = find(order);
    char value[16] = "", *end = value;
    if (rollout == NULL) {
        return;
    }
    snprintf(value, sizeof(value), "%.*s", wish->has_value ? (int)wish->value.size : 0,
             wish->has_value ? wish->value.data : "");
    long share = strtol(value, &end, 10);
    if (end == value || *end != '\0' || share < 0 || share > 100) {
        order_fail(order, "E_BAD_REQUEST", "value: a share of 0 to 100 percent, not \"%s\"", value);
        return;
    }
    bool takes = wish->has_option ? is_word(&wish->option, "take") : rollout->mode == ROLLOUT_TAKE;
    if (wish->has_option && !takes && !is_word(&wish->option, "compare")) {
        order_fail(order, "E_BAD_REQUEST", "option: compare or take");
        return;
    }
    router_rollout_set(order->router, rollout, share, takes);
    trp_write_map(&order->result, 10);
    write_figures(order->router, rollout, &order->result);
}
