/* SPDX-License-Identifier: MIT */
/* What the core does about runtime/hibernate.h. */
#ifndef TRP_RUNTIME_HIBERNATE_CORE_H
#define TRP_RUNTIME_HIBERNATE_CORE_H

#include "runtime/core/life.h"
#include "runtime/hibernate.h"

/** Lays the actor of this cell down, unless messages wait. False: it was killed while `save` ran,
 * and is abandoned (runtime/core/lease.h). */
TRP_MUST_USE bool hibernate_begin(worker_t *worker, cell_t *cell);

/** Whether the actor hibernates. Under the cell's inspect lock, or by its runner. */
bool hibernate_is_asleep(const cell_t *cell);

#endif
