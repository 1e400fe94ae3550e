/* SPDX-License-Identifier: MIT */
#include "supervisor/tree/tree.h"

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
static config_fault_t fault;
static config_t *from_text;

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
    config = (config_t){
        .tree = {.supervisor = {.strategy = TRP_REST_FOR_ONE, .intensity = 5, .period_s = 10},
                 .children = &child,
                 .child_count = 1}};
}

static void fini(void)
{
    tree_free(&tree);
    config_free(&from_text);
}

TestSuite(tree, .init = init, .fini = fini);

Test(tree, of_a_program_without_pools_needs_no_router)
{
    cr_assert_eq(tree_build(&config, without_router, &tree, &fault), TRP_OK, "%s", fault.rule);

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

    cr_assert_eq(tree_build(&config, with_router, &tree, &fault), TRP_OK, "%s", fault.rule);

    cr_assert_eq(tree->root.child_count, 5);
    cr_assert_str_eq(tree->root.children[3].id, "pool.p");
    cr_assert(tree->root.children[3].is_supervisor);
    cr_assert_str_eq(tree->root.children[4].id, "router");
    cr_assert(tree->has_router);
}

Test(tree, starts_the_intake_before_the_router_where_the_program_has_it)
{
    static const trp_class_t intake = {.name = "intake"};
    static const trp_class_t *const with_intake[] = {&worker, &router, &intake, NULL};
    config.pools = &pool;
    config.pool_count = 1;

    cr_assert_eq(tree_build(&config, with_intake, &tree, &fault), TRP_OK, "%s", fault.rule);

    cr_assert_eq(tree->root.child_count, 6);
    cr_assert_str_eq(tree->root.children[4].id, "intake");
    cr_assert_str_eq(tree->root.children[5].id, "router");
}

Test(tree, pool_has_its_first_workers_and_a_template)
{
    config.pools = &pool;
    config.pool_count = 1;

    cr_assert_eq(tree_build(&config, with_router, &tree, &fault), TRP_OK, "%s", fault.rule);

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

    cr_assert_eq(tree_build(&config, without_router, &tree, &fault), TRP_CONFIG);

    cr_assert_not_null(strstr(fault.rule, "router_class"), "%s", fault.rule);
    cr_assert_null(tree);
}

Test(tree, endpoint_without_a_router_class_is_refused)
{
    snprintf(config.majordomo.endpoint, sizeof(config.majordomo.endpoint), "tcp://127.0.0.1:*");

    cr_assert_eq(tree_build(&config, without_router, &tree, &fault), TRP_CONFIG);
}

Test(tree, ids_that_troupe_uses_itself_are_refused)
{
    static const char *const taken[] = {"root",    "router", "intake",
                                        "control", "node",   "dead_letters"};
    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
        snprintf(child.id, sizeof(child.id), "%s", taken[i]);

        cr_assert_eq(tree_build(&config, without_router, &tree, &fault), TRP_CONFIG);

        cr_assert_not_null(strstr(fault.option, taken[i]), "%s", fault.rule);
    }
}

Test(tree, delays_that_contradict_are_refused)
{
    child.backoff_ms = 3;

    cr_assert_eq(tree_build(&config, without_router, &tree, &fault), TRP_CONFIG);

    cr_assert_not_null(strstr(fault.option, "backoff_ms"), "%s", fault.rule);
}

/* ---- section `tree` read from a text: where its faults are ---- */

#define TREE                                \
    "tree\n"                                \
    "    children\n"                        \
    "        a\n"                           \
    "            strategy = rest_for_one\n" \
    "            restarts_per_s = 5\n"      \
    "            children\n"                \
    "                x\n"                   \
    "                    class = worker\n"  \
    "                y\n"                   \
    "                    class = worker\n"  \
    "        b\n"                           \
    "            class = worker\n"

static trp_status_t build(const char *text)
{
    config_free(&from_text);
    cr_assert_eq(config_read(text, "a.conf", without_router, &from_text, &fault), TRP_OK,
                 "%d: %s: %s", fault.line, fault.option, fault.rule);
    return tree_build(from_text, without_router, &tree, &fault);
}

Test(tree, nested_supervisor_has_its_flags_and_children)
{
    cr_assert_eq(build(TREE), TRP_OK, "%s: %s", fault.option, fault.rule);

    const trp_child_spec_t *row = &tree->root.children[2];
    cr_assert_str_eq(row->id, "a");
    cr_assert(row->is_supervisor && row->class == &trp_supervisor_class && row->is_named);
    cr_assert_eq(row->shutdown_ms, TRP_SHUTDOWN_INFINITY);
    const trp_supervisor_spec_t *spec = row->args;
    cr_assert_eq(spec->strategy, TRP_REST_FOR_ONE);
    cr_assert_eq(spec->child_count, 2);
    cr_assert_str_eq(spec->children[1].id, "y");
    cr_assert_eq(spec->bucket->burst, 5);
    cr_assert_eq(spec->bucket->parent, tree->root.bucket);
    cr_assert_str_eq(tree->root.children[3].id, "b");
}

static void refused(const char *text, int line, const char *option, const char *rule)
{
    cr_assert_eq(build(text), TRP_CONFIG, "accepted: %s", text);
    cr_assert_null(tree);
    cr_assert_str_eq(fault.path, "a.conf");
    cr_assert_eq(fault.line, line, "line %d, not %d: %s: %s", fault.line, line, fault.option,
                 fault.rule);
    cr_assert_str_eq(fault.option, option);
    cr_assert_not_null(strstr(fault.rule, rule), "rule: %s", fault.rule);
}

Test(tree, refused_combinations_name_their_line)
{
    refused(TREE "            significant = yes\n", 13, "tree.children.b.significant",
            "restart transient or temporary");
    refused(TREE "            significant = yes\n            restart = transient\n", 13,
            "tree.children.b.significant", "auto_shutdown is not never");
    refused(TREE "            backoff_ms = 5\n            backoff_max_ms = 3\n", 13,
            "tree.children.b.backoff_ms", "at most backoff_max_ms");
    refused(TREE "            backoff_factor = 5\n            backoff_steps = 3\n", 13,
            "tree.children.b.backoff_factor", "not both");
    refused("tree\n    starts = parallel\n    strategy = rest_for_one\n", 2, "tree.starts",
            "rest_for_one");
}

Test(tree, refused_combinations_of_nested_children_name_their_line)
{
    refused("tree\n    children\n        a\n            children\n                x\n"
            "                    class = worker\n                    significant = yes\n",
            7, "tree.children.a.children.x.significant", "restart transient");
    refused("tree\n    children\n        a\n            strategy = rest_for_one\n"
            "            starts = parallel\n            children\n",
            5, "tree.children.a.starts", "rest_for_one");
}

Test(tree, name_that_another_branch_has_is_refused)
{
    refused(TREE "        x\n            class = worker\n", 7, "tree.children.a.children.x",
            "tree has a child of this name");
    refused("tree\n    children\n        a\n            children\n                control\n"
            "                    class = worker\n",
            5, "tree.children.a.children.control", "does not use itself");
}
