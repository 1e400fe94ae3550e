/* SPDX-License-Identifier: MIT */
#include "actors/router/router.h"

#include "tests/actors/router/router_stage.h"

TestSuite(router, .init = stage_open, .fini = stage_close);

Test(router, task_is_given_and_answered)
{
    open_router();

    call("use", "{}");
    cr_assert_eq(given_count, 1);
    finish(0, "");

    cr_assert(answers == 1 && answer_has("\"success\":true"), "%s", answer);
}

static int64_t largest_body(void)
{
    size_t count = 0;
    const option_table_t *tables = config_tables(&count);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < tables[i].count; k++) {
            if (strcmp(tables[i].rows[k].name, "body_max") == 0) {
                return tables[i].rows[k].max;
            }
        }
    }
    return 0;
}

Test(router, largest_body_that_may_be_configured_reaches_a_worker)
{
    const int64_t size = largest_body();
    char *large = malloc((size_t)size + 1);
    cr_assert_not_null(large);
    memset(large, ' ', (size_t)size);
    memcpy(large, "{}", 2);
    large[size] = '\0';
    config.majordomo.body_max = size;
    config.majordomo.bytes_max = 2 * size;
    open_router();

    call("use", large);
    free(large);

    cr_assert_eq(given_count, 1, "%s", answer);
    finish(0, "");
}

Test(router, task_whose_worker_died_late_is_tried_again_though_it_ran_longer_than_it_may_wait)
{
    pool.max = 1;
    open_router();
    call("use", "{}");
    node_advance_ms(pool.queue_ms + 500);

    fail(given[0].worker);
    node_advance_ms(1);
    fail(given[1].worker); /* the second restart waits, and so does the task */
    node_advance_ms(300);

    cr_assert_eq(answers, 0, "%s", answer);
    cr_assert_eq(given_count, 3);
    finish(2, "");
    cr_assert(answers == 1 && answer_has("\"success\":true"), "%s", answer);
}

Test(router, tasks_that_wait_for_the_holder_of_their_key_do_not_grow_the_pool)
{
    open_router();
    call("make", "{}");
    finish(0, "k");
    call("use", "{\"key\":\"k\"}");
    call("use", "{\"key\":\"k\"}");

    node_advance_ms(1);

    cr_assert(trp_pid_is_none(runtime_whereis(node, "p.2")));
    finish(1, "");
    cr_assert_eq(given_count, 3);
}

Test(router, deadline_of_a_task_shrinks_on_its_way_to_the_worker)
{
    pool.max = 1;
    open_router();
    call("use", "{}");
    call_within("use", "{}", 800);
    node_advance_ms(300);

    finish(0, "");

    cr_assert_eq(given_count, 2);
    cr_expect_eq(given[0].left_ms, pool.run_ms, "without a deadline there is the run limit");
    cr_expect_eq(given[1].left_ms, 500);
    finish(1, "");
}

Test(router, deadline_later_than_the_run_limit_changes_nothing)
{
    open_router();

    call_within("use", "{}", 2 * pool.run_ms);

    cr_assert_eq(given_count, 1);
    cr_expect_eq(given[0].left_ms, pool.run_ms);
    finish(0, "");
}

Test(router, pool_without_a_free_worker_grows)
{
    open_router();
    call("use", "{}");

    call("use", "{}");
    node_advance_ms(1);

    cr_assert_eq(given_count, 2);
    cr_assert(trp_pid_equal(given[1].worker, runtime_whereis(node, "p.2")));
}

Test(router, worker_that_is_recycled_finishes_what_it_has)
{
    pool.recycle_tasks = 1;
    pool.inflight_max = 2;
    pool.attempts_max = 1;
    open_router();
    const trp_pid_t first = runtime_whereis(node, "p.1");
    call("use", "{}");
    call("use", "{}");
    cr_assert_eq(given_count, 2);

    finish(0, ""); /* that was its number: the next one is started */
    node_advance_ms(1);
    call("use", "{}");

    cr_assert_eq(given_count, 3);
    cr_expect(!trp_pid_equal(given[2].worker, first), "it gets no more");
    cr_expect(runtime_lives(node, first), "it has a task");
    finish(1, "");
    node_advance_ms(1);
    cr_expect(answers == 2 && answer_has("\"success\":true"), "%s", answer);
    cr_expect_not(runtime_lives(node, first));
}

Test(router, restarted_router_serves)
{
    open_router();
    restart_router();

    call("use", "{}");
    cr_assert_eq(given_count, 1);
    finish(0, "");

    cr_assert(answers == 1 && answer_has("\"success\":true"), "%s", answer);
}

Test(router, restarted_router_runs_again_what_was_running)
{
    pool.attempts_max = 1;
    open_router();
    call("use", "{}");

    restart_router();

    cr_assert_eq(given_count, 2);
}

Test(router, restarted_router_knows_who_holds_which_key)
{
    pool.min = 2;
    open_router();
    call("make", "{}");
    finish(0, "k");

    restart_router();
    call("use", "{\"key\":\"k\"}");

    cr_assert_eq(given_count, 2, "%s", answer);
    cr_assert(trp_pid_equal(given[1].worker, given[0].worker));
}

Test(router, key_of_a_worker_that_died_while_there_was_no_router_is_lost)
{
    open_router();
    call("make", "{}");
    finish(0, "k");
    const trp_pid_t holder = given[0].worker;
    tell(holder, &(stage_order_t){.fails = true});
    restart_router();

    call("use", "{\"key\":\"k\"}");

    cr_assert(answer_has("E_WORKER_LOST"), "%s", answer);
}

/* ---- attempts ---- */

Test(router, rest_between_attempts_is_none_at_first_then_by_chance_and_never_over_a_second)
{
    pool.max = 1;
    pool.attempts_max = 20;
    pool.retry_ms = 400;
    pool.queue_ms = pool.run_ms = 3600000;
    open_router();
    call("use", "{}");
    size_t rested = 0;

    for (size_t attempt = 1; attempt < 8; attempt++) {
        fail(given[given_count - 1].worker);
        node_advance_ms(150); /* its worker is back */
        cr_expect(attempt > 1 || given_count == 2, "the first is made at once");
        rested += given_count == attempt;
        node_advance_ms(1001);
        cr_assert_eq(given_count, attempt + 1, "attempt %zu", attempt);
        node_advance_ms(60000); /* the supervisor forgets it */
    }

    cr_expect_gt(rested, 2);
    finish(given_count - 1, "");
}

/* ---- bounds ---- */

Test(router, what_waits_is_bounded_by_its_bytes_too)
{
    char large[1001];
    memset(large, ' ', sizeof(large) - 1);
    large[1000] = '\0';
    memcpy(large, "{}", 2);
    config.majordomo.bytes_max = 3500;
    pool.max = 1;
    open_router();
    for (int i = 0; i < 3; i++) {
        call("use", large);
    }
    cr_assert_eq(answers, 0, "%s", answer);

    call("use", large);
    cr_assert(answers == 1 && answer_has("E_BUSY") && answer_has("retry_after_ms"), "%s", answer);
    finish(0, "");
    call("use", large);

    cr_expect_eq(answers, 2, "there is room again: %s", answer);
    finish(1, "");
    finish(2, "");
    finish(3, "");
}

/* ---- recycling ---- */

static size_t done_by[8];
static trp_pid_t first_ones[8];

static bool count_and_answer(trp_pid_t worker, const task_run_t *run, stage_order_t *order)
{
    (void)run;
    (void)order;
    for (size_t i = 0; i < 8; i++) {
        done_by[i] += trp_pid_equal(worker, first_ones[i]);
    }
    return true;
}

Test(router, workers_that_came_together_are_not_recycled_together)
{
    pool.min = 8;
    pool.max = 8;
    pool.recycle_tasks = 80;
    open_router();
    stage_auto = count_and_answer;
    for (size_t i = 0; i < 8; i++) {
        char name[8];
        snprintf(name, sizeof(name), "p.%zu", i + 1);
        first_ones[i] = runtime_whereis(node, name);
    }

    for (int i = 0; i < 8 * 100; i++) {
        call("use", "{}");
        node_advance_ms(1);
    }

    size_t least = SIZE_MAX, most = 0;
    for (size_t i = 0; i < 8; i++) {
        cr_expect_not(runtime_lives(node, first_ones[i]));
        least = done_by[i] < least ? done_by[i] : least;
        most = done_by[i] > most ? done_by[i] : most;
    }
    cr_expect_geq(least, 80);
    cr_expect_leq(most, 90);
    cr_expect_lt(least, most);
}
