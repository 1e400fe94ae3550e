/* SPDX-License-Identifier: MIT */
#include "supervisor/tree/environment.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char *(*rows)[2];
static environment_t environment;

static char *get(const char *name)
{
    for (size_t i = 0; rows[i][0] != NULL; i++) {
        if (strcmp(rows[i][0], name) == 0) {
            return (char *)(uintptr_t)rows[i][1];
        }
    }
    return NULL;
}

static void read_rows(const char *(*given)[2])
{
    rows = given;
    environment_read(&environment, get);
}

Test(environment, nothing_set_asks_for_nothing)
{
    const char *none[][2] = {{"LOG_LEVEL", ""}, {NULL, NULL}};
    read_rows(none);

    cr_assert_eq(environment.count, 0);
}

Test(environment, variables_become_overrides_in_our_words)
{
    const char *all[][2] = {{"LOG_LEVEL", "WARNING"},
                            {"LOAD_BALANCING_STRATEGY", "least_connections"},
                            {"MAX_MATCHES_PER_WORKER", "7"},
                            {NULL, NULL}};
    read_rows(all);

    cr_assert_eq(environment.count, 3);
    cr_assert_str_eq(environment.texts[0], "node.log_level=warn");
    cr_assert_str_eq(environment.texts[1], "pools.*.strategy=least_loaded");
    cr_assert_str_eq(environment.texts[2], "pools.*.keys_max=7");
}

Test(environment, worker_pools_are_used_for_true_and_for_nothing_else)
{
    static const char *const values[][2] = {{"true", "pools.*.rollout_share=100"},
                                            {"TRUE", "pools.*.rollout_share=100"},
                                            {"false", "pools.*.rollout_share=0"},
                                            {"1", "pools.*.rollout_share=0"},
                                            {"yes", "pools.*.rollout_share=0"}};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        const char *one[][2] = {{"USE_WORKER_POOL", values[i][0]}, {NULL, NULL}};
        read_rows(one);

        cr_assert_eq(environment.count, 2);
        cr_assert_str_eq(environment.texts[0], values[i][1]);
        cr_assert_str_eq(environment.texts[1], "pools.*.rollout_mode=take");
    }
}

Test(environment, what_was_set_by_hand_stands_above)
{
    const char *one[][2] = {{"LOG_LEVEL", "debug"}, {NULL, NULL}};
    const char *const set[] = {"node.log_level=error", NULL};
    read_rows(one);
    const char **both = environment_overrides(&environment, set);

    cr_assert_str_eq(both[0], "node.log_level=debug");
    cr_assert_str_eq(both[1], "node.log_level=error");
    cr_assert_null(both[2]);
    free(both);
}
