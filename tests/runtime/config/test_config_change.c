/* SPDX-License-Identifier: MIT */
#include "runtime/config/config_change.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const trp_class_t worker_class = {.name = "worker", .version = 1};
static const trp_class_t *const classes[] = {&worker_class, NULL};

static const char FILE_TEXT[] = "node\n"
                                "    name = n\n"
                                "tree\n"
                                "    children\n"
                                "        one\n"
                                "            class = worker\n"
                                "            place = process\n"
                                "            cpu_s = 5\n"
                                "pools\n"
                                "    p\n"
                                "        class = worker\n"
                                "        min = 2\n"
                                "        tools = \"a b\"\n";

/* FILE_TEXT with one piece exchanged. */
static config_t *changed(const char *from, const char *to)
{
    char text[1024];
    config_t *config = NULL;
    config_fault_t fault;
    const char *at = strstr(FILE_TEXT, from);
    cr_assert_not_null(at);
    snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - FILE_TEXT), FILE_TEXT, to,
             at + strlen(from));
    cr_assert_eq(config_read(text, "test", classes, &config, &fault), TRP_OK, "%s: %s",
                 fault.option, fault.rule);
    return config;
}

typedef struct seen {
    char lines[512];
    bool apply;
} seen_t;

static void see(void *user, const config_change_t *change)
{
    seen_t *seen = user;
    char value[OPTION_TEXT_MAX] = "-";
    size_t at = strlen(seen->lines);
    if (change->row != NULL) {
        config_change_value(change, value);
    }
    snprintf(seen->lines + at, sizeof(seen->lines) - at, "%s=%s %d;", change->option, value,
             (int)change->effect);
    if (seen->apply && change->row != NULL) {
        config_change_apply(change);
    }
}

static void expect(const char *from, const char *to, const char *lines)
{
    config_t *now = changed("n", "n"), *wanted = changed(from, to);
    seen_t seen = {.apply = true}, after = {.apply = false};

    config_compare(now, wanted, see, &seen);
    config_compare(now, wanted, see, &after);

    cr_expect_str_eq(seen.lines, lines);
    cr_expect_eq(strchr(lines, '-') == NULL, after.lines[0] == '\0', "%s", after.lines);
    config_free(&now);
    config_free(&wanted);
}

Test(config_change, the_same_file_changes_nothing)
{
    expect("name = n", "name = n", "");
}

Test(config_change, each_option_says_when_it_holds)
{
    expect("name = n", "log_level = warn", "node.name=node 3;node.log_level=warn 0;");
    expect("min = 2", "min = 3", "pools.p.min=3 1;pools.p.max=3 1;");
    expect("min = 2", "strategy = hash\n        min = 2", "pools.p.strategy=hash 1;");
    expect("cpu_s = 5", "cpu_s = 6", "tree.children.one.cpu_s=6 2;");
    expect("a b", "a c", "pools.p.tools=a c 3;");
    expect("min = 2", "min = 2\n        intensity = 9", "pools.p.intensity=9 3;");
}

Test(config_change, pools_and_children_that_came_or_went_are_named)
{
    expect("    p\n", "    q\n", "pools.p=- 3;pools.q=- 3;");
    expect("        one\n", "        two\n", "tree.children.one=- 3;tree.children.two=- 3;");
}

Test(config_change, an_option_of_a_pool_may_change_or_not)
{
    cr_expect(config_pool_may_change("max"));
    cr_expect(config_pool_may_change("recycle_bytes"));
    cr_expect_not(config_pool_may_change("tools"));
    cr_expect_not(config_pool_may_change(""));
}
