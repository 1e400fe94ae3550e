/* SPDX-License-Identifier: MIT */
#include "actors/router/port/router_accept.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/router/answer/router_answer.h"
#include "actors/router/base/frame.h"
#include "actors/router/base/majordomo.h"
#include "actors/router/base/refusal.h"
#include "actors/router/pool/router_breaker.h"
#include "actors/router/pool/router_config.h"
#include "actors/router/pool/router_rollout.h"
#include "actors/router/port/router_foreign_port.h"
#include "actors/router/port/router_intake.h"
#include "actors/router/port/router_mmi.h"
#include "actors/router/port/router_options.h"
#include "actors/router/port/router_rights.h"
#include "actors/router/port/router_share.h"
#include "actors/router/port/router_unknown.h"
#include "actors/router/state/router_calls.h"
#include "actors/router/state/router_flight.h"
#include "actors/router/state/router_services.h"
#include "actors/router/state/router_tasks.h"
#include "actors/router/state/router_turn.h"
#include "actors/router/state/router_workers.h"
#include "runtime/log.h"

#define RETRY_AFTER_MS 100
#define READ_BUFFER    8192 /* libzmq's */

static void refuse(router_t *router, const request_t *request, refusal_t *refusal)
{
    router_refuse_origin(router, &request->origin, request->service, request->form, refusal);
}

/* ---- checks ---- */

/* Once each time that a queue has passed four fifths of its limit. */
static void warn_of_full(pool_t *pool)
{
    uint64_t limit = (uint64_t)pool->config->queue_max;
    bool is_near = limit >= 10 && pool->queued >= limit - limit / 5;
    if (is_near && !pool->was_near_full) {
        log_event(LOG_WARN, "queue_nearly_full", LOG_TEXT("pool", pool->name),
                  LOG_INT("queued", pool->queued), LOG_INT("limit", pool->config->queue_max));
    }
    pool->was_near_full = is_near || (pool->was_near_full && pool->queued > limit / 2);
}

/* True when there is room; else the request was refused. */
static bool has_room(router_t *router, const request_t *request, pool_t *pool)
{
    const config_majordomo_t *limits = &router->config->majordomo;
    refusal_t refusal;
    if (request->body_size > (size_t)limits->body_max) {
        refusal_init(&refusal, "E_TOO_LARGE", "the body has %zu bytes, the limit is %lld",
                     request->body_size, (long long)limits->body_max);
        refusal_int(&refusal, "limit", limits->body_max);
        refusal_int(&refusal, "size", (int64_t)request->body_size);
        refuse(router, request, &refusal);
        return false;
    }
    bool full = request->is_shut ||
                pool->queued >= (uint64_t)pool->config->queue_max + pool_free_places(pool) ||
                router->bytes + request->body_size > (size_t)limits->bytes_max;
    int64_t open_ms = pool_open_until(pool) - runtime_now_ns(router->runtime);
    if (!full && !router->draining && open_ms <= 0) {
        warn_of_full(pool);
        return true;
    }
    pool->refused++;
    pool->refused_ns = runtime_now_ns(router->runtime);
    refusal_init(&refusal, "E_BUSY",
                 router->draining ? "the node is stopping"
                 : open_ms > 0    ? "its workers keep failing: try again later"
                                  : "the queue of this tool is full: try again later");
    refusal_int(&refusal, "retry_after_ms", open_ms > 0 ? open_ms / 1000000 + 1 : RETRY_AFTER_MS);
    refuse(router, request, &refusal);
    return false;
}

/* ---- from request to task ---- */

static trp_status_t pack_run(task_t *task, const request_t *request)
{
    task_run_t run = {.task_id = {task->waiter.id, strlen(task->waiter.id)},
                      .tool = request->service,
                      .body = {request->body, request->body_size}};
    zmq_msg_t packed;
    trp_status_t status = trp_schema_pack(&task_run_schema, &run, &packed);
    if (status == TRP_OK) {
        zmq_msg_move(&task->payload, &packed);
        zmq_msg_close(&packed);
    }
    return status;
}

/* Small frames are copied: libzmq's would keep its whole read buffer of 8 KiB alive. */
static bool take_frame(zmq_msg_t *to, zmq_msg_t *from)
{
    if (zmq_msg_size(from) < READ_BUFFER) {
        return frame_set(to, zmq_msg_data(from), zmq_msg_size(from));
    }
    zmq_msg_init(to);
    zmq_msg_move(to, from);
    return true;
}

/* What somebody typed goes to a foreign tool as JSON, whatever form it had on its way here. */
static trp_status_t take_typed(task_t *task, const request_t *request)
{
    char *json = NULL;
    size_t size = 0;
    trp_status_t status = trp_json_from_msgpack(request->body, request->body_size, &json, &size);
    if (status == TRP_OK) {
        zmq_msg_close(&task->payload);
        status = frame_set(&task->payload, json, size) ? TRP_OK : TRP_NO_MEMORY;
    }
    free(json);
    return status;
}

/* A foreign tool's body: its frames as they are. */
static trp_status_t take_frames(task_t *task, const request_t *request)
{
    if (request->origin.peer == NULL) {
        return take_typed(task, request);
    }
    if (request->frame_count == 0) {
        return TRP_OK; /* one empty frame */
    }
    zmq_msg_close(&task->payload);
    if (!take_frame(&task->payload, &request->frames[0])) {
        return TRP_NO_MEMORY;
    }
    size_t count = request->frame_count - 1;
    task->more = count > 0 ? calloc(count, sizeof(*task->more)) : NULL;
    if (count > 0 && task->more == NULL) {
        return TRP_NO_MEMORY;
    }
    while (task->more_count < count) {
        if (!take_frame(&task->more[task->more_count], &request->frames[1 + task->more_count])) {
            return TRP_NO_MEMORY;
        }
        task->more_count++;
    }
    return TRP_OK;
}

static void set_times(const router_t *router, task_t *task, const request_t *request)
{
    const pool_t *pool = task->service->pool;
    task->accepted_ns = request->since_ns != 0 ? request->since_ns : task->accepted_ns;
    bool is_known = !pool->is_unlisted || pool->was_served;
    int64_t wait_ms = is_known ? pool->config->queue_ms : router->config->majordomo.unknown_wait_ms;
    task->expires_ns = task->accepted_ns + wait_ms * 1000000;
    if (request->options.has_deadline_ms) {
        task->waiter.deadline_ns = task->accepted_ns + request->options.deadline_ms * 1000000;
    }
    if (request->options.has_priority) {
        task->priority = (uint8_t)request->options.priority;
    }
}

static trp_status_t make_task(router_t *router, request_t *request, service_t *service,
                              task_t **made)
{
    task_t *task = task_new(router, service);
    *made = task;
    if (task == NULL) {
        return TRP_NO_MEMORY;
    }
    trp_status_t status =
        service->pool->config->foreign ? take_frames(task, request) : pack_run(task, request);
    router->bytes += task_bytes(task);
    if (status == TRP_OK) {
        task->waiter.form = request->form;
        task->waiter.origin = request->origin;
        memcpy(task->key, request->key, sizeof(task->key));
        set_times(router, task, request);
        status = task_enqueue(task, false) ? TRP_OK : TRP_NO_MEMORY;
    }
    if (status != TRP_OK) {
        task->waiter.origin.peer = NULL; /* the request's still: to be refused by the caller */
        task_free(router, task);
        return status;
    }
    request->origin.peer = NULL;
    service->sent++;
    if (service->rollout != NULL) {
        router_rollout_accepted(router, task);
    }
    router_call_add(router, task, &task->waiter.origin);
    router_nudge(router);
    return TRP_OK;
}

/* What the intake says of the body. False: the request was refused. */
static bool is_sound(router_t *router, const request_t *request)
{
    const look_t *look = request->look;
    refusal_t refusal;
    if (look == NULL || (!look->has_failed && !look->is_broken)) {
        return true;
    }
    if (look->has_failed) {
        refusal_init(&refusal, "E_BUSY", "the body could not be read now: try again later");
        refusal_int(&refusal, "retry_after_ms", RETRY_AFTER_MS);
    } else {
        refusal_init(&refusal, "E_BAD_BODY", "%s%sexpected %s", look->fault.path,
                     look->fault.path[0] != '\0' ? ": " : "", look->fault.rule);
        refusal_fault(&refusal, &look->fault);
    }
    refuse(router, request, &refusal);
    return false;
}

static void enqueue(router_t *router, request_t *request, service_t *service)
{
    flight_t *flight = NULL;
    task_t *task = NULL;
    if (router_hold_for_look(router, request, service) || !is_sound(router, request)) {
        return;
    }
    if (!service->makes_key) {
        router_find_key(request, service->pool);
    }
    if (service->rollout != NULL) {
        service = router_rollout_route(router, service, request->key);
    }
    if (!router->draining && router_flight_serve(router, request, service, &flight)) {
        return;
    }
    if (!has_room(router, request, service->pool)) {
        free(flight);
        return;
    }
    if (make_task(router, request, service, &task) != TRP_OK) {
        free(flight);
        refusal_t refusal;
        refusal_init(&refusal, "E_BUSY", "out of memory: try again later");
        refusal_int(&refusal, "retry_after_ms", RETRY_AFTER_MS);
        refuse(router, request, &refusal);
    } else if (flight != NULL) {
        router_flight_start(router, flight, task);
    }
}

/* Finds the form of the body. False: it has none and the request was refused. */
static bool check_body(router_t *router, request_t *request)
{
    if (request->frame_count == 1 &&
        trp_form_detect(request->body, request->body_size, &request->form) == TRP_OK) {
        return true;
    }
    refusal_t refusal;
    refusal_init(&refusal, "E_BAD_BODY",
                 "the body is one frame with one map, JSON or MessagePack%s",
                 request->frame_count == 1 ? "" : ", after an options frame if there is one");
    trp_fault_t fault = {.rule = "a map, as MessagePack or JSON", .has_offset = true};
    refusal_fault(&refusal, &fault);
    request->form = TRP_FORM_JSON;
    refuse(router, request, &refusal);
    return false;
}

/* The first `head` frames are options, and not what the form of an answer goes by. */
static void set_body(request_t *request, zmq_msg_t *frames, size_t count, size_t head)
{
    request->frames = frames;
    request->frame_count = count;
    request->head_count = head;
    request->body = count > 0 ? zmq_msg_data(frames) : NULL;
    request->body_size = 0;
    for (size_t i = 0; i < count; i++) {
        request->body_size += zmq_msg_size(&frames[i]);
    }
    zmq_msg_t *first = count > head ? &frames[head] : NULL;
    if (first == NULL ||
        trp_form_detect(zmq_msg_data(first), zmq_msg_size(first), &request->form) != TRP_OK) {
        request->form = TRP_FORM_JSON; /* of a refusal; check_body says what is wrong */
    }
}

/* ---- Majordomo ---- */

/* The tool; one that only a worker will tell about, where the configuration has clients wait for
 * it. NULL: unknown */
static service_t *find_service(router_t *router, trp_text_t name)
{
    service_t *service = service_find(router, name);
    if (service == NULL && router->config->majordomo.unknown_wait_ms > 0) {
        service = router_add_foreign_service(router, name);
    }
    return service;
}

/* Foreign tools get their options frame, and have it read, only where their pool says so. */
static void serve_request(router_t *router, request_t *request, const majordomo_request_t *message)
{
    trp_document_t options;
    bool has_document = false;
    bool is_broker = router_is_mmi(request->service);
    service_t *service = is_broker ? NULL : find_service(router, request->service);
    bool is_foreign = service != NULL && service->pool->config->foreign;
    bool is_verbatim = is_foreign && !service->pool->config->options;
    set_body(request, message->body, message->body_count, 0);
    if (message->options != NULL && !is_verbatim) {
        has_document = router_read_options(router, request, message, &options);
        if (!has_document) {
            return;
        }
    }
    if (is_foreign) {
        set_body(request, message->frames, message->frame_count, has_document);
    }
    refusal_t refusal;
    if (is_broker) {
        router_answer_mmi(router, request);
    } else if (router->held.resuming == NULL && !router_may_call(router, request, &refusal)) {
        refuse(router, request, &refusal);
    } else if (is_foreign) {
        enqueue(router, request, service);
    } else if (check_body(router, request)) {
        if (service == NULL) {
            router_refuse_unknown(router, request);
        } else {
            enqueue(router, request, service);
        }
    }
    if (has_document) {
        trp_document_fini(&options);
    }
}

static void on_request(router_t *router, const edge_peer_t *peer,
                       const majordomo_request_t *message, request_t *request)
{
    request->service = message->service;
    request->form = TRP_FORM_JSON;
    request->first = request->raw;
    request->origin.version = message->version;
    request->origin.peer = malloc(offsetof(edge_peer_t, id) + peer->size);
    if (request->origin.peer == NULL) {
        router->unreachable++;
        return;
    }
    request->origin.peer->size = peer->size;
    memcpy(request->origin.peer->id, peer->id, peer->size);
    serve_request(router, request, message);
    free(request->origin.peer);
}

void router_on_message(void *user, const edge_peer_t *peer, zmq_msg_t *frames, size_t count)
{
    router_t *router = user;
    request_t request = {.raw = frames, .raw_count = count};
    majordomo_message_t message;
    switch (majordomo_parse(frames, count, &message)) {
    case MAJORDOMO_REQUEST:
        if (router->held.lines == NULL ||
            !router_hold_behind(router, peer, frames, count, &request.is_shut)) {
            on_request(router, peer, &message.request, &request);
        }
        break;
    case MAJORDOMO_WORKER:
        router_on_worker(router, peer, &message.worker, &frames[0]);
        break;
    case MAJORDOMO_JUNK:
        if (is_worth_a_line(++router->junk)) {
            log_event(LOG_WARN, "junk_dropped", LOG_INT("messages", router->junk));
        }
        break;
    }
}

/* `body` is left empty when it was taken. */
static void serve_call(router_t *router, request_t *request, zmq_msg_t *body)
{
    const majordomo_request_t message = {
        .body = body, .body_count = 1, .frames = body, .frame_count = 1};
    serve_request(router, request, &message);
}

void router_accept_call(router_t *router, const router_call_t *call)
{
    request_t request = {
        .service = call->tool, .origin = {.actor = call->reply}, .options = call->options};
    zmq_msg_t body;
    request.options.has_stream = true;
    router_set_stream(&request);
    if (!frame_set(&body, call->body.data, call->body.size)) {
        router->unreachable++;
        return;
    }
    serve_call(router, &request, &body);
    zmq_msg_close(&body);
}

/* ---- what has waited ---- */

static void serve_message(router_t *router, const arrival_t *arrival)
{
    request_t request = {.raw = arrival->frames,
                         .raw_count = arrival->count,
                         .look = arrival->look,
                         .since_ns = arrival->since_ns};
    majordomo_message_t message;
    if (majordomo_parse(arrival->frames, arrival->count, &message) == MAJORDOMO_REQUEST) {
        on_request(router, arrival->client, &message.request, &request);
    }
}

static void serve_actor(router_t *router, const arrival_t *arrival)
{
    zmq_msg_t *tool = &arrival->frames[0], *body = &arrival->frames[2];
    const trp_text_t packed = {zmq_msg_data(&arrival->frames[1]),
                               zmq_msg_size(&arrival->frames[1])};
    trp_document_t options;
    trp_fault_t fault;
    request_t request = {.service = {zmq_msg_data(tool), zmq_msg_size(tool)},
                         .origin = {.actor = arrival->actor},
                         .look = arrival->look,
                         .since_ns = arrival->since_ns};
    if (trp_schema_unpack(&task_options_schema, packed, &options, &request.options, &fault) !=
        TRP_OK) {
        router->unreachable++; /* no memory: we wrote it; its asker's time limit tells it */
        return;
    }
    router_set_stream(&request);
    serve_call(router, &request, body);
    trp_document_fini(&options);
}

void router_serve_held(router_t *router, const arrival_t *arrival)
{
    if (arrival->client != NULL) {
        serve_message(router, arrival);
    } else {
        serve_actor(router, arrival);
    }
}
