/* SPDX-License-Identifier: MIT */
/* A second pool that serves a share of a tool's calls, to be compared with the first or to take
 * them over, until it has all:
 *
 *     compare   the first pool answers all calls; a share of them is made in the second one as
 *               well, by tasks for which nobody waits (shadows), and the results are compared
 *     take      a share of the calls goes to the second pool
 *
 * The share is of keys where calls have one, so that a key stays on its side while the share grows.
 * A service of either pool points to the same rollout. Edge thread only. */
#ifndef TRP_ACTORS_ROUTER_ROLLOUT_H
#define TRP_ACTORS_ROUTER_ROLLOUT_H

#include "actors/router/state/router_pair.h"

/** For the tools that the pool's rollout_tools name; their pools must be there. errors: TRP_CONFIG
 * (logged), TRP_NO_MEMORY */
trp_status_t router_make_rollouts(router_t *router, pool_t *pool);
void router_free_rollouts(router_t *router);
/** Changes share (percent) and mode, and begins to count anew. */
void router_rollout_set(router_t *router, rollout_t *rollout, int64_t share, bool takes);
/** After a change of the pool's settings. */
void router_rollout_settings(pool_t *pool);
/** The same tool in the second pool; NULL: it has no rollout. */
const service_t *router_rollout_second(const service_t *service);
/** Which of the two services of a rollout gets a call with this key; "" = none. */
service_t *router_rollout_route(router_t *router, service_t *service, const char *key);
/** What becomes of a task whose service has a rollout. */
void router_rollout_accepted(router_t *router, const task_t *task);
void router_rollout_answered(router_t *router, const task_t *task, const task_done_t *done);
void router_rollout_refused(const task_t *task);
void router_rollout_crashed(const task_t *task);

#endif
