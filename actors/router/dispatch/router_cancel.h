/* SPDX-License-Identifier: MIT */
/* Calls by the id that their client gave them, so that it can cancel one: only its own. Whoever
 * waits for the same work goes on waiting; when nobody does, a queued task is dropped and a running
 * one has `cancel_ms` to end by itself before its worker is replaced. */
#ifndef TRP_ACTORS_ROUTER_CANCEL_H
#define TRP_ACTORS_ROUTER_CANCEL_H

#include "actors/router/state/router_state.h"

/** Answers the call of that client and id, or of that actor and request, with E_CANCELLED. False:
 * there is none. */
bool router_cancel(router_t *router, const origin_t *origin);

#endif
