/* SPDX-License-Identifier: MIT */
/* Workers that live and only err. */
#include "tests/actors/router/router_stage.h"

static const char *codes[3]; /* of each worker's answers; "" = success */
static unsigned done[3];

static size_t index_of(trp_pid_t worker)
{
    for (size_t i = 0; i < 3; i++) {
        char name[8];
        snprintf(name, sizeof(name), "p.%zu", i + 1);
        if (trp_pid_equal(worker, runtime_whereis(node, name))) {
            return i;
        }
    }
    return 0;
}

static bool answer_by_worker(trp_pid_t worker, const task_run_t *run, stage_order_t *order)
{
    size_t index = index_of(worker);
    (void)run;
    done[index]++;
    snprintf(order->code, sizeof(order->code), "%s", codes[index]);
    return true;
}

static void open(int64_t count)
{
    pool.min = pool.max = count;
    pool.eject_failures = 5;
    pool.eject_ms = 1000;
    pool.eject_percent = 50;
    memset(done, 0, sizeof(done));
    codes[0] = codes[1] = codes[2] = "";
    stage_auto = answer_by_worker;
    open_router();
}

static void calls(int count)
{
    memset(done, 0, sizeof(done));
    for (int i = 0; i < count; i++) {
        call("use", "{}");
    }
}

TestSuite(router_health, .init = stage_open, .fini = stage_close);

Test(router_health, one_that_only_gives_faults_gets_nothing_after_five)
{
    open(2);
    codes[0] = "E_INTERNAL";

    calls(100);

    cr_assert_eq(done[0], 5);
    cr_assert_eq(done[1], 95);
    cr_assert_eq(answers, 100);
}

Test(router_health, it_is_tried_again_after_its_time_and_out_with_the_first_fault)
{
    open(2);
    codes[0] = "E_INTERNAL";
    calls(20);

    node_advance_ms(pool.eject_ms + 10);
    calls(100);
    cr_assert_eq(done[0], 1);
    node_advance_ms(pool.eject_ms + 10); /* the second time is twice as long */
    calls(20);
    cr_assert_eq(done[0], 0);
}

Test(router_health, one_that_is_well_again_gets_its_share_slowly_and_then_the_whole)
{
    open(2);
    codes[0] = "E_INTERNAL";
    calls(20);
    codes[0] = "";

    node_advance_ms(pool.eject_ms + 10);
    calls(100);
    cr_assert(done[0] > 0);
    node_advance_ms(2 * pool.eject_ms);
    calls(100);
    cr_assert(done[0] >= 45, "%u", done[0]);
}

Test(router_health, bad_input_ejects_nobody)
{
    open(2);
    codes[0] = "E_BAD_PAYLOAD";

    calls(200);

    cr_assert_eq(done[0], 100);
}

Test(router_health, errors_that_all_give_eject_nobody)
{
    open(3);
    codes[0] = codes[1] = codes[2] = "E_FAILED";
    calls(300);
    cr_assert_eq(done[0], 100);

    codes[0] = codes[1] = codes[2] = "E_INTERNAL";
    calls(300);
    cr_assert_eq(done[0], 100);
}

Test(router_health, one_with_far_more_errors_than_the_others_is_out)
{
    open(2);
    codes[0] = "E_FAILED";

    calls(400);

    cr_assert_lt(done[0], 40);
}

Test(router_health, never_more_than_the_share_and_never_the_last_one)
{
    open(3);
    codes[0] = codes[1] = "E_INTERNAL";
    calls(300);
    cr_assert(done[0] > 100 || done[1] > 100, "both of three are out");
    ask_router(
        "{\"action\":\"set\",\"pool\":\"p\",\"option\":\"eject_percent\",\"value\":\"100\"}");
    codes[2] = "E_INTERNAL";
    calls(300);
    cr_assert_gt(done[0] + done[1] + done[2], 299);
}

Test(router_health, an_only_worker_is_never_out)
{
    open(1);
    codes[0] = "E_INTERNAL";

    calls(50);

    cr_assert_eq(done[0], 50);
}

Test(router_health, an_ejected_one_is_back_when_the_others_are_gone)
{
    open(2);
    codes[0] = "E_INTERNAL";
    calls(20);
    codes[0] = "";

    kill_actor("p.2");
    calls(4); /* to the next p.2 as well */

    cr_assert_geq(done[0], 1);
}

Test(router_health, what_it_holds_it_still_serves)
{
    open(2);
    stage_auto = NULL;
    call("make", "{}");
    finish(0, "k");
    const size_t holder = index_of(given[0].worker);
    codes[holder] = "E_INTERNAL";
    stage_auto = answer_by_worker;
    calls(60);
    cr_assert_lt(done[holder], 30);

    memset(done, 0, sizeof(done));
    call("use", "{\"key\":\"k\"}");

    cr_assert_eq(done[holder], 1);
}

Test(router_health, off_it_leaves_all_as_they_are)
{
    pool.eject_failures = 0;
    open(2);
    ask_router("{\"action\":\"set\",\"pool\":\"p\",\"option\":\"eject_failures\",\"value\":\"0\"}");
    codes[0] = "E_INTERNAL";

    calls(100);

    cr_assert_eq(done[0], 50);
}

Test(router_health, one_that_is_out_again_and_again_is_replaced)
{
    open(2);
    pool.max = 3; /* its place is taken first */
    codes[0] = "E_INTERNAL";
    const trp_pid_t bad = runtime_whereis(node, "p.1");

    for (int i = 0; i < 4; i++) {
        calls(20);
        node_advance_ms(4 * pool.eject_ms + 10);
    }
    node_advance_ms(10);

    cr_assert_not(trp_pid_equal(runtime_whereis(node, "p.1"), bad));
}
