/* SPDX-License-Identifier: MIT */
/* Delays between attempts, for supervisors and the guardian: values in, values out. The first
 * attempt of a streak is immediate, then the delay grows up to a cap, and a part of it is left to
 * chance so that what failed together does not come back together. */
#ifndef TRP_RUNTIME_BACKOFF_H
#define TRP_RUNTIME_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

typedef struct backoff {
    int64_t base_ns; /* delay of the second attempt; 0 = never a delay */
    int64_t max_ns;  /* the cap, chance included */
    double factor;   /* from one delay to the next; 0 = 2 */
    bool is_full;    /* chance may take all of a delay away, else half */
} backoff_t;

/** The delay before attempt `streak` (1 = the first) of a streak. Chance takes away, never adds.
 * `random`: 64 random bits. */
int64_t backoff_delay_ns(const backoff_t *backoff, uint32_t streak, uint64_t random);

/** The factor that leads from the base to the cap in `steps` attempts. source: systemd's
 * RestartSteps */
double backoff_factor(int64_t base_ns, int64_t max_ns, int64_t steps);

/** What is left of a streak after `stable_ns` of readiness: halved for each `halving_ns`. So what
 * dies at once backs off, and what lived a while comes back at once. source: s6, where readiness,
 * not existence, earns the quick restart */
uint32_t backoff_decay(uint32_t streak, int64_t stable_ns, int64_t halving_ns);

#endif
