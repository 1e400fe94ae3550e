/* SPDX-License-Identifier: MIT */
/* Answers of foreign tools: opaque frames, passed on verbatim. A client of version 0.2 gets partial
 * answers as they come; for all others they are kept, and stand before the last answer's frames. */
#include <stdlib.h>
#include <string.h>

#include "actors/router/router_parts.h"
#include "messages/control.h"

#define ERROR_MAX 16384 /* bytes: what is larger is no error map */

static bool streams(const waiter_t *waiter)
{
    const origin_t *origin = &waiter->origin;
    return origin->peer == NULL ? origin->stream == STREAM_EACH
                                : origin->version == MAJORDOMO_02 && origin->stream != STREAM_LAST;
}

static waiter_t *next_waiter(const task_t *task, const waiter_t *waiter)
{
    return waiter == &task->waiter ? task->joined : waiter->next;
}

/* Frames of an answer: two runs, either of which may be empty. */
typedef struct answer_frames {
    zmq_msg_t *parts;
    size_t part_count;
    zmq_msg_t *last;
    size_t last_count;
    uint32_t attempt; /* of a partial answer */
    bool is_value;    /* of a tool of ours: one value, not somebody's bytes */
} answer_frames_t;

static zmq_msg_t *frame_at(const answer_frames_t *answer, size_t index)
{
    return index < answer->part_count ? &answer->parts[index]
                                      : &answer->last[index - answer->part_count];
}

static size_t copy_frames(zmq_msg_t *to, zmq_msg_t *from, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        zmq_msg_init(&to[i]);
        zmq_msg_copy(&to[i], &from[i]);
    }
    return count;
}

static void send_frames(router_t *router, const service_t *service, const waiter_t *waiter,
                        const answer_frames_t *answer, bool final)
{
    const origin_t *origin = &waiter->origin;
    majordomo_reply_t reply =
        router_reply_to(origin, (trp_text_t){service->name, strlen(service->name)});
    reply.has_parts &= final;
    reply.attempt = origin->stream == STREAM_EACH ? answer->attempt : 0;
    size_t total = MAJORDOMO_REPLY_FRAMES + answer->part_count + answer->last_count;
    zmq_msg_t *frames = malloc(total * sizeof(*frames));
    size_t count = frames != NULL ? majordomo_head(&reply, final, frames) : 0;
    if (count == 0) {
        router->unreachable++;
        free(frames);
        return;
    }
    count += copy_frames(frames + count, answer->parts, answer->part_count);
    count += copy_frames(frames + count, answer->last, answer->last_count);
    router_post(router, origin->peer, frames, count);
    free(frames);
}

void router_write_value(trp_writer_t *writer, const char *data, size_t size)
{
    trp_form_t form;
    trp_writer_t value;
    trp_fault_t fault;
    size_t bad = 0;
    bool has_form = trp_form_detect(data, size, &form) == TRP_OK;
    trp_writer_init(&value);
    if (has_form && form == TRP_FORM_JSON &&
        trp_json_to_msgpack(data, size, &value, &fault) == TRP_OK) {
        size_t value_size = 0;
        const void *bytes = trp_writer_data(&value, &value_size);
        trp_write_raw(writer, bytes, value_size);
    } else if (has_form && form == TRP_FORM_MSGPACK &&
               trp_msgpack_check(data, size, &bad) == TRP_OK) {
        trp_write_raw(writer, data, size);
    } else if (trp_utf8_check(data, size) == size) {
        trp_write_string(writer, data, size);
    } else {
        trp_write_bytes(writer, data, size);
    }
    trp_writer_fini(&value);
}

/* The frames as one value; several are an array. */
static void write_frames(trp_writer_t *writer, const answer_frames_t *answer)
{
    size_t total = answer->part_count + answer->last_count;
    size_t mark = total != 1 ? trp_write_array_begin(writer) : 0;
    for (size_t i = 0; i < total; i++) {
        zmq_msg_t *frame = frame_at(answer, i);
        const char *data = zmq_msg_data(frame);
        if (answer->is_value && trp_msgpack_is_value(data, zmq_msg_size(frame))) {
            trp_write_raw(writer, data, zmq_msg_size(frame));
        } else {
            router_write_value(writer, data, zmq_msg_size(frame));
        }
    }
    if (total != 1) {
        trp_write_array_end(writer, mark, total);
    }
}

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
    write_frames(&writer, answer);
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
    write_frames(&value, answer);
    router_answer_waiter(router, task, waiter, &value);
    trp_writer_fini(&value);
}

static trp_status_t keep(router_t *router, task_t *task, zmq_msg_t *frames, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < task->part_count; i++) {
        size += zmq_msg_size(&task->parts[i]);
    }
    for (size_t i = 0; i < count; i++) {
        size += zmq_msg_size(&frames[i]);
    }
    if (size > (size_t)router->config->majordomo.body_max ||
        task->part_count + count > TRP_FRAMES_MAX / 2) {
        return TRP_TOO_LARGE;
    }
    zmq_msg_t *parts = realloc(task->parts, (task->part_count + count) * sizeof(*parts));
    if (parts == NULL) {
        return TRP_NO_MEMORY;
    }
    task->parts = parts;
    for (size_t i = 0; i < count; i++) {
        zmq_msg_init(&parts[task->part_count]);
        zmq_msg_copy(&parts[task->part_count], &frames[i]);
        router->bytes += zmq_msg_size(&frames[i]);
        task->part_count++;
    }
    return TRP_OK;
}

void router_forget_parts(task_t *task)
{
    for (waiter_t *waiter = &task->waiter; waiter != NULL; waiter = next_waiter(task, waiter)) {
        waiter->origin.parts = 0;
    }
}

void router_drop_parts(router_t *router, task_t *task)
{
    for (size_t i = 0; i < task->part_count; i++) {
        router->bytes -= zmq_msg_size(&task->parts[i]);
        zmq_msg_close(&task->parts[i]);
    }
    free(task->parts);
    task->parts = NULL;
    task->part_count = 0;
}

static void send_part(router_t *router, const service_t *service, waiter_t *waiter,
                      const answer_frames_t *answer)
{
    waiter->origin.parts++;
    if (waiter->origin.peer == NULL) {
        send_as_part(router, waiter, answer);
    } else {
        send_frames(router, service, waiter, answer, false);
    }
}

trp_status_t router_forward_part(router_t *router, task_t *task, zmq_msg_t *frames, size_t count)
{
    const bool is_foreign = task->service->pool->config->foreign;
    const answer_frames_t answer = {
        .last = frames, .last_count = count, .attempt = task->attempts, .is_value = !is_foreign};
    bool is_kept = false;
    waiter_t *waiter = &task->waiter;
    do {
        if (streams(waiter)) {
            send_part(router, task->service, waiter, &answer);
            task->has_parts = true;
            task->is_pinned |= waiter->origin.stream == STREAM_USUAL;
        } else {
            is_kept |= is_foreign || waiter->origin.peer != NULL;
        }
        waiter = next_waiter(task, waiter);
    } while (waiter != NULL);
    if (is_kept || (is_foreign && task->flight != NULL && task->flight->is_replay)) {
        return keep(router, task, frames, count);
    }
    if (is_foreign && task->flight != NULL && keep(router, task, frames, count) != TRP_OK) {
        router_flight_end(router, task, NULL); /* too many for the cache: who streams has them */
        router_drop_parts(router, task);
    }
    return TRP_OK;
}

bool router_forward_behind(router_t *router, const task_t *task, const origin_t *origin,
                           zmq_msg_t *body)
{
    const waiter_t waiter = {.origin = *origin};
    if (task == NULL || task->part_count == 0 || streams(&waiter)) {
        return false;
    }
    const answer_frames_t answer = {
        .parts = task->parts, .part_count = task->part_count, .last = body, .last_count = 1};
    send_frames(router, task->service, &waiter, &answer, true);
    zmq_msg_close(body);
    return true;
}

/* The frames of an answer, one after the other, each after its size. NULL: no memory */
static void *pack_frames(const answer_frames_t *answer, size_t *size)
{
    size_t total = answer->part_count + answer->last_count;
    size_t bytes = 0;
    for (size_t i = 0; i < total; i++) {
        bytes += sizeof(uint32_t) + zmq_msg_size(frame_at(answer, i));
    }
    char *packed = malloc(bytes + 1);
    char *at = packed;
    for (size_t i = 0; packed != NULL && i < total; i++) {
        zmq_msg_t *frame = frame_at(answer, i);
        uint32_t length = (uint32_t)zmq_msg_size(frame);
        memcpy(at, &length, sizeof(length));
        memcpy(at + sizeof(length), zmq_msg_data(frame), length);
        at += sizeof(length) + length;
    }
    *size = bytes;
    return packed;
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
    void *packed = task->flight != NULL ? pack_frames(answer, &size) : NULL;
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
    write_frames(&value, answer);
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
        whole = zmq_msg_init_size(&frames[count], size) == 0;
        if (whole) {
            memcpy(zmq_msg_data(&frames[count]), at + sizeof(size), size);
            at += sizeof(size) + size;
        }
    }
    const answer_frames_t answer = {.last = frames, .last_count = count};
    if (count == value->frame_count && frames != NULL && waiter.origin.peer != NULL) {
        service->sent++;
        service->answered++;
        send_frames(router, service, &waiter, &answer, true);
    } else if (count == value->frame_count && frames != NULL) {
        answer_kept_typed(router, request, service, &answer);
    } else {
        service->sent++;
        service->failed++;
        router->unreachable++;
    }
    for (size_t i = 0; i < count; i++) {
        zmq_msg_close(&frames[i]);
    }
    free(frames);
}

void router_forward_final(router_t *router, task_t *task, zmq_msg_t *frames, size_t count)
{
    const answer_frames_t last = {.last = frames, .last_count = count};
    const answer_frames_t all = {
        .parts = task->parts, .part_count = task->part_count, .last = frames, .last_count = count};
    for (const waiter_t *waiter = &task->waiter; waiter != NULL;
         waiter = next_waiter(task, waiter)) {
        task->service->answered++;
        const answer_frames_t *answer = streams(waiter) ? &last : &all;
        if (waiter->origin.peer == NULL) {
            send_as_result(router, task, waiter, answer);
        } else {
            send_frames(router, task->service, waiter, answer, true);
        }
    }
    keep_answer(router, task, &all);
}
