/* SPDX-License-Identifier: MIT */
/* One connection of transport_zmtp: its descriptor, what comes and what leaves. One thread. */
#ifndef TRP_RUNTIME_ZMTP_LINK_H
#define TRP_RUNTIME_ZMTP_LINK_H

#include "runtime/transport/zmtp_in.h"
#include "runtime/transport/zmtp_out.h"

typedef struct zmtp_link {
    struct zmtp_link *next; /* in the list that it is in */
    struct zmtp_link *same; /* of the same hash */
    int descriptor;
    int poll_descriptor; /* the epoll that it is in; it is told when bytes wait */
    bool is_armed;       /* it wants to know when it may write */
    bool is_named;       /* its peer has said its id */
    bool is_tracked;
    bool has_ended;
    int64_t until_ms; /* it lingers so long */
    zmtp_in_t in;
    zmtp_out_t out;
} zmtp_link_t;

/** Takes over a connected descriptor, and greets. owns: it closes the descriptor, on errors too.
 * NULL: no memory, or the system's errno */
zmtp_link_t *zmtp_link_new(int descriptor, int poll_descriptor, bool is_router,
                           const trp_peer_t *self, int64_t frame_max);

/** Closes it at once. */
void zmtp_link_free(zmtp_link_t *link);

/** Writes what waits, and asks to be told when more can be, if need be. */
void zmtp_link_flush(zmtp_link_t *link);

/** errors: TRP_GONE, TRP_BUSY (more than `queue_max` wait, 0 = no limit; or no memory) */
TRP_MUST_USE trp_status_t zmtp_link_send(zmtp_link_t *link, zmq_msg_t *frames, size_t count,
                                         int queue_max);

/** Receives what is there, into a large body that is being read, else into `buffer`. Returns the
 * bytes in the buffer, which are to be taken next; 0: none. `event`: what the body made. has_ended
 * when the other side is gone. */
size_t zmtp_link_receive(zmtp_link_t *link, uint8_t *buffer, size_t size, zmtp_event_t *event);

#endif
