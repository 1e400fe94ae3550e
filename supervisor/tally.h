/* SPDX-License-Identifier: MIT */
/* Counts what happened within a sliding window of time: a ring of `limit` + 1 stamps of a monotonic
 * clock. Owner: one supervisor's policy. */
#ifndef TRP_SUPERVISOR_TALLY_H
#define TRP_SUPERVISOR_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "messages/status.h"

#define TALLY_LIMIT_MAX 1000000

typedef struct tally {
    int64_t window_ns;
    size_t limit, count, next; /* stamps used of limit + 1; where the next one goes */
    int64_t *stamps;
} tally_t;

/** bounds: limit 0..TALLY_LIMIT_MAX, window_ns > 0. errors: TRP_INVALID, TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t tally_init(tally_t *tally, int64_t limit, int64_t window_ns);
void tally_fini(tally_t *tally);

/** Adds `now_ns`. True: more than `limit` stamps lie within [now - window, now], both ends
 * included. cost: O(1) */
bool tally_add(tally_t *tally, int64_t now_ns);

#endif
