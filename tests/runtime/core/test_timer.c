/* SPDX-License-Identifier: MIT */
#include "runtime/core/timer.h"

#include <stdlib.h>

#include "tests/runtime/fixture.h"

#define TICK_NS 65536

static timer_wheel_t wheel;
static uint64_t fired[4096];
static int fired_count;

static void note(void *user, trp_pid_t owner, uint64_t ref)
{
    (void)user;
    (void)owner;
    cr_assert_lt(fired_count, 4096);
    fired[fired_count++] = ref;
}

static void open_wheel(void)
{
    fired_count = 0;
    timer_wheel_init(&wheel, 1000 * TICK_NS);
}

static void close_wheel(void)
{
    timer_wheel_fini(&wheel);
}

static timer_handle_t start(int64_t due_ns, uint64_t ref)
{
    timer_handle_t handle = {0};
    cr_assert_eq(timer_start(&wheel, due_ns, TRP_PID_NONE, ref, &handle), TRP_OK);
    return handle;
}

TestSuite(timer_wheel, .init = open_wheel, .fini = close_wheel);

Test(timer_wheel, fires_never_early_and_at_most_a_tick_late)
{
    int64_t due = 1000 * TICK_NS + 5 * TICK_NS + 17;
    start(due, 1);

    timer_advance(&wheel, due - 1, note, NULL);
    int early = fired_count;
    timer_advance(&wheel, due + TICK_NS, note, NULL);

    cr_assert_eq(early, 0);
    cr_assert_eq(fired_count, 1);
}

Test(timer_wheel, equal_times_fire_in_the_order_of_their_start)
{
    for (uint64_t i = 0; i < 100; i++) {
        start(2000LL * TICK_NS, i);
    }

    timer_advance(&wheel, 2001LL * TICK_NS, note, NULL);

    cr_assert_eq(fired_count, 100);
    for (uint64_t i = 0; i < 100; i++) {
        cr_assert_eq(fired[i], i);
    }
}

Test(timer_wheel, times_within_one_tick_fire_in_order_of_time)
{
    start(2000LL * TICK_NS + 300, 3);
    start(2000LL * TICK_NS + 100, 1);
    start(2000LL * TICK_NS + 200, 2);

    timer_advance(&wheel, 2002LL * TICK_NS, note, NULL);

    cr_assert_eq(fired[0], 1);
    cr_assert_eq(fired[1], 2);
    cr_assert_eq(fired[2], 3);
}

Test(timer_wheel, a_cancelled_one_does_not_fire_and_its_handle_stays_harmless)
{
    timer_handle_t first = start(2000LL * TICK_NS, 1);
    timer_cancel(&wheel, &first);
    timer_handle_t second = start(2000LL * TICK_NS, 2); /* in the same memory */

    timer_cancel(&wheel, &first);
    timer_advance(&wheel, 2001LL * TICK_NS, note, NULL);
    timer_cancel(&wheel, &second);

    cr_assert_eq(fired_count, 1);
    cr_assert_eq(fired[0], 2);
}

Test(timer_wheel, far_times_pass_through_all_levels)
{
    const int64_t day = 86400LL * 1000000000;
    const int64_t delays[] = {1,   70LL * TICK_NS, 5000LL * TICK_NS, 300000LL * TICK_NS,
                              day, 30 * day,       3650 * day};
    const int count = sizeof(delays) / sizeof(delays[0]);
    for (int i = count - 1; i >= 0; i--) {
        start(1000LL * TICK_NS + delays[i], (uint64_t)i);
    }

    for (int i = 0; i < count; i++) {
        timer_advance(&wheel, 1000LL * TICK_NS + delays[i] - 1, note, NULL);
        cr_assert_eq(fired_count, i, "delay %d fired early", i);
        timer_advance(&wheel, 1000LL * TICK_NS + delays[i] + TICK_NS, note, NULL);
        cr_assert_eq(fired_count, i + 1, "delay %d did not fire", i);
        cr_assert_eq(fired[i], (uint64_t)i);
    }
}

Test(timer_wheel, next_is_never_later_than_the_first_that_is_due)
{
    cr_assert_eq(timer_next_ns(&wheel), INT64_MAX);
    int64_t due = 1000LL * TICK_NS + 777777777;
    start(due, 1);

    int rounds = 0;
    while (fired_count == 0) {
        int64_t next = timer_next_ns(&wheel);
        cr_assert_leq(next, due + TICK_NS);
        timer_advance(&wheel, next, note, NULL);
        cr_assert_lt(++rounds, 16, "a park for each level at most");
    }
}

Test(timer_wheel, agrees_with_a_sorted_list_on_random_times)
{
    static int64_t dues[2000];
    srandom(7);
    int64_t now = 1000LL * TICK_NS;
    for (int i = 0; i < 2000; i++) {
        dues[i] = now + random() % 4000000000LL;
        start(dues[i], (uint64_t)i);
    }

    while (fired_count < 2000) {
        int before = fired_count;
        now += random() % 100000000;
        timer_advance(&wheel, now, note, NULL);
        for (int i = before; i < fired_count; i++) {
            cr_assert_leq(dues[fired[i]], now);
            cr_assert(i == before || dues[fired[i - 1]] <= dues[fired[i]]);
        }
    }
}

/* ---- as actors see them ---- */

enum { TAG_TICK = 0x1020 };

static void open_node(void)
{
    node_open(false);
}

TestSuite(timer, .init = open_node, .fini = node_close);

static probe_t probe;

static void start_once(trp_ctx_t *ctx, probe_t *self)
{
    cr_assert_eq(trp_timer_start(ctx, 10, 0, TAG_TICK, &self->ref), TRP_OK);
}

static void start_periodic(trp_ctx_t *ctx, probe_t *self)
{
    cr_assert_eq(trp_timer_start(ctx, 10, 10, TAG_TICK, &self->ref), TRP_OK);
}

static void cancel(trp_ctx_t *ctx, probe_t *self)
{
    trp_timer_cancel(ctx, self->ref);
}

static void stop(trp_ctx_t *ctx, probe_t *self)
{
    (void)self;
    trp_stop(ctx, NULL);
}

Test(timer, one_shot_fires_once_with_its_reference)
{
    probe_spawn(&probe, NULL);
    probe_do(&probe, start_once);

    node_advance_ms(9);
    int early = probe.count;
    node_advance_ms(2);
    node_advance_ms(100);

    cr_assert_eq(early, 0);
    cr_assert_eq(probe.count, 1);
    cr_assert_eq(probe_last(&probe)->tag, TAG_TICK);
    cr_assert_eq(probe_last(&probe)->request_id, probe.ref);
}

Test(timer, periodic_keeps_its_step)
{
    probe_spawn(&probe, NULL);
    probe_do(&probe, start_periodic);

    for (int ms = 0; ms < 1001; ms += 7) { /* it is late by up to 6 ms, the next one not for that */
        node_advance_ms(7);
    }

    cr_assert_eq(probe.count, 100);
}

Test(timer, periodic_leaves_out_what_was_missed)
{
    probe_spawn(&probe, NULL);
    probe_do(&probe, start_periodic);

    node_advance_ms(1005);
    int burst = probe.count;
    node_advance_ms(6);

    cr_assert_eq(burst, 1, "a long stall is one message, not a hundred");
    cr_assert_eq(probe.count, 2, "and the step is kept");
}

static void let_pass_and_cancel(trp_ctx_t *ctx, probe_t *self)
{
    node_skip_ms(50);
    scheduler_tick(&node->workers[0]); /* it fires: its message is queued behind this one */
    trp_timer_cancel(ctx, self->ref);
}

Test(timer, cancelled_is_not_seen_even_when_its_message_is_queued)
{
    probe_spawn(&probe, NULL);
    probe_do(&probe, start_once);

    probe_do(&probe, let_pass_and_cancel);
    node_advance_ms(100);

    cr_assert_eq(probe.count, 0);
}

Test(timer, a_cancelled_periodic_one_stays_silent)
{
    probe_spawn(&probe, NULL);
    probe_do(&probe, start_periodic);
    node_advance_ms(11);

    probe_do(&probe, cancel);
    node_advance_ms(100);

    cr_assert_eq(probe.count, 1);
}

Test(timer, ends_with_its_actor)
{
    probe_spawn(&probe, NULL);
    probe_do(&probe, start_periodic);

    probe_do(&probe, stop);

    cr_assert_eq(timer_next_ns(&node->workers[0].wheel), INT64_MAX);
}
