/* SPDX-License-Identifier: MIT */
/* What a supervisor does, case by case; tests/supervisor/test_policy_walk.c walks all the
 * others. */
#include <criterion/criterion.h>

#include "tests/supervisor/policy_world.h"

#define S INT64_C(1000000000)

static world_t world;

static void fini(void)
{
    world_fini(&world);
}

TestSuite(policy, .fini = fini);

/* ---- the first start ---- */

Test(policy, children_start_in_order_each_after_the_one_before_is_ready)
{
    world_init(&world, TRP_ONE_FOR_ONE, 1, "a b");

    world_begin(&world);
    world_expect(&world, "start a");
    world_ready(&world, "a");
    world_expect(&world, "up a, start b");
    world_ready(&world, "b");

    world_expect(&world, "up b, all_up");
}

Test(policy, supervisor_without_children_is_ready_at_once)
{
    world_init(&world, TRP_ONE_FOR_ONE, 1, "");

    world_begin(&world);

    world_expect(&world, "all_up");
}

Test(policy, failed_first_start_rolls_back_in_reverse_and_is_not_tried_again)
{
    world_init(&world, TRP_ONE_FOR_ONE, 5, "a b c d");
    world_begin(&world);
    world_ready(&world, "a");
    world_ready(&world, "b");
    world_expect(&world, "start a, up a, start b, up b, start c");

    world_down(&world, "c", TRP_REASON_START_FAILED);
    world_expect(&world, "start_error c, leaving a, leaving b, exit b");
    world_down(&world, "b", TRP_REASON_SHUTDOWN);
    world_expect(&world, "down b, exit a");
    world_down(&world, "a", TRP_REASON_SHUTDOWN);

    world_expect(&world, "down a, end start_failed");
    cr_assert_str_eq(world.policy.end_reason.text, "c");
}

Test(policy, first_start_that_a_signal_ended_is_not_told_as_a_status)
{
    world_init(&world, TRP_ONE_FOR_ONE, 1, "a");
    world_begin(&world);
    policy_child_t *child = policy_child_by_id(&world.policy, "a");
    policy_event_t event = {.kind = POLICY_DOWN,
                            .child = child,
                            .incarnation = child->incarnation,
                            .reason = trp_reason(TRP_REASON_SIGNAL, 9, NULL)};

    world_step(&world, &event);

    cr_assert_eq(world.policy.end_reason.kind, TRP_REASON_START_FAILED);
    cr_assert_eq(world.policy.end_reason.code, TRP_FAILED);
}

Test(policy, start_that_is_not_ready_in_time_is_killed_and_failed)
{
    world_init(&world, TRP_ONE_FOR_ONE, 1, "a");
    world_begin(&world);

    world_timer(&world, "a");
    world_expect(&world, "start a, kill a");
    world_down(&world, "a", TRP_REASON_KILLED);

    world_expect(&world, "start_error a, end start_failed");
    cr_assert_eq(world.policy.end_reason.code, TRP_TIMEOUT);
}

/* ---- restart types ---- */

Test(policy, permanent_child_restarts_whatever_its_reason)
{
    world_init(&world, TRP_ONE_FOR_ONE, 5, "a b");
    world_begin_ready(&world);

    world_down(&world, "a", TRP_REASON_NORMAL);

    world_expect(&world, "down a, child_terminated a, restart a, start a");
}

Test(policy, transient_child_that_ended_well_stays_down_and_keeps_its_spec)
{
    world_init(&world, TRP_ONE_FOR_ONE, 5, "a:transient");
    world_begin_ready(&world);

    world_down(&world, "a", TRP_REASON_SHUTDOWN);

    world_expect(&world, "down a");
    world_request(&world, POLICY_RESTART, "a");
    world_expect(&world, "start a");
}

Test(policy, transient_child_restarts_after_a_fault)
{
    world_init(&world, TRP_ONE_FOR_ONE, 5, "a:transient");
    world_begin_ready(&world);

    world_down(&world, "a", TRP_REASON_SIGNAL);

    world_expect(&world, "down a, child_terminated a, restart a, start a");
}

Test(policy, temporary_child_is_gone_with_its_spec)
{
    world_init(&world, TRP_ONE_FOR_ONE, 5, "a:temporary");
    world_begin_ready(&world);

    world_down(&world, "a", TRP_REASON_ERROR);
    world_expect(&world, "down a, child_terminated a");
    world_request(&world, POLICY_RESTART, "a");

    world_expect(&world, "answer 1 not_found");
}

/* ---- strategies ---- */

Test(policy, one_for_all_stops_the_others_in_reverse_then_starts_all_in_order)
{
    world_init(&world, TRP_ONE_FOR_ALL, 5, "a b c");
    world_begin_ready(&world);

    world_down(&world, "b", TRP_REASON_ERROR);
    world_expect(&world, "down b, child_terminated b, leaving a, leaving c, restart b, exit c");
    world_down(&world, "c", TRP_REASON_SHUTDOWN);
    world_expect(&world, "down c, exit a");
    world_down(&world, "a", TRP_REASON_SHUTDOWN);
    world_expect(&world, "down a, start a");
    world_ready(&world, "a");
    world_expect(&world, "up a, start b");
    world_ready(&world, "b");

    world_expect(&world, "up b, start c");
}

Test(policy, rest_for_one_leaves_the_earlier_ones_alone)
{
    world_init(&world, TRP_REST_FOR_ONE, 5, "a b c");
    world_begin_ready(&world);

    world_down(&world, "b", TRP_REASON_ERROR);
    world_expect(&world, "down b, child_terminated b, leaving c, restart b, exit c");
    world_down(&world, "c", TRP_REASON_SHUTDOWN);
    world_expect(&world, "down c, start b");
    world_ready(&world, "b");

    world_expect(&world, "up b, start c");
}

Test(policy, group_restart_also_starts_members_that_were_down)
{
    world_init(&world, TRP_ONE_FOR_ALL, 5, "a b:transient");
    world_begin_ready(&world);
    world_down(&world, "b", TRP_REASON_NORMAL);
    world_expect(&world, "down b");

    world_down(&world, "a", TRP_REASON_ERROR);
    world_ready(&world, "a");

    world_expect(&world, "down a, child_terminated a, restart a, start a, up a, start b");
}

Test(policy, crash_of_an_earlier_child_during_a_group_start_restarts_the_group)
{
    world_init(&world, TRP_ONE_FOR_ALL, 5, "a b");
    world_begin_ready(&world);
    world_down(&world, "b", TRP_REASON_ERROR);
    world_down(&world, "a", TRP_REASON_SHUTDOWN);
    world_ready(&world, "a");
    world.trace[0] = '\0';

    world_down(&world, "a", TRP_REASON_ERROR);
    world_expect(&world, "down a, child_terminated a, restart a, exit b");
    world_down(&world, "b", TRP_REASON_SHUTDOWN);

    world_expect(&world, "start a");
}

/* ---- failed restarts ---- */

Test(policy, failed_restart_is_tried_again_from_a_timer_not_in_a_loop)
{
    world_init(&world, TRP_ONE_FOR_ONE, 5, "a");
    world_begin_ready(&world);
    world_down(&world, "a", TRP_REASON_ERROR);
    world.trace[0] = '\0';

    world_down(&world, "a", TRP_REASON_START_FAILED);
    world_expect(&world, "start_error a, restart a");
    world_timer(&world, "a");

    world_expect(&world, "start a");
}

Test(policy, intensity_n_allows_n_attempts_when_starts_fail)
{
    world_init(&world, TRP_ONE_FOR_ONE, 2, "a");
    world_begin_ready(&world);

    world_down(&world, "a", TRP_REASON_ERROR);
    world_down(&world, "a", TRP_REASON_START_FAILED);
    world_timer(&world, "a");
    world_down(&world, "a", TRP_REASON_START_FAILED);
    world.trace[0] = '\0';
    world_timer(&world, "a");

    world_expect(&world, "gave_up a, end shutdown");
}

Test(policy, between_attempts_of_one_for_all_earlier_members_run_and_later_ones_are_down)
{
    world_init(&world, TRP_ONE_FOR_ALL, 5, "a b c");
    world_begin_ready(&world);
    world_down(&world, "c", TRP_REASON_ERROR);
    world_down(&world, "b", TRP_REASON_SHUTDOWN);
    world_down(&world, "a", TRP_REASON_SHUTDOWN);
    world_ready(&world, "a");
    world.trace[0] = '\0';

    world_down(&world, "b", TRP_REASON_START_FAILED);
    world_expect(&world, "start_error b, restart b");
    cr_assert_eq(policy_child_by_id(&world.policy, "a")->phase, POLICY_UP);
    cr_assert_eq(policy_child_by_id(&world.policy, "c")->phase, POLICY_IDLE);
    world_timer(&world, "b");
    world_expect(&world, "leaving a, exit a");
    world_down(&world, "a", TRP_REASON_SHUTDOWN);

    world_expect(&world, "down a, start a");
}

Test(policy, failed_restart_of_rest_for_one_goes_on_from_the_failed_child)
{
    world_init(&world, TRP_REST_FOR_ONE, 5, "a b c");
    world_begin_ready(&world);
    world_down(&world, "a", TRP_REASON_ERROR);
    world_down(&world, "c", TRP_REASON_SHUTDOWN);
    world_down(&world, "b", TRP_REASON_SHUTDOWN);
    world_ready(&world, "a");
    world_down(&world, "b", TRP_REASON_START_FAILED);
    world.trace[0] = '\0';

    world_timer(&world, "b");
    world_ready(&world, "b");
    world_ready(&world, "c");

    world_expect(&world, "start b, up b, start c, up c");
}

Test(policy, terminate_cancels_a_retry_and_leaves_later_members_down)
{
    world_init(&world, TRP_REST_FOR_ONE, 5, "a b");
    world_begin_ready(&world);
    world_down(&world, "a", TRP_REASON_ERROR);
    world_down(&world, "b", TRP_REASON_SHUTDOWN);
    world_down(&world, "a", TRP_REASON_START_FAILED);
    world.trace[0] = '\0';

    world_request(&world, POLICY_TERMINATE, "a");

    world_expect(&world, "answer 1 ok");
    cr_assert_eq(world.timer_at_ns[1], 0);
    cr_assert_eq(policy_child_by_id(&world.policy, "a")->phase, POLICY_IDLE);
    cr_assert_eq(policy_child_by_id(&world.policy, "b")->phase, POLICY_IDLE);
}

Test(policy, crash_of_a_sibling_between_attempts_drops_the_retry)
{
    world_init(&world, TRP_ONE_FOR_ALL, 5, "a b");
    world_begin_ready(&world);
    world_down(&world, "b", TRP_REASON_ERROR);
    world_down(&world, "a", TRP_REASON_SHUTDOWN);
    world_ready(&world, "a");
    world_down(&world, "b", TRP_REASON_START_FAILED);
    world.trace[0] = '\0';

    world_down(&world, "a", TRP_REASON_ERROR);
    world_ready(&world, "a");

    world_expect(&world, "down a, child_terminated a, restart a, start a, up a, start b");
    cr_assert_neq(world.timer_at_ns[2], 0, "the start limit of b is armed");
}

/* ---- delays ---- */

Test(policy, first_restart_of_a_streak_is_immediate_and_the_second_waits)
{
    world_init(&world, TRP_ONE_FOR_ONE, 5, "a");
    world_spec(&world, "a")->backoff_ms = 50;
    world_spec(&world, "a")->backoff_max_ms = 30000;
    world_begin_ready(&world);

    world_down(&world, "a", TRP_REASON_ERROR);
    world_ready(&world, "a");
    world_expect(&world, "down a, child_terminated a, restart a, start a, up a");
    int64_t before_ns = world.now_ns;
    world_down(&world, "a", TRP_REASON_ERROR);
    world_expect(&world, "down a, child_terminated a, restart a");
    world_timer(&world, "a");

    world_expect(&world, "start a");
    cr_assert_eq(world.now_ns - before_ns, 25000000, "half of 50 ms with no chance");
}

Test(policy, long_readiness_ends_a_streak)
{
    world_init(&world, TRP_ONE_FOR_ONE, 5, "a");
    world_spec(&world, "a")->backoff_ms = 50;
    world_spec(&world, "a")->backoff_max_ms = 1000;
    world_begin_ready(&world);
    world_down(&world, "a", TRP_REASON_ERROR);
    world_ready(&world, "a");
    world.now_ns += 61 * S;
    world.trace[0] = '\0';

    world_down(&world, "a", TRP_REASON_ERROR);

    world_expect(&world, "down a, child_terminated a, restart a, start a");
}

Test(policy, manual_restart_clears_the_streak)
{
    world_init(&world, TRP_ONE_FOR_ONE, 5, "a");
    world_spec(&world, "a")->backoff_ms = 50;
    world_spec(&world, "a")->backoff_max_ms = 1000;
    world_begin_ready(&world);
    world_down(&world, "a", TRP_REASON_ERROR);
    world_ready(&world, "a");
    world_down(&world, "a", TRP_REASON_ERROR);
    world_request(&world, POLICY_TERMINATE, "a");

    world_request(&world, POLICY_RESTART, "a");

    cr_assert_eq(policy_child_by_id(&world.policy, "a")->streak, 0);
}

/* ---- stop ---- */

Test(policy, stop_ends_all_in_reverse_order_one_by_one)
{
    world_init(&world, TRP_ONE_FOR_ONE, 5, "a b");
    world_begin_ready(&world);

    world_stop(&world);
    world_expect(&world, "leaving a, leaving b, exit b");
    world_down(&world, "b", TRP_REASON_SHUTDOWN);
    world_expect(&world, "down b, exit a");
    world_down(&world, "a", TRP_REASON_SHUTDOWN);

    world_expect(&world, "down a, end shutdown");
}

Test(policy, child_that_does_not_end_in_time_is_killed_and_reported)
{
    world_init(&world, TRP_ONE_FOR_ONE, 5, "a");
    world_begin_ready(&world);
    world_stop(&world);
    int64_t before_ns = world.now_ns;

    world_timer(&world, "a");
    world_expect(&world, "leaving a, exit a, kill a");
    world_down(&world, "a", TRP_REASON_KILLED);

    world_expect(&world, "down a, shutdown_error a, end shutdown");
    cr_assert_eq(world.now_ns - before_ns, 5 * S);
}

Test(policy, brutal_kill_kills_at_once_and_reports_nothing)
{
    world_init(&world, TRP_ONE_FOR_ONE, 5, "a");
    world_spec(&world, "a")->shutdown_ms = TRP_SHUTDOWN_BRUTAL;
    world_begin_ready(&world);

    world_stop(&world);
    world_down(&world, "a", TRP_REASON_KILLED);

    world_expect(&world, "leaving a, kill a, down a, end shutdown");
}

Test(policy, limit_of_zero_asks_first_and_is_no_brutal_kill)
{
    world_init(&world, TRP_ONE_FOR_ONE, 5, "a");
    world_spec(&world, "a")->shutdown_ms = 0;
    world_begin_ready(&world);

    world_stop(&world);
    world_timer(&world, "a");
    world_down(&world, "a", TRP_REASON_KILLED);

    world_expect(&world, "leaving a, exit a, kill a, down a, shutdown_error a, end shutdown");
}

Test(policy, child_of_infinite_shutdown_has_no_timer)
{
    world_init(&world, TRP_ONE_FOR_ONE, 5, "a");
    world_spec(&world, "a")->shutdown_ms = TRP_SHUTDOWN_INFINITY;
    world_begin_ready(&world);

    world_stop(&world);

    cr_assert_eq(world.timer_at_ns[1], 0);
}

Test(policy, stop_during_the_first_start_stops_what_runs_and_starts_nothing)
{
    world_init(&world, TRP_ONE_FOR_ONE, 5, "a b c");
    world_begin(&world);
    world_ready(&world, "a");
    world.trace[0] = '\0';

    world_stop(&world);
    world_ready(&world, "b");
    world_down(&world, "b", TRP_REASON_SHUTDOWN);
    world_down(&world, "a", TRP_REASON_SHUTDOWN);

    world_expect(&world, "leaving a, exit b, exit a, down a, end shutdown");
}

/* ---- requests ---- */

Test(policy, started_child_is_answered_when_it_is_ready)
{
    world_init(&world, TRP_ONE_FOR_ONE, 5, "a");
    world_begin_ready(&world);

    world_add(&world, "b");
    world_expect(&world, "start b");
    world_ready(&world, "b");

    world_expect(&world, "up b, answer 1 ok");
}

Test(policy, failed_start_on_request_is_answered_not_reported_and_keeps_no_spec)
{
    world_init(&world, TRP_ONE_FOR_ONE, 5, "a");
    world_begin_ready(&world);
    world_add(&world, "b");

    world_down(&world, "b", TRP_REASON_START_FAILED);
    world_expect(&world, "start b, answer 1 failed");
    world_request(&world, POLICY_RESTART, "b");

    world_expect(&world, "answer 2 not_found");
}

Test(policy, id_that_is_taken_is_refused)
{
    world_init(&world, TRP_ONE_FOR_ONE, 5, "a");
    trp_child_spec_t same = *world_row(&world, 0)->spec;

    cr_assert_eq(policy_add(&world.policy, &same, NULL), TRP_EXISTS);
}

Test(policy, terminate_stops_one_child_and_keeps_its_spec)
{
    world_init(&world, TRP_ONE_FOR_ALL, 5, "a b");
    world_begin_ready(&world);

    world_request(&world, POLICY_TERMINATE, "a");
    world_expect(&world, "leaving a, exit a");
    world_down(&world, "a", TRP_REASON_SHUTDOWN);
    world_expect(&world, "down a, answer 1 ok");
    world_request(&world, POLICY_TERMINATE, "a");
    world_expect(&world, "answer 2 ok");
    world_request(&world, POLICY_DELETE, "a");

    world_expect(&world, "answer 3 ok");
}

Test(policy, terminated_dynamic_child_is_gone_with_its_spec)
{
    world_init(&world, TRP_ONE_FOR_ONE, 5, "a b c");
    for (size_t i = 0; i < 3; i++) {
        world_row(&world, i)->spec->is_dynamic = true;
    }
    world_begin_ready(&world);
    world_down(&world, "b", TRP_REASON_ERROR);
    world_down(&world, "b", TRP_REASON_START_FAILED);
    world.trace[0] = '\0';

    world_request(&world, POLICY_TERMINATE, "a");
    world_down(&world, "a", TRP_REASON_SHUTDOWN);
    world_request(&world, POLICY_TERMINATE, "b"); /* between attempts */
    world_expect(&world, "leaving a, exit a, down a, answer 1 ok, answer 2 ok");
    world_request(&world, POLICY_RESTART, "a");
    world_request(&world, POLICY_RESTART, "b");

    world_expect(&world, "answer 3 not_found, answer 4 not_found");
}

Test(policy, dynamic_child_that_crashes_keeps_its_spec_and_restarts)
{
    world_init(&world, TRP_ONE_FOR_ONE, 5, "a");
    world_spec(&world, "a")->is_dynamic = true;
    world_begin_ready(&world);

    world_down(&world, "a", TRP_REASON_SIGNAL);

    world_expect(&world, "down a, child_terminated a, restart a, start a");
}

Test(policy, restart_and_delete_refuse_what_runs_or_restarts)
{
    world_init(&world, TRP_ONE_FOR_ONE, 5, "a b");
    world_begin_ready(&world);
    world_down(&world, "b", TRP_REASON_ERROR);
    world_down(&world, "b", TRP_REASON_START_FAILED);
    world.trace[0] = '\0';

    world_request(&world, POLICY_RESTART, "a");
    world_request(&world, POLICY_DELETE, "a");
    world_request(&world, POLICY_RESTART, "b");
    world_request(&world, POLICY_DELETE, "b");

    world_expect(&world, "answer 1 running, answer 2 running, answer 3 restarting, "
                         "answer 4 restarting");
}

Test(policy, requests_are_refused_while_the_supervisor_ends)
{
    world_init(&world, TRP_ONE_FOR_ONE, 5, "a");
    world_begin_ready(&world);
    world_stop(&world);
    world.trace[0] = '\0';

    world_request(&world, POLICY_TERMINATE, "a");

    world_expect(&world, "answer 1 stopping");
}

Test(policy, who_waits_for_a_start_is_answered_when_the_supervisor_ends)
{
    world_init(&world, TRP_ONE_FOR_ONE, 5, "a");
    world_begin_ready(&world);
    world_add(&world, "b");
    world.trace[0] = '\0';

    world_stop(&world);

    world_expect(&world, "leaving a, answer 1 stopping, exit b");
}
