/* SPDX-License-Identifier: MIT */
/* Each strategy spreads as it promises. */
#include "actors/router/base/balance.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define MEMBERS 4

static balance_t balance;
static balance_member_t members[MEMBERS];
static int given[MEMBERS];
static uint64_t chance;

static void start(balance_strategy_t strategy)
{
    balance.strategy = strategy;
    for (size_t i = 0; i < MEMBERS; i++) {
        char name[16];
        snprintf(name, sizeof(name), "worker.%zu", i);
        members[i].weight = 1;
        cr_assert(balance_join(&balance, &members[i], name));
        balance_update(&balance, &members[i], true);
    }
}

static void stop(void)
{
    balance_fini(&balance);
}

static size_t pick(const char *key, uint64_t avoid)
{
    chance = chance * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    uint64_t mixed = (chance ^ chance >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed ^= mixed >> 27; /* the low bits of `chance` alone come in turns */
    const balance_task_t task = {.key = key, .chance = mixed, .avoid = avoid};
    balance_member_t *member = balance_pick(&balance, &task);
    return member == NULL ? MEMBERS : (size_t)(member - members);
}

static size_t give(const char *key)
{
    size_t index = pick(key, 0);
    cr_assert_lt(index, MEMBERS);
    balance_given(&balance, &members[index]);
    balance_update(&balance, &members[index], true);
    given[index]++;
    return index;
}

static void take_back(size_t index)
{
    balance_returned(&balance, &members[index]);
    balance_update(&balance, &members[index], true);
}

TestSuite(balance, .fini = stop);

Test(balance, nobody_with_room_is_nobody)
{
    start(BALANCE_LEAST_LOADED);
    for (size_t i = 0; i < MEMBERS; i++) {
        balance_update(&balance, &members[i], false);
    }

    for (int strategy = 0; strategy < BALANCE_STRATEGIES; strategy++) {
        balance_switch(&balance, (balance_strategy_t)strategy);
        cr_assert_eq(pick("key", 0), MEMBERS, "strategy %d", strategy);
    }
}

Test(balance, round_robin_gives_each_the_same_in_a_strict_order)
{
    size_t order[MEMBERS];
    start(BALANCE_ROUND_ROBIN);

    for (size_t i = 0; i < 400; i++) {
        size_t index = give(NULL);
        if (i % 3 != 0) {
            take_back(index); /* what one has at hand makes no difference */
        }
        order[i % MEMBERS] = i < MEMBERS ? index : order[i % MEMBERS];
        cr_assert_eq(index, order[i % MEMBERS], "at %zu", i);
    }

    for (size_t i = 0; i < MEMBERS; i++) {
        cr_assert_eq(given[i], 100);
    }
}

Test(balance, least_loaded_never_lets_loads_differ_by_more_than_one)
{
    start(BALANCE_LEAST_LOADED);

    for (int i = 0; i < 401; i++) {
        give(NULL);
        uint32_t low = UINT32_MAX, high = 0;
        for (size_t j = 0; j < MEMBERS; j++) {
            low = members[j].load < low ? members[j].load : low;
            high = members[j].load > high ? members[j].load : high;
        }
        cr_assert_leq(high - low, 1);
    }
}

Test(balance, least_loaded_gives_the_next_to_the_one_with_the_least)
{
    static const uint32_t loads[MEMBERS] = {3, 1, 2, 4};
    start(BALANCE_LEAST_LOADED);
    for (size_t i = 0; i < MEMBERS; i++) {
        for (uint32_t k = 0; k < loads[i]; k++) {
            balance_given(&balance, &members[i]);
        }
        balance_update(&balance, &members[i], true);
    }

    cr_assert_eq(give(NULL), 1);  /* 3 1 2 4 */
    cr_assert_neq(give(NULL), 0); /* 3 2 2 4 */
    cr_assert_eq(members[1].load + members[2].load, 5);
    take_back(3);
    take_back(3);
    take_back(3);
    cr_assert_eq(give(NULL), 3); /* 3 3 2 1 or 3 2 3 1 */
}

Test(balance, least_loaded_gives_equals_their_turns)
{
    start(BALANCE_LEAST_LOADED);

    for (int i = 0; i < 400; i++) {
        take_back(give(NULL));
    }

    for (size_t i = 0; i < MEMBERS; i++) {
        cr_assert_eq(given[i], 100);
    }
}

Test(balance, least_matches_counts_keys_and_tasks)
{
    start(BALANCE_LEAST_MATCHES);
    members[0].keys = 2;
    members[1].keys = 1;
    members[2].keys = 3;
    members[3].keys = 2;
    for (size_t i = 0; i < MEMBERS; i++) {
        balance_update(&balance, &members[i], true);
    }

    cr_assert_eq(give(NULL), 1); /* 2 1 3 2 */
    size_t second = give(NULL);  /* 2 2 3 2: any but the third */
    cr_assert_neq(second, 2);
    cr_assert_neq(give(NULL), 2); /* one of the two that still have 2 */
}

/* A match is made by a task; what is left is the match. */
static size_t make_match(void)
{
    size_t index = give(NULL);
    take_back(index);
    members[index].keys++;
    balance_update(&balance, &members[index], true);
    return index;
}

Test(balance, least_matches_spreads_matches_evenly_also_after_many_ended)
{
    start(BALANCE_LEAST_MATCHES);
    for (int i = 0; i < 400; i++) {
        make_match();
    }
    for (size_t i = 0; i < MEMBERS; i++) {
        cr_assert_eq(members[i].keys, 100);
    }

    members[2].keys = 10;
    balance_update(&balance, &members[2], true);

    for (int i = 10; i < 100; i++) {
        cr_assert_eq(make_match(), 2);
    }
}

Test(balance, weighted_gives_in_proportion)
{
    start(BALANCE_WEIGHTED);
    members[0].weight = 5;
    members[1].weight = 3;

    for (int i = 0; i < 1000; i++) {
        take_back(give(NULL));
    }

    cr_assert(given[0] >= 498 && given[0] <= 502, "%d", given[0]);
    cr_assert(given[1] >= 298 && given[1] <= 302, "%d", given[1]);
    cr_assert(given[2] >= 98 && given[2] <= 102, "%d", given[2]);
}

Test(balance, weighted_gives_no_credit_for_an_absence)
{
    start(BALANCE_WEIGHTED);
    balance_update(&balance, &members[0], false);
    for (int i = 0; i < 300; i++) {
        take_back(give(NULL));
    }
    balance_update(&balance, &members[0], true);

    for (int i = 0; i < 400; i++) {
        take_back(give(NULL));
    }

    cr_assert(given[0] >= 99 && given[0] <= 102, "%d", given[0]);
}

/* Theory: the longest of n queues is about log log n / log 2 above the mean. */
Test(balance, two_choices_stay_close_to_the_mean)
{
    start(BALANCE_TWO_CHOICES);

    for (int i = 0; i < 4000; i++) {
        give(NULL);
    }

    for (size_t i = 0; i < MEMBERS; i++) {
        cr_assert(members[i].load >= 996 && members[i].load <= 1004, "%u", members[i].load);
    }
}

Test(balance, hash_sends_a_key_to_the_same_one)
{
    start(BALANCE_HASH);
    for (int i = 0; i < 100; i++) {
        char key[16];
        snprintf(key, sizeof(key), "key %d", i);
        size_t first = give(key);
        take_back(first);

        cr_assert_eq(give(key), first);
        take_back(first);
    }

    for (size_t i = 0; i < MEMBERS; i++) {
        cr_assert_gt(given[i], 0, "nothing for %zu", i);
    }
}

/* A thousand clients that stay: their numbers vary by less than a tenth of the mean. */
Test(balance, hash_spreads_many_keys_evenly)
{
    start(BALANCE_HASH);

    for (int i = 0; i < 1000; i++) {
        char key[32];
        snprintf(key, sizeof(key), "client %d", i);
        give(key);
    }

    int squares = 0;
    for (size_t i = 0; i < MEMBERS; i++) {
        squares += (given[i] - 1000 / MEMBERS) * (given[i] - 1000 / MEMBERS);
    }
    cr_assert_lt(squares, MEMBERS * 25 * 25, "%d", squares);
}

Test(balance, hash_moves_only_the_keys_of_the_one_that_left)
{
    size_t before[200];
    start(BALANCE_HASH);
    for (int i = 0; i < 200; i++) {
        char key[16];
        snprintf(key, sizeof(key), "key %d", i);
        before[i] = give(key);
        take_back(before[i]);
    }

    balance_leave(&balance, &members[2]);

    for (int i = 0; i < 200; i++) {
        char key[16];
        snprintf(key, sizeof(key), "key %d", i);
        size_t after = give(key);
        take_back(after);
        cr_assert_neq(after, 2);
        cr_assert(before[i] == 2 || after == before[i], "key %d moved", i);
    }
}

Test(balance, hash_passes_over_one_that_has_a_fourth_more_than_the_mean)
{
    start(BALANCE_HASH);

    for (int i = 0; i < 100; i++) {
        give("the one hot key");
        uint32_t bound = (uint32_t)((balance.load * 5 + 15) / 16);
        for (size_t j = 0; j < MEMBERS; j++) {
            cr_assert_leq(members[j].load, bound);
        }
    }
}

Test(balance, the_one_that_failed_the_task_is_avoided_while_another_has_room)
{
    for (int strategy = 0; strategy < BALANCE_STRATEGIES; strategy++) {
        balance = (balance_t){0};
        start((balance_strategy_t)strategy);
        size_t usual = pick("key", 0);
        for (int i = 0; i < 20; i++) {
            cr_assert_neq(pick("key", members[usual].name), usual, "strategy %d", strategy);
        }
        for (size_t i = 0; i < MEMBERS; i++) {
            balance_update(&balance, &members[i], i == usual);
        }

        cr_assert_eq(pick("key", members[usual].name), usual, "strategy %d", strategy);
        balance_fini(&balance);
    }
}

Test(balance, one_that_starts_slowly_gets_less_than_its_share)
{
    start(BALANCE_LEAST_LOADED);
    members[0].ramp = BALANCE_RAMP / 4;
    balance_update(&balance, &members[0], true);

    for (int i = 0; i < 130; i++) {
        give(NULL);
    }

    cr_assert(members[0].load >= 8 && members[0].load <= 12, "%u", members[0].load);
}

Test(balance, one_that_starts_slowly_gets_its_part_also_where_nobody_is_busy)
{
    start(BALANCE_LEAST_LOADED);
    members[0].ramp = BALANCE_RAMP / 4;
    balance_update(&balance, &members[0], true);
    unsigned got = 0;

    for (int i = 0; i < 1300; i++) {
        size_t member = give(NULL);
        got += member == 0;
        take_back(member);
    }

    cr_assert(got >= 80 && got <= 120, "%u", got);
}

Test(balance, the_strategy_may_be_changed_while_tasks_run)
{
    start(BALANCE_LEAST_LOADED);
    for (int i = 0; i < 10; i++) {
        give(NULL);
    }
    for (int strategy = 0; strategy < BALANCE_STRATEGIES; strategy++) {
        balance_switch(&balance, (balance_strategy_t)strategy);
        take_back(give("key"));
    }

    cr_assert_eq(balance.load, 10);
    cr_assert_eq(balance.free.count, MEMBERS);
}

static int distance(int a, int b)
{
    return a > b ? a - b : b - a;
}

/* 700 tasks, each answered before the next: by weight, by key, or each the same. */
static void expect_spread(balance_strategy_t strategy)
{
    static const int by_weight[MEMBERS] = {400, 100, 100, 100};
    memset(given, 0, sizeof(given));
    for (int i = 0; i < 700; i++) {
        take_back(give(strategy == BALANCE_HASH ? "key" : NULL));
    }
    for (size_t i = 0; i < MEMBERS; i++) {
        int by_key = given[i] > 0 ? 700 : 0;
        int even = 175, slack = strategy == BALANCE_TWO_CHOICES ? 60 : 2; /* chance: 5 sigma */
        int wanted = strategy == BALANCE_WEIGHTED ? by_weight[i]
                     : strategy == BALANCE_HASH   ? by_key
                                                  : even;
        cr_assert_leq(distance(given[i], wanted), slack, "strategy %d: %d of %zu, not %d", strategy,
                      given[i], i, wanted);
    }
}

Test(balance, each_strategy_spreads_as_it_promises_after_any_other)
{
    start(BALANCE_LEAST_LOADED);
    members[0].weight = 4;

    for (int from = 0; from < BALANCE_STRATEGIES; from++) {
        for (int to = 0; to < BALANCE_STRATEGIES; to++) {
            balance_switch(&balance, (balance_strategy_t)from);
            expect_spread((balance_strategy_t)from);
            balance_switch(&balance, (balance_strategy_t)to);
            expect_spread((balance_strategy_t)to);
        }
    }
}
