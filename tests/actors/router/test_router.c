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
