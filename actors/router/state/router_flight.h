/* SPDX-License-Identifier: MIT */
/* Work under way that others may join, and what is kept of it when it ends. */
#ifndef TRP_ACTORS_ROUTER_FLIGHT_H
#define TRP_ACTORS_ROUTER_FLIGHT_H

#include "actors/router/state/router_state.h"

/** NULL: nobody does that work. */
task_t *router_flight_find(const router_t *router, const cache_key_t *key);
/** owns: takes the flight */
void router_flight_start(router_t *router, flight_t *flight, task_t *task);
/** Ends a task's flight and keeps its answer; NULL: there is none that others could use. */
void router_flight_end(router_t *router, task_t *task, const cache_value_t *value);

#endif
