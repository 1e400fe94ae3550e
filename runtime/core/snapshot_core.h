/* SPDX-License-Identifier: MIT */
/* What the core does about runtime/snapshot.h. */
#ifndef TRP_RUNTIME_SNAPSHOT_CORE_H
#define TRP_RUNTIME_SNAPSHOT_CORE_H

#include "runtime/core/life.h"
#include "runtime/snapshot.h"

/** Answers a TRP_SIGNAL_SAVE for the actor of this cell. False: it was killed while `save` ran, and
 * is abandoned (runtime/core/lease.h). */
TRP_MUST_USE bool snapshot_answer(worker_t *worker, cell_t *cell, const trp_envelope_t *request);

/** Keeps the spawn's snapshot in the cell until its first turn. errors: TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t snapshot_keep(cell_table_t *table, cell_t *cell,
                                        const trp_spawn_t *spawn);

/** Calls `restore` with it; what it returns, or TRP_UNSUPPORTED, TRP_INVALID. */
trp_status_t snapshot_restore(trp_ctx_t *ctx, cell_t *cell);

#endif
