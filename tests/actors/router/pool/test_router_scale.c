/* SPDX-License-Identifier: MIT */
/* How many workers a pool has. */
#include "tests/actors/router/router_stage.h"

#define WORKERS 4 /* of the pool, at most */

static size_t workers(void)
{
    size_t count = 0;
    for (size_t i = 1; i <= 2 * WORKERS; i++) {
        char name[8];
        snprintf(name, sizeof(name), "p.%zu", i);
        count += !trp_pid_is_none(runtime_whereis(node, name));
    }
    return count;
}

/* The most that there were at any moment of so long. */
static size_t most_workers(int64_t ms)
{
    size_t most = workers();
    for (int64_t i = 0; i < ms; i++) {
        node_advance_ms(1);
        most = workers() > most ? workers() : most;
    }
    return most;
}

static void calls(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        call("use", "{}");
    }
}

static void finish_from(size_t first)
{
    for (size_t i = first; i < given_count; i++) {
        finish(i, "");
    }
}

TestSuite(router_scale, .init = stage_open, .fini = stage_close);

Test(router_scale, a_pool_grows_to_its_maximum_and_never_beyond)
{
    pool.max = WORKERS;
    pool.queue_max = 40;
    pool.queue_ms = 10000;
    open_router();
    cr_assert_eq(workers(), 1);

    calls(20);

    cr_assert_eq(most_workers(3000), WORKERS);
    cr_assert_eq(given_count, WORKERS);
    finish_from(0); /* with what it makes room for, too */
    cr_assert_eq(answers, 20);
    cr_assert_eq(most_workers(3000), WORKERS);
}

Test(router_scale, an_idle_one_is_suspended_after_its_time_and_the_minimum_stays)
{
    pool.min = 2;
    pool.max = WORKERS;
    pool.queue_max = 40;
    open_router();
    calls(WORKERS);
    cr_assert_eq(most_workers(20), WORKERS);
    finish_from(0);

    node_advance_ms(pool.idle_ms - 100);
    cr_assert_eq(workers(), WORKERS);
    node_advance_ms(200);
    cr_assert_eq(workers(), 2);

    for (int i = 0; i < 10; i++) {
        node_advance_ms(pool.idle_ms);
        cr_assert_eq(workers(), 2);
    }
    calls(WORKERS); /* on demand they are back */
    cr_assert_eq(most_workers(20), WORKERS);
    finish_from(WORKERS);
    cr_assert_eq(answers, 2 * WORKERS);
}

/* ten places for each worker, so that a share of one in use is a task */
static void open_auto(void)
{
    pool.max = WORKERS;
    pool.inflight_max = 10;
    pool.queue_max = 100;
    pool.scale_up = 80;
    pool.scale_down = 20;
    pool.scale_ms = 1000;
    open_router();
}

Test(router_scale, above_eighty_percent_one_more_is_started)
{
    open_auto();

    calls(8);
    cr_assert_eq(most_workers(5000), 1);
    calls(1); /* none waits: there is a tenth place */
    cr_assert_eq(given_count, 9);

    cr_assert_eq(most_workers(5000), 2);
}

Test(router_scale, off_one_more_is_started_only_when_a_task_waits)
{
    pool.max = WORKERS;
    pool.inflight_max = 10;
    open_router();

    calls(10);
    cr_assert_eq(most_workers(5000), 1);
    calls(1);

    cr_assert_eq(most_workers(5000), 2);
}

/* Two workers, of whose 20 places so many are in use, all in one of them. */
static void use_of_two(size_t tasks)
{
    open_auto();
    calls(9);
    node_advance_ms(10);
    cr_assert_eq(workers(), 2);
    node_advance_ms(pool.scale_ms); /* the window of the nine is over */
    for (size_t i = tasks; i < 9; i++) {
        finish(i, "");
    }
}

Test(router_scale, below_twenty_percent_an_idle_one_is_stopped_down_to_the_minimum)
{
    use_of_two(3);

    cr_assert_eq(most_workers(1), 2);
    node_advance_ms(pool.scale_ms);
    node_advance_ms(pool.scale_ms);

    cr_assert_eq(workers(), 1);
    finish_from(0);
    cr_assert_eq(answers, 9);
    node_advance_ms(10 * pool.scale_ms);
    cr_assert_eq(workers(), 1);
}

Test(router_scale, at_twenty_percent_all_stay)
{
    use_of_two(4);

    for (int i = 0; i < 20; i++) {
        node_advance_ms(pool.scale_ms);
        cr_assert_eq(workers(), 2);
    }
}
