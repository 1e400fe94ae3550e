/* SPDX-License-Identifier: MIT */
/* How many workers a pool has, between min and max, and when one is exchanged for another.
 *
 *     up       a task waits and no worker has a place free, or more than scale_up % are in use
 *     down     one idled for idle_ms, or less than scale_down % were in use for scale_ms
 *     recycle  one did its number of tasks, reached its age or its memory: the next one is started
 *              first, one at a time in each pool, and each worker has a limit a little different;
 *              it stops when it has finished what it has
 */
#ifndef TRP_ACTORS_ROUTER_SCALE_H
#define TRP_ACTORS_ROUTER_SCALE_H

#include "actors/router/state/router_state.h"

/** Asks the supervisor for one more worker where that is called for. */
void pool_scale_up(pool_t *pool);
/** The end of a request for a worker: answered or timed out. Returns the pool that it was of, to be
 * dispatched anew; NULL: none */
pool_t *router_on_child_answer(router_t *router, const trp_envelope_t *message);

/** Asks for a worker to take the place of this one, if it has served long enough. */
void worker_check_age(worker_t *worker);
/** Tells the worker that was exchanged to stop, once it has no task and no key. */
void pool_send_off(pool_t *pool);

/** When the worker that idles longest has idled for too long; INT64_MAX: none may go. */
int64_t pool_idle_ends_at(const pool_t *pool);
void pool_end_idle(pool_t *pool, int64_t now);
/** When the pool's use is looked at next; INT64_MAX: it has no worker to spare. */
int64_t pool_scale_down_at(const pool_t *pool);
void pool_scale_down(pool_t *pool);

#endif
