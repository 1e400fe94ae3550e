/* SPDX-License-Identifier: MIT */
#include "supervisor/tree.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const trp_class_t worker = {.name = "worker"};
static const trp_class_t router = {.name = "router"};
static const trp_class_t *const with_router[] = {&worker, &router, NULL};
static const trp_class_t *const without_router[] = {&worker, NULL};

static config_child_t child;
static config_pool_t pool;
static config_t config;
static tree_t *tree;
static char error[256];

static void init(void)
{
    child = (config_child_t){.id = "clock",
                             .class = &worker,
                             .shutdown_ms = 100,
                             .start_ms = 200,
                             .backoff_ms = 1,
                             .backoff_max_ms = 2,
                             .restart = TRP_TRANSIENT};
    pool = (config_pool_t){.name = "p",
                           .child = {.class = &worker, .backoff_ms = 1, .backoff_max_ms = 2},
                           .supervisor = {.intensity = 7, .period_s = 3},
                           .min = 2,
                           .max = 4};
    config = (config_t){.tree = {.strategy = TRP_REST_FOR_ONE, .intensity = 5, .period_s = 10},
                        .children = &child,
                        .child_count = 1};
}

static void fini(void)
{
    tree_free(&tree);
}

TestSuite(tree, .init = init, .fini = fini);

Test(tree, of_a_program_without_pools_needs_no_router)
{
    cr_assert_eq(tree_build(&config, without_router, &tree, error), TRP_OK, "%s", error);

    cr_assert_eq(tree->root.child_count, 3);
    cr_assert_str_eq(tree->root.children[0].id, "control");
    cr_assert_str_eq(tree->root.children[1].id, "dead_letters");
    cr_assert_str_eq(tree->root.children[2].id, "clock");
    cr_assert_eq(tree->root.children[2].restart, TRP_TRANSIENT);
    cr_assert_eq(tree->root.strategy, TRP_REST_FOR_ONE);
    cr_assert_not(tree->has_router);
}

Test(tree, starts_pools_before_the_router_so_that_they_stop_after_it)
{
    config.pools = &pool;
    config.pool_count = 1;

    cr_assert_eq(tree_build(&config, with_router, &tree, error), TRP_OK, "%s", error);

    cr_assert_eq(tree->root.child_count, 5);
    cr_assert_str_eq(tree->root.children[3].id, "pool.p");
    cr_assert(tree->root.children[3].is_supervisor);
    cr_assert_str_eq(tree->root.children[4].id, "router");
    cr_assert(tree->has_router);
}

Test(tree, pool_has_its_first_workers_and_a_template)
{
    config.pools = &pool;
    config.pool_count = 1;

    cr_assert_eq(tree_build(&config, with_router, &tree, error), TRP_OK, "%s", error);

    const trp_supervisor_spec_t *spec = tree->root.children[3].args;
    cr_assert_str_eq(spec->name, "pool.p");
    cr_assert_eq(spec->child_count, 2);
    cr_assert_str_eq(spec->children[1].id, "p.2");
    cr_assert(spec->children[1].is_named && spec->children[1].is_dynamic);
    cr_assert_str_eq(spec->template->id, "p");
    cr_assert_eq(spec->child_max, 4);
    cr_assert_eq(spec->intensity, 7);
}

Test(tree, pools_without_a_router_class_are_refused)
{
    config.pools = &pool;
    config.pool_count = 1;

    cr_assert_eq(tree_build(&config, without_router, &tree, error), TRP_CONFIG);

    cr_assert_not_null(strstr(error, "router_class"), "%s", error);
    cr_assert_null(tree);
}

Test(tree, endpoint_without_a_router_class_is_refused)
{
    snprintf(config.majordomo.endpoint, sizeof(config.majordomo.endpoint), "tcp://127.0.0.1:*");

    cr_assert_eq(tree_build(&config, without_router, &tree, error), TRP_CONFIG);
}

Test(tree, ids_that_troupe_uses_itself_are_refused)
{
    static const char *const taken[] = {"root", "router", "control", "node", "dead_letters"};
    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
        snprintf(child.id, sizeof(child.id), "%s", taken[i]);

        cr_assert_eq(tree_build(&config, without_router, &tree, error), TRP_CONFIG);

        cr_assert_not_null(strstr(error, taken[i]), "%s", error);
    }
}

Test(tree, delays_that_contradict_are_refused)
{
    child.backoff_ms = 3;

    cr_assert_eq(tree_build(&config, without_router, &tree, error), TRP_CONFIG);

    cr_assert_not_null(strstr(error, "backoff_ms"), "%s", error);
}
