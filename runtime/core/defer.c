/* SPDX-License-Identifier: MIT */
/* Messages that an actor keeps for later, or sends itself to give way, and its idle time-out.
 * What is deferred stays the mailbox's: it keeps its charge, so the ledger counts it as queued, and
 * it becomes a dead letter when the actor ends, however it ends. */
#include "runtime/core/defer.h"

#include <string.h>

#include "runtime/core/context.h"

#define IDLE_PARTS 8 /* looks in one idle time: it may be told late by one part */

/* Puts back the charge of the message that is handled now, which slice.c has noted as owed or
 * given back already. Past the bounds when others used the room meanwhile: it was there first. */
static void charge_again(cell_t *cell, uint64_t charge)
{
    if (cell->owed != 0) { /* given back as a whole, so it is still in it */
        cell->owed -= charge;
    } else {
        mailbox_credit(&cell->mailbox, 0 - charge);
    }
}

/* A worker process reports what it has handled by the metered envelopes that are freed. A metered
 * one that is kept would hold the credit of what may be the message that it waits for: a copy is
 * kept instead. NULL: no memory */
static trp_envelope_t *unmetered(trp_envelope_t *message)
{
    if ((message->flags & TRP_ENVELOPE_METERED) == 0) {
        return message;
    }
    trp_envelope_t *copy = envelope_copy(message);
    if (copy != NULL) {
        envelope_free(message);
    }
    return copy;
}

trp_status_t trp_defer(trp_ctx_t *ctx, const trp_envelope_t *message, uint32_t count_max,
                       size_t size_max)
{
    LEASE_CALL(ctx, TRP_GONE)
    cell_t *cell = ctx->cell;
    if (message == NULL || ctx->message != message || cell_is_proxy(cell)) {
        return TRP_STATE;
    }
    cell_life_t *life = cell_life_make(&ctx->runtime->table, cell);
    if (life == NULL) {
        return TRP_NO_MEMORY;
    }
    size_t size = 0;
    trp_message_data(message, &size);
    deferred_t *deferred = &life->deferred;
    if (deferred->count >= count_max || size > size_max || deferred->size > size_max - size) {
        return TRP_FULL;
    }
    trp_envelope_t *kept = unmetered(ctx->message);
    if (kept == NULL) {
        return TRP_NO_MEMORY;
    }
    charge_again(cell, mailbox_charge_of(kept));
    ctx->message = NULL;
    kept->next = NULL;
    kept->flags |= TRP_ENVELOPE_DEFERRED;
    if (deferred->last == NULL) {
        deferred->first = kept;
    } else {
        deferred->last->next = kept;
    }
    deferred->last = kept;
    deferred->count++;
    deferred->size += size;
    return TRP_OK;
}

void trp_recall(trp_ctx_t *ctx)
{
    LEASE_CALL(ctx, )
    cell_t *cell = ctx->cell;
    if (cell->life == NULL || cell->life->deferred.first == NULL) {
        return;
    }
    deferred_t *deferred = &cell->life->deferred;
    deferred->last->next = cell->first;
    if (cell->first == NULL) {
        cell->last = deferred->last;
    }
    cell->first = deferred->first;
    *deferred = (deferred_t){0};
}

trp_envelope_t *defer_take_all(cell_t *cell)
{
    if (cell->life == NULL) {
        return NULL;
    }
    trp_envelope_t *list = cell->life->deferred.first;
    cell->life->deferred = (deferred_t){0};
    return list;
}

trp_status_t trp_continue(trp_ctx_t *ctx, uint16_t tag, const void *data, size_t size)
{
    LEASE_CALL(ctx, TRP_GONE)
    cell_t *cell = ctx->cell;
    content_t content = {.tag = tag, .data = data, .size = size};
    trp_envelope_t *envelope = NULL;
    trp_status_t status = context_fill(ctx, cell->self, &content, &envelope);
    if (status != TRP_OK) {
        return status;
    }
    COUNT(ctx->runtime, ctx->worker, sent);
    mailbox_credit(&cell->mailbox, 0 - mailbox_charge_of(envelope)); /* past the bounds */
    envelope->flags |= TRP_ENVELOPE_CHARGED;
    /* Its own mailbox is open and awake while its callback runs: nobody is to be scheduled. */
    (void)!mailbox_push(&cell->mailbox, envelope);
    ctx->worker->slice_work = ctx->worker->slice_max; /* others have their turn first */
    return TRP_OK;
}

trp_status_t trp_idle_after(trp_ctx_t *ctx, int64_t ms, uint16_t tag)
{
    LEASE_CALL(ctx, TRP_GONE)
    cell_life_t *life = ctx->cell->life;
    if (life != NULL && life->idle.timer != 0) {
        trp_timer_cancel(ctx, life->idle.timer);
        life->idle = (idle_t){0};
    }
    if (ms <= 0) {
        return TRP_OK;
    }
    int64_t part = (ms + IDLE_PARTS - 1) / IDLE_PARTS;
    uint64_t timer = 0;
    trp_status_t status = trp_timer_start(ctx, part, part, tag, &timer);
    if (status == TRP_OK) {
        /* Relaxed: own counter. The message that is handled now is counted when it returns. */
        uint64_t handled = atomic_load_explicit(&ctx->cell->handled, memory_order_relaxed);
        ctx->cell->life->idle = (idle_t){.timer = timer,
                                         .handled = handled + (ctx->message != NULL ? 1 : 0),
                                         .parts = (uint32_t)((ms + part - 1) / part)};
    }
    return status;
}

bool defer_idle_passed(cell_t *cell)
{
    idle_t *idle = &cell->life->idle;
    /* Relaxed: own counter. */
    uint64_t handled = atomic_load_explicit(&cell->handled, memory_order_relaxed);
    idle->quiet = handled == idle->handled ? idle->quiet + 1 : 0;
    idle->handled = handled;
    return idle->quiet >= idle->parts;
}
