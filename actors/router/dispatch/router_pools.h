/* SPDX-License-Identifier: MIT */
/* Pools, and who works in them: learnt from the supervisors, which the router observes. A worker's
 * DOWN and its supervisor's news may come in any order; each is enough. */
#ifndef TRP_ACTORS_ROUTER_POOLS_H
#define TRP_ACTORS_ROUTER_POOLS_H

#include "actors/router/state/router_state.h"

/** Says to the root supervisor that the router wants to know its children. */
void router_observe(router_t *router);
/** A supervisor's news about a child. */
void router_on_child(router_t *router, const trp_envelope_t *message);
/** The end of a worker or of a pool's supervisor. */
void router_on_down(router_t *router, const trp_envelope_t *message);

#endif
