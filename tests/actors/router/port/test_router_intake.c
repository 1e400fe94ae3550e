/* SPDX-License-Identifier: MIT */
/* Bodies that the edge does not read: keyed by the intake, in the order of their client. */
#include "tests/actors/router/router_stage.h"

#define LARGE 20000

static char large[LARGE + 256];

/* A large body with these members at its end. */
static const char *body_with(const char *members)
{
    int head = snprintf(large, sizeof(large), "{\"fill\":\"");
    memset(large + head, 'x', LARGE);
    snprintf(large + head + LARGE, sizeof(large) - (size_t)head - LARGE, "\"%s%s}",
             members[0] != '\0' ? "," : "", members);
    return large;
}

static void open(void)
{
    config.cache = (config_cache_t){
        .entries_max = 100, .bytes_max = 1 << 20, .ttl_ms = 60000, .idem_ms = 60000};
    pool.cache = 1;
    open_router();
}

TestSuite(router_intake, .init = stage_open, .fini = stage_close);

Test(router_intake, large_body_is_found_in_the_cache_whatever_the_order_of_its_members)
{
    open();
    call("use", body_with("\"a\":1,\"b\":2"));
    cr_assert_eq(given_count, 1);
    finish(0, "");

    call("use", body_with("\"b\": 2, \"a\": 1"));

    cr_assert_eq(given_count, 1);
    cr_assert(answers == 2 && answer_has("\"from_cache\":true"), "%s", answer);
}

Test(router_intake, large_body_has_its_key)
{
    pool.min = 2;
    open();
    call("make", "{}");
    finish(0, "k");

    call("use", body_with("\"key\":\"k\""));

    cr_assert_eq(given_count, 2);
    cr_assert(trp_pid_equal(given[1].worker, given[0].worker));
}

Test(router_intake, broken_large_body_is_refused_and_reaches_no_worker)
{
    open();
    body_with("");
    large[LARGE] = '\0';

    call("use", large);

    cr_assert_eq(given_count, 0);
    cr_assert(answers == 1 && answer_has("E_BAD_BODY"), "%s", answer);
}

Test(router_intake, same_large_calls_under_way_are_made_once)
{
    open();
    call("use", body_with("\"a\":1"));
    call("use", body_with("\"a\":1"));
    cr_assert_eq(given_count, 1);

    finish(0, "");

    cr_assert_eq(answers, 2);
}

/* It is started again, the second time after a delay. */
static void end_intake(void)
{
    kill_actor("intake");
    kill_actor("intake");
    cr_assert(trp_pid_is_none(runtime_whereis(node, "intake")));
}

Test(router_intake, calls_that_want_no_key_are_not_looked_at)
{
    pool.cache = 0;
    open_router();
    end_intake();

    call("make", body_with(""));

    cr_assert_eq(given_count, 1, "%s", answer);
}

Test(router_intake, while_it_is_down_a_large_body_is_refused_as_busy_and_later_served)
{
    open();
    end_intake();
    call("use", body_with(""));
    cr_assert(answers == 1 && answer_has("E_BUSY") && answer_has("retry_after_ms"), "%s", answer);

    node_advance_ms(200);
    call("use", body_with(""));

    cr_assert_eq(given_count, 1, "%s", answer);
}

Test(router_intake, a_restarted_router_asks_again)
{
    open();
    call("use", body_with(""));
    restart_router();
    call("use", body_with("\"a\":2"));
    cr_assert_geq(given_count, 2);
}

Test(router_intake, body_over_its_limit_is_refused_without_a_look)
{
    config.majordomo.body_max = LARGE;
    open();

    call("use", body_with(""));

    cr_assert(answers == 1 && answer_has("E_TOO_LARGE"), "%s", answer);
}

Test(router_intake, an_answer_that_may_be_shared_is_not_cut_short_by_the_first_who_asked)
{
    open();
    call_within("use", "{}", 500);
    cr_assert_eq(given_count, 1);
    cr_expect_eq(given[0].left_ms, pool.run_ms);

    call("use", "{}");
    node_advance_ms(600);
    cr_assert(answers == 1 && answer_has("E_TIMEOUT"), "%s", answer);
    finish(0, "");

    cr_assert_eq(given_count, 1);
    cr_assert(answers == 2 && answer_has("\"success\":true"), "%s", answer);
}
