/* SPDX-License-Identifier: MIT */
#ifndef TRP_ACTORS_ROUTER_STATUS_H
#define TRP_ACTORS_ROUTER_STATUS_H

#include "actors/router/state/router_state.h"

/** The rows of `troupe pools`: a pools_status, packed. errors: TRP_NO_MEMORY */
trp_status_t router_status(router_t *router, zmq_msg_t *message);

#endif
