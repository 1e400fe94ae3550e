/* SPDX-License-Identifier: MIT */
/* The router in a node that the test steps: real supervisors, workers of the pool that do what the
 * test says, callers that are actors. No socket. */
#include "actors/router.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "messages/control.h"
#include "runtime/config.h"
#include "runtime/log.h"
#include "supervisor/supervisor.h"
#include "tests/runtime/fixture.h"

#define TAG_ORDER 0x1200 /* to a holder: an order_t */
#define GIVEN_MAX 32

/* A task as a worker got it. */
typedef struct given {
    trp_reply_address_t to;
    trp_pid_t worker;
} given_t;

/* What a worker shall do: fail, or answer a task, binding a key. */
typedef struct order {
    bool fails;
    trp_reply_address_t to;
    char bind[16];
} order_t;

static given_t given[GIVEN_MAX];
static size_t given_count;
static config_pool_t pool;
static config_t config;
static trp_child_spec_t children[2], workers[3], template;
static trp_supervisor_spec_t root, pool_spec;
static probe_t parent, caller;
static const char *tool, *body;
static char answer[512]; /* the last one that the caller got */
static int answers;

/* ---- workers ---- */

static trp_status_t obey(trp_ctx_t *ctx, const order_t *order)
{
    zmq_msg_t message;
    const task_done_t done = {.success = true,
                              .body = {"{}", 2},
                              .bind = {order->bind, strlen(order->bind)},
                              .has_bind = order->bind[0] != '\0'};
    if (order->fails) {
        return TRP_FAILED;
    }
    cr_assert_eq(trp_schema_pack(&task_done_schema, &done, &message), TRP_OK);
    cr_assert_eq(trp_reply_to(ctx, order->to, TRP_TAG_TASK_DONE, &message), TRP_OK);
    (void)zmq_msg_close(&message);
    return TRP_OK;
}

static trp_status_t holder_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    if (message->tag == TRP_TAG_TASK_RUN) {
        cr_assert_lt(given_count, GIVEN_MAX);
        given[given_count++] = (given_t){trp_reply_address(message), trp_self(ctx)};
    } else if (message->tag == TAG_ORDER) {
        order_t order;
        size_t size = 0;
        memcpy(&order, trp_message_data(message, &size), sizeof(order));
        return obey(ctx, &order);
    }
    return TRP_OK;
}

static const trp_class_t holder_class = {
    .name = "holder", .version = 1, .receive = holder_receive, .flags = TRP_CLASS_EDGE};

/* A supervisor runs where there is a thread for it: here, the edge. */
static trp_class_t supervisor_class;

/* ---- callers ---- */

static trp_status_t caller_receive(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    (void)ctx;
    (void)probe;
    size_t size = 0;
    const void *data = trp_message_data(message, &size);
    if (message->tag == TRP_TAG_CALL_RESULT) {
        cr_assert_lt(size, sizeof(answer));
        memcpy(answer, data, size);
        answer[size] = '\0';
        answers++;
    }
    return TRP_OK;
}

static void call_tool(trp_ctx_t *ctx, probe_t *probe)
{
    const call_t call = {.tool = {tool, strlen(tool)}, .body = {body, strlen(body)}};
    zmq_msg_t message;
    cr_assert_eq(trp_schema_pack(&call_schema, &call, &message), TRP_OK);
    const trp_request_t request = {.to = trp_whereis(ctx, "router"),
                                   .tag = TRP_TAG_CALL,
                                   .message = &message,
                                   .timeout_ms = -1};
    cr_assert_eq(trp_request(ctx, &request, &probe->ref), TRP_OK);
    (void)zmq_msg_close(&message);
}

static void call(const char *name, const char *json)
{
    tool = name;
    body = json;
    probe_do(&caller, call_tool);
}

/* ---- the node ---- */

static trp_child_spec_t child(const char *id, const trp_class_t *class)
{
    trp_child_spec_t spec = {.class = class,
                             .is_named = true,
                             .shutdown_ms = 1000,
                             .start_ms = 2000,
                             .backoff_ms = 100,
                             .backoff_max_ms = 100};
    snprintf(spec.id, sizeof(spec.id), "%s", id);
    return spec;
}

static void spawn_root(trp_ctx_t *ctx, probe_t *probe)
{
    const trp_supervisor_args_t args = {.spec = &root, .parent = trp_self(ctx)};
    const trp_spawn_t spawn = {.class = &supervisor_class,
                               .name = "root",
                               .args = &args,
                               .args_size = sizeof(args),
                               .ack = true};
    cr_assert_eq(trp_spawn(ctx, &spawn, &probe->other), TRP_OK);
}

static void configure(void)
{
    pool = (config_pool_t){.name = "p",
                           .child = {.start_ms = 1000},
                           .min = 1,
                           .max = 2,
                           .inflight_max = 1,
                           .queue_max = 10,
                           .queue_ms = 1000,
                           .run_ms = 60000,
                           .attempts_max = 3,
                           .idle_ms = 300000,
                           .tools = "make use",
                           .key_member = "key",
                           .key_tools_new = "make"};
    config = (config_t){
        .majordomo = {.bytes_max = 1 << 20, .body_max = 1 << 16}, .pools = &pool, .pool_count = 1};
}

static void open_router(void)
{
    supervisor_class = trp_supervisor_class;
    supervisor_class.flags |= TRP_CLASS_EDGE;
    workers[0] = child("p.1", &holder_class);
    workers[1] = child("p.2", &holder_class);
    template = child("p", &holder_class);
    template.is_dynamic = true;
    pool_spec = (trp_supervisor_spec_t){.name = "pool.p",
                                        .intensity = 10,
                                        .period_s = 5,
                                        .children = workers,
                                        .child_count = (size_t)pool.min,
                                        .template = &template,
                                        .child_max = (size_t)pool.max};
    children[0] = child("pool.p", &supervisor_class);
    children[0].is_supervisor = true;
    children[0].args = &pool_spec;
    children[1] = child("router", &router_class);
    root = (trp_supervisor_spec_t){
        .name = "root", .intensity = 10, .period_s = 5, .children = children, .child_count = 2};
    config_keep(node, &config);
    probe_do(&parent, spawn_root);
    cr_assert(!trp_pid_is_none(runtime_whereis(node, "router")));
}

static void open_node(void)
{
    log_level_set(LOG_FATAL + 1);
    node_open(true);
    given_count = 0;
    answers = 0;
    answer[0] = '\0';
    parent = (probe_t){0};
    caller = (probe_t){.receive = caller_receive};
    probe_spawn(&parent, NULL);
    probe_spawn(&caller, NULL);
    node_settle();
    configure();
}

static void exit_root(trp_ctx_t *ctx, probe_t *probe)
{
    const trp_reason_t reason = trp_reason(TRP_REASON_SHUTDOWN, 0, NULL);
    trp_exit(ctx, probe->other, &reason);
}

static void close_node(void)
{
    probe_do(&parent, exit_root);
    node_close();
}

TestSuite(router, .init = open_node, .fini = close_node);

static void order(trp_pid_t worker, const order_t *what)
{
    trp_envelope_t *envelope = envelope_alloc();
    envelope->to = worker;
    envelope->tag = TAG_ORDER;
    cr_assert_eq(envelope_set(envelope, what, sizeof(*what)), TRP_OK);
    cr_assert_eq(runtime_send(node, envelope), TRP_OK);
    node_settle();
}

static void fail(trp_pid_t worker)
{
    order(worker, &(order_t){.fails = true});
}

static void finish(size_t index, const char *bind)
{
    order_t what = {.to = given[index].to};
    snprintf(what.bind, sizeof(what.bind), "%s", bind);
    order(given[index].worker, &what);
}

static trp_pid_t victim;

static void kill_victim(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    const trp_reason_t reason = trp_reason(TRP_REASON_KILLED, 0, NULL);
    trp_exit(ctx, victim, &reason);
}

static void restart_router(void)
{
    victim = runtime_whereis(node, "router");
    probe_do(&parent, kill_victim);
    node_advance_ms(1);
    cr_assert(!trp_pid_is_none(runtime_whereis(node, "router")));
    cr_assert(!trp_pid_equal(runtime_whereis(node, "router"), victim));
}

static bool answer_has(const char *text)
{
    return strstr(answer, text) != NULL;
}

/* ---- tests ---- */

Test(router, task_is_given_and_answered)
{
    open_router();

    call("use", "{}");
    cr_assert_eq(given_count, 1);
    finish(0, "");

    cr_assert(answers == 1 && answer_has("\"success\":true"), "%s", answer);
}

static int64_t largest_body(void)
{
    size_t count = 0;
    const option_table_t *tables = config_tables(&count);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < tables[i].count; k++) {
            if (strcmp(tables[i].rows[k].name, "body_max") == 0) {
                return tables[i].rows[k].max;
            }
        }
    }
    return 0;
}

Test(router, largest_body_that_may_be_configured_reaches_a_worker)
{
    const int64_t size = largest_body();
    char *large = malloc((size_t)size + 1);
    cr_assert_not_null(large);
    memset(large, ' ', (size_t)size);
    memcpy(large, "{}", 2);
    large[size] = '\0';
    config.majordomo.body_max = size;
    config.majordomo.bytes_max = 2 * size;
    open_router();

    call("use", large);
    free(large);

    cr_assert_eq(given_count, 1, "%s", answer);
    finish(0, "");
}

Test(router, task_whose_worker_died_late_is_tried_again_though_it_ran_longer_than_it_may_wait)
{
    pool.max = 1;
    open_router();
    call("use", "{}");
    node_advance_ms(pool.queue_ms + 500);

    fail(given[0].worker);
    node_advance_ms(1);
    fail(given[1].worker); /* the second restart waits, and so does the task */
    node_advance_ms(300);

    cr_assert_eq(answers, 0, "%s", answer);
    cr_assert_eq(given_count, 3);
    finish(2, "");
    cr_assert(answers == 1 && answer_has("\"success\":true"), "%s", answer);
}

Test(router, tasks_that_wait_for_the_holder_of_their_key_do_not_grow_the_pool)
{
    open_router();
    call("make", "{}");
    finish(0, "k");
    call("use", "{\"key\":\"k\"}");
    call("use", "{\"key\":\"k\"}");

    node_advance_ms(1);

    cr_assert(trp_pid_is_none(runtime_whereis(node, "p.2")));
    finish(1, "");
    cr_assert_eq(given_count, 3);
}

Test(router, pool_without_a_free_worker_grows)
{
    open_router();
    call("use", "{}");

    call("use", "{}");
    node_advance_ms(1);

    cr_assert_eq(given_count, 2);
    cr_assert(trp_pid_equal(given[1].worker, runtime_whereis(node, "p.2")));
}

Test(router, restarted_router_serves)
{
    open_router();
    restart_router();

    call("use", "{}");
    cr_assert_eq(given_count, 1);
    finish(0, "");

    cr_assert(answers == 1 && answer_has("\"success\":true"), "%s", answer);
}

Test(router, restarted_router_runs_again_what_was_running)
{
    pool.attempts_max = 1;
    open_router();
    call("use", "{}");

    restart_router();

    cr_assert_eq(given_count, 2);
}

Test(router, restarted_router_knows_who_holds_which_key)
{
    pool.min = 2;
    open_router();
    call("make", "{}");
    finish(0, "k");

    restart_router();
    call("use", "{\"key\":\"k\"}");

    cr_assert_eq(given_count, 2, "%s", answer);
    cr_assert(trp_pid_equal(given[1].worker, given[0].worker));
}

Test(router, key_of_a_worker_that_died_while_there_was_no_router_is_lost)
{
    open_router();
    call("make", "{}");
    finish(0, "k");
    const trp_pid_t holder = given[0].worker;
    victim = runtime_whereis(node, "router");
    trp_envelope_t *envelope = envelope_alloc();
    const order_t fails = {.fails = true};
    envelope->to = holder;
    envelope->tag = TAG_ORDER;
    cr_assert_eq(envelope_set(envelope, &fails, sizeof(fails)), TRP_OK);
    cr_assert_eq(runtime_send(node, envelope), TRP_OK);
    restart_router();

    call("use", "{\"key\":\"k\"}");

    cr_assert(answer_has("E_WORKER_LOST"), "%s", answer);
}
