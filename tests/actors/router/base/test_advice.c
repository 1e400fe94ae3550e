/* SPDX-License-Identifier: MIT */
#include "actors/router/base/advice.h"

#include <criterion/criterion.h>
#include <string.h>

static advice_figures_t calm;

static void init(void)
{
    calm = (advice_figures_t){.workers = 2,
                              .min = 2,
                              .max = 4,
                              .use = 0.5,
                              .efficiency = 1,
                              .done = 1000,
                              .queue_max = 100};
}

static bool says(const advice_figures_t *figures, const char *code)
{
    const advice_t *given[ADVICE_MAX];
    size_t count = advice_give(figures, given);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(given[i]->code, code) == 0) {
            return true;
        }
    }
    return false;
}

TestSuite(advice, .init = init);

Test(advice, a_calm_pool_gets_none)
{
    const advice_t *given[ADVICE_MAX];
    cr_assert_eq(advice_give(&calm, given), 0);
}

Test(advice, scale_out_when_all_are_in_use_and_there_may_be_no_more)
{
    calm.use = 0.81;
    cr_assert_not(says(&calm, "scale_out"), "it can grow by itself");
    calm.workers = 4;
    cr_assert(says(&calm, "scale_out"));
    calm.use = 0.8;
    cr_assert_not(says(&calm, "scale_out"), "the bound is no more than it");
}

Test(advice, raise_the_limit_when_the_queue_is_full_and_workers_are_not)
{
    calm.queued = 90;
    cr_assert(says(&calm, "raise_limit"));
    calm.use = 0.9;
    cr_assert_not(says(&calm, "raise_limit"));
    calm.use = 0.5;
    calm.queued = 0;
    calm.was_full = true;
    cr_assert(says(&calm, "raise_limit"));
}

Test(advice, rebalance_when_some_get_more_than_their_share)
{
    calm.efficiency = 0.79;
    cr_assert(says(&calm, "rebalance"));
    calm.done = 99;
    cr_assert_not(says(&calm, "rebalance"), "too little to judge by");
}

Test(advice, keys_idleness_ejections_and_the_breaker_have_their_own)
{
    calm.keys_used = 0.9;
    cr_assert(says(&calm, "raise_keys"));
    calm.ejected = 1;
    cr_assert(says(&calm, "look_at"));
    calm.is_broken = true;
    cr_assert(says(&calm, "repair"));
    calm.workers = 3;
    calm.use = 0.1;
    cr_assert(says(&calm, "scale_in"));
}

Test(advice, efficiency_is_one_for_equal_shares_and_falls_with_what_goes_astray)
{
    const double even[] = {0.5, 0.5}, weighed[] = {0.25, 0.75}, all[] = {1, 0}, none[] = {0, 0};

    cr_assert_float_eq(advice_efficiency(even, even, 2), 1, 1e-9);
    cr_assert_float_eq(advice_efficiency(even, weighed, 2), 0.75, 1e-9);
    cr_assert_float_eq(advice_efficiency(all, even, 2), 0.5, 1e-9);
    cr_assert_float_eq(advice_efficiency(none, even, 2), 1, 1e-9);
}
