/* SPDX-License-Identifier: MIT */
/* The node's end of the link to one worker process or thread: its channel, who it must prove to be,
 * and what has come that its proxy has not looked at yet. The hub finds it by the worker's index;
 * the proxy owns its end. Edge thread only. */
#ifndef TRP_RUNTIME_PLACE_LINK_H
#define TRP_RUNTIME_PLACE_LINK_H

#include "messages/reason.h"
#include "runtime/edge/channel.h"
#include "runtime/edge/edge.h"
#include "runtime/guardian/black_box.h"
#include "runtime/guardian/guardian_proto.h"

typedef struct place_link {
    trp_runtime_t *runtime;
    edge_socket_t *socket; /* the hub's */
    void *carried;         /* of its carrier */
    trp_pid_t proxy;
    uint32_t node, index, incarnation; /* of the worker process */
    unsigned char token[GUARDIAN_TOKEN_SIZE];
    edge_peer_t peer; /* place_link_identity: holds the token, so no stranger can take it */
    channel_t channel;
    const trp_class_t *foreign; /* of the actor, when another program is to run it */
    void *far_actors;   /* a tree: those at the other end with a group or name; see place_ask.h */
    trp_writer_t start; /* the body of the start frame, until it is sent */
    black_box_t box;
    int box_fd; /* until the guardian has it; 0: none */
    trp_limits_t limits;

    /* What came, for the proxy to look at. */
    bool is_single; /* one actor is behind it, which hands out nothing to others */
    bool look_sent; /* it has been told to look */
    bool connected; /* its hello was right */
    bool down;      /* its connection ended and all that it sent was delivered */
    bool exited;    /* it has a wait status */
    bool said_bye;  /* ... with this reason: */
    trp_reason_t bye;
    int wait_status;
    bool memory; /* its control group killed it */
    int refused; /* errno: it could not be started */
    int32_t os_pid;
    const char *fault; /* how it broke the protocol */

    bool is_dirty; /* in the hub's list of channels to flush */
    struct place_link *dirty_next;
} place_link_t;

/** The routing id of a worker's socket: 'W', index, incarnation, token. */
void place_link_identity(edge_peer_t *peer, uint32_t index, uint32_t incarnation,
                         const unsigned char *token);

/** The index in a routing id; 0: none of ours. */
uint32_t place_link_index(const edge_peer_t *peer);

/** Makes the channel. The members up to `start` are filled in. */
void place_link_open(place_link_t *link);
void place_link_fini(place_link_t *link);

/** The guardian has answered: the descriptor of the box is not needed any more. */
void place_link_box_passed(place_link_t *link);

/** Tells the proxy to look, once until it does. */
void place_link_notice(place_link_t *link);

/** A message of the worker. */
void place_link_receive(place_link_t *link, zmq_msg_t *frames, size_t count);

#endif
