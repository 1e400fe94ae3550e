/* SPDX-License-Identifier: MIT */
#ifndef TRP_ACTORS_ROUTER_DISPATCH_H
#define TRP_ACTORS_ROUTER_DISPATCH_H

#include "actors/router/state/router_state.h"

/** Gives waiting tasks to workers as far as there is room, and grows the pool where there is
 * none. */
void pool_dispatch(pool_t *pool);

#endif
