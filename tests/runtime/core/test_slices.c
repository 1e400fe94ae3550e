/* SPDX-License-Identifier: MIT */
/* Who runs next and for how long, stepped slice by slice; and who is woken for it. */
#include <criterion/criterion.h>

#include "tests/runtime/fixture.h"

#define LIFO_ROW   16 /* as scheduler.c has them */
#define SYSTEM_ROW 16

static probe_t first, second, third, other;

static void open_stepped(void)
{
    node_open(false);
}

TestSuite(slices, .init = open_stepped, .fini = node_close);

static trp_class_t system_class; /* a probe above others */

static void spawn_system(probe_t *probe)
{
    system_class = probe_class;
    system_class.flags = TRP_CLASS_SYSTEM;
    const trp_spawn_t spawn = {.class = &system_class};
    probe_spawn(probe, &spawn);
}

/* Steps until the probe has seen something; how many that took. */
static int steps_until_seen(const probe_t *probe, int limit)
{
    int steps = 0;
    while (probe->count == 0 && steps < limit) {
        cr_assert(node_step());
        steps++;
    }
    return steps;
}

/* Each wakes the other, for as long as a third has seen nothing. */
static trp_status_t wake_partner(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    (void)message;
    probe->count = 0; /* they see much */
    return third.count > 0 ? TRP_OK : trp_send(ctx, probe->other, TAG_NOTE, NULL, 0);
}

static void pair(void)
{
    first.receive = second.receive = wake_partner;
    first.other = second.pid;
    second.other = first.pid;
}

/* ---- the LIFO slot ---- */

Test(slices, the_lifo_slot_is_used_so_many_times_in_a_row_while_others_wait)
{
    probe_spawn(&first, NULL);
    probe_spawn(&second, NULL);
    probe_spawn(&third, NULL);
    pair();
    node_settle();

    cr_assert_eq(probe_note(&first, 1), TRP_OK);
    cr_assert_eq(probe_note(&other, 1), TRP_OK, "to nobody: a dead letter");
    cr_assert(node_step());
    cr_assert_eq(probe_note(&third, 1), TRP_OK); /* displaces the partner to the queue */
    cr_assert(node_step());

    cr_assert_leq(steps_until_seen(&third, 1000), LIFO_ROW + 2);
}

/* ---- stealing ---- */

static int taken_until_empty(runq_t *queue)
{
    int count = 0;
    while (runq_pop(queue) != NULL) {
        count++;
    }
    return count;
}

Test(slices, a_thief_takes_the_older_half)
{
    static cell_t cells[5];
    runq_t victim, thief;
    runq_init(&victim);
    runq_init(&thief);
    for (int i = 0; i < 5; i++) {
        runq_push(&victim, &cells[i]);
    }

    cr_expect_eq(runq_steal(&victim, &thief), &cells[0], "the oldest is its to run");
    cr_expect_eq(runq_pop(&thief), &cells[1]);
    cr_expect_eq(taken_until_empty(&thief), 1);
    cr_expect_eq(runq_pop(&victim), &cells[3]);
    cr_expect_eq(taken_until_empty(&victim), 1);
    cr_expect_null(runq_steal(&victim, &thief));

    runq_fini(&victim);
    runq_fini(&thief);
}

/* ---- budgets ---- */

static void fill(probe_t *probe, int count)
{
    for (int i = 0; i < count; i++) {
        cr_assert_eq(probe_note(probe, i), TRP_OK);
    }
}

Test(slices, a_slice_ends_after_so_many_messages)
{
    probe_spawn(&first, NULL);
    node_settle();
    fill(&first, SLICE_WORK + 10);

    cr_assert(node_step());

    cr_expect_eq(first.count, SLICE_WORK);
    node_settle();
    cr_expect_eq(first.count, SLICE_WORK + 10);
}

static trp_status_t take_10_ms(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    (void)ctx;
    (void)probe;
    (void)message;
    node_skip_ms(10);
    return TRP_OK;
}

Test(slices, a_slice_ends_after_so_much_time)
{
    probe_spawn(&first, NULL);
    probe_spawn(&second, NULL);
    node_settle();
    first.receive = take_10_ms;
    fill(&first, 200);
    cr_assert_eq(probe_note(&second, 1), TRP_OK);
    cr_assert(node_step());
    cr_assert(node_step());
    cr_expect_eq(second.count, 1, "the other has had its turn");
    const int before = first.count;

    cr_assert(node_step());

    cr_expect_eq(first.count, before + 1, "each of its messages takes ten times a slice");
}

Test(slices, an_actor_that_suddenly_takes_long_ends_its_slice_too)
{
    probe_spawn(&first, NULL);
    node_settle();
    for (int i = 0; i < 200; i++) { /* fast slices: the clock is looked at seldom */
        cr_assert_eq(probe_note(&first, i), TRP_OK);
        cr_assert(node_step());
    }
    cr_assert_gt(node->workers[0].clock_interval, 1);
    first.receive = take_10_ms;
    first.count = 0;
    fill(&first, 200);

    cr_assert(node_step());

    cr_expect_leq(first.count, 64);
}

/* ---- system work ---- */

Test(slices, system_work_goes_before_user_work_that_came_earlier)
{
    probe_spawn(&first, NULL);
    probe_spawn(&second, NULL);
    spawn_system(&third);
    node_settle();
    cr_assert_eq(probe_note(&first, 1), TRP_OK);
    cr_assert_eq(probe_note(&second, 1), TRP_OK);
    cr_assert_eq(probe_note(&third, 1), TRP_OK);

    cr_assert(node_step());

    cr_expect_eq(third.count, 1);
    cr_expect_eq(first.count + second.count, 0);
    node_settle();
    cr_expect_eq(first.count + second.count, 2);
}

Test(slices, system_work_without_end_does_not_starve_user_work)
{
    spawn_system(&first);
    spawn_system(&second);
    probe_spawn(&third, NULL);
    pair();
    node_settle();
    cr_assert_eq(probe_note(&first, 1), TRP_OK);
    cr_assert(node_step());

    cr_assert_eq(probe_note(&third, 1), TRP_OK);

    cr_assert_leq(steps_until_seen(&third, 1000), SYSTEM_ROW + 1);
}

/* ---- waking ---- */

Test(slices, one_sleeper_is_woken_at_a_time_until_it_has_found_something)
{
    trp_runtime_t *runtime = NULL;
    const runtime_options_t options = {.node = 1 << 16, .threads = 3, .cells_max = 10};
    cr_assert_eq(runtime_create(&options, &runtime), TRP_OK);
    worker_t *sleeper = &runtime->workers[0];
    for (int i = 0; i < 3; i++) {
        scheduler_park_begin(&runtime->workers[i]);
    }
    cr_assert_eq(atomic_load(&runtime->idle), 7);

    scheduler_notify(runtime);
    scheduler_notify(runtime);
    cr_expect_eq(atomic_load(&runtime->idle), 6, "the second finds one that searches");
    cr_expect_eq(atomic_load(&sleeper->parked), 0);

    scheduler_park_end(sleeper);
    cr_expect(sleeper->is_searching);
    scheduler_stop_search(sleeper);
    scheduler_notify(runtime);
    cr_expect_eq(atomic_load(&runtime->idle), 4);

    runtime_destroy(&runtime);
}
