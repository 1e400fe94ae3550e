/* SPDX-License-Identifier: MIT */
/* What the policy has beside Erlang/OTP's: the choice at the limit, exit causes, the window of
 * active time, parallel starts, the bucket of the tree; and of OTP: templates, significant
 * children, ignore. */
#include <string.h>

#include <criterion/criterion.h>

#include "supervisor/policy_cause.h"
#include "tests/supervisor/policy_world.h"

#define MS INT64_C(1000000)
#define S  (1000 * MS)

static world_t world;

static void fini(void)
{
    world_fini(&world);
}

TestSuite(policy_beyond, .fini = fini);

static void begin(trp_supervisor_spec_t spec, const char *children)
{
    spec.period_s = 5;
    world_init_spec(&world, &spec, children);
}

static void down_with(const char *id, trp_reason_t reason)
{
    policy_child_t *child = policy_child_by_id(&world.policy, id);
    policy_event_t event = {
        .kind = POLICY_DOWN, .child = child, .incarnation = child->incarnation, .reason = reason};
    world_step(&world, &event);
}

/* ---- the choice at the limit ---- */

Test(policy_beyond, held_child_waits_at_its_longest_delay_and_the_supervisor_goes_on)
{
    begin((trp_supervisor_spec_t){.intensity = 0}, "a b");
    world_spec(&world, "a")->give_up = TRP_GIVE_UP_HOLD;
    world_spec(&world, "a")->backoff_max_ms = 30000;
    world_begin_ready(&world);
    int64_t before_ns = world.now_ns;

    world_down(&world, "a", TRP_REASON_ERROR);
    world_expect(&world, "down a, child_terminated a, held a");
    cr_assert(policy_child_by_id(&world.policy, "a")->is_held);
    world_timer(&world, "a");

    cr_assert_eq(world.now_ns - before_ns, 30 * S);
    world_expect(&world, "start a");
    world_ready(&world, "a");
    cr_assert_not(policy_child_by_id(&world.policy, "a")->is_held);
}

Test(policy_beyond, escalation_ends_the_supervisor_with_an_error_that_names_the_child)
{
    begin((trp_supervisor_spec_t){.intensity = 0}, "a");
    world_spec(&world, "a")->give_up = TRP_GIVE_UP_ESCALATE;
    world_begin_ready(&world);

    world_down(&world, "a", TRP_REASON_ERROR);

    world_expect(&world, "down a, child_terminated a, gave_up a, end error");
    cr_assert_str_eq(world.policy.end_reason.text, "a");
}

/* ---- exit causes ---- */

Test(policy_beyond, reasons_have_causes)
{
    const struct {
        trp_reason_t reason;
        trp_cause_t cause;
    } rows[] = {
        {trp_reason(TRP_REASON_NORMAL, 0, NULL), TRP_CAUSE_CLEAN},
        {trp_reason(TRP_REASON_EXIT_CODE, 0, NULL), TRP_CAUSE_CLEAN},
        {trp_reason(TRP_REASON_EXIT_CODE, 3, NULL), TRP_CAUSE_CRASH},
        {trp_reason(TRP_REASON_ERROR, TRP_CONFIG, NULL), TRP_CAUSE_CONFIG},
        {trp_reason(TRP_REASON_START_FAILED, TRP_CONFIG, NULL), TRP_CAUSE_CONFIG},
        {trp_reason(TRP_REASON_START_FAILED, TRP_BUSY, NULL), TRP_CAUSE_UNREADY},
        {trp_reason(TRP_REASON_ERROR, TRP_NO_MEMORY, NULL), TRP_CAUSE_MEMORY},
        {trp_reason(TRP_REASON_MEMORY, 0, NULL), TRP_CAUSE_MEMORY},
        {trp_reason(TRP_REASON_STUCK, 0, NULL), TRP_CAUSE_STUCK},
        {trp_reason(TRP_REASON_KILLED, 0, "stuck"), TRP_CAUSE_STUCK},
        {trp_reason(TRP_REASON_KILLED, 0, NULL), TRP_CAUSE_CRASH},
        {trp_reason(TRP_REASON_SIGNAL, 11, NULL), TRP_CAUSE_CRASH},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_assert_eq(policy_cause(&rows[i].reason), rows[i].cause, "row %zu", i);
    }
}

Test(policy_beyond, child_whose_configuration_is_wrong_stays_down_until_it_is_asked_for)
{
    begin((trp_supervisor_spec_t){.intensity = 5}, "a b");
    world_spec(&world, "a")->on_exit[TRP_CAUSE_CONFIG] = TRP_ON_EXIT_NEVER;
    world_begin_ready(&world);

    down_with("a", trp_reason(TRP_REASON_ERROR, TRP_CONFIG, NULL));
    world_expect(&world, "down a, child_terminated a, not_restarted a");
    world_request(&world, POLICY_RESTART, "a");

    world_expect(&world, "start a");
}

Test(policy_beyond, waiting_for_what_is_not_ready_costs_no_intensity)
{
    begin((trp_supervisor_spec_t){.intensity = 0}, "a");
    world_spec(&world, "a")->on_exit[TRP_CAUSE_UNREADY] = TRP_ON_EXIT_WAIT;
    world_spec(&world, "a")->backoff_ms = 100;
    world_spec(&world, "a")->backoff_max_ms = 100;
    world_begin_ready(&world);

    for (int i = 0; i < 20; i++) {
        down_with("a", i == 0 ? trp_reason(TRP_REASON_ERROR, TRP_BUSY, NULL)
                              : trp_reason(TRP_REASON_START_FAILED, TRP_BUSY, NULL));
        if (policy_child_by_id(&world.policy, "a")->phase == POLICY_BACKOFF) {
            world_timer(&world, "a");
        }
        cr_assert_eq(policy_child_by_id(&world.policy, "a")->phase, POLICY_STARTING);
    }

    cr_assert_eq(world.policy.mode, POLICY_RUNNING);
}

Test(policy_beyond, now_is_without_a_delay_also_late_in_a_streak)
{
    begin((trp_supervisor_spec_t){.intensity = 9}, "a");
    world_spec(&world, "a")->on_exit[TRP_CAUSE_CLEAN] = TRP_ON_EXIT_NOW;
    world_spec(&world, "a")->backoff_ms = 1000;
    world_spec(&world, "a")->backoff_max_ms = 1000;
    world_begin_ready(&world);

    for (int i = 0; i < 5; i++) {
        world_down(&world, "a", TRP_REASON_NORMAL);
        cr_assert_eq(policy_child_by_id(&world.policy, "a")->phase, POLICY_STARTING);
        world_ready(&world, "a");
    }
}

Test(policy_beyond, cause_that_gives_up_ends_the_supervisor_at_once)
{
    begin((trp_supervisor_spec_t){.intensity = 100}, "a");
    world_spec(&world, "a")->on_exit[TRP_CAUSE_MEMORY] = TRP_ON_EXIT_GIVE_UP;
    world_begin_ready(&world);

    down_with("a", trp_reason(TRP_REASON_MEMORY, 0, NULL));

    world_expect(&world, "down a, child_terminated a, gave_up a, end shutdown");
}

/* A reason of each cause that is an end by a fault. */
static const trp_reason_kind_t faults[TRP_CAUSE_COUNT] = {
    [TRP_CAUSE_CLEAN] = TRP_REASON_NORMAL,  [TRP_CAUSE_CONFIG] = TRP_REASON_ERROR,
    [TRP_CAUSE_UNREADY] = TRP_REASON_ERROR, [TRP_CAUSE_MEMORY] = TRP_REASON_MEMORY,
    [TRP_CAUSE_STUCK] = TRP_REASON_STUCK,   [TRP_CAUSE_CRASH] = TRP_REASON_SIGNAL,
};
static const int32_t fault_codes[TRP_CAUSE_COUNT] = {
    [TRP_CAUSE_CONFIG] = TRP_CONFIG, [TRP_CAUSE_UNREADY] = TRP_BUSY};

/* What follows the second end by that cause, in words: the first restart of a streak has no delay.
 */
static const char *after_two_ends(trp_cause_t cause, trp_on_exit_t choice)
{
    static const trp_limits_t limits = {.memory = 100, .memory_ceiling = 1000};
    const trp_reason_t reason = trp_reason(faults[cause], fault_codes[cause], NULL);
    begin((trp_supervisor_spec_t){.intensity = 1}, "a");
    trp_child_spec_t *spec = world_spec(&world, "a");
    spec->on_exit[cause] = choice;
    spec->backoff_ms = spec->backoff_max_ms = 1000;
    spec->limits = &limits;
    world_begin_ready(&world);
    for (int i = 0; i < 2; i++) {
        down_with("a", reason);
        if (i == 0 && policy_child_by_id(&world.policy, "a")->phase == POLICY_STARTING) {
            world_ready(&world, "a");
        }
    }
    if (world.policy.mode != POLICY_RUNNING) {
        return strstr(world.trace, "restart a") == NULL ? "ends at once" : "ends at the limit";
    }
    const policy_child_t *child = policy_child_by_id(&world.policy, "a");
    return child->phase == POLICY_IDLE       ? "stays down"
           : child->phase == POLICY_STARTING ? "starts"
                                             : "waits";
}

Test(policy_beyond, each_cell_of_the_table_of_exit_causes_does_what_it_says)
{
    static const char *const expected[TRP_ON_EXIT_COUNT] = {
        [TRP_ON_EXIT_DEFAULT] = "ends at the limit", [TRP_ON_EXIT_BACKOFF] = "ends at the limit",
        [TRP_ON_EXIT_NOW] = "ends at the limit",     [TRP_ON_EXIT_WAIT] = "waits",
        [TRP_ON_EXIT_NEVER] = "stays down",          [TRP_ON_EXIT_GIVE_UP] = "ends at once",
        [TRP_ON_EXIT_RAISE] = "ends at the limit",
    };

    for (int cause = 0; cause < TRP_CAUSE_COUNT; cause++) {
        const trp_reason_t reason = trp_reason(faults[cause], fault_codes[cause], NULL);
        cr_assert_eq(policy_cause(&reason), (trp_cause_t)cause);
        for (int choice = 0; choice < TRP_ON_EXIT_COUNT; choice++) {
            if (choice == TRP_ON_EXIT_RAISE && cause != TRP_CAUSE_MEMORY) {
                continue; /* refused by trp_supervisor_check */
            }
            const char *found = after_two_ends((trp_cause_t)cause, (trp_on_exit_t)choice);
            cr_expect_str_eq(found, expected[choice], "cause %d, choice %d: %s", cause, choice,
                             found);
            world_fini(&world);
        }
    }
    world_init(&world, TRP_ONE_FOR_ONE, 1, "a"); /* for fini */
}

/* ---- a limit that is raised ---- */

static int64_t memory_of(const char *id)
{
    return policy_child_by_id(&world.policy, id)->memory;
}

Test(policy_beyond, memory_limit_is_raised_up_to_its_ceiling_and_then_the_child_stays_down)
{
    static const trp_limits_t limits = {.memory = 1000, .memory_ceiling = 2000};
    begin((trp_supervisor_spec_t){.intensity = 100}, "a");
    world_spec(&world, "a")->on_exit[TRP_CAUSE_MEMORY] = TRP_ON_EXIT_RAISE;
    world_spec(&world, "a")->limits = &limits;
    world_begin_ready(&world);

    const int64_t steps[] = {1500, 2000};
    for (size_t i = 0; i < 2; i++) {
        world_down(&world, "a", TRP_REASON_MEMORY);
        world_expect(&world, "down a, child_terminated a, restart a, start a");
        cr_assert_eq(memory_of("a"), steps[i]);
        world_ready(&world, "a");
        world_expect(&world, "up a");
    }
    world_down(&world, "a", TRP_REASON_MEMORY);

    world_expect(&world, "down a, child_terminated a, not_restarted a");
}

Test(policy_beyond, other_ends_leave_a_raised_limit_and_a_restart_by_hand_takes_it_back)
{
    static const trp_limits_t limits = {
        .memory = 1000, .memory_ceiling = 9000, .memory_raise = 100};
    begin((trp_supervisor_spec_t){.intensity = 100}, "a");
    world_spec(&world, "a")->on_exit[TRP_CAUSE_MEMORY] = TRP_ON_EXIT_RAISE;
    world_spec(&world, "a")->on_exit[TRP_CAUSE_CRASH] = TRP_ON_EXIT_NEVER;
    world_spec(&world, "a")->limits = &limits;
    world_begin_ready(&world);

    world_down(&world, "a", TRP_REASON_MEMORY);
    world_ready(&world, "a");
    world_down(&world, "a", TRP_REASON_SIGNAL);
    cr_assert_eq(memory_of("a"), 2000);
    world_request(&world, POLICY_RESTART, "a");

    cr_assert_eq(memory_of("a"), 0);
}

Test(policy_beyond, start_that_fails_for_want_of_memory_raises_the_limit_as_well)
{
    static const trp_limits_t limits = {.memory = 1000, .memory_ceiling = 9000};
    begin((trp_supervisor_spec_t){.intensity = 100}, "a");
    world_spec(&world, "a")->on_exit[TRP_CAUSE_MEMORY] = TRP_ON_EXIT_RAISE;
    world_spec(&world, "a")->limits = &limits;
    world_begin_ready(&world);

    world_down(&world, "a", TRP_REASON_MEMORY);
    down_with("a", trp_reason(TRP_REASON_START_FAILED, TRP_NO_MEMORY, NULL));

    cr_assert_eq(memory_of("a"), 2250);
}

Test(policy_beyond, child_without_a_limit_of_memory_has_nothing_to_raise)
{
    begin((trp_supervisor_spec_t){.intensity = 100}, "a");
    world_spec(&world, "a")->on_exit[TRP_CAUSE_MEMORY] = TRP_ON_EXIT_RAISE;
    world_begin_ready(&world);

    world_down(&world, "a", TRP_REASON_MEMORY);

    world_expect(&world, "down a, child_terminated a, not_restarted a");
}

/* ---- mistake 7 ---- */

static int restarts_until_it_gives_up(trp_window_t window)
{
    begin((trp_supervisor_spec_t){.strategy = TRP_ONE_FOR_ALL, .intensity = 1, .window = window},
          "a b");
    world_begin_ready(&world);
    int restarts = 0;
    while (restarts < 10) {
        world_down(&world, "a", TRP_REASON_ERROR);
        if (world.policy.mode != POLICY_RUNNING) {
            break;
        }
        world.now_ns += 6 * S; /* b takes longer to stop than the period is long */
        world_down(&world, "b", TRP_REASON_KILLED);
        world_ready(&world, "a");
        world_ready(&world, "b");
        world.trace[0] = '\0';
        restarts++;
    }
    world_fini(&world);
    return restarts;
}

Test(policy_beyond, m7_slow_stops_do_not_age_the_window_of_active_time)
{
    cr_assert_eq(restarts_until_it_gives_up(TRP_WINDOW_PASSING), 10, "as OTP: for ever");
    cr_assert_eq(restarts_until_it_gives_up(TRP_WINDOW_ACTIVE), 1);
}

/* ---- parallel starts, the bucket ---- */

Test(policy_beyond, parallel_starts_keep_to_their_limit)
{
    begin((trp_supervisor_spec_t){.intensity = 5, .starts = TRP_STARTS_PARALLEL, .start_max = 2},
          "a b c d");

    world_begin(&world);
    world_expect(&world, "start a, start b");
    world_ready(&world, "b");
    world_expect(&world, "up b, start c");
    world_ready(&world, "a");
    world_ready(&world, "c");
    world_ready(&world, "d");

    world_expect(&world, "up a, start d, up c, up d, all_up");
}

Test(policy_beyond, bucket_of_the_tree_delays_what_is_more_than_its_rate)
{
    trp_bucket_t whole = {.interval_ns = S, .burst = 1};
    trp_bucket_t own = {.interval_ns = S / 100, .burst = 100, .parent = &whole};
    begin((trp_supervisor_spec_t){.intensity = 9, .bucket = &own}, "a b");
    world_begin_ready(&world);

    world_down(&world, "a", TRP_REASON_ERROR);
    world_expect(&world, "down a, child_terminated a, restart a, start a");
    world_down(&world, "b", TRP_REASON_ERROR);
    world_expect(&world, "down b, child_terminated b, restart b");

    cr_assert_eq(policy_child_by_id(&world.policy, "b")->next_at_ns - world.now_ns, S);
}

Test(policy_beyond, bucket_fills_again_with_time)
{
    trp_bucket_t bucket = {.interval_ns = S, .burst = 2};

    cr_assert_eq(trp_bucket_take(&bucket, 10 * S), 0);
    cr_assert_eq(trp_bucket_take(&bucket, 10 * S), 0);
    cr_assert_eq(trp_bucket_take(&bucket, 10 * S), S);
    cr_assert_eq(trp_bucket_take(&bucket, 14 * S), 0);
    cr_assert_eq(trp_bucket_take(NULL, 0), 0, "no bucket, no limit");
}

/* ---- significant, ignore, templates ---- */

Test(policy_beyond, last_significant_child_that_ends_ends_the_supervisor)
{
    begin((trp_supervisor_spec_t){.intensity = 5, .auto_shutdown = TRP_AUTO_SHUTDOWN_ALL},
          "a:transient b:transient c");
    world_spec(&world, "a")->is_significant = true;
    world_spec(&world, "b")->is_significant = true;
    world_begin_ready(&world);

    world_down(&world, "a", TRP_REASON_NORMAL);
    world_expect(&world, "down a");
    world_down(&world, "b", TRP_REASON_NORMAL);

    world_expect(&world, "down b, leaving c, exit c");
}

Test(policy_beyond, ignored_start_keeps_the_spec_and_goes_on)
{
    begin((trp_supervisor_spec_t){.intensity = 5}, "a b");
    world_begin(&world);
    world.trace[0] = '\0';

    down_with("a", trp_reason(TRP_REASON_START_FAILED, TRP_IGNORE, NULL));
    world_ready(&world, "b");

    world_expect(&world, "start b, up b, all_up");
    cr_assert_eq(policy_child_by_id(&world.policy, "a")->phase, POLICY_IDLE);
}

static const trp_child_spec_t template = {.id = "w", .shutdown_ms = 60};

static void begin_template(void)
{
    begin((trp_supervisor_spec_t){.strategy = TRP_SIMPLE_ONE_FOR_ONE,
                                  .intensity = 5,
                                  .template = &template},
          NULL);
    world_begin(&world);
    world.trace[0] = '\0';
}

Test(policy_beyond, m11_ignored_restart_of_an_instance_leaves_nothing)
{
    begin_template();
    policy_child_t *child = world_add_instance(&world);
    world_ready_row(&world, child);
    world_down_row(&world, child, TRP_REASON_ERROR);

    policy_event_t ignore = {.kind = POLICY_DOWN,
                             .child = child,
                             .incarnation = child->incarnation,
                             .reason = trp_reason(TRP_REASON_START_FAILED, TRP_IGNORE, NULL)};
    world_step(&world, &ignore);

    cr_assert_eq(world.policy.child_count, 0);
    world.trace[0] = '\0';
    world_stop(&world);
    world_expect(&world, "end shutdown");
}

Test(policy_beyond, instances_stop_at_once_under_one_limit_and_are_reported_by_reason)
{
    begin_template();
    policy_child_t *children[3];
    for (int i = 0; i < 3; i++) {
        children[i] = world_add_instance(&world);
        world_ready_row(&world, children[i]);
    }
    world.trace[0] = '\0';

    world_stop(&world);
    world_expect(&world, "leaving w, leaving w, leaving w, exit w, exit w, exit w");
    world.now_ns += 60 * MS;
    world_step(&world, &(policy_event_t){.kind = POLICY_STOP_TIMER});
    world_expect(&world, "kill w, kill w, kill w");
    world_down_row(&world, children[0], TRP_REASON_KILLED);
    world_down_row(&world, children[2], TRP_REASON_KILLED);
    world_down_row(&world, children[1], TRP_REASON_KILLED);

    world_expect(&world, "down w, down w, down w, shutdown_error ?, end shutdown");
}
