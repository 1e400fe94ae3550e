/* SPDX-License-Identifier: MIT */
/* What becomes of a task that was given to a worker: its answer, or the end of its time. */
#ifndef TRP_ACTORS_ROUTER_RESULT_H
#define TRP_ACTORS_ROUTER_RESULT_H

#include "actors/router/state/router_state.h"

/** A worker's answer, or the end of its time. */
void router_on_done(router_t *router, const trp_envelope_t *message);
/** A partial answer of one of our workers. */
void router_on_part(router_t *router, const trp_envelope_t *message);
void router_on_timeout(router_t *router, uint64_t request_id);
/** An attempt whose deadline passed before its turn at this worker: it was not begun. */
void router_on_expired(router_t *router, trp_pid_t worker, uint64_t request_id);
/** A running task is over its limit: its worker is replaced. */
void router_over_limit(router_t *router, task_t *task);

#endif
