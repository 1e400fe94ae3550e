/* SPDX-License-Identifier: MIT */
#include "runtime/guardian/guardian_deaths.h"

#include <criterion/criterion.h>
#include <signal.h>

#include "runtime/log.h"

#define S  INT64_C(1000000000)
#define MS INT64_C(1000000)

static guardian_deaths_t deaths;
static int64_t delay_ns;

static void set_up(void)
{
    log_level_set(LOG_FATAL);
    guardian_deaths_init(&deaths, 0, 600);
}

static void tear_down(void)
{
    guardian_deaths_fini(&deaths);
}

TestSuite(guardian_deaths, .init = set_up, .fini = tear_down);

static bool dies(int64_t at_ns)
{
    return guardian_deaths_note(&deaths, SIGKILL, at_ns, &delay_ns);
}

Test(guardian_deaths, first_start_is_at_once_and_each_later_one_waits_longer)
{
    cr_assert(dies(100 * S));
    cr_assert_eq(delay_ns, 0);
    for (int i = 0; i < GUARDIAN_RESTARTS_MAX - 1; i++) {
        cr_assert(dies(101 * S));
        cr_assert(delay_ns >= (25 * MS << i) && delay_ns <= (50 * MS << i), "%lld ns",
                  (long long)delay_ns);
    }
}

Test(guardian_deaths, node_that_lived_long_starts_again_at_once)
{
    cr_assert(dies(100 * S));
    cr_assert(dies(101 * S));

    cr_assert(dies((102 + GUARDIAN_RESTARTS_S) * S));

    cr_assert_eq(delay_ns, 0);
}

Test(guardian_deaths, one_death_too_many_within_the_time_is_the_last)
{
    for (int i = 0; i < GUARDIAN_RESTARTS_MAX; i++) {
        cr_assert(dies((100 + i) * S));
    }

    cr_assert(!dies((100 + GUARDIAN_RESTARTS_S) * S), "the first of them still counts");
}
