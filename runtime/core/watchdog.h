/* SPDX-License-Identifier: MIT */
/* The watchdog: one thread that looks, while anything runs, whether a worker is still in the same
 * callback as before. Internal to the core.
 *
 *     found so for ...      pool                                  edge
 *     stuck_ms              logged with its calls; the thread     logged with its calls
 *                           counts as gone, a spare replaces it
 *     kill_grace_ms, and    the actor is written off: its end is  -
 *       a kill waits        told, its thread owns what is left
 *     edge_stuck_ms         -                                     the node ends
 *
 * What waits behind a stuck handler is taken over by the sentinel (runtime/core/scheduler.h), the
 * watchdog only sees to it that some thread is free to be it. When the handler returns the spare
 * rests. Time is counted in looks, so that a process that was stopped finds nobody stuck when it
 * goes on. When a look finds all workers parked, and nothing moved since the one before, it sleeps
 * until one of them is woken: an idle node has no watchdog. */
#ifndef TRP_RUNTIME_WATCHDOG_H
#define TRP_RUNTIME_WATCHDOG_H

#include "runtime/core/scheduler.h"

/** Before the workers' threads. errors: TRP_SYSTEM, TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t watchdog_start(trp_runtime_t *runtime);

/** Its thread ends at its next step; any thread. */
void watchdog_stop(trp_runtime_t *runtime);

/** A worker goes to work after it was parked. */
void watchdog_rouse(trp_runtime_t *runtime);

/** The calling worker's thread may be looked at; ... not any more. */
void watchdog_enter(worker_t *worker);
void watchdog_leave(worker_t *worker);

/** A bit for each worker whose handler does not return, as of the last look; any thread. */
static inline uint64_t watchdog_stuck(const trp_runtime_t *runtime)
{
    return atomic_load_explicit(&runtime->watchdog.stuck, memory_order_relaxed);
}

/** One look at all workers. */
void watchdog_look(trp_runtime_t *runtime);

#endif
