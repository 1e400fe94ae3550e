/* SPDX-License-Identifier: MIT */
/* Spare workers: they stand in for pool threads whose handlers do not return, so that the pool has
 * its size again. Internal to the core. */
#ifndef TRP_RUNTIME_SPARE_H
#define TRP_RUNTIME_SPARE_H

#include "runtime/core/scheduler.h"

/** Starts a spare, or sends one to rest, when the pool has not its size. The watchdog's thread. */
void spare_balance(trp_runtime_t *runtime);

/** What a spare does that is not needed: gives away what it has, and sleeps until it is needed
 * again or a timer that was started on it is due. */
void spare_rest(worker_t *worker);

#endif
