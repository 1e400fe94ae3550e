/* SPDX-License-Identifier: MIT */
/* The edge: the one thread of a node that owns its sockets and its polled descriptors. Everything
 * here is for the edge thread only (actors of class flag TRP_CLASS_EDGE, and the callbacks below).
 * The transport does the socket calls. */
#ifndef TRP_RUNTIME_EDGE_H
#define TRP_RUNTIME_EDGE_H

#include <zmq.h>

#include "runtime/core/runtime.h"
#include "runtime/plugin.h"

typedef struct edge edge_t;
typedef struct edge_socket edge_socket_t;

/** A peer's routing id on a ROUTER socket; a value, may be kept. */
typedef trp_peer_t edge_peer_t;

typedef struct edge_socket_options {
    const char *name;     /* for logs: "majordomo" */
    const char *endpoint; /* to bind; tcp port 0 or `*` picks a free one */
    bool is_link;         /* ipc, between edges of ours: by the edge's own thread */
    int mode;             /* of an ipc file, e.g. 0600; 0 = as it comes */
    int64_t message_max;  /* bytes of one frame; larger ones drop the peer. 0 = no limit */
    int queue_max;        /* messages waiting for one slow peer; 0 = 1000, negative = no limit */
    const char *curve_secret; /* bind: Z85, peers need CURVE keys that a ZAP handler of this edge
                                 knows; NULL = anybody may connect */
    int listener;             /* a listening TCP socket that is served instead of binding; stays the
                           * caller's; 0 = none */
    /** One message of a peer: `count` frames without the identity. Frames may be moved from; the
     * rest is closed after. */
    void (*on_message)(void *user, const edge_peer_t *peer, zmq_msg_t *frames, size_t count);
    /** A peer that was edge_track'ed lost its connection, and all that it sent was handled; or
     * NULL.
     */
    void (*on_down)(void *user, const edge_peer_t *peer);
    int64_t unread_max; /* bytes that were posted to one peer and that it has not read
                               * (edge_unread.h); 0 = no limit */
    bool unread_all;    /* small frames count, too */
    /** A message that was posted to this peer could not be sent: TRP_GONE (it is not there now) or
     * TRP_BUSY (it does not read). NULL = it does not matter. */
    void (*on_unsent)(void *user, const edge_peer_t *peer, trp_status_t why);
    void *user;
} edge_socket_options_t;

/** Makes an edge with no sockets, before its runtime: edge_park is for runtime_options.edge, then
 * edge_attach. The calling thread is the edge thread from here on. errors: TRP_NO_MEMORY,
 * TRP_SYSTEM
 */
TRP_MUST_USE trp_status_t edge_create(edge_t **edge);

/** What an edge stands on; zeroed members: libzmq, transport_zmtp for links, and the operating
 * system. */
typedef struct edge_options {
    const trp_transport_t *transport; /* of all sockets */
    const void *transport_how;        /* for its `open` */
    const trp_host_t *host;           /* of the runtime that it will belong to */
} edge_options_t;

/** The same over another transport. One without descriptors makes an edge that is stepped by its
 * `poll` and never waits. */
TRP_MUST_USE trp_status_t edge_create_with(const edge_options_t *options, edge_t **edge);

scheduler_park_t edge_park(edge_t *edge);
void edge_attach(edge_t *edge, trp_runtime_t *runtime);

/** A stepped edge: whether its last park found nothing to do and it waits, until it is woken or
 * edge_resume ends the wait. */
bool edge_is_waiting(const edge_t *edge);
void edge_resume(edge_t *edge);

/** Closes what is open, gives queued messages up to 1 s to leave, and clears the pointer. After
 * runtime_destroy. */
void edge_destroy(edge_t **edge);

/** Calls `flush` at the end of each turn: when all that was ready has been handled and before the
 * edge waits. How what was queued in a turn leaves in one frame. NULL ends it. One for each edge.
 */
void edge_flush(edge_t *edge, void (*flush)(void *user), void *user);

/** The edge of a runtime; NULL when it has none. */
edge_t *edge_of(trp_runtime_t *runtime);

/** Whether other threads of this process can reach the edge; not in a simulation. */
bool edge_has_threads(const edge_t *edge);

/** A medium for another thread of this process, which reaches what the edge binds under inproc://;
 * shut by `transport`. errors: those of the transport's join; TRP_UNSUPPORTED: it has none */
TRP_MUST_USE trp_status_t edge_join(edge_t *edge, const trp_transport_t **transport, void **medium);

/** Binds a ROUTER. `error` (of 256 bytes) says what failed and what to do. errors: TRP_EXISTS
 * (address in use), TRP_INVALID (endpoint), TRP_SYSTEM */
TRP_MUST_USE trp_status_t edge_bind(edge_t *edge, const edge_socket_options_t *options,
                                    edge_socket_t **socket, char error[256]);

/** Connects a DEALER whose routing id is `self` to one peer; `peer` arguments are ignored then. It
 * is tracked from the start. errors: as edge_bind */
TRP_MUST_USE trp_status_t edge_connect(edge_t *edge, const edge_socket_options_t *options,
                                       const edge_peer_t *self, edge_socket_t **socket,
                                       char error[256]);

/** Asks for on_down of the peer that sent `frame`, the frame that is being handled. errors:
 * TRP_UNSUPPORTED (no on_down), TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t edge_track(edge_socket_t *socket, const edge_peer_t *peer,
                                     zmq_msg_t *frame);

/** The endpoint that is bound, with the port that was picked. Valid while the socket lives. */
const char *edge_endpoint(const edge_socket_t *socket);

/** Sends frames to a peer: all moved on TRP_OK, untouched otherwise. Never waits.
 *  errors: TRP_GONE (no such peer now), TRP_BUSY (its queue is full) */
TRP_MUST_USE trp_status_t edge_send(edge_socket_t *socket, const edge_peer_t *peer,
                                    zmq_msg_t *frames, size_t count);

/** Sends frames to a peer at the end of this turn, together with all that is posted in it, so that
 * they cost one wake-up of the transport's thread and not one each; before what edge_send sends
 * later. All frames are moved. What can't be sent then is told to `on_unsent`. */
void edge_post(edge_socket_t *socket, const edge_peer_t *peer, zmq_msg_t *frames, size_t count);

/** Bytes that were posted to a peer and that it has not read, on a socket with `unread_max`; what
 * was posted to anybody in this turn counts. */
size_t edge_unread(edge_socket_t *socket, const edge_peer_t *peer);

/** Messages that were no protocol at all and were dropped. */
uint64_t edge_dropped(const edge_socket_t *socket);

/** Closes at the end of this turn; its callbacks are not called any more. Clears the pointer. */
void edge_close(edge_socket_t **socket);

/** Calls `ready` on the edge thread while `fd` is readable. NULL ends it. errors: TRP_SYSTEM */
TRP_MUST_USE trp_status_t edge_watch(edge_t *edge, int fd, void (*ready)(void *user, int fd),
                                     void *user);

#endif
