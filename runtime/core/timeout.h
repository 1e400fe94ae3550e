/* SPDX-License-Identifier: MIT */
/* The timers of requests' time limits. Most requests are answered long before theirs, so an actor
 * keeps the timer of one that was answered on its wheel, and the next request that is due later
 * takes it over: no timer is started or cancelled for it. A timer that fires before its request is
 * due is started again for the rest. Internal to the core; the runner of the cell only. */
#ifndef TRP_RUNTIME_TIMEOUT_H
#define TRP_RUNTIME_TIMEOUT_H

#include "runtime/core/scheduler.h"

/** A new row of kind WATCH_REQUEST with a time limit: sees to a signal when it is due. errors:
 * TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t timeout_start(worker_t *worker, cell_t *cell, watch_t *row);

/** The request has its answer, or is given up. */
void timeout_end(const trp_runtime_t *runtime, cell_t *cell, const watch_t *row);

/** A timer has fired of which no row has the reference. The request that it was left for, if that
 * is due; else NULL: nobody's, or it was started again. */
watch_t *timeout_fired(worker_t *worker, cell_t *cell, uint64_t ref);

/** The actor ends. */
void timeout_drop(const trp_runtime_t *runtime, cell_t *cell);

#endif
