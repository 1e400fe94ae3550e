/* SPDX-License-Identifier: MIT */
/* What workers of other programs say on the port:
 *
 *     READY        unknown peer: it serves the tool        known: sent away
 *     PARTIAL, FINAL, HEARTBEAT   known: heard of           unknown: sent away
 *     REQUEST (ours to say)       sent away
 *     DISCONNECT, connection lost, silent for `liveness` heartbeats: forgotten */
#ifndef TRP_ACTORS_ROUTER_FOREIGN_PORT_H
#define TRP_ACTORS_ROUTER_FOREIGN_PORT_H

#include "actors/router/state/router_state.h"

/** One message of a worker on the Majordomo port. */
void router_on_worker(router_t *router, const edge_peer_t *peer, majordomo_worker_t *message,
                      zmq_msg_t *first);
/** A connection on the port ended. */
void router_on_peer_down(void *router, const edge_peer_t *peer);
/** Starts the heartbeats where there are foreign workers and they have not been started. */
void router_start_beats(router_t *router);
void router_on_beat(router_t *router);

#endif
