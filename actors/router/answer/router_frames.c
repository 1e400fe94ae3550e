/* SPDX-License-Identifier: MIT */
#include "actors/router/answer/router_frames.h"

#include <stdlib.h>
#include <string.h>

#include "actors/router/answer/router_reply.h"
#include "actors/router/base/majordomo.h"

bool waiter_streams(const waiter_t *waiter)
{
    const origin_t *origin = &waiter->origin;
    return origin->peer == NULL ? origin->stream == STREAM_EACH
                                : origin->version == MAJORDOMO_02 && origin->stream != STREAM_LAST;
}

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

void frames_send(router_t *router, const service_t *service, const waiter_t *waiter,
                 const answer_frames_t *answer, bool final)
{
    const origin_t *origin = &waiter->origin;
    majordomo_reply_t reply =
        router_reply_to(origin, (trp_text_t){service->name, strlen(service->name)});
    reply.has_parts &= final;
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
void frames_write(trp_writer_t *writer, const answer_frames_t *answer)
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

bool router_forward_behind(router_t *router, const task_t *task, const origin_t *origin,
                           zmq_msg_t *body)
{
    const waiter_t waiter = {.origin = *origin};
    if (task == NULL || task->part_count == 0 || waiter_streams(&waiter)) {
        return false;
    }
    const answer_frames_t answer = {
        .parts = task->parts, .part_count = task->part_count, .last = body, .last_count = 1};
    frames_send(router, task->service, &waiter, &answer, true);
    zmq_msg_close(body);
    return true;
}

/* The frames of an answer, one after the other, each after its size. NULL: no memory */
void *frames_pack(const answer_frames_t *answer, size_t *size)
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
