/* SPDX-License-Identifier: MIT */
/* Mistakes that real supervisors made; a test for each that is the policy's to avoid. */
#include <criterion/criterion.h>

#include "tests/supervisor/policy_world.h"

#define S INT64_C(1000000000)

static world_t world;

static void fini(void)
{
    world_fini(&world);
}

TestSuite(policy_mistakes, .fini = fini);

static void crash_and_return(const char *id)
{
    world_down(&world, id, TRP_REASON_ERROR);
    world_ready(&world, id);
    world.trace[0] = '\0';
}

Test(policy_mistakes, m1_intensity_n_allows_n_restarts_and_the_next_ends_it)
{
    world_init(&world, TRP_ONE_FOR_ONE, 2, "a b");
    world_begin_ready(&world);
    crash_and_return("a");
    crash_and_return("a");

    world_down(&world, "a", TRP_REASON_ERROR);
    world_expect(&world, "down a, child_terminated a, gave_up a, leaving b, exit b");
    world_down(&world, "b", TRP_REASON_SHUTDOWN);

    world_expect(&world, "down b, end shutdown");
}

Test(policy_mistakes, m1_intensity_0_ends_at_the_first_crash)
{
    world_init(&world, TRP_ONE_FOR_ONE, 0, "a");
    world_begin_ready(&world);

    world_down(&world, "a", TRP_REASON_ERROR);

    world_expect(&world, "down a, child_terminated a, gave_up a, end shutdown");
}

Test(policy_mistakes, m2_stop_is_served_between_failed_attempts)
{
    world_init(&world, TRP_ONE_FOR_ONE, 100, "a");
    world_begin_ready(&world);
    world_down(&world, "a", TRP_REASON_ERROR);
    world_down(&world, "a", TRP_REASON_START_FAILED);
    world.trace[0] = '\0';

    world_stop(&world);

    world_expect(&world, "end shutdown");
}

Test(policy_mistakes, m3_supervisor_that_gives_up_ends_with_shutdown)
{
    world_init(&world, TRP_ONE_FOR_ONE, 0, "a");
    world_begin_ready(&world);

    world_down(&world, "a", TRP_REASON_SIGNAL);

    cr_assert_eq(world.policy.end_reason.kind, TRP_REASON_SHUTDOWN);
    cr_assert_str_empty(world.policy.end_reason.text);
}

Test(policy_mistakes, m3_parent_of_one_that_gave_up_starts_it_again_if_it_is_permanent)
{
    world_init(&world, TRP_ONE_FOR_ONE, 5, "a b:transient c:temporary");
    world_begin_ready(&world);

    world_down(&world, "a", TRP_REASON_SHUTDOWN);
    world_expect(&world, "down a, child_terminated a, restart a, start a");
    world_down(&world, "b", TRP_REASON_SHUTDOWN);
    world_expect(&world, "down b");
    world_down(&world, "c", TRP_REASON_SHUTDOWN);

    world_expect(&world, "down c");
    cr_assert_eq(policy_child_by_id(&world.policy, "b")->phase, POLICY_IDLE);
    cr_assert_null(policy_child_by_id(&world.policy, "c"));
}

Test(policy_mistakes, m4_first_start_costs_no_intensity)
{
    world_init(&world, TRP_ONE_FOR_ONE, 1, "a b c");
    world_begin_ready(&world);

    world_down(&world, "a", TRP_REASON_ERROR);

    world_expect(&world, "down a, child_terminated a, restart a, start a");
}

Test(policy_mistakes, m5_temporary_siblings_are_stopped_and_not_restarted)
{
    world_init(&world, TRP_ONE_FOR_ALL, 5, "a b:temporary c");
    world_begin_ready(&world);

    world_down(&world, "c", TRP_REASON_ERROR);
    world_down(&world, "b", TRP_REASON_SHUTDOWN);
    world_down(&world, "a", TRP_REASON_SHUTDOWN);
    world.trace[0] = '\0';
    world_ready(&world, "a");

    world_expect(&world, "up a, start c");
    cr_assert_null(policy_child_by_id(&world.policy, "b"));
}

Test(policy_mistakes, m6_group_restart_costs_one_unit)
{
    world_init(&world, TRP_ONE_FOR_ALL, 1, "a b c");
    world_begin_ready(&world);

    world_down(&world, "a", TRP_REASON_ERROR);
    world_down(&world, "c", TRP_REASON_SHUTDOWN);
    world_down(&world, "b", TRP_REASON_SHUTDOWN);
    world_ready(&world, "a");
    world_ready(&world, "b");
    world_ready(&world, "c");

    cr_assert_eq(world.policy.mode, POLICY_RUNNING);
}

Test(policy_mistakes, m8_window_counts_nanoseconds_with_both_ends_included)
{
    world_init(&world, TRP_ONE_FOR_ONE, 1, "a");
    world_begin_ready(&world);
    crash_and_return("a");
    world.now_ns += 5 * S + 1;
    crash_and_return("a");
    cr_assert_eq(world.policy.mode, POLICY_RUNNING, "one nanosecond past the window");
    world.now_ns += 5 * S;

    world_down(&world, "a", TRP_REASON_ERROR);

    cr_assert_eq(world.policy.mode, POLICY_ENDED, "the end of the window belongs to it");
}

Test(policy_mistakes, m9_child_that_ends_by_itself_while_stopped_is_reported_once_not_restarted)
{
    world_init(&world, TRP_ONE_FOR_ONE, 5, "a b");
    world_begin_ready(&world);
    world_stop(&world);
    world.trace[0] = '\0';

    world_down(&world, "a", TRP_REASON_SIGNAL); /* its turn had not come */
    world_down(&world, "b", TRP_REASON_ERROR);

    world_expect(&world, "down a, down b, shutdown_error b, shutdown_error a, end shutdown");
    cr_assert_eq(world_row(&world, 0)->last_reason.kind, TRP_REASON_SIGNAL);
}

Test(policy_mistakes, m10_end_of_a_former_incarnation_is_ignored)
{
    world_init(&world, TRP_ONE_FOR_ONE, 5, "a");
    world_begin_ready(&world);
    crash_and_return("a");

    policy_event_t old = {.kind = POLICY_DOWN, .child = world_row(&world, 0), .incarnation = 1};
    world_step(&world, &old);
    policy_event_t unknown = {.kind = POLICY_DOWN, .child = NULL, .incarnation = 1};
    world_step(&world, &unknown);

    world_expect(&world, "");
    cr_assert_eq(policy_child_by_id(&world.policy, "a")->phase, POLICY_UP);
}

Test(policy_mistakes, m14_stop_cancels_timers_first_and_a_late_one_starts_nothing)
{
    world_init(&world, TRP_ONE_FOR_ONE, 5, "a b");
    world_begin_ready(&world);
    world_down(&world, "a", TRP_REASON_ERROR);
    world_down(&world, "a", TRP_REASON_START_FAILED);
    world.trace[0] = '\0';

    world_stop(&world);
    cr_assert_eq(world.timer_at_ns[1], 0);
    policy_event_t late = {.kind = POLICY_TIMER, .child = world_row(&world, 0), .incarnation = 2};
    world_step(&world, &late);

    world_expect(&world, "leaving b, exit b");
}

Test(policy_mistakes, m15_starting_child_does_not_block_the_restart_of_another)
{
    world_init(&world, TRP_ONE_FOR_ONE, 5, "a b");
    world_begin_ready(&world);
    world_add(&world, "slow");
    world.trace[0] = '\0';

    world_down(&world, "a", TRP_REASON_ERROR);

    world_expect(&world, "down a, child_terminated a, restart a, start a");
}

Test(policy_mistakes, m21_crash_of_an_earlier_child_takes_the_longer_delay_for_the_group)
{
    world_init(&world, TRP_REST_FOR_ONE, 5, "a b");
    world_spec(&world, "b")->backoff_ms = 8000;
    world_spec(&world, "b")->backoff_max_ms = 8000;
    world_begin_ready(&world);
    crash_and_return("b");
    world_down(&world, "b", TRP_REASON_ERROR); /* waits 4 s */
    world.now_ns += 1 * S;
    world.trace[0] = '\0';

    int64_t before_ns = world.now_ns;
    world_down(&world, "a", TRP_REASON_ERROR);
    world_expect(&world, "down a, child_terminated a, restart a");
    cr_assert_eq(world.timer_at_ns[2], 0);
    world_timer(&world, "a");

    world_expect(&world, "start a");
    cr_assert_eq(world.now_ns - before_ns, 3 * S);
}
