/* SPDX-License-Identifier: MIT */
#include "actors/router/answer/router_answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/router/answer/router_frames.h"
#include "actors/router/answer/router_reply.h"
#include "actors/router/base/refusal.h"
#include "actors/router/pool/router_rollout.h"
#include "actors/router/state/router_flight.h"
#include "actors/router/state/router_random.h"
#include "messages/control.h"
#include "runtime/log.h"

/* What goes into a reply map. */
typedef struct answer {
    const char *task_id;
    trp_form_t form;
    bool success;
    const void *value; /* encoded in `form` */
    size_t value_size;
    int64_t queue_us, exec_us;
    const char *worker;
    uint32_t attempts;
    bool from_cache;
    bool has_parts;     /* an actor's that gets partial answers ... */
    uint32_t parts;     /* ... so many of this attempt */
    const task_t *task; /* whose parts go before a success; NULL: of none */
} answer_t;

static trp_status_t encode_msgpack(const answer_t *answer, zmq_msg_t *body)
{
    trp_writer_t writer;
    trp_writer_init(&writer);
    trp_write_map(&writer, 5u + answer->has_parts);
    if (answer->has_parts) {
        trp_put_int(&writer, "parts", answer->parts);
    }
    trp_put_text(&writer, "task_id", answer->task_id);
    trp_put_bool(&writer, "success", answer->success);
    trp_write_key(&writer, answer->success ? "result" : "error");
    trp_write_raw(&writer, answer->value, answer->value_size);
    trp_put_bool(&writer, "from_cache", answer->from_cache);
    trp_write_key(&writer, "metrics");
    trp_write_map(&writer, 4);
    trp_put_int(&writer, "queue_us", answer->queue_us);
    trp_put_int(&writer, "exec_us", answer->exec_us);
    trp_put_text(&writer, "worker", answer->worker);
    trp_put_int(&writer, "attempts", answer->attempts);
    trp_status_t status = trp_writer_take(&writer, body);
    trp_writer_fini(&writer);
    return status;
}

/* The names in it need no escapes: ids are ours, and a worker's name is one that a configuration
 * file can hold. */
static trp_status_t encode_json(const answer_t *answer, zmq_msg_t *body)
{
    char head[160], tail[320], parts[32] = "";
    if (answer->has_parts) {
        snprintf(parts, sizeof(parts), "\"parts\":%u,", answer->parts);
    }
    int head_size = snprintf(
        head, sizeof(head), "{%s\"task_id\":\"%s\",\"success\":%s,\"%s\":", parts, answer->task_id,
        answer->success ? "true" : "false", answer->success ? "result" : "error");
    int tail_size = snprintf(tail, sizeof(tail),
                             ",\"from_cache\":%s,\"metrics\":{\"queue_us\":%lld,"
                             "\"exec_us\":%lld,\"worker\":\"%s\",\"attempts\":%u}}",
                             answer->from_cache ? "true" : "false", (long long)answer->queue_us,
                             (long long)answer->exec_us, answer->worker, answer->attempts);
    size_t sizes[3] = {(size_t)head_size, answer->value_size, (size_t)tail_size};
    if (zmq_msg_init_size(body, sizes[0] + sizes[1] + sizes[2]) != 0) {
        return TRP_NO_MEMORY;
    }
    char *at = zmq_msg_data(body);
    memcpy(at, head, sizes[0]);
    memcpy(at + sizes[0], answer->value, sizes[1]);
    memcpy(at + sizes[0] + sizes[1], tail, sizes[2]);
    return TRP_OK;
}

static void deliver(router_t *router, const origin_t *origin, trp_text_t service,
                    const answer_t *answer)
{
    zmq_msg_t body;
    if (origin->peer == NULL && trp_pid_is_none(origin->actor.to)) {
        return; /* a shadow's */
    }
    trp_status_t status =
        answer->form == TRP_FORM_JSON ? encode_json(answer, &body) : encode_msgpack(answer, &body);
    if (status != TRP_OK) {
        log_event(LOG_ERROR, "answer_lost", LOG_TEXT("task_id", answer->task_id),
                  LOG_TEXT("reason", trp_status_name(status)));
        router->unreachable++;
        return;
    }
    if (origin->peer != NULL && router_forward_behind(router, answer->task, origin, &body)) {
        return;
    }
    if (origin->peer != NULL) {
        router_send_to_peer(router, origin, service, &body);
    } else {
        router_send_to_actor(router, origin, &body);
    }
}

/* A refusal's error map, in the form asked for, as an answer's value. */
typedef struct error_value {
    zmq_msg_t map;
    char *json;
} error_value_t;

static bool encode_refusal(router_t *router, answer_t *answer, refusal_t *refusal,
                           error_value_t *value)
{
    value->json = NULL;
    if (refusal_take(refusal, &value->map) != TRP_OK) {
        router->unreachable++;
        return false;
    }
    answer->value = zmq_msg_data(&value->map);
    answer->value_size = zmq_msg_size(&value->map);
    if (answer->form == TRP_FORM_JSON) {
        if (trp_json_from_msgpack(answer->value, answer->value_size, &value->json,
                                  &answer->value_size) != TRP_OK) {
            router->unreachable++;
            zmq_msg_close(&value->map);
            return false;
        }
        answer->value = value->json;
    }
    return true;
}

static void free_refusal(error_value_t *value)
{
    free(value->json);
    zmq_msg_close(&value->map);
}

static void deliver_refusal(router_t *router, const origin_t *origin, trp_text_t service,
                            answer_t *answer, refusal_t *refusal)
{
    error_value_t value;
    if (encode_refusal(router, answer, refusal, &value)) {
        deliver(router, origin, service, answer);
        free_refusal(&value);
    }
}

static trp_text_t service_name(const task_t *task)
{
    return (trp_text_t){task->service->name, strlen(task->service->name)};
}

static answer_t describe(const router_t *router, const task_t *task)
{
    int64_t until = task->started_ns != 0 ? task->started_ns : runtime_now_ns(router->runtime);
    return (answer_t){.task_id = task->waiter.id,
                      .form = task->waiter.form,
                      .queue_us = (until - task->accepted_ns) / 1000,
                      .worker = task->worker != NULL ? task->worker->name : "",
                      .attempts = task->attempts};
}

void router_refuse_waiter(router_t *router, const task_t *task, const waiter_t *waiter,
                          refusal_t *refusal)
{
    answer_t answer = describe(router, task);
    answer.task_id = waiter->id;
    answer.form = waiter->form;
    task->service->failed++;
    if (task->service->rollout != NULL) {
        router_rollout_refused(task);
    }
    deliver_refusal(router, &waiter->origin, service_name(task), &answer, refusal);
}

void router_answer_waiter(router_t *router, const task_t *task, const waiter_t *waiter,
                          trp_writer_t *value)
{
    answer_t answer = describe(router, task);
    answer.task_id = waiter->id;
    answer.form = TRP_FORM_MSGPACK;
    answer.success = true;
    answer.exec_us = (runtime_now_ns(router->runtime) - task->started_ns) / 1000;
    answer.has_parts = waiter->origin.stream == STREAM_EACH;
    answer.parts = waiter->origin.parts;
    answer.value = trp_writer_data(value, &answer.value_size);
    if (value->failed) {
        router->unreachable++;
    } else {
        deliver(router, &waiter->origin, service_name(task), &answer);
    }
}

/* Each of those who wait gets a copy of the answer under its own id. */
static void deliver_to_all(router_t *router, const task_t *task, answer_t *answer)
{
    for (const waiter_t *waiter = &task->waiter; waiter != NULL;
         waiter = waiter_next(task, waiter)) {
        answer->task_id = waiter->id;
        answer->has_parts = waiter->origin.peer == NULL && waiter->origin.stream == STREAM_EACH;
        answer->parts = waiter->origin.parts;
        if (answer->success) {
            task->service->answered++;
        } else {
            task->service->failed++;
        }
        deliver(router, &waiter->origin, service_name(task), answer);
    }
}

void router_refuse(router_t *router, task_t *task, refusal_t *refusal)
{
    answer_t answer = describe(router, task);
    error_value_t value;
    if (task->service->rollout != NULL) {
        router_rollout_refused(task);
    }
    if (encode_refusal(router, &answer, refusal, &value)) {
        deliver_to_all(router, task, &answer);
        free_refusal(&value);
    }
}

void router_answer(router_t *router, task_t *task, const task_done_t *done)
{
    answer_t answer = describe(router, task);
    answer.success = done->success;
    answer.exec_us = done->exec_us;
    answer.task = done->success ? task : NULL;
    answer.value = done->body.data;
    answer.value_size = done->body.size;
    if (task->service->rollout != NULL) {
        router_rollout_answered(router, task, done);
    }
    deliver_to_all(router, task, &answer);
    router_flight_end(router, task,
                      &(cache_value_t){.success = done->success,
                                       .form = task->waiter.form,
                                       .data = done->body.data,
                                       .size = done->body.size});
}

/* What is kept in the other form. False: it can't be said in this one, or no memory */
static bool convert(answer_t *answer, trp_writer_t *packed, char **json)
{
    if (answer->form == TRP_FORM_JSON) {
        bool done = trp_json_from_msgpack(answer->value, answer->value_size, json,
                                          &answer->value_size) == TRP_OK;
        answer->value = *json;
        return done;
    }
    trp_fault_t fault;
    if (trp_json_to_msgpack(answer->value, answer->value_size, packed, &fault) != TRP_OK) {
        return false;
    }
    answer->value = trp_writer_data(packed, &answer->value_size);
    return !packed->failed;
}

void router_answer_value(router_t *router, const request_t *request, service_t *service,
                         const cache_value_t *value)
{
    char id[37];
    char *json = NULL;
    trp_writer_t packed;
    router_make_id(router, id);
    trp_writer_init(&packed);
    answer_t answer = {.task_id = id,
                       .form = request->form,
                       .success = value->success,
                       .value = value->data,
                       .value_size = value->size,
                       .worker = "",
                       .from_cache = true};
    service->sent++;
    if (value->form != request->form && !convert(&answer, &packed, &json)) {
        router->unreachable++;
        service->failed++;
    } else {
        service->answered += value->success;
        service->failed += !value->success;
        deliver(router, &request->origin, request->service, &answer);
    }
    trp_writer_fini(&packed);
    free(json);
}

void router_refuse_origin(router_t *router, const origin_t *origin, trp_text_t service,
                          trp_form_t form, refusal_t *refusal)
{
    char id[37];
    router_make_id(router, id);
    answer_t answer = {.task_id = id, .form = form, .worker = ""};
    deliver_refusal(router, origin, service, &answer, refusal);
}
