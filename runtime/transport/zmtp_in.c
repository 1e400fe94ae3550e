/* SPDX-License-Identifier: MIT */
#include "runtime/transport/zmtp_in.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 4
#define LARGE      8192 /* bytes of a rest that is worth a receive of its own */

void zmtp_in_init(zmtp_in_t *in, const char *type, int64_t frame_max)
{
    memset(in, 0, sizeof(*in));
    in->type = type;
    in->frame_max = frame_max > 0 ? (uint64_t)frame_max : 0;
}

void zmtp_in_clear(zmtp_in_t *in)
{
    for (size_t i = 0; i < in->count; i++) {
        (void)zmq_msg_close(&in->frames[i]);
    }
    in->count = 0;
}

void zmtp_in_fini(zmtp_in_t *in)
{
    zmtp_in_clear(in);
    free(in->frames);
    in->frames = NULL;
    if (in->in_body) {
        (void)zmq_msg_close(&in->body);
        in->in_body = false;
    }
}

/* ---- a whole frame ---- */

static bool make_room(zmtp_in_t *in)
{
    if (in->count < in->room) {
        return true;
    }
    const size_t room = in->room == 0 ? ROOM_FIRST : 2 * in->room;
    zmq_msg_t *frames = malloc(room * sizeof(*frames));
    if (frames == NULL) {
        return false;
    }
    for (size_t i = 0; i < in->count; i++) {
        (void)zmq_msg_init(&frames[i]);
        (void)zmq_msg_move(&frames[i], &in->frames[i]);
    }
    free(in->frames);
    in->frames = frames;
    in->room = room;
    return true;
}

static zmtp_event_t take_command(zmtp_in_t *in)
{
    const uint8_t *body = zmq_msg_data(&in->body);
    const size_t size = zmq_msg_size(&in->body);
    trp_peer_t peer;
    const zmtp_command_t command = zmtp_read_command(body, size, in->type, &peer);
    if (command == ZMTP_READY && in->stage == ZMTP_INTRODUCES) {
        in->stage = ZMTP_TALKS;
        in->peer = peer;
        return ZMTP_IN_OPEN;
    }
    if (command == ZMTP_NO_SENSE || in->stage != ZMTP_TALKS || command == ZMTP_READY) {
        return ZMTP_IN_BROKEN;
    }
    if (command == ZMTP_PING) {
        in->pong_size = zmtp_write_pong(in->pong, body, size);
        return ZMTP_IN_PING;
    }
    return ZMTP_IN_HUNGRY;
}

static zmtp_event_t take_frame(zmtp_in_t *in)
{
    if (in->stage != ZMTP_TALKS) {
        return ZMTP_IN_BROKEN;
    }
    if (in->count == TRP_FRAMES_MAX) {
        in->is_too_many = true;
    } else {
        if (!make_room(in)) {
            return ZMTP_IN_BROKEN;
        }
        zmq_msg_t *frame = &in->frames[in->count++];
        (void)zmq_msg_init(frame);
        (void)zmq_msg_move(frame, &in->body);
    }
    if ((in->header.flags & ZMTP_MORE) != 0) {
        return ZMTP_IN_HUNGRY;
    }
    if (in->is_too_many) {
        in->is_too_many = false;
        in->dropped++;
        zmtp_in_clear(in);
        return ZMTP_IN_HUNGRY;
    }
    return ZMTP_IN_MESSAGE;
}

static zmtp_event_t end_body(zmtp_in_t *in)
{
    const zmtp_event_t event =
        (in->header.flags & ZMTP_COMMAND) != 0 ? take_command(in) : take_frame(in);
    (void)zmq_msg_close(&in->body);
    in->in_body = false;
    return event;
}

/* ---- bytes ---- */

/* Adds to the head until it has `wanted` bytes. Returns how many it took. */
static size_t gather(zmtp_in_t *in, const uint8_t *bytes, size_t size, size_t wanted)
{
    const size_t missing = wanted - in->head_used;
    const size_t taken = size < missing ? size : missing;
    memcpy(in->head + in->head_used, bytes, taken);
    in->head_used += taken;
    return taken;
}

static zmtp_event_t take_greeting(zmtp_in_t *in, const uint8_t *bytes, size_t size, size_t *used)
{
    *used += gather(in, bytes, size, ZMTP_GREETING_SIZE);
    if (in->head_used < ZMTP_GREETING_SIZE) {
        return in->head[0] == ZMTP_SIGNATURE ? ZMTP_IN_HUNGRY : ZMTP_IN_BROKEN;
    }
    in->head_used = 0;
    in->stage = ZMTP_INTRODUCES;
    return zmtp_is_greeting(in->head) ? ZMTP_IN_HUNGRY : ZMTP_IN_BROKEN;
}

static bool begin_body(zmtp_in_t *in)
{
    const uint64_t limit =
        (in->header.flags & ZMTP_COMMAND) != 0 ? ZMTP_COMMAND_MAX : in->frame_max;
    if ((limit > 0 && in->header.size > limit) || in->header.size > SIZE_MAX / 2 ||
        zmq_msg_init_size(&in->body, (size_t)in->header.size) != 0) {
        return false;
    }
    in->in_body = true;
    in->filled = 0;
    return true;
}

/* False: it is none. in_body tells whether it is whole. */
static bool take_header(zmtp_in_t *in, const uint8_t *bytes, size_t size, size_t *used)
{
    const size_t wanted = zmtp_header_size(in->head_used > 0 ? in->head[0] : bytes[0]);
    if (wanted == 0) {
        return false;
    }
    if (in->head_used == 0 && size >= wanted) { /* mostly */
        in->header = zmtp_read_header(bytes);
        *used += wanted;
        return begin_body(in);
    }
    *used += gather(in, bytes, size, wanted);
    if (in->head_used < wanted) {
        return true;
    }
    in->head_used = 0;
    in->header = zmtp_read_header(in->head);
    return begin_body(in);
}

static zmtp_event_t step(zmtp_in_t *in, const uint8_t *bytes, size_t size, size_t *used)
{
    if (in->stage == ZMTP_GREETS) {
        return take_greeting(in, bytes, size, used);
    }
    size_t taken = 0;
    if (!in->in_body) {
        if (!take_header(in, bytes, size, &taken)) {
            return ZMTP_IN_BROKEN;
        }
        *used += taken;
        if (!in->in_body) {
            return ZMTP_IN_HUNGRY;
        }
    }
    const size_t missing = zmq_msg_size(&in->body) - in->filled;
    const size_t copied = size - taken < missing ? size - taken : missing;
    memcpy((uint8_t *)zmq_msg_data(&in->body) + in->filled, bytes + taken, copied);
    *used += copied;
    return zmtp_in_filled(in, copied);
}

zmtp_event_t zmtp_in_take(zmtp_in_t *in, const uint8_t *bytes, size_t size, size_t *used)
{
    zmtp_event_t event = ZMTP_IN_HUNGRY;
    *used = 0;
    while (event == ZMTP_IN_HUNGRY && *used < size) {
        event = step(in, bytes + *used, size - *used, used);
    }
    return event;
}

uint8_t *zmtp_in_room(zmtp_in_t *in, size_t *size)
{
    if (!in->in_body || zmq_msg_size(&in->body) - in->filled < LARGE) {
        return NULL;
    }
    *size = zmq_msg_size(&in->body) - in->filled;
    return (uint8_t *)zmq_msg_data(&in->body) + in->filled;
}

zmtp_event_t zmtp_in_filled(zmtp_in_t *in, size_t size)
{
    in->filled += size;
    return in->filled == zmq_msg_size(&in->body) ? end_body(in) : ZMTP_IN_HUNGRY;
}
