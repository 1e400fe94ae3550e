/* SPDX-License-Identifier: MIT */
#include "runtime/send.h"

#include <string.h>

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

void send_signal(sender_t sender, trp_envelope_t *envelope)
{
    if (envelope != NULL && send_envelope(sender, envelope) != TRP_OK) {
        envelope_free(envelope); /* not reached: signals are never refused */
    }
}

/** Tells who waits for an effect that there will be none. */
static void bounce(sender_t sender, const trp_envelope_t *envelope, const trp_reason_t *reason)
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
    } else if (envelope->tag == TRP_SIGNAL_LINK) {
        tag = TRP_SIGNAL_EXIT;
        ref = SIGNAL_LINK_END;
    } else if (envelope->tag != TRP_SIGNAL_MONITOR) {
        return;
    }
    send_signal(sender,
                signal_make_reason(signal_make(envelope->to, envelope->from, tag, ref), reason));
}

static void log_dead(const trp_envelope_t *envelope, const char *why)
{
    char to[TRP_PID_TEXT_MAX];
    char from[TRP_PID_TEXT_MAX];
    log_event(LOG_DEBUG, "dead_letter", LOG_TEXT("why", why), LOG_INT("tag", envelope->tag),
              LOG_TEXT("to", trp_pid_format(envelope->to, to)),
              LOG_TEXT("from", trp_pid_format(envelope->from, from)));
}

void dead_letter_again(sender_t sender, trp_envelope_t *envelope, const char *why,
                       const trp_reason_t *reason)
{
    if ((envelope->flags & TRP_ENVELOPE_SIGNAL) == 0 && log_enabled(LOG_DEBUG)) {
        log_dead(envelope, why);
    }
    bounce(sender, envelope, reason);
    envelope_free(envelope);
}

void dead_letter(sender_t sender, trp_envelope_t *envelope, const char *why,
                 const trp_reason_t *reason)
{
    if ((envelope->flags & TRP_ENVELOPE_SIGNAL) == 0) {
        COUNT(sender.runtime, sender.worker, dead);
    }
    dead_letter_again(sender, envelope, why, reason);
}

static trp_status_t nobody(sender_t sender, trp_envelope_t *envelope, const char *why)
{
    trp_reason_t reason = trp_reason(TRP_REASON_NO_PROCESS, 0, NULL);
    dead_letter(sender, envelope, why, &reason);
    return TRP_OK;
}

static mailbox_pushed_t push(cell_t *cell, trp_envelope_t *envelope)
{
    return (envelope->flags & TRP_ENVELOPE_URGENT) != 0
               ? mailbox_push_urgent(&cell->mailbox, envelope)
               : mailbox_push(&cell->mailbox, envelope);
}

/** To the mailbox of a cell of this runtime. */
static trp_status_t deliver(sender_t sender, trp_pid_t local, trp_envelope_t *envelope)
{
    cell_t *cell = cell_at(&sender.runtime->table, local.slot);
    /* Acquire: with a generation of the future we also see the mailbox that is open for it. */
    if (cell == NULL ||
        atomic_load_explicit(&cell->generation, memory_order_acquire) != local.generation) {
        return nobody(sender, envelope, "stale");
    }
    uint64_t charge = mailbox_charge_of(envelope);
    if (charge != 0 && !mailbox_charge(&cell->mailbox, charge)) {
        COUNT(sender.runtime, sender.worker, refused);
        return TRP_FULL;
    }
    switch (push(cell, envelope)) {
    case MAILBOX_WOKE:
        scheduler_ready(sender.runtime, sender.worker, cell);
        return TRP_OK;
    case MAILBOX_PUSHED:
        return TRP_OK;
    default:
        if (charge != 0) {
            mailbox_credit(&cell->mailbox, charge);
        }
        return nobody(sender, envelope, "gone");
    }
}

trp_status_t send_envelope(sender_t sender, trp_envelope_t *envelope)
{
    const trp_runtime_t *runtime = sender.runtime;
    if ((envelope->flags & TRP_ENVELOPE_SIGNAL) == 0) {
        COUNT(sender.runtime, sender.worker, sent);
    }
    trp_pid_t to = envelope->to;
    if (to.node != runtime->node) {
        to = route_find(&sender.runtime->routes, to);
    } else if (to.incarnation != runtime->incarnation) {
        to = TRP_PID_NONE;
    }
    if (trp_pid_is_none(to)) {
        return nobody(sender, envelope, "unreachable");
    }
    const trp_status_t status = deliver(sender, to, envelope);
    if (status == TRP_FULL && route_is_fallback(&sender.runtime->routes, to)) {
        return TRP_BUSY; /* not its mailbox: the link to it has no credit now */
    }
    return status;
}
