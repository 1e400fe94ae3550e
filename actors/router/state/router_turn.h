/* SPDX-License-Identifier: MIT */
/* The router actor's turns: what asks for one, and the one that finds all answered. */
#ifndef TRP_ACTORS_ROUTER_TURN_H
#define TRP_ACTORS_ROUTER_TURN_H

#include "actors/router/state/router_state.h"

/** Wakes the actor, once for all that happens before it runs. Any callback of the edge. */
void router_nudge(router_t *router);
/** All is answered and no new work comes: tells who asked for it. */
void router_check_drained(router_t *router);

#endif
