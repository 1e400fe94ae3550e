/* SPDX-License-Identifier: MIT */
/* A task in the hands of a worker: from its dispatch to the end of the attempt. */
#ifndef TRP_ACTORS_ROUTER_ASSIGN_H
#define TRP_ACTORS_ROUTER_ASSIGN_H

#include "actors/router/state/router_state.h"

/** Takes a task that was sent to the worker out of its queue. False: no memory, nothing changed. */
bool task_assign(task_t *task, worker_t *worker);
/** Takes a running task from its worker; it stays the caller's. */
void task_unassign(task_t *task);
/** Adds up the pool's use so far: to be called before `running` changes. */
void pool_note_use(pool_t *pool);

#endif
