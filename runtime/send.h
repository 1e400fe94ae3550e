/* SPDX-License-Identifier: MIT */
/* Delivery: from an envelope with its `to` set to a mailbox, a proxy's, or the dead letters.
 * Internal to the core; any thread. */
#ifndef TRP_RUNTIME_SEND_H
#define TRP_RUNTIME_SEND_H

#include "runtime/scheduler.h"

#define SIGNAL_LINK_END 1 /* request_id of an EXIT signal that a link sent: messages/system.h */

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

#endif
