/* SPDX-License-Identifier: MIT */
/* Messages that leave together at the end of a turn of the edge. libzmq's I/O thread is woken for
 * each message that finds it asleep, and writes what it finds: sent one by one, with work in
 * between, each costs a wake-up and a system call; sent in a row, all of them cost one. Edge thread
 * only. */
#ifndef TRP_RUNTIME_EDGE_POST_H
#define TRP_RUNTIME_EDGE_POST_H

#include "runtime/edge/edge.h"
#include "runtime/edge/edge_unread.h"

typedef struct edge_post_box edge_post_box_t;

/** Of one socket: where they go, and who is told of those that can't. */
typedef struct edge_posts {
    const trp_transport_t *transport;
    void *socket;
    void (*unsent)(void *user, const trp_peer_t *peer, trp_status_t why); /* NULL: nobody */
    void *user;
    edge_unread_t *unread; /* NULL: no bound by bytes */
    edge_post_box_t *box;  /* NULL until something is posted */
} edge_posts_t;

/** Those of a socket of the transport, with `unread_...` and `on_unsent` of its options. */
void edge_posts_init(edge_posts_t *posts, const trp_transport_t *transport, void *socket,
                     const edge_socket_options_t *options);

/** Bytes that a peer has not read, as far as they are counted, and all that waits for the end of
 * the turn. */
size_t edge_posts_unread(edge_posts_t *posts, const trp_peer_t *peer);

/** Takes a message, whose frames are moved. When there are too many they are sent at once. */
void edge_posts_add(edge_posts_t *posts, const trp_peer_t *peer, zmq_msg_t *frames, size_t count);

/** Sends all, in order. True: there were some. */
bool edge_posts_send(edge_posts_t *posts);

/** Drops what was not sent. */
void edge_posts_fini(edge_posts_t *posts);

#endif
