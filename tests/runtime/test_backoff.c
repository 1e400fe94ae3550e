/* SPDX-License-Identifier: MIT */
#include "runtime/backoff.h"

#include <criterion/criterion.h>

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
    backoff_t none = {0, 0};

    cr_assert_eq(backoff_delay_ns(&none, 7, UINT64_MAX), 0);
}

Test(backoff, a_short_life_keeps_the_streak)
{
    cr_assert_eq(backoff_decay(5, 999 * MS), 5);
}

Test(backoff, each_second_of_readiness_halves_the_streak)
{
    cr_assert_eq(backoff_decay(8, 1 * S), 4);
    cr_assert_eq(backoff_decay(8, 2 * S), 2);
    cr_assert_eq(backoff_decay(5, 3 * S), 0);
}

Test(backoff, a_long_stable_life_forgets_the_streak)
{
    cr_assert_eq(backoff_decay(UINT32_MAX, 31 * S), 1);
    cr_assert_eq(backoff_decay(UINT32_MAX, 32 * S), 0);
    cr_assert_eq(backoff_decay(UINT32_MAX, INT64_MAX), 0);
}
