/* SPDX-License-Identifier: MIT */
/* Answers as frames, to a client of the port, and the same as a value, to an actor. */
#ifndef TRP_ACTORS_ROUTER_FRAMES_H
#define TRP_ACTORS_ROUTER_FRAMES_H

#include "actors/router/state/router_state.h"

/** Frames of an answer: two runs, either of which may be empty. */
typedef struct answer_frames {
    zmq_msg_t *parts;
    size_t part_count;
    zmq_msg_t *last;
    size_t last_count;
    uint32_t attempt; /* of a partial answer */
    bool is_value;    /* of a tool of ours: one value, not somebody's bytes */
} answer_frames_t;

/** Whether partial answers go there as they come. */
bool waiter_streams(const waiter_t *waiter);
/** Sends a client of the port copies of the frames; `final`: they are the last ones. */
void frames_send(router_t *router, const service_t *service, const waiter_t *waiter,
                 const answer_frames_t *answer, bool final);
/** The frames as one value; several are an array. */
void frames_write(trp_writer_t *writer, const answer_frames_t *answer);
/** The frames one after the other, each after its size. NULL: no memory. owns: the caller's */
void *frames_pack(const answer_frames_t *answer, size_t *size);
/** Sends the last answer of one of our tools behind the parts that were kept for this client.
 * False: there are none. owns: `body` when true */
bool router_forward_behind(router_t *router, const task_t *task, const origin_t *origin,
                           zmq_msg_t *body);
/** Writes bytes as a value: what they say if they are a map in one of our forms, else text, else
 * bytes. */
void router_write_value(trp_writer_t *writer, const char *data, size_t size);

#endif
