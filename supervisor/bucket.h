/* SPDX-License-Identifier: MIT */
/* A token bucket that many supervisors share, each with its parent's above it: how many restarts a
 * second a whole tree may make. One word, so any thread may take.
 * source: the generic cell rate algorithm; the word is the time at which the bucket is full. */
#ifndef TRP_SUPERVISOR_BUCKET_H
#define TRP_SUPERVISOR_BUCKET_H

#include <stdatomic.h>
#include <stdint.h>

typedef struct trp_bucket {
    int64_t interval_ns;       /* one token in this time; 0 = no limit here */
    int64_t burst;             /* tokens of a full bucket */
    _Atomic int64_t full_ns;   /* when it is full again */
    struct trp_bucket *parent; /* taken from as well; NULL = none */
} trp_bucket_t;

/** Takes a token from the bucket and all above it, now or in the future. Returns how long to wait
 * for it: 0 = it was there. `bucket` may be NULL. bounds: never fails, the wait grows instead.
 * units: nanoseconds */
int64_t trp_bucket_take(trp_bucket_t *bucket, int64_t now_ns);

#endif
