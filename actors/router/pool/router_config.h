/* SPDX-License-Identifier: MIT */
/* Pools and tools, as the configuration says; those of foreign workers that it does not know come
 * later. */
#ifndef TRP_ACTORS_ROUTER_CONFIG_H
#define TRP_ACTORS_ROUTER_CONFIG_H

#include "actors/router/state/router_state.h"

/** Pools and tools of the configuration. errors: TRP_NO_MEMORY, TRP_CONFIG (a tool in two pools) */
trp_status_t router_make_pools(router_t *router);
void router_free_pools(router_t *router);
/** A pool for one tool of foreign workers that the configuration does not know. NULL: no memory, or
 * too many of them */
service_t *router_add_foreign_service(router_t *router, trp_text_t name);

#endif
