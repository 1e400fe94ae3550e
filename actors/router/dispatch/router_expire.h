/* SPDX-License-Identifier: MIT */
/* What time alone ends: tasks that waited too long, deadlines of running tasks, workers above the
 * minimum that idle. */
#ifndef TRP_ACTORS_ROUTER_EXPIRE_H
#define TRP_ACTORS_ROUTER_EXPIRE_H

#include "actors/router/state/router_state.h"

/** Refuses what waited too long and stops workers that idle too long; sets the next timer. */
void pool_on_timer(pool_t *pool);
/** Refuses all that is accepted and unanswered. */
void router_cancel_all(router_t *router);

#endif
