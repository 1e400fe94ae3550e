/* SPDX-License-Identifier: MIT */
/* Frames of messages. Any thread. */
#ifndef TRP_ACTORS_ROUTER_FRAME_H
#define TRP_ACTORS_ROUTER_FRAME_H

#include <stdbool.h>
#include <string.h>
#include <zmq.h>

/** Makes a frame of a copy of these bytes. False: no memory, it is an empty one. */
static inline bool frame_set(zmq_msg_t *frame, const void *data, size_t size)
{
    if (zmq_msg_init_size(frame, size) != 0) {
        zmq_msg_init(frame);
        return false;
    }
    if (size > 0) {
        memcpy(zmq_msg_data(frame), data, size);
    }
    return true;
}

static inline bool frame_set_text(zmq_msg_t *frame, const char *text)
{
    return frame_set(frame, text, strlen(text));
}

static inline void frames_close(zmq_msg_t *frames, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        zmq_msg_close(&frames[i]);
    }
}

#endif
