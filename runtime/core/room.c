/* SPDX-License-Identifier: MIT */
#include "runtime/core/room.h"

#include "runtime/core/lease.h"

static bool is_half_empty(const cell_t *cell)
{
    const mailbox_t *mailbox = &cell->mailbox;
    /* Relaxed: the runner's own since the birth; and who fills it up meanwhile is refused again. */
    uint64_t limit = atomic_load_explicit(&mailbox->limit, memory_order_relaxed);
    uint64_t charge = atomic_load_explicit(&mailbox->charge, memory_order_relaxed);
    return mailbox_depth(mailbox) <= mailbox_count(limit) / 2 &&
           mailbox_bytes(charge) <= mailbox_bytes(limit) / 2;
}

void room_answer(const sender_t *sender, trp_envelope_t *wish)
{
    trp_pid_t asked = wish->to;
    wish->to = wish->from;
    wish->from = asked;
    wish->tag = TRP_SIGNAL_HAS_ROOM;
    wish->flags = TRP_ENVELOPE_SIGNAL;
    send_signal(sender, wish);
}

void room_wait(const sender_t *sender, cell_t *cell, trp_envelope_t *wish)
{
    cell_life_t *life = cell_life_make(&sender->runtime->table, cell);
    if (life == NULL) {
        room_answer(sender, wish); /* it will be refused, and try again */
        return;
    }
    wish->next = NULL;
    if (life->waiting_first == NULL) {
        life->waiting_first = wish;
    } else {
        life->waiting_last->next = wish;
    }
    life->waiting_last = wish;
    room_tell(sender, cell, 1);
}

static void tell(const sender_t *sender, cell_life_t *life)
{
    trp_envelope_t *wish = life->waiting_first;
    life->waiting_first = wish->next;
    room_answer(sender, wish);
}

void room_tell(const sender_t *sender, cell_t *cell, uint32_t count_max)
{
    for (uint32_t i = 0; i < count_max && room_is_awaited(cell) && is_half_empty(cell); i++) {
        tell(sender, cell->life);
    }
}

void room_end(const sender_t *sender, cell_t *cell)
{
    while (room_is_awaited(cell)) {
        tell(sender, cell->life);
    }
}

trp_status_t trp_when_room(trp_ctx_t *ctx, trp_pid_t pid, uint16_t tag)
{
    LEASE_CALL(ctx, TRP_GONE);
    trp_envelope_t *wish = signal_make(ctx->cell->self, pid, TRP_SIGNAL_ROOM, tag);
    if (wish == NULL) {
        return TRP_NO_MEMORY;
    }
    wish->flags |= TRP_ENVELOPE_URGENT;
    send_signal(&ctx->worker->sender, wish);
    return TRP_OK;
}
