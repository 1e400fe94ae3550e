/* SPDX-License-Identifier: MIT */
/* The end of a worker, and what becomes of its tasks:
 *
 *     nobody waits any more                              forgotten
 *     attempts left                                      a rest, then in front of its queue
 *     all attempts used up, each by a crash              set aside as poison
 *     all attempts used up, or parts pin it to this one   refused */
#ifndef TRP_ACTORS_ROUTER_RETRY_H
#define TRP_ACTORS_ROUTER_RETRY_H

#include "actors/router/state/router_state.h"

/** Puts a task that is with no worker any more, or has rested, back into its queue. */
void task_try_again(router_t *router, task_t *task);
/** Takes a worker that ended, or was sent away, out of all; its tasks are tried elsewhere. */
void router_worker_down(worker_t *worker, const trp_reason_t *reason);
/** For a restarted router: what ran goes back to the queues, workers keep their keys and are
 * watched anew. */
void router_resume(router_t *router);

#endif
