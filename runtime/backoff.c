/* SPDX-License-Identifier: MIT */
#include "runtime/backoff.h"

#define STABLE_NS INT64_C(1000000000)

int64_t backoff_delay_ns(const backoff_t *backoff, uint32_t streak, uint64_t random)
{
    if (streak <= 1 || backoff->base_ns <= 0) {
        return 0;
    }

    int64_t delay = backoff->base_ns;
    for (uint32_t n = 2; n < streak && delay < backoff->max_ns; n++) {
        delay = delay > INT64_MAX / 2 ? INT64_MAX : delay * 2;
    }
    if (delay > backoff->max_ns) {
        delay = backoff->max_ns;
    }

    int64_t half = delay / 2;
    return delay - half + (int64_t)(random % ((uint64_t)half + 1));
}

uint32_t backoff_decay(uint32_t streak, int64_t stable_ns)
{
    int64_t halvings = stable_ns / STABLE_NS;
    return halvings < 32 ? streak >> halvings : 0;
}
