/* SPDX-License-Identifier: MIT */
/* Order for each key: pools with `order = key`. */
#include "tests/actors/router/router_stage.h"

static void open(int64_t workers)
{
    pool.order = 1;
    pool.min = pool.max = workers;
    open_router();
}

static bool is_given(size_t index, const char *name)
{
    char wanted[32];
    snprintf(wanted, sizeof(wanted), "\"n\":\"%s\"", name);
    return index < given_count && strstr(given[index].body, wanted) != NULL;
}

static void ask(const char *key, const char *name)
{
    char body[64];
    snprintf(body, sizeof(body), "{\"key\":\"%s\",\"n\":\"%s\"}", key, name);
    call("use", body);
}

TestSuite(router_sequence, .init = stage_open, .fini = stage_close);

Test(router_sequence, tasks_of_one_key_run_one_after_another_in_their_order)
{
    open(2);
    ask("k", "1");
    ask("k", "2");
    ask("k", "3");

    cr_assert_eq(given_count, 1);
    finish(0, "");
    cr_assert(given_count == 2 && is_given(1, "2"));
    finish(1, "");
    cr_assert(given_count == 3 && is_given(2, "3"));
    finish(2, "");
    cr_assert_eq(answers, 3);
}

Test(router_sequence, tasks_of_other_keys_and_of_none_pass_by)
{
    open(3);
    ask("k", "1");
    ask("k", "2");
    ask("l", "3");
    call("use", "{\"n\":\"4\"}");

    cr_assert_eq(given_count, 3);
    cr_assert(is_given(1, "3") && is_given(2, "4"));
}

Test(router_sequence, one_whose_worker_died_keeps_its_place)
{
    open(2);
    ask("k", "1");
    ask("k", "2");

    fail(given[0].worker);
    node_advance_ms(1);

    cr_assert(given_count == 2 && is_given(1, "1"));
    finish(1, "");
    cr_assert(given_count == 3 && is_given(2, "2"));
}

Test(router_sequence, one_that_rests_between_attempts_keeps_its_place)
{
    pool.retry_ms = 1000;
    open(2);
    ask("k", "1");
    ask("k", "2");
    fail(given[0].worker);
    node_advance_ms(200);
    fail(given[1].worker);

    for (int i = 0; i < 40; i++) {
        node_advance_ms(100);
    }

    cr_assert(given_count >= 3 && is_given(2, "1"));
}

Test(router_sequence, one_that_is_refused_gives_its_turn_to_the_next)
{
    pool.attempts_max = 1;
    open(2);
    ask("k", "1");
    ask("k", "2");

    fail(given[0].worker);
    node_advance_ms(200);

    cr_assert_eq(answers, 1);
    cr_assert(given_count == 2 && is_given(1, "2"));
}

Test(router_sequence, one_that_waits_too_long_is_refused_and_the_others_go_on)
{
    open(2);
    ask("k", "1");
    ask("k", "2");
    node_advance_ms(pool.queue_ms / 2);
    ask("k", "3");

    node_advance_ms(pool.queue_ms / 2 + 10);

    cr_assert(answers == 1 && answer_has("E_NO_WORKER"), "%s", answer);
    finish(0, "");
    cr_assert(given_count == 2 && is_given(1, "3"));
}

Test(router_sequence, a_full_queue_counts_those_that_wait_for_their_key)
{
    open(2);
    for (int64_t i = 0; i <= pool.queue_max + 1; i++) {
        ask("k", "1"); /* one runs, one place more is free */
    }
    cr_assert_eq(answers, 0, "%s", answer);

    ask("k", "2");

    cr_assert(answers == 1 && answer_has("E_BUSY"), "%s", answer);
}

Test(router_sequence, a_restarted_router_keeps_the_order)
{
    open(2);
    ask("k", "1");
    ask("k", "2");

    restart_router();

    cr_assert(given_count == 2 && is_given(1, "1"));
    finish(1, "");
    cr_assert(given_count == 3 && is_given(2, "2"));
}

Test(router_sequence, order_that_is_given_up_at_run_time_lets_all_go)
{
    open(3);
    ask("k", "1");
    ask("k", "2");
    ask_router("{\"action\":\"set\",\"pool\":\"p\",\"option\":\"order\",\"value\":\"none\"}");

    ask("k", "3");

    cr_assert(given_count == 2 && is_given(1, "3"));
    finish(0, "");
    cr_assert(given_count == 3 && is_given(2, "2"));
}

Test(router_sequence, a_thousand_tasks_of_ten_keys_keep_their_order)
{
    int next[10] = {0};
    pool.queue_max = 2000;
    open(4);
    for (int i = 0; i < 1000; i++) {
        char key[8], name[16];
        snprintf(key, sizeof(key), "k%d", i % 10);
        snprintf(name, sizeof(name), "%d.%d", i % 10, i / 10);
        ask(key, name);
    }
    for (size_t i = 0; i < 1000; i++) {
        int key = -1, at = -1;
        size_t slot = i % GIVEN_MAX;
        const char *name = strstr(given[slot].body, "\"n\":\"");
        cr_assert_not_null(name);
        cr_assert_eq(sscanf(name, "\"n\":\"%d.%d\"", &key, &at), 2); // NOLINT(cert-err34-c)
        cr_assert_eq(at, next[key]++, "key %d", key);
        if (given_count == GIVEN_MAX) {
            given_count = 0; /* the next ones in the places of those that are done */
        }
        finish(slot, "");
    }
    cr_assert_eq(answers, 1000);
}
