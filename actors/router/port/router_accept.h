/* SPDX-License-Identifier: MIT */
/* From a client's frames to a task in its pool's queue, or to a clear refusal. No body is looked
 * into here: a small one is read for its keys (router_share.c), a large one by
 * the intake, and the worker validates. */
#ifndef TRP_ACTORS_ROUTER_ACCEPT_H
#define TRP_ACTORS_ROUTER_ACCEPT_H

#include "actors/router/port/router_intake.h"
#include "actors/router/state/router_state.h"

/** One message of a client or a worker on the Majordomo port. */
void router_on_message(void *router, const edge_peer_t *peer, zmq_msg_t *frames, size_t count);

/** What a request from inside says. */
typedef struct router_call {
    trp_text_t tool;
    trp_text_t body;
    trp_reply_address_t reply;
    task_options_t options; /* its id is of no use here */
} router_call_t;

/** A call by an actor (the control socket); answered with one TRP_TAG_CALL_RESULT. */
void router_accept_call(router_t *router, const router_call_t *call);
/** What has waited for the intake (serve_held_t). */
void router_serve_held(router_t *router, const arrival_t *arrival);

#endif
