/* SPDX-License-Identifier: MIT */
/* Delivery: from an envelope with its `to` set to a mailbox, a proxy's, or the dead letters.
 * Internal to the core; any thread. */
#ifndef TRP_RUNTIME_SEND_H
#define TRP_RUNTIME_SEND_H

#include <assert.h>

#include "runtime/core/scheduler.h"

#define SIGNAL_LINK_END 1 /* request_id of an EXIT signal that a link sent: messages/system.h */

/** A worker's message is about to be pushed: stamps it when it is its turn. */
static inline void send_stamp(worker_t *worker, trp_envelope_t *envelope)
{
    if (--worker->stamp_credit == 0) {
        meter_stamp(worker->runtime, worker, envelope);
    }
}

/** Delivers or routes. owns: taken on TRP_OK, the caller's still on TRP_FULL and
 * TRP_BUSY. */
TRP_MUST_USE trp_status_t send_envelope(const sender_t *sender, trp_envelope_t *envelope);

/** A signal: exempt from bounds, so it can't be refused. `reason` may be NULL. Without memory for
 * it a line is logged. */
void send_signal(const sender_t *sender, trp_envelope_t *envelope);

/** A new signal from `from` to `to`; NULL (and a log line) without memory. */
trp_envelope_t *signal_make(trp_pid_t from, trp_pid_t to, uint16_t tag, uint64_t ref);

/** The same with a reason as its payload. */
trp_envelope_t *signal_make_reason(trp_envelope_t *signal, const trp_reason_t *reason);

/** Ends an envelope that nobody will handle: who waits for its effect (request, monitor, link)
 * hears `reason`; counted by its cause and shown to who listens.
 * owns: taken. The charge is the caller's to give back. */
void dead_letter(const sender_t *sender, trp_envelope_t *envelope, trp_dead_t why,
                 const trp_reason_t *reason);

/** The same for an envelope that is counted elsewhere. */
void dead_letter_again(const sender_t *sender, trp_envelope_t *envelope, trp_dead_t why,
                       const trp_reason_t *reason);

/** Where a message to `to` goes. */
typedef enum send_way {
    SEND_HERE,     /* to an actor of this runtime, or to nobody */
    SEND_BY_PROXY, /* to a proxy of this runtime, by its own pid */
    SEND_AWAY,     /* by a route; mostly out of this runtime */
} send_way_t;

static inline send_way_t send_goes(const trp_runtime_t *runtime, trp_pid_t to)
{
    if (to.node != runtime->node || to.incarnation != runtime->incarnation) {
        return SEND_AWAY;
    }
    const cell_t *cell = cell_at(&runtime->table, to.slot);
    /* Relaxed: what is sent to another generation is a dead letter, whatever its flags say. */
    return cell != NULL &&
                   (atomic_load_explicit(&cell->flags, memory_order_relaxed) & TRP_CLASS_PROXY) != 0
               ? SEND_BY_PROXY
               : SEND_HERE;
}

/** What is left to do when a push is not MAILBOX_PUSHED. As send_envelope. */
TRP_MUST_USE trp_status_t send_pushed(const sender_t *sender, cell_t *cell,
                                      trp_envelope_t *envelope, mailbox_pushed_t pushed);

/** send_envelope for a worker's message (no signal) whose `to` the caller has at hand: the way of
 * most messages, with a single call or none. */
static inline trp_status_t send_message(const sender_t *sender, trp_envelope_t *envelope,
                                        trp_pid_t to)
{
    const trp_runtime_t *runtime = sender->runtime;
    cell_t *cell = to.node == runtime->node && to.incarnation == runtime->incarnation
                       ? cell_at(&runtime->table, to.slot)
                       : NULL;
    /* Acquire: with a generation of the future we also see the mailbox that is open for it. */
    if (cell == NULL ||
        atomic_load_explicit(&cell->generation, memory_order_acquire) != to.generation) {
        return send_envelope(sender, envelope);
    }
    assert(!TRP_CHECKED || (envelope->flags & TRP_ENVELOPE_SIGNAL) == 0);
    counter_add(&sender->worker->counters.sent, true);
    send_stamp(sender->worker, envelope);
    mailbox_pushed_t pushed = mailbox_post(&cell->mailbox, envelope);
    return pushed == MAILBOX_PUSHED ? TRP_OK : send_pushed(sender, cell, envelope, pushed);
}

#endif
