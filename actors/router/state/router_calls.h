/* SPDX-License-Identifier: MIT */
/* Calls by the id that their client gave them, or by an actor and the number of its request: so
 * that they can be cancelled by who made them, and nobody else. */
#ifndef TRP_ACTORS_ROUTER_CALLS_H
#define TRP_ACTORS_ROUTER_CALLS_H

#include "actors/router/state/router_state.h"

/** Notes what the client calls its call; without memory it can't be cancelled. */
void router_call_add(router_t *router, task_t *task, const origin_t *origin);
/** NULL: there is none. */
task_t *router_call_find(const router_t *router, const origin_t *origin);
/** Ends a waiter that was taken from its task. */
void router_waiter_gone(router_t *router, waiter_t *waiter);

#endif
