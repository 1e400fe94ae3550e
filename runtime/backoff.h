/* SPDX-License-Identifier: MIT */
/* Delays between attempts, for supervisors and the guardian: values in, values out. The first
 * attempt of a streak is immediate, then the delay doubles up to a cap, and a part of it is left to
 * chance so that what failed together does not come back together. */
#ifndef TRP_RUNTIME_BACKOFF_H
#define TRP_RUNTIME_BACKOFF_H

#include <stdint.h>

typedef struct backoff {
    int64_t base_ns; /* delay of the second attempt; 0 = never a delay */
    int64_t max_ns;  /* the cap, chance included */
} backoff_t;

/** The delay before attempt `streak` (1 = the first) of a streak. Chance takes up to half of it
 * away, never adds (equal jitter). `random`: 64 random bits. */
int64_t backoff_delay_ns(const backoff_t *backoff, uint32_t streak, uint64_t random);

/** What is left of a streak after `stable_ns` of readiness: halved for each second. So what dies at
 * once backs off, what lived a while comes back at once, and after half a minute all is forgotten.
 * source: s6 lets a service that was ready for a second restart without a pause */
uint32_t backoff_decay(uint32_t streak, int64_t stable_ns);

#endif
