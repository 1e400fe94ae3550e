/* SPDX-License-Identifier: MIT */
/* Deadlines of messages, for actor authors. What has expired when its turn comes is never handled:
 * it is a dead letter (`expired`), and who awaits an answer to it sees its time-out. A request's
 * time limit is its message's deadline; here a plain message gets one, too.
 *
 *     const trp_letter_t letter = {.to = chart, .tag = TAG_PRICE, .data = &price,
 *                                  .size = sizeof(price), .within_ms = 200};
 *     status = trp_send_within(ctx, &letter);
 *
 * Deadlines shrink over hops: with `inherit` (here and in trp_request_t) a message expires no later
 * than the one that is handled now, trp_forward keeps the deadline of what it forwards, and a link
 * to a process or thread carries it as it is: the time on the way counts. */
#ifndef TRP_RUNTIME_LETTER_H
#define TRP_RUNTIME_LETTER_H

#include "runtime/troupe.h"

/** A message with a deadline. */
typedef struct trp_letter {
    trp_pid_t to;
    uint16_t tag;
    const void *data; /* copied ... */
    size_t size;
    zmq_msg_t *message; /* ... or moved, when not NULL (left untouched on an error) */
    int64_t within_ms;  /* from now; 0 or less = no limit of its own */
    bool inherit;       /* nor later than the message that is handled now */
} trp_letter_t;

/** As trp_send, with a deadline. errors: those of trp_send */
TRP_API TRP_MUST_USE trp_status_t trp_send_within(trp_ctx_t *ctx, const trp_letter_t *letter);

/** How long the answer to `message` is awaited, or the message itself of use. units: nanoseconds;
 * INT64_MAX = it has no deadline, 0 = it has passed */
TRP_API int64_t trp_time_left_ns(const trp_ctx_t *ctx, const trp_envelope_t *message);

#endif
