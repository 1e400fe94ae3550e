/* SPDX-License-Identifier: MIT */
/* A share of a tool's calls goes to a second pool. */
#include "tests/actors/router/router_stage.h"

#define CALLS 10000

enum { COMPARE, TAKE }; /* choices of the option rollout_mode */

static unsigned made[2]; /* calls by pool */
static const char *results[2];

static trp_pid_t worker_of(const char *name)
{
    return runtime_whereis(node, name);
}

/* Each pool answers with its own result. */
static bool answer_by_pool(trp_pid_t worker, const task_run_t *run, stage_order_t *order)
{
    size_t side = trp_pid_equal(worker, worker_of("q.1"));
    (void)run;
    made[side]++;
    snprintf(order->body, sizeof(order->body), "%s", results[side]);
    return true;
}

/* The second pool's tasks are kept. */
static bool answer_first(trp_pid_t worker, const task_run_t *run, stage_order_t *order)
{
    return !trp_pid_equal(worker, worker_of("q.1")) && answer_by_pool(worker, run, order);
}

static void open(int64_t share, int64_t mode)
{
    config.pool_count = 2;
    snprintf(pools[1].rollout_tools, sizeof(pools[1].rollout_tools), "use");
    pools[1].rollout_share = share;
    pools[1].rollout_mode = mode;
    pools[0].max = pools[1].max = 1;
    results[0] = results[1] = "{\"n\":1}";
    made[0] = made[1] = 0;
    stage_auto = answer_by_pool;
    open_router();
}

static int64_t figure(const char *name)
{
    char wanted[64];
    ask_router("{\"action\":\"rollout\"}");
    snprintf(wanted, sizeof(wanted), "\"%s\":", name);
    const char *at = strstr(answer, wanted);
    cr_assert_not_null(at, "%s", answer);
    return strtoll(at + strlen(wanted), NULL, 10);
}

TestSuite(router_rollout, .init = stage_open, .fini = stage_close);

Test(router_rollout, a_tenth_is_compared_and_the_client_gets_the_first_pools_answer)
{
    open(10, COMPARE);
    results[1] = "{\"n\":2}";

    for (int i = 0; i < CALLS; i++) {
        call("use", "{}");
        cr_assert(answer_has("\"n\":1"), "%s", answer);
    }

    cr_assert_eq(answers, CALLS);
    cr_assert_eq(made[0], CALLS);
    cr_assert(made[1] >= CALLS * 8 / 100 && made[1] <= CALLS * 12 / 100, "%u", made[1]);
    cr_assert_eq(figure("different"), made[1]);
    cr_assert_eq(figure("equal"), 0);
    cr_assert_eq(figure("skipped"), 0);
}

Test(router_rollout, results_that_say_the_same_are_equal)
{
    open(100, COMPARE);
    results[0] = "{\"a\":1,\"b\":[2.0]}";
    results[1] = "{ \"b\": [2], \"a\": 1 }";

    call("use", "{}");

    cr_assert_eq(figure("equal"), 1);
    cr_assert_eq(figure("different"), 0);
}

Test(router_rollout, examples_of_differences_are_kept_with_their_input)
{
    open(100, COMPARE);
    results[1] = "{\"n\":2}";

    call("use", "{\"x\":7}");
    ask_router("{\"action\":\"rollout_show\",\"tool\":\"use\"}");

    cr_assert(answer_has("\"path\":\"n\"") && answer_has("\"input\":{\"x\":7}") &&
                  answer_has("\"first\":{\"n\":1}") && answer_has("\"second\":{\"n\":2}"),
              "%s", answer);
}

Test(router_rollout, members_to_be_ignored_make_no_difference)
{
    snprintf(pools[1].rollout_ignore, sizeof(pools[1].rollout_ignore), "ms");
    open(100, COMPARE);
    results[0] = "{\"ms\":1,\"n\":1}";
    results[1] = "{\"ms\":2,\"n\":1}";

    call("use", "{}");

    cr_assert_eq(figure("equal"), 1);
}

Test(router_rollout, a_tenth_is_taken_and_more_after_a_change_at_run_time)
{
    open(10, TAKE);
    for (int i = 0; i < CALLS; i++) {
        call("use", "{}");
    }
    cr_assert(made[1] >= CALLS * 8 / 100 && made[1] <= CALLS * 12 / 100, "%u", made[1]);
    cr_assert_eq(made[0] + made[1], CALLS);

    made[0] = made[1] = 0;
    ask_router("{\"action\":\"rollout_set\",\"tool\":\"use\",\"value\":\"50\"}");
    for (int i = 0; i < CALLS; i++) {
        call("use", "{}");
    }
    cr_assert(made[1] >= CALLS * 48 / 100 && made[1] <= CALLS * 52 / 100, "%u", made[1]);

    made[0] = made[1] = 0;
    ask_router("{\"action\":\"rollout_set\",\"tool\":\"use\",\"value\":\"100\"}");
    call("use", "{}");
    cr_assert_eq(made[1], 1);

    ask_router("{\"action\":\"rollout_set\",\"tool\":\"use\",\"value\":\"0\"}");
    call("use", "{}");
    cr_assert_eq(made[0], 1);
}

Test(router_rollout, a_key_stays_on_its_side_while_the_share_grows)
{
    bool took[100] = {false};
    open(10, TAKE);
    for (int64_t share = 10; share <= 100; share += 30) {
        char order[96];
        snprintf(order, sizeof(order),
                 "{\"action\":\"rollout_set\",\"tool\":\"use\",\"value\":\"%d\"}", (int)share);
        ask_router(order);
        for (int key = 0; key < 100; key++) {
            char text[32];
            snprintf(text, sizeof(text), "{\"key\":\"k%d\"}", key);
            for (int again = 0; again < 2; again++) {
                unsigned before = made[1];
                call("use", text);
                cr_assert(!took[key] || made[1] == before + 1, "k%d went back at %d", key,
                          (int)share);
                cr_assert(again == 0 || took[key] == (made[1] > before));
                took[key] = made[1] > before;
            }
        }
    }
}

Test(router_rollout, what_a_worker_holds_is_found_there_whatever_the_share)
{
    open(0, TAKE);
    stage_auto = NULL;
    call("make", "{}");
    finish(0, "k");
    stage_auto = answer_by_pool;
    ask_router("{\"action\":\"rollout_set\",\"tool\":\"use\",\"value\":\"100\"}");

    call("use", "{\"key\":\"k\"}");

    cr_assert_eq(made[0], 1, "%s", answer);
}

Test(router_rollout, a_shadow_that_hangs_or_dies_is_nothing_to_the_client)
{
    open(100, COMPARE);
    stage_auto = answer_first;

    call("use", "{}");
    cr_assert_eq(answers, 1);
    cr_assert_eq(given_count, 1);
    fail(given[0].worker);
    node_advance_ms(200);

    cr_assert_eq(answers, 1);
    cr_assert_eq(given_count, 1, "it is tried once");
    cr_assert_eq(figure("incomplete"), 1);
    call("use", "{}");
    cr_assert_eq(answers, 2);
}

Test(router_rollout, shadows_are_not_made_beyond_half_of_the_second_pools_queue)
{
    open(100, COMPARE);
    stage_auto = answer_first;

    for (int i = 0; i < 20; i++) {
        call("use", "{}");
    }

    cr_assert_eq(answers, 20);
    cr_assert_eq(figure("shadows"), 1 + pools[1].queue_max / 2);
    cr_assert_eq(figure("skipped"), 20 - 1 - pools[1].queue_max / 2);
}

Test(router_rollout, errors_and_deaths_of_both_sides_are_counted)
{
    open(100, TAKE);
    stage_auto = NULL;
    call("use", "{}");
    finish_with(0, "E_FAILED", "");
    call("use", "{}");
    fail(given[1].worker);
    node_advance_ms(10);

    ask_router("{\"action\":\"rollout\"}");

    cr_assert(answer_has("\"pool\":\"q\",\"calls\":2,\"errors\":1,\"error_rate\":0.5"), "%s",
              answer);
    cr_assert(answer_has("\"crashes\":1,\"crash_rate\":0.5"), "%s", answer);
}

Test(router_rollout, a_restarted_router_goes_on_with_it)
{
    open(100, COMPARE);
    stage_auto = answer_first;
    call("use", "{}");

    stage_auto = answer_by_pool;
    restart_router(); /* the shadow is made again */
    call("use", "{}");

    cr_assert_eq(answers, 2);
    cr_assert_eq(figure("equal"), 2);
}

Test(router_rollout, orders_that_make_no_sense_are_refused_with_the_rule)
{
    open(0, COMPARE);

    cr_assert(strstr(ask_router("{\"action\":\"rollout_set\",\"tool\":\"make\",\"value\":\"1\"}"),
                     "E_NOT_FOUND"));
    cr_assert(strstr(ask_router("{\"action\":\"rollout_set\",\"tool\":\"use\",\"value\":\"101\"}"),
                     "0 to 100"));
    cr_assert(strstr(ask_router("{\"action\":\"rollout_set\",\"tool\":\"use\",\"value\":\"1x\"}"),
                     "0 to 100"));
    cr_assert(strstr(ask_router("{\"action\":\"rollout_set\",\"tool\":\"use\"}"), "0 to 100"));
    cr_assert(strstr(ask_router("{\"action\":\"rollout_set\",\"tool\":\"use\",\"value\":\"1\","
                                "\"option\":\"both\"}"),
                     "compare or take"));
    cr_assert(strstr(ask_router("{\"action\":\"rollout_set\"}"), "needs tool"));
}
