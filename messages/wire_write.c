/* SPDX-License-Identifier: MIT */
#include "messages/wire.h"

#include <assert.h>
#include <stdlib.h>

#include "messages/wire_layout.h"

#define CAPACITY_MIN 4096 /* bytes of a batch's first buffer */
#define FRAMES_MIN   8

void wire_batch_init(wire_batch_t *batch)
{
    *batch = (wire_batch_t){.frame_count = 1};
}

void wire_batch_fini(wire_batch_t *batch)
{
    wire_batch_clear(batch);
    free(batch->data);
    free(batch->frames);
    wire_batch_init(batch);
}

static void unseal(wire_batch_t *batch)
{
    if (batch->sealed) {
        zmq_msg_close(&batch->frames[0]);
        batch->sealed = false;
    }
}

void wire_batch_clear(wire_batch_t *batch)
{
    unseal(batch);
    for (size_t i = 1; i < batch->frame_count; i++) {
        zmq_msg_close(&batch->frames[i]);
    }
    batch->frame_count = 1;
    batch->size = 0;
    batch->count = 0;
}

static trp_status_t reserve_bytes(wire_batch_t *batch, size_t size)
{
    if (size <= batch->capacity - batch->size) {
        return TRP_OK;
    }
    size_t capacity = batch->capacity == 0 ? CAPACITY_MIN : batch->capacity;
    while (capacity - batch->size < size) {
        capacity *= 2;
    }
    unsigned char *data = realloc(batch->data, capacity);
    if (data == NULL) {
        return TRP_NO_MEMORY;
    }
    batch->data = data;
    batch->capacity = capacity;
    return TRP_OK;
}

static trp_status_t reserve_frame(wire_batch_t *batch)
{
    if (batch->frame_count < batch->frame_capacity) {
        return TRP_OK;
    }
    size_t capacity = batch->frame_capacity == 0 ? FRAMES_MIN : 2 * batch->frame_capacity;
    zmq_msg_t *frames = malloc(capacity * sizeof(*frames));
    if (frames == NULL) {
        return TRP_NO_MEMORY;
    }
    for (size_t i = 1; i < batch->frame_count; i++) { /* a message is moved by libzmq only */
        zmq_msg_init(&frames[i]);
        zmq_msg_move(&frames[i], &batch->frames[i]);
    }
    free(batch->frames);
    batch->frames = frames;
    batch->frame_capacity = capacity;
    return TRP_OK;
}

static trp_status_t add_frame(wire_batch_t *batch, const trp_envelope_t *envelope)
{
    if (batch->frame_count == WIRE_FRAMES_MAX) {
        return TRP_FULL;
    }
    trp_status_t status = reserve_frame(batch);
    if (status != TRP_OK) {
        return status;
    }
    /* libzmq marks a message as shared when a reference is taken, so it has no const form. */
    zmq_msg_t *payload = (zmq_msg_t *)(uintptr_t)&envelope->payload.message;
    zmq_msg_t *frame = &batch->frames[batch->frame_count];
    zmq_msg_init(frame);
    if (zmq_msg_copy(frame, payload) != 0) {
        zmq_msg_close(frame);
        return TRP_NO_MEMORY;
    }
    batch->frame_count++;
    return TRP_OK;
}

static void put_item(unsigned char *to, const trp_envelope_t *envelope)
{
    wire_put_pid(to + WIRE_ITEM_TO, envelope->to);
    wire_put_pid(to + WIRE_ITEM_FROM, envelope->from);
    wire_put64(to + WIRE_ITEM_REQUEST, envelope->request_id);
    wire_put64(to + WIRE_ITEM_DEADLINE, (uint64_t)envelope->deadline_ns);
    wire_put32(to + WIRE_ITEM_TRACE, envelope->trace_id);
    wire_put16(to + WIRE_ITEM_TAG, envelope->tag);
    to[WIRE_ITEM_FLAGS] = (unsigned char)(envelope->flags & WIRE_FLAGS);
}

trp_status_t wire_batch_add(wire_batch_t *batch, const trp_envelope_t *envelope)
{
    size_t size;
    const void *data = trp_message_data(envelope, &size);
    assert((envelope->flags & TRP_ENVELOPE_STRUCT) == 0); /* who forwards has packed it */
    unseal(batch);
    bool apart = size > WIRE_COPY_MAX;
    size_t bytes = WIRE_ITEM_SIZE + (apart ? 0 : size);
    if (size > UINT32_MAX) {
        return TRP_TOO_LARGE;
    }
    if (batch->count == WIRE_COUNT_MAX || batch->size + bytes > WIRE_FRAME_MAX) {
        return TRP_FULL;
    }
    trp_status_t status = reserve_bytes(batch, bytes);
    if (status == TRP_OK && apart) {
        status = add_frame(batch, envelope);
    }
    if (status != TRP_OK) {
        return status;
    }
    unsigned char *to = batch->data + batch->size;
    put_item(to, envelope);
    to[WIRE_ITEM_APART] = apart;
    wire_put32(to + WIRE_ITEM_BYTES, (uint32_t)size);
    wire_put32(to + WIRE_ITEM_ZERO, 0);
    if (!apart && size > 0) {
        memcpy(to + WIRE_ITEM_SIZE, data, size);
    }
    batch->size += bytes;
    batch->count++;
    return TRP_OK;
}

typedef struct head {
    wire_kind_t kind;
    size_t count;
    size_t further; /* frames */
} head_t;

static trp_status_t make_frame(const head_t *head, const wire_report_t *report, const void *body,
                               size_t size, zmq_msg_t *frame)
{
    if (zmq_msg_init_size(frame, WIRE_HEAD_SIZE + size) != 0) {
        return TRP_NO_MEMORY;
    }
    unsigned char *to = zmq_msg_data(frame);
    wire_put32(to + WIRE_HEAD_MAGIC, WIRE_MAGIC);
    to[WIRE_HEAD_VERSION] = WIRE_VERSION;
    to[WIRE_HEAD_KIND] = (unsigned char)head->kind;
    wire_put16(to + WIRE_HEAD_COUNT, (uint16_t)head->count);
    wire_put32(to + WIRE_HEAD_BYTES, (uint32_t)size);
    wire_put32(to + WIRE_HEAD_FRAMES, (uint32_t)head->further);
    wire_put64(to + WIRE_HEAD_MESSAGES_HANDLED, report->messages);
    wire_put64(to + WIRE_HEAD_BYTES_HANDLED, report->bytes);
    if (size > 0) {
        memcpy(to + WIRE_HEAD_SIZE, body, size);
    }
    return TRP_OK;
}

trp_status_t wire_batch_seal(wire_batch_t *batch, const wire_report_t *report, zmq_msg_t **frames,
                             size_t *count)
{
    const head_t head = {WIRE_DATA, batch->count, batch->frame_count - 1};
    unseal(batch);
    if (batch->frames == NULL && reserve_frame(batch) != TRP_OK) {
        return TRP_NO_MEMORY;
    }
    trp_status_t status = make_frame(&head, report, batch->data, batch->size, &batch->frames[0]);
    if (status == TRP_OK) {
        batch->sealed = true;
        *frames = batch->frames;
        *count = batch->frame_count;
    }
    return status;
}

trp_status_t wire_frame(wire_kind_t kind, const wire_report_t *report, const void *body,
                        size_t size, zmq_msg_t *frame)
{
    const head_t head = {.kind = kind};
    return make_frame(&head, report, body, size, frame);
}
