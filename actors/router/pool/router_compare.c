/* SPDX-License-Identifier: MIT */
#include "actors/router/pool/router_compare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/router/base/frame.h"
#include "actors/router/pool/router_breaker.h"
#include "actors/router/state/router_pair.h"
#include "actors/router/state/router_tasks.h"
#include "actors/router/state/router_workers.h"
#include "messages/intake.h"
#include "runtime/log.h"

#define PAIRS_MAX   1000              /* calls and their shadows under way, of all tools */
#define RESULT_MAX  (4 * 1024 * 1024) /* bytes of a result that is compared */
#define EXAMPLE_MAX (64 * 1024)       /* bytes of an input or a result that is kept */
#define COMPARE_MS  30000

/* ---- shadows ---- */

/* Never in the way of a client: of the second pool's queue and of all bytes they get half. */
static bool has_room(router_t *router, const task_t *task)
{
    const pool_t *pool = task->service->rollout->second.pool;
    return !router->draining && router->pairs.count < PAIRS_MAX &&
           pool->queued < (uint64_t)pool->config->queue_max / 2 + pool_free_places(pool) &&
           router->bytes < (size_t)router->config->majordomo.bytes_max / 2 &&
           pool_open_until(pool) <= runtime_now_ns(router->runtime);
}

/* The same payload, by reference; nobody waits for it. NULL: no memory */
static task_t *make_shadow(router_t *router, const task_t *task)
{
    service_t *second = &task->service->rollout->second;
    task_t *shadow = task_new(router, second);
    if (shadow == NULL) {
        return NULL;
    }
    router->pairs.shadows++;
    zmq_msg_copy(&shadow->payload, (zmq_msg_t *)(uintptr_t)&task->payload);
    router->bytes += task_bytes(shadow);
    memcpy(shadow->key, task->key, sizeof(shadow->key));
    shadow->waiter.form = task->waiter.form;
    shadow->priority = 0;
    shadow->expires_ns = shadow->accepted_ns + second->pool->config->queue_ms * 1000000;
    return shadow;
}

void rollout_shadow(router_t *router, const task_t *task)
{
    rollout_t *rollout = task->service->rollout;
    if (!has_room(router, task)) {
        rollout->skipped++;
        return;
    }
    task_t *shadow = make_shadow(router, task);
    pair_t *pair = shadow != NULL ? pair_new(router, task, shadow) : NULL;
    if (pair == NULL || !task_enqueue(shadow, false)) {
        if (shadow != NULL) {
            task_free(router, shadow); /* and its pair */
        }
        rollout->skipped++;
        return;
    }
    rollout->shadows++;
    rollout->second.sent++;
    rollout->sides[1].calls++;
}

/* ---- results ---- */

static void compare(router_t *router, pair_t *pair)
{
    const char *ignore = pair->rollout->second.pool->config->rollout_ignore;
    const intake_compare_t message = {
        .ignore = {ignore, strlen(ignore)},
        .first = {zmq_msg_data(&pair->results[0]), zmq_msg_size(&pair->results[0])},
        .second = {zmq_msg_data(&pair->results[1]), zmq_msg_size(&pair->results[1])}};
    zmq_msg_t body;
    trp_pid_t intake = router->ctx != NULL ? trp_whereis(router->ctx, INTAKE_NAME) : TRP_PID_NONE;
    if (trp_pid_is_none(intake) ||
        trp_schema_pack(&intake_compare_schema, &message, &body) != TRP_OK) {
        pair_give_up(router, pair);
        return;
    }
    trp_request_t request = {
        .to = intake, .tag = TRP_TAG_INTAKE_COMPARE, .message = &body, .timeout_ms = COMPARE_MS};
    if (trp_request(router->ctx, &request, &pair->request_id) == TRP_OK) {
        HASH_ADD(hh_id, router->pairs.compared, request_id, sizeof(pair->request_id), pair);
    }
    if (pair->request_id == 0 || pair->hh_id.tbl == NULL) {
        pair->request_id = 0;
        pair_give_up(router, pair);
    }
    zmq_msg_close(&body);
}

void rollout_note_result(router_t *router, const task_t *task, const task_done_t *done)
{
    pair_t *pair = pair_find(router, task);
    size_t side = task->service->is_second;
    if (pair == NULL) {
        return;
    }
    zmq_msg_t *result = &pair->results[side];
    if (done->body.size > RESULT_MAX || !frame_set(result, done->body.data, done->body.size)) {
        pair_give_up(router, pair);
        return;
    }
    pair->has_result[side] = true;
    pair_leave(router, pair, side);
    if (pair->has_result[!side]) {
        compare(router, pair);
    }
}

/* ---- what was found ---- */

/* Moves bytes that are few enough, else leaves none. */
static void keep(zmq_msg_t *to, zmq_msg_t *from)
{
    zmq_msg_init(to);
    if (zmq_msg_size(from) <= EXAMPLE_MAX) {
        zmq_msg_move(to, from);
    }
}

static void add_example(pair_t *pair, trp_text_t path)
{
    rollout_t *rollout = pair->rollout;
    rollout_example_t *example = &rollout->examples[rollout->example_count % ROLLOUT_EXAMPLES];
    if (rollout->example_count >= ROLLOUT_EXAMPLES) {
        zmq_msg_close(&example->input);
        zmq_msg_close(&example->results[0]);
        zmq_msg_close(&example->results[1]);
    }
    rollout->example_count++;
    memcpy(example->task_id, pair->task_id, sizeof(example->task_id));
    snprintf(example->path, sizeof(example->path), "%.*s", (int)path.size, path.data);
    keep(&example->input, &pair->input);
    keep(&example->results[0], &pair->results[0]);
    keep(&example->results[1], &pair->results[1]);
    if (is_worth_a_line(rollout->different)) {
        log_event(LOG_WARN, "rollout_mismatch", LOG_TEXT("tool", rollout->first->name),
                  LOG_TEXT("task_id", example->task_id), LOG_TEXT("path", example->path),
                  LOG_INT("mismatches", rollout->different));
    }
}

void router_on_compared(router_t *router, const trp_envelope_t *message)
{
    pair_t *pair = NULL;
    HASH_FIND(hh_id, router->pairs.compared, &message->request_id, sizeof(message->request_id),
              pair);
    if (pair == NULL) {
        return;
    }
    trp_document_t document;
    intake_compared_t compared;
    trp_fault_t fault;
    if (message->tag != TRP_TAG_INTAKE_COMPARED ||
        trp_message_unpack(&intake_compared_schema, message, &document, &compared, &fault) !=
            TRP_OK) {
        pair_give_up(router, pair);
        return;
    }
    pair->rollout->equal += compared.equal;
    pair->rollout->different += !compared.equal;
    if (!compared.equal) {
        add_example(pair, compared.path);
    }
    pair_free(router, pair);
    trp_document_fini(&document);
}
