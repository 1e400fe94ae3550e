/* SPDX-License-Identifier: MIT */
#ifndef TRP_ACTORS_ROUTER_UNKNOWN_H
#define TRP_ACTORS_ROUTER_UNKNOWN_H

#include "actors/router/state/router_request.h"

/** E_UNKNOWN_TOOL with the names that are near; with none near, the first ones that there are. */
void router_refuse_unknown(router_t *router, const request_t *request);

#endif
