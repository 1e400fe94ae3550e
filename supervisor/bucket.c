/* SPDX-License-Identifier: MIT */
#include "supervisor/bucket.h"

#include <stddef.h>

static int64_t take_one(trp_bucket_t *bucket, int64_t now_ns)
{
    if (bucket->interval_ns <= 0) {
        return 0;
    }
    /* Relaxed: the word stands for itself, nothing is published with it. */
    int64_t full_ns = atomic_load_explicit(&bucket->full_ns, memory_order_relaxed);
    int64_t next_ns;
    do {
        next_ns = (full_ns > now_ns ? full_ns : now_ns) + bucket->interval_ns;
    } while (!atomic_compare_exchange_weak_explicit(&bucket->full_ns, &full_ns, next_ns,
                                                    memory_order_relaxed, memory_order_relaxed));
    int64_t wait_ns = next_ns - now_ns - bucket->burst * bucket->interval_ns;
    return wait_ns > 0 ? wait_ns : 0;
}

int64_t trp_bucket_take(trp_bucket_t *bucket, int64_t now_ns)
{
    int64_t longest_ns = 0;
    for (; bucket != NULL; bucket = bucket->parent) {
        int64_t wait_ns = take_one(bucket, now_ns);
        longest_ns = wait_ns > longest_ns ? wait_ns : longest_ns;
    }
    return longest_ns;
}
