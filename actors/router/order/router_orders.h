/* SPDX-License-Identifier: MIT */
/* What people ask the router for: one row for each. */
#ifndef TRP_ACTORS_ROUTER_ORDERS_H
#define TRP_ACTORS_ROUTER_ORDERS_H

#include "actors/router/state/router_state.h"

/** errors: TRP_FAILED (that was the order: the actor is to end with it) */
TRP_MUST_USE trp_status_t router_on_order(router_t *router, const trp_envelope_t *message);

#endif
