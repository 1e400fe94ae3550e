/* SPDX-License-Identifier: MIT */
#include "runtime/base/backoff.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define MS INT64_C(1000000)
#define S  (1000 * MS)

static const backoff_t backoff = {.base_ns = 50 * MS, .max_ns = 30 * S};

Test(backoff, first_attempt_of_a_streak_is_immediate)
{
    cr_assert_eq(backoff_delay_ns(&backoff, 1, UINT64_MAX), 0);
}

Test(backoff, delay_doubles_and_chance_takes_at_most_half)
{
    int64_t full = 50 * MS;

    for (uint32_t streak = 2; streak <= 10; streak++, full *= 2) {
        cr_assert_eq(backoff_delay_ns(&backoff, streak, 0), full / 2, "streak %u", streak);
        cr_assert_eq(backoff_delay_ns(&backoff, streak, (uint64_t)full / 2), full);
        cr_assert_leq(backoff_delay_ns(&backoff, streak, UINT64_MAX), full);
    }
}

Test(backoff, delay_never_passes_its_cap)
{
    for (uint32_t streak = 2; streak != 0; streak *= 2) {
        cr_assert_leq(backoff_delay_ns(&backoff, streak, 15000 * MS), 30 * S, "streak %u", streak);
    }
    cr_assert_leq(backoff_delay_ns(&backoff, UINT32_MAX, UINT64_MAX), 30 * S);
}

Test(backoff, largest_bounds_do_not_overflow)
{
    backoff_t huge = {.base_ns = INT64_MAX / 2 + 1, .max_ns = INT64_MAX};

    int64_t delay = backoff_delay_ns(&huge, 5, UINT64_MAX);

    cr_assert_geq(delay, INT64_MAX / 2);
}

Test(backoff, without_a_base_there_is_no_delay)
{
    backoff_t none = {.base_ns = 0};

    cr_assert_eq(backoff_delay_ns(&none, 7, UINT64_MAX), 0);
}

Test(backoff, a_short_life_keeps_the_streak)
{
    cr_assert_eq(backoff_decay(5, 999 * MS, S), 5);
}

Test(backoff, each_stable_interval_halves_the_streak)
{
    cr_assert_eq(backoff_decay(8, 1 * S, S), 4);
    cr_assert_eq(backoff_decay(8, 2 * S, S), 2);
    cr_assert_eq(backoff_decay(5, 3 * S, S), 0);
}

Test(backoff, a_long_stable_life_forgets_the_streak)
{
    cr_assert_eq(backoff_decay(UINT32_MAX, 31 * S, S), 1);
    cr_assert_eq(backoff_decay(UINT32_MAX, 32 * S, S), 0);
    cr_assert_eq(backoff_decay(UINT32_MAX, INT64_MAX, S), 0);
}

Test(backoff, steps_lead_from_the_base_to_the_cap_in_equal_ratios)
{
    const double factor = backoff_factor(100 * MS, 10 * S, 5);
    const backoff_t steps = {.base_ns = 100 * MS, .max_ns = 10 * S, .factor = factor};
    const int64_t expected_ms[] = {100, 251, 630, 1584, 3981, 10000, 10000};

    for (uint32_t n = 0; n < 7; n++) {
        int64_t delay = backoff_delay_ns(&steps, n + 2, 0) * 2; /* no chance takes half away */
        cr_assert_leq(llabs(delay / MS - expected_ms[n]), 1, "%u: %lld", n, (long long)delay);
    }
}

Test(backoff, full_chance_may_take_all_of_a_delay_away)
{
    const backoff_t full = {.base_ns = 50 * MS, .max_ns = 30 * S, .is_full = true};

    cr_assert_eq(backoff_delay_ns(&full, 2, 0), 0);
    cr_assert_eq(backoff_delay_ns(&full, 2, (uint64_t)(50 * MS)), 50 * MS);
}
