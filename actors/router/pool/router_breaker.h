/* SPDX-License-Identifier: MIT */
/* The breaker of a pool. What counts as a failure is the death of a worker at work and a run over
 * its limit, not an error that a tool returned.
 *
 *     closed      so many failures in a row    -> open
 *     open        its time is over             -> half open
 *     half open   one attempt: answered        -> closed
 *                              failed          -> open
 */
#ifndef TRP_ACTORS_ROUTER_BREAKER_H
#define TRP_ACTORS_ROUTER_BREAKER_H

#include "actors/router/state/router_state.h"

/** An attempt of the pool ended: with an answer, or with its worker's death or its limit. */
void pool_attempt_ended(pool_t *pool, bool failed);
/** Whether tasks may be given now: always while it is closed, one while it is half open. */
bool pool_may_start(const pool_t *pool);
/** Until when requests are refused at once; 0: they are not. */
int64_t pool_open_until(const pool_t *pool);

#endif
