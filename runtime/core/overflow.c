/* SPDX-License-Identifier: MIT */
#include "runtime/core/overflow.h"

#include <assert.h>

static uint32_t marks_of(trp_overflow_t overflow)
{
    switch (overflow) {
    case TRP_OVERFLOW_DROP_NEW:
        return CELL_DROPS_NEW;
    case TRP_OVERFLOW_DROP_OLD:
        return CELL_DROPS_OLD;
    default:
        return 0;
    }
}

void overflow_open(cell_t *cell, const trp_spawn_t *spawn, uint32_t count_max, uint64_t bytes_max)
{
    uint32_t marks = marks_of(spawn->overflow);
    uint32_t times = marks == CELL_DROPS_OLD ? 2 : 1;
    uint32_t count = count_max < MAILBOX_COUNT_MAX / times ? count_max * times : MAILBOX_COUNT_MAX;
    uint64_t bytes = bytes_max < MAILBOX_BYTES_MAX / times ? bytes_max * times : MAILBOX_BYTES_MAX;
    /* Relaxed: published with the cell; a late sender to the former actor may see either policy. */
    atomic_store_explicit(&cell->flags, spawn->class->flags | marks, memory_order_relaxed);
    mailbox_open(&cell->mailbox, count, bytes);
}

trp_status_t overflow_refuse(const sender_t *sender, cell_t *cell, trp_envelope_t *envelope,
                             uint64_t charge)
{
    /* Relaxed, all three: the bounds and the policy as some actor of this cell had them. */
    uint64_t limit = atomic_load_explicit(&cell->mailbox.limit, memory_order_relaxed);
    uint32_t flags = atomic_load_explicit(&cell->flags, memory_order_relaxed);
    atomic_fetch_add_explicit(&cell->turned_away, 1, memory_order_relaxed);
    bool too_large = mailbox_bytes(charge) > mailbox_bytes(limit);
    if (!too_large && (flags & CELL_DROPS_NEW) != 0) {
        trp_reason_t reason = trp_reason(TRP_REASON_ERROR, TRP_FULL, "drop_new");
        dead_letter(sender, envelope, TRP_DEAD_DROP_NEW, &reason);
        return TRP_OK;
    }
    COUNT(sender->runtime, sender->worker, refused);
    return too_large ? TRP_TOO_LARGE : TRP_FULL;
}

uint64_t overflow_bound(const cell_t *cell)
{
    /* Relaxed: the runner's own since the birth. */
    uint64_t limit = atomic_load_explicit(&cell->mailbox.limit, memory_order_relaxed);
    return mailbox_sum(mailbox_count(limit) / 2, mailbox_bytes(limit) / 2);
}

void overflow_trim(worker_t *worker, cell_t *cell)
{
    uint64_t bound = overflow_bound(cell);
    uint64_t sum = 0;
    for (const trp_envelope_t *at = cell->first; at != NULL; at = at->next) {
        sum += mailbox_charge_of(at);
    }
    trp_reason_t reason = trp_reason(TRP_REASON_ERROR, TRP_FULL, "drop_old");
    trp_envelope_t **at = &cell->first;
    /* The newest message stays, so the end of the list does. */
    while (mailbox_count(sum) > mailbox_count(bound) ||
           (mailbox_bytes(sum) > mailbox_bytes(bound) && mailbox_count(sum) > 1)) {
        trp_envelope_t *oldest = *at;
        assert(oldest != NULL); /* what is charged is in the list */
        uint64_t charge = mailbox_charge_of(oldest);
        if (charge == 0) {
            at = &oldest->next; /* a signal */
            continue;
        }
        *at = oldest->next;
        sum -= charge;
        mailbox_credit(&cell->mailbox, charge);
        overflow_died(cell);
        dead_letter(&worker->sender, oldest, TRP_DEAD_DROP_OLD, &reason);
    }
}
