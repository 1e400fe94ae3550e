/* SPDX-License-Identifier: MIT */
/* What becomes of messages when a mailbox is full (trp_overflow_t). Internal to the core.
 *
 *     refuse     the sender decides: TRP_FULL
 *     drop new   the sender decides: a dead letter, TRP_OK
 *     drop old   senders are refused at twice the bound; the runner drops what is above the bound
 *                when it takes its inbox, oldest first
 *
 * Signals have no charge and are never dropped. A proxy does the last of these itself: see
 * proxy_is_over in runtime/core/runtime.h. */
#ifndef TRP_RUNTIME_OVERFLOW_H
#define TRP_RUNTIME_OVERFLOW_H

#include "runtime/core/send.h"

/** What mailbox_open gets for a spawn's bounds: twice them for who drops old messages. */
void overflow_open(cell_t *cell, const trp_spawn_t *spawn, uint32_t count_max, uint64_t bytes_max);

/** The mailbox has no room for `envelope`, whose charge is `charge`. owns: taken on TRP_OK.
 * errors: TRP_FULL, TRP_TOO_LARGE (it would not fit into the empty mailbox either) */
TRP_MUST_USE trp_status_t overflow_refuse(const sender_t *sender, cell_t *cell,
                                          trp_envelope_t *envelope, uint64_t charge);

/** Drops the oldest of what the runner has just taken, down to the bounds. */
void overflow_trim(worker_t *worker, cell_t *cell);

/** The bounds of a mailbox that drops old messages, as a charge. */
uint64_t overflow_bound(const cell_t *cell);

/** A message that this cell took is a dead letter. */
static inline void overflow_died(cell_t *cell)
{
    /* Relaxed: the runner's own; others only show it. */
    uint64_t died = atomic_load_explicit(&cell->died, memory_order_relaxed);
    atomic_store_explicit(&cell->died, died + 1, memory_order_relaxed);
}

static inline bool overflow_drops_old(const cell_t *cell)
{
    /* Relaxed: the runner's own since the birth. */
    return (atomic_load_explicit(&cell->flags, memory_order_relaxed) & CELL_DROPS_OLD) != 0;
}

#endif
