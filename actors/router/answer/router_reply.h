/* SPDX-License-Identifier: MIT */
/* How a reply reaches a client of the port, or an actor. */
#ifndef TRP_ACTORS_ROUTER_REPLY_H
#define TRP_ACTORS_ROUTER_REPLY_H

#include "actors/router/state/router_state.h"

/** What a reply to a client of the port begins with. */
majordomo_reply_t router_reply_to(const origin_t *origin, trp_text_t service);
/** Sends a client of the port frames of a reply, at the end of the turn. owns: the frames are
 * moved */
void router_post(router_t *router, const edge_peer_t *peer, zmq_msg_t *frames, size_t count);
/** Such a reply could not be sent, and is dropped. */
void router_on_unsent(void *router, const edge_peer_t *peer, trp_status_t why);
/** Gives a client, or an actor, its answer. owns: `body` */
void router_send_to_peer(router_t *router, const origin_t *origin, trp_text_t service,
                         zmq_msg_t *body);
void router_send_to_actor(router_t *router, const origin_t *origin, zmq_msg_t *body);

#endif
