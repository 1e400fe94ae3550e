/* SPDX-License-Identifier: MIT */
#include "runtime/core/send.h"

#include <stdio.h>
#include <string.h>

#include "runtime/core/overflow.h"
#include "runtime/core/room.h"
#include "runtime/log.h"

trp_envelope_t *signal_make(trp_pid_t from, trp_pid_t to, uint16_t tag, uint64_t ref)
{
    trp_envelope_t *signal = envelope_alloc();
    if (signal == NULL) {
        log_event(LOG_ERROR, "signal_lost", LOG_INT("tag", tag), LOG_TEXT("rule", "memory"));
        return NULL;
    }
    signal->from = from;
    signal->to = to;
    signal->tag = tag;
    signal->request_id = ref;
    signal->flags = TRP_ENVELOPE_SIGNAL;
    return signal;
}

trp_envelope_t *signal_make_reason(trp_envelope_t *signal, const trp_reason_t *reason)
{
    if (signal != NULL) {
        memcpy(signal->payload.bytes, reason, sizeof(*reason));
        signal->inline_size = sizeof(*reason);
    }
    return signal;
}

void send_signal(const sender_t *sender, trp_envelope_t *envelope)
{
    if (envelope != NULL && send_envelope(sender, envelope) != TRP_OK) {
        envelope_free(envelope); /* not reached: signals are never refused */
    }
}

_Static_assert(sizeof(trp_dead_letter_t) <= TRP_INLINE_MAX, "a notice travels in its envelope");

/* Tells who waits for an effect that there will be none. */
static void bounce(const sender_t *sender, const trp_envelope_t *envelope,
                   const trp_reason_t *reason)
{
    uint16_t tag = TRP_SIGNAL_DOWN;
    uint64_t ref = envelope->request_id;
    if (trp_pid_is_none(envelope->from)) {
        return; /* sent from outside of actors */
    }
    if ((envelope->flags & TRP_ENVELOPE_SIGNAL) == 0) {
        if (ref == 0 || (envelope->flags & TRP_ENVELOPE_REPLY) != 0) {
            return; /* nobody waits */
        }
    } else if (envelope->tag == TRP_SIGNAL_UNLINK) {
        send_signal(sender, signal_make(envelope->to, envelope->from, TRP_SIGNAL_UNLINK_ACK, ref));
        return;
    } else if (envelope->tag == TRP_SIGNAL_LINK) {
        tag = TRP_SIGNAL_EXIT;
        ref = SIGNAL_LINK_END;
    } else if (envelope->tag != TRP_SIGNAL_MONITOR && envelope->tag != TRP_SIGNAL_SAVE) {
        return;
    }
    send_signal(sender,
                signal_make_reason(signal_make(envelope->to, envelope->from, tag, ref), reason));
}

static void log_dead(const trp_envelope_t *envelope, trp_dead_t why)
{
    char to[TRP_PID_TEXT_MAX];
    char from[TRP_PID_TEXT_MAX];
    log_event(LOG_DEBUG, "dead_letter", LOG_TEXT("why", trp_dead_name(why)),
              LOG_INT("tag", envelope->tag), LOG_TEXT("to", trp_pid_format(envelope->to, to)),
              LOG_TEXT("from", trp_pid_format(envelope->from, from)));
}

static void send_notice(const sender_t *sender, trp_pid_t to, const trp_dead_letter_t *letter)
{
    trp_envelope_t *notice = envelope_alloc();
    if (notice == NULL) {
        return; /* as for a full mailbox: it stays counted */
    }
    notice->to = to;
    notice->tag = TRP_TAG_DEAD_LETTER;
    if (envelope_set(notice, letter, sizeof(*letter)) != TRP_OK ||
        send_envelope(sender, notice) != TRP_OK) {
        envelope_free(notice);
    }
}

/* Tells those who asked for it. Of a notice nobody is told, so this ends. */
static void tell_listeners(const sender_t *sender, const trp_envelope_t *envelope, trp_dead_t why)
{
    if (envelope->tag == TRP_TAG_DEAD_LETTER) {
        return;
    }
    trp_dead_letter_t letter = {.to = envelope->to,
                                .from = envelope->from,
                                .request_id = envelope->request_id,
                                .tag = envelope->tag};
    size_t size = 0;
    (void)trp_message_data(envelope, &size);
    letter.size = size > UINT32_MAX ? UINT32_MAX : (uint32_t)size;
    snprintf(letter.why, sizeof(letter.why), "%s", trp_dead_name(why));
    trp_pid_t listeners[GROUP_LISTENERS_MAX];
    uint32_t count = group_listeners(&sender->runtime->groups, listeners);
    for (uint32_t i = 0; i < count; i++) {
        send_notice(sender, listeners[i], &letter);
    }
}

/* A message that dies, as people and actors see it. */
static void show_dead(const sender_t *sender, const trp_envelope_t *envelope, trp_dead_t why)
{
    if (log_enabled(LOG_DEBUG)) {
        log_dead(envelope, why);
    }
    /* Relaxed: who has just subscribed elsewhere may miss this one. */
    if (atomic_load_explicit(&sender->runtime->groups.listener_count, memory_order_relaxed) != 0) {
        tell_listeners(sender, envelope, why);
    }
}

void dead_letter_again(const sender_t *sender, trp_envelope_t *envelope, trp_dead_t why,
                       const trp_reason_t *reason)
{
    if (envelope->tag == TRP_SIGNAL_ROOM && (envelope->flags & TRP_ENVELOPE_SIGNAL) != 0) {
        room_answer(sender, envelope);
        return;
    }
    if ((envelope->flags & TRP_ENVELOPE_SIGNAL) == 0) {
        show_dead(sender, envelope, why);
    }
    bounce(sender, envelope, reason);
    envelope_free(envelope);
}

void dead_letter(const sender_t *sender, trp_envelope_t *envelope, trp_dead_t why,
                 const trp_reason_t *reason)
{
    if ((envelope->flags & TRP_ENVELOPE_SIGNAL) == 0) {
        COUNT(sender->runtime, sender->worker, dead[why]);
    }
    dead_letter_again(sender, envelope, why, reason);
}

static trp_status_t nobody(const sender_t *sender, trp_envelope_t *envelope, trp_dead_t why)
{
    trp_reason_t reason = trp_reason(TRP_REASON_NO_PROCESS, 0, NULL);
    dead_letter(sender, envelope, why, &reason);
    return TRP_OK;
}

static mailbox_pushed_t push(cell_t *cell, trp_envelope_t *envelope)
{
    if ((envelope->flags & TRP_ENVELOPE_SIGNAL) == 0) {
        return mailbox_post(&cell->mailbox, envelope);
    }
    return (envelope->flags & TRP_ENVELOPE_URGENT) != 0
               ? mailbox_push_urgent(&cell->mailbox, envelope)
               : mailbox_push(&cell->mailbox, envelope);
}

/* To the mailbox of a cell of this runtime. */
static trp_status_t deliver(const sender_t *sender, uint32_t slot, uint32_t generation,
                            trp_envelope_t *envelope)
{
    cell_t *cell = cell_at(&sender->runtime->table, slot);
    /* Acquire: with a generation of the future we also see the mailbox that is open for it. */
    if (cell == NULL ||
        atomic_load_explicit(&cell->generation, memory_order_acquire) != generation) {
        return nobody(sender, envelope, TRP_DEAD_STALE);
    }
    return send_pushed(sender, cell, envelope, push(cell, envelope));
}

trp_status_t send_pushed(const sender_t *sender, cell_t *cell, trp_envelope_t *envelope,
                         mailbox_pushed_t pushed)
{
    switch (pushed) {
    case MAILBOX_WOKE:
        scheduler_ready(sender->runtime, sender->worker, cell);
        return TRP_OK;
    case MAILBOX_PUSHED:
        return TRP_OK;
    case MAILBOX_FULL:
        return overflow_refuse(sender, cell, envelope, mailbox_charge_of(envelope));
    default:
        return nobody(sender, envelope, TRP_DEAD_GONE);
    }
}

/* Whether a message is for the link of a runtime that is to end, as that of a killed thread actor
 * is: what would go there is never sent. */
static bool is_cut_off(const sender_t *sender, trp_pid_t local, const trp_envelope_t *envelope)
{
    /* Relaxed: the caller's thread may be behind by a message. */
    return (envelope->flags & TRP_ENVELOPE_SIGNAL) == 0 &&
           atomic_load_explicit(&sender->runtime->stopping, memory_order_relaxed) &&
           route_is_fallback(&sender->runtime->routes, local);
}

static trp_status_t send_elsewhere(const sender_t *sender, trp_envelope_t *envelope)
{
    trp_pid_t local = TRP_PID_NONE;
    if (envelope->to.node != sender->runtime->node) {
        local = route_find(&sender->runtime->routes, envelope->to);
    }
    if (trp_pid_is_none(local)) {
        return nobody(sender, envelope, TRP_DEAD_UNREACHABLE);
    }
    if (is_cut_off(sender, local, envelope)) {
        COUNT(sender->runtime, sender->worker, refused);
        return TRP_GONE;
    }
    trp_status_t status = deliver(sender, local.slot, local.generation, envelope);
    if (status == TRP_FULL && route_is_fallback(&sender->runtime->routes, local)) {
        return TRP_BUSY; /* not its mailbox: the link to it has no credit now */
    }
    return status;
}

static void stamp(const sender_t *sender, trp_envelope_t *envelope)
{
    const trp_runtime_t *runtime = sender->runtime;
    if (sender->worker != NULL) {
        send_stamp(sender->worker, envelope);
    } else if (atomic_load_explicit(&runtime->outside.sent, memory_order_relaxed) % METER_EVERY ==
                   0 || /* relaxed: a count */
               meter_stamps_all(&runtime->meters)) {
        meter_stamp(sender->runtime, NULL, envelope);
    }
}

trp_status_t send_envelope(const sender_t *sender, trp_envelope_t *envelope)
{
    trp_envelope_check(envelope, __func__);
    if ((envelope->flags & TRP_ENVELOPE_SIGNAL) == 0) {
        COUNT(sender->runtime, sender->worker, sent);
        stamp(sender, envelope);
    }
    /* Member by member: `to` has just been written in parts, and a load of the whole would wait
     * until they are out of the store buffer (half the cost of a send, when it was so). */
    const trp_pid_t *to = &envelope->to;
    if (to->node != sender->runtime->node || to->incarnation != sender->runtime->incarnation) {
        return send_elsewhere(sender, envelope);
    }
    return deliver(sender, to->slot, to->generation, envelope);
}
