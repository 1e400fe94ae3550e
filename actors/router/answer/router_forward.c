/* SPDX-License-Identifier: MIT */
#include "actors/router/answer/router_forward.h"

#include <stdlib.h>
#include <string.h>

#include "actors/router/answer/router_answer.h"
#include "actors/router/answer/router_frames.h"
#include "actors/router/base/frame.h"
#include "actors/router/base/refusal.h"
#include "actors/router/state/router_flight.h"
#include "actors/router/state/router_partial.h"
#include "messages/control.h"

#define ERROR_MAX 16384 /* bytes: what is larger is no error map */

/* A partial answer to an actor; what finds no room is not told again, but counted. */
static void send_as_part(router_t *router, const waiter_t *waiter, const answer_frames_t *answer)
{
    trp_envelope_t *envelope = envelope_alloc();
    trp_writer_t writer;
    zmq_msg_t body;
    trp_writer_init(&writer);
    trp_write_map(&writer, 3);
    trp_put_int(&writer, "call", (int64_t)waiter->origin.actor.request_id);
    trp_put_int(&writer, "attempt", answer->attempt);
    trp_write_key(&writer, "part");
    frames_write(&writer, answer);
    trp_status_t status = envelope == NULL ? TRP_NO_MEMORY : trp_writer_take(&writer, &body);
    if (status == TRP_OK) {
        envelope->to = waiter->origin.actor.to;
        envelope->from = router->self;
        envelope->tag = TRP_TAG_CALL_PART;
        status = envelope_move(envelope, &body);
        status = status == TRP_OK ? runtime_send(router->runtime, envelope) : status;
        zmq_msg_close(&body);
    }
    if (status != TRP_OK) {
        router->unreachable++;
        if (envelope != NULL) {
            envelope_free(envelope);
        }
    }
    trp_writer_fini(&writer);
}

/* An actor gets a reply map like that of our tools. */
static void send_as_result(router_t *router, const task_t *task, const waiter_t *waiter,
                           const answer_frames_t *answer)
{
    trp_writer_t value;
    trp_writer_init(&value);
    frames_write(&value, answer);
    router_answer_waiter(router, task, waiter, &value);
    trp_writer_fini(&value);
}

static void send_part(router_t *router, const service_t *service, waiter_t *waiter,
                      const answer_frames_t *answer)
{
    waiter->origin.attempt = answer->attempt;
    waiter->origin.parts++;
    if (waiter->origin.peer == NULL) {
        send_as_part(router, waiter, answer);
    } else {
        frames_send(router, service, waiter, answer, false);
    }
}

static trp_status_t forward_part(router_t *router, task_t *task, zmq_msg_t *frames, size_t count)
{
    const bool is_foreign = task->service->pool->config->foreign;
    const answer_frames_t answer = {
        .last = frames, .last_count = count, .attempt = task->attempts, .is_value = !is_foreign};
    bool is_kept = false;
    waiter_t *waiter = &task->waiter;
    do {
        if (waiter_streams(waiter)) {
            send_part(router, task->service, waiter, &answer);
            task->has_parts = true;
            task->is_pinned |= waiter->origin.stream == STREAM_USUAL;
        } else {
            is_kept |= is_foreign || waiter->origin.peer != NULL;
        }
        waiter = waiter_next(task, waiter);
    } while (waiter != NULL);
    if (is_kept || (is_foreign && task->flight != NULL && task->flight->is_replay)) {
        return router_keep_parts(router, task, frames, count);
    }
    if (is_foreign && task->flight != NULL &&
        router_keep_parts(router, task, frames, count) != TRP_OK) {
        router_flight_end(router, task, NULL); /* too many for the cache: who streams has them */
        router_drop_parts(router, task);
    }
    return TRP_OK;
}

bool router_forward_part(router_t *router, task_t *task, zmq_msg_t *frames, size_t count)
{
    if (forward_part(router, task, frames, count) == TRP_OK) {
        return true;
    }
    refusal_t refusal;
    refusal_init(&refusal, "E_TOO_LARGE", "its partial answers are over the limit");
    refusal_int(&refusal, "limit", router->config->majordomo.body_max);
    router_refuse(router, task, &refusal);
    return false;
}

/* Whether a foreign tool says of itself that it failed, by a reply map as ours. */
static bool is_failure(zmq_msg_t *frame)
{
    trp_document_t document;
    trp_fault_t fault;
    if (zmq_msg_size(frame) > ERROR_MAX ||
        trp_document_init(&document, zmq_msg_data(frame), zmq_msg_size(frame), &fault) != TRP_OK) {
        return false;
    }
    const msgpack_object *success = trp_member(&document.root, "success");
    const bool fails =
        success != NULL && success->type == MSGPACK_OBJECT_BOOLEAN && !success->via.boolean;
    trp_document_fini(&document);
    return fails;
}

/* Keeps the answer for who sends the same idempotency key, or the same body, again. */
static void keep_answer(router_t *router, task_t *task, const answer_frames_t *answer)
{
    size_t size = 0;
    void *packed = task->flight != NULL ? frames_pack(answer, &size) : NULL;
    if (packed != NULL) {
        router_flight_end(
            router, task,
            &(cache_value_t){.success = answer->last_count == 0 ||
                                        !is_failure(&answer->last[answer->last_count - 1]),
                             .data = packed,
                             .size = size,
                             .frame_count = (uint32_t)(answer->part_count + answer->last_count)});
    }
    free(packed);
}

static void answer_kept_typed(router_t *router, const request_t *request, service_t *service,
                              const answer_frames_t *answer)
{
    trp_writer_t value;
    cache_value_t kept = {.success = true, .form = TRP_FORM_MSGPACK};
    trp_writer_init(&value);
    frames_write(&value, answer);
    kept.data = trp_writer_data(&value, &kept.size);
    if (!value.failed) {
        router_answer_value(router, request, service, &kept);
    } else {
        router->unreachable++;
    }
    trp_writer_fini(&value);
}

void router_forward_kept(router_t *router, const request_t *request, service_t *service,
                         const cache_value_t *value)
{
    const waiter_t waiter = {.origin = request->origin};
    const char *at = value->data;
    zmq_msg_t *frames = calloc(value->frame_count + 1, sizeof(*frames));
    size_t count = 0;
    for (bool whole = frames != NULL; whole && count < value->frame_count; count += whole) {
        uint32_t size = 0;
        memcpy(&size, at, sizeof(size));
        whole = frame_set(&frames[count], at + sizeof(size), size);
        at += sizeof(size) + size;
    }
    const answer_frames_t answer = {.last = frames, .last_count = count};
    if (count == value->frame_count && frames != NULL && waiter.origin.peer != NULL) {
        service->sent++;
        service->answered++;
        frames_send(router, service, &waiter, &answer, true);
    } else if (count == value->frame_count && frames != NULL) {
        answer_kept_typed(router, request, service, &answer);
    } else {
        service->sent++;
        service->failed++;
        router->unreachable++;
    }
    frames_close(frames, count);
    free(frames);
}

void router_forward_final(router_t *router, task_t *task, zmq_msg_t *frames, size_t count)
{
    const answer_frames_t last = {.last = frames, .last_count = count};
    const answer_frames_t all = {
        .parts = task->parts, .part_count = task->part_count, .last = frames, .last_count = count};
    for (const waiter_t *waiter = &task->waiter; waiter != NULL;
         waiter = waiter_next(task, waiter)) {
        task->service->answered++;
        const answer_frames_t *answer = waiter_streams(waiter) ? &last : &all;
        if (waiter->origin.peer == NULL) {
            send_as_result(router, task, waiter, answer);
        } else {
            frames_send(router, task->service, waiter, answer, true);
        }
    }
    keep_answer(router, task, &all);
}
