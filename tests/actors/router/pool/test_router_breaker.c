/* SPDX-License-Identifier: MIT */
/* The circuit breaker of a pool: attempts that fail one after the other shut it for a while; then
 * one task tries it. */
#include "tests/actors/router/router_stage.h"

#define REST_MS 5000

static void open_pool(void)
{
    stage_open();
    pool.min = 2;
    pool.attempts_max = 1;
    pool.breaker_failures = 3;
    pool.breaker_ms = REST_MS;
    open_router();
}

TestSuite(router_breaker, .init = open_pool, .fini = stage_close);

/* One call whose worker dies of it; the next worker is there afterwards. */
static void fail_one(void)
{
    const size_t before = given_count;
    call("use", "{}");
    cr_assert_eq(given_count, before + 1, "%s", answer);
    fail(given[before].worker);
    node_advance_ms(200);
}

static void shut(void)
{
    for (int i = 0; i < 3; i++) {
        fail_one();
    }
}

Test(router_breaker, so_many_failures_in_a_row_shut_it)
{
    shut();
    const size_t before = given_count;

    call("use", "{}");

    cr_expect_eq(given_count, before);
    cr_expect(answer_has("E_BUSY") && answer_has("keep failing"), "%s", answer);
    cr_expect(answer_has("\"retry_after_ms\":4"), "what is left of its rest: %s", answer);
}

Test(router_breaker, a_success_between_begins_the_count_anew)
{
    for (int i = 0; i < 3; i++) {
        fail_one();
        fail_one();
        call("use", "{}");
        finish(given_count - 1, "");
    }

    cr_expect(answer_has("\"success\":true"), "%s", answer);
}

Test(router_breaker, after_its_rest_one_task_tries_it_and_a_success_opens_it_to_all)
{
    shut();
    node_advance_ms(REST_MS);
    const size_t before = given_count;

    call("use", "{}");
    call("use", "{}");
    cr_assert_eq(given_count, before + 1, "one at a time, though two are idle");
    finish(before, "");

    cr_assert_eq(given_count, before + 2, "the other one");
    call("use", "{}");
    cr_expect_eq(given_count, before + 3, "and both workers have one now");
    finish(before + 1, "");
    finish(before + 2, "");
    cr_expect(answer_has("\"success\":true"), "%s", answer);
}

Test(router_breaker, a_failure_of_the_one_that_tries_shuts_it_again)
{
    shut();
    node_advance_ms(REST_MS);
    fail_one();
    const size_t before = given_count;

    call("use", "{}");

    cr_expect_eq(given_count, before);
    cr_expect(answer_has("E_BUSY"), "%s", answer);
}
