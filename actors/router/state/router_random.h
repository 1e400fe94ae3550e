/* SPDX-License-Identifier: MIT */
/* Chance: of a generator whose numbers need not be secret. */
#ifndef TRP_ACTORS_ROUTER_RANDOM_H
#define TRP_ACTORS_ROUTER_RANDOM_H

#include "actors/router/state/router_state.h"

uint64_t router_random(router_t *router);
/** A fresh UUID. */
void router_make_id(router_t *router, char id[37]);

#endif
