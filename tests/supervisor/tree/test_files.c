/* SPDX-License-Identifier: MIT */
#include "supervisor/tree/files.h"

#include <criterion/criterion.h>

static const trp_class_t plain_class = {.name = "plain"};
static const trp_class_t *const classes[] = {&plain_class, NULL};

static uint64_t needed(const char *text)
{
    config_t *config = NULL;
    config_fault_t fault = {.rule = ""};
    cr_assert_eq(config_read(text, "test", classes, &config, &fault), TRP_OK, "%s: %s",
                 fault.option, fault.rule);
    const uint64_t files = files_needed(config);
    config_free(&config);
    return files;
}

Test(files, a_node_alone_needs_its_own_and_those_of_some_clients)
{
    cr_expect_eq(needed("node\n    name = a\n"), 64);
}

Test(files, each_process_that_a_pool_may_have_counts_and_one_for_an_upgrade)
{
    cr_expect_eq(needed("pools\n    p\n        class = plain\n        place = process\n"
                        "        min = 2\n        max = 5\n        understudies = 1\n"
                        "        tools = t\n"),
                 64 + 2 * (5 + 1 + 1));
    cr_expect_eq(needed("pools\n    p\n        class = plain\n        place = process\n"
                        "        min = 3\n        tools = t\n"),
                 64 + 2 * (3 + 1));
    cr_expect_eq(needed("pools\n    p\n        class = plain\n        place = pool\n"
                        "        min = 3\n        tools = t\n"),
                 64, "an actor of the pool has none");
}

Test(files, children_of_the_tree_count_at_any_depth)
{
    cr_expect_eq(needed("tree\n    children\n"
                        "        a\n            class = plain\n            place = process\n"
                        "        b\n            type = supervisor\n            children\n"
                        "                c\n                    class = plain\n"
                        "                    place = thread\n"),
                 64 + 2 + 2);
}

Test(files, foreign_workers_are_clients)
{
    cr_expect_eq(needed("pools\n    p\n        foreign = 1\n        tools = t\n"), 64);
}
