/* SPDX-License-Identifier: MIT */
#include "runtime/base/backoff.h"

#include <math.h>

#define FACTOR_DEFAULT 2.0

int64_t backoff_delay_ns(const backoff_t *backoff, uint32_t streak, uint64_t random)
{
    if (streak <= 1 || backoff->base_ns <= 0) {
        return 0;
    }

    double factor = backoff->factor > 0 ? backoff->factor : FACTOR_DEFAULT;
    double grown = (double)backoff->base_ns * pow(factor, (double)streak - 2);
    /* Compared before it is converted: what grew past the integers is at the cap as well. */
    int64_t delay = grown < (double)backoff->max_ns ? (int64_t)grown : backoff->max_ns;
    int64_t chance = backoff->is_full ? delay : delay / 2;
    return delay - chance + (int64_t)(random % ((uint64_t)chance + 1));
}

double backoff_factor(int64_t base_ns, int64_t max_ns, int64_t steps)
{
    return pow((double)max_ns / (double)base_ns, 1.0 / (double)steps);
}

uint32_t backoff_decay(uint32_t streak, int64_t stable_ns, int64_t halving_ns)
{
    int64_t halvings = stable_ns / halving_ns;
    return halvings < 32 ? streak >> halvings : 0;
}
