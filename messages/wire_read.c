/* SPDX-License-Identifier: MIT */
#include "messages/wire.h"

#include "messages/reason.h"
#include "messages/system.h"
#include "messages/wire_layout.h"

TRP_SCHEMA_DEFINE(link_hello, 0, 0, LINK_HELLO_FIELDS, "a worker process introduces itself")
TRP_SCHEMA_DEFINE(link_start, 0, 0, LINK_START_FIELDS, "which actor a worker process runs")
TRP_SCHEMA_DEFINE(link_ask, 0, 0, LINK_ASK_FIELDS, "a worker process asks its node")
TRP_SCHEMA_DEFINE(link_answer, 0, 0, LINK_ANSWER_FIELDS, "the node answers")

/* Signals are acted upon by the core itself, so they come only as it makes them. TIMER, LOOK and
 * NODE_DOWN are between cells of one process: nobody else may say such a thing. */
static bool is_sound_signal(uint16_t tag, const void *data, size_t size)
{
    trp_reason_t reason;
    switch (tag) {
    case TRP_SIGNAL_EXIT:
    case TRP_SIGNAL_KILL:
    case TRP_SIGNAL_DOWN:
        return trp_reason_read(data, size, &reason) == TRP_OK;
    case TRP_SIGNAL_LINK:
    case TRP_SIGNAL_UNLINK:
    case TRP_SIGNAL_UNLINK_ACK:
    case TRP_SIGNAL_MONITOR:
    case TRP_SIGNAL_DEMONITOR:
    case TRP_SIGNAL_SAVE:
    case TRP_TAG_STARTED:
        return size == 0;
    default:
        return false;
    }
}

static bool is_sound_item(const unsigned char *item, size_t payload)
{
    unsigned int flags = item[WIRE_ITEM_FLAGS];
    bool is_signal = (flags & TRP_ENVELOPE_SIGNAL) != 0;
    bool is_apart = item[WIRE_ITEM_APART] != 0;
    if ((flags & ~WIRE_FLAGS) != 0 || wire_get32(item + WIRE_ITEM_ZERO) != 0 ||
        wire_get64(item + WIRE_ITEM_DEADLINE) > INT64_MAX) {
        return false;
    }
    return !is_signal || (!is_apart && is_sound_signal(wire_get16(item + WIRE_ITEM_TAG),
                                                       item + WIRE_ITEM_SIZE, payload));
}

/* Walks over all envelopes of a data frame: their sizes and the further frames must come out
 * even. */
static trp_status_t check_items(const wire_reader_t *reader, size_t size, size_t frames)
{
    const unsigned char *item = reader->at;
    zmq_msg_t *frame = reader->next_frame;
    for (size_t i = 0; i < reader->count; i++) {
        if (size < WIRE_ITEM_SIZE) {
            return TRP_PROTOCOL;
        }
        size_t payload = wire_get32(item + WIRE_ITEM_BYTES);
        size_t here = 0;
        size -= WIRE_ITEM_SIZE;
        if (item[WIRE_ITEM_APART] == 1 && frames > 0 && zmq_msg_size(frame) == payload) {
            frames--;
            frame++;
        } else if (item[WIRE_ITEM_APART] == 0 && payload <= size) {
            here = payload;
        } else {
            return TRP_PROTOCOL;
        }
        if (!is_sound_item(item, payload)) {
            return TRP_PROTOCOL;
        }
        size -= here;
        item += WIRE_ITEM_SIZE + here;
    }
    return size == 0 && frames == 0 ? TRP_OK : TRP_PROTOCOL;
}

trp_status_t wire_open(wire_reader_t *reader, zmq_msg_t *frames, size_t count)
{
    if (count == 0 || count > WIRE_FRAMES_MAX || zmq_msg_size(&frames[0]) < WIRE_HEAD_SIZE) {
        return TRP_PROTOCOL;
    }
    const unsigned char *head = zmq_msg_data(&frames[0]);
    size_t size = zmq_msg_size(&frames[0]) - WIRE_HEAD_SIZE;
    unsigned char kind = head[WIRE_HEAD_KIND];
    bool fits = wire_get32(head + WIRE_HEAD_MAGIC) == WIRE_MAGIC &&
                head[WIRE_HEAD_VERSION] == WIRE_VERSION && kind > 0 && kind < WIRE_KIND_END &&
                wire_get32(head + WIRE_HEAD_BYTES) == size &&
                wire_get32(head + WIRE_HEAD_FRAMES) == count - 1;
    if (!fits) {
        return TRP_PROTOCOL;
    }
    *reader = (wire_reader_t){
        .kind = (wire_kind_t)kind,
        .report = {wire_get64(head + WIRE_HEAD_MESSAGES_HANDLED),
                   wire_get64(head + WIRE_HEAD_BYTES_HANDLED)},
        .body = head + WIRE_HEAD_SIZE,
        .body_size = size,
        .count = wire_get16(head + WIRE_HEAD_COUNT),
        .at = head + WIRE_HEAD_SIZE,
        .next_frame = frames + 1,
    };
    if (reader->kind == WIRE_DATA) {
        return check_items(reader, size, count - 1);
    }
    return reader->count == 0 && count == 1 ? TRP_OK : TRP_PROTOCOL;
}

unsigned wire_version(zmq_msg_t *frame)
{
    const unsigned char *head = zmq_msg_data(frame);
    const bool has_head =
        zmq_msg_size(frame) >= WIRE_HEAD_SIZE && wire_get32(head + WIRE_HEAD_MAGIC) == WIRE_MAGIC;
    return has_head ? head[WIRE_HEAD_VERSION] : 0;
}

bool wire_next(wire_reader_t *reader, wire_item_t *item)
{
    if (reader->count == 0) {
        return false;
    }
    const unsigned char *at = reader->at;
    *item = (wire_item_t){
        .to = wire_get_pid(at + WIRE_ITEM_TO),
        .from = wire_get_pid(at + WIRE_ITEM_FROM),
        .request_id = wire_get64(at + WIRE_ITEM_REQUEST),
        .deadline_ns = (int64_t)wire_get64(at + WIRE_ITEM_DEADLINE),
        .trace_id = wire_get32(at + WIRE_ITEM_TRACE),
        .tag = wire_get16(at + WIRE_ITEM_TAG),
        .flags = at[WIRE_ITEM_FLAGS],
        .size = wire_get32(at + WIRE_ITEM_BYTES),
    };
    reader->at += WIRE_ITEM_SIZE;
    if (at[WIRE_ITEM_APART] != 0) {
        item->frame = reader->next_frame++;
        item->data = zmq_msg_data(item->frame);
    } else {
        item->data = reader->at;
        reader->at += item->size;
    }
    reader->count--;
    return true;
}
