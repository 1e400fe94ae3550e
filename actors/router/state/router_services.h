/* SPDX-License-Identifier: MIT */
/* Tools by their names. */
#ifndef TRP_ACTORS_ROUTER_SERVICES_H
#define TRP_ACTORS_ROUTER_SERVICES_H

#include "actors/router/state/router_state.h"

/** NULL: no tool of that name. */
service_t *service_find(const router_t *router, trp_text_t name);

#endif
