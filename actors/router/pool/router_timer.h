/* SPDX-License-Identifier: MIT */
/* When time alone changes something in a pool: one timer for each, set only while there is such a
 * moment, so that an idle node wakes for nothing. */
#ifndef TRP_ACTORS_ROUTER_TIMER_H
#define TRP_ACTORS_ROUTER_TIMER_H

#include "actors/router/state/router_state.h"

/** When the first of its tasks ends or rests no longer; INT64_MAX: there is none. */
int64_t pool_tasks_end_at(const pool_t *pool);
/** Sets the timer for what ends next, unless it fires before that anyway. */
void pool_set_timer(pool_t *pool);

#endif
