/* SPDX-License-Identifier: MIT */
#include "runtime/config/config.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/host.h"

#define WORKER_FIELDS(F)                                   \
    F(OPT_BOOL, strict, _, 0, 1, "refuse unknown members") \
    F(OPT_REAL, takeout, _, 0, 0.99, "a ratio")            \
    F(OPT_INT, depth, _, 1, 9, "levels")

TRP_SCHEMA_DECLARE(config_test_options, WORKER_FIELDS)
TRP_SCHEMA_DEFINE(config_test_options, 0, 0, WORKER_FIELDS, "options of the test's class")

static const trp_class_t worker_class = {.name = "worker", .options = &config_test_options_schema};
static const trp_class_t *const classes[] = {&worker_class, NULL};

static config_t *config;
static config_fault_t fault;

/* Loads a text as a file would be. */
static trp_status_t load(const char *text, const char *const *overrides)
{
    char path[] = "/tmp/troupe-config-XXXXXX";
    int fd = mkstemp(path);
    cr_assert(fd >= 0);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    trp_status_t status = config_load(path, overrides, classes, &config, &fault);
    unlink(path);
    return status;
}

static void unload(void)
{
    config_free(&config);
}

TestSuite(config, .fini = unload);

#define POOL                    \
    "pools\n"                   \
    "    parser\n"              \
    "        class = worker\n"  \
    "        place = process\n" \
    "        min = 2\n"         \
    "        tools = \"a b\"\n"

Test(config, file_of_one_pool_is_read_with_defaults_for_the_rest)
{
    trp_status_t status = load("# a comment\nnode\n    name = n1\n" POOL, NULL);

    cr_assert_eq(status, TRP_OK, "%d: %s: %s", fault.line, fault.option, fault.rule);
    cr_assert_str_eq(config->node.name, "n1");
    cr_assert_eq(config->node.stop_ms, 30000);
    cr_assert_eq(config->pool_count, 1u);
    cr_assert_str_eq(config->pools[0].name, "parser");
    cr_assert_eq(config->pools[0].child.place, TRP_PLACE_PROCESS);
    cr_assert_eq(config->pools[0].min, 2);
    cr_assert_eq(config->pools[0].max, 2);
    cr_assert_eq(config->pools[0].child.class, &worker_class);
    cr_assert_eq(config->pools[0].attempts_max, 3);
}

Test(config, empty_file_has_all_defaults)
{
    cr_assert_eq(load("", NULL), TRP_OK);
    cr_assert_eq(config->pool_count, 0u);
    cr_assert_str_eq(config->majordomo.endpoint, "");
}

Test(config, override_wins_over_the_file)
{
    const char *const overrides[] = {"pools.parser.min=5", "majordomo.endpoint=tcp://127.0.0.1:*",
                                     NULL};

    trp_status_t status = load(POOL, overrides);

    cr_assert_eq(status, TRP_OK, "%s: %s", fault.option, fault.rule);
    cr_assert_eq(config->pools[0].min, 5);
    cr_assert_str_eq(config->majordomo.endpoint, "tcp://127.0.0.1:*");
}

Test(config, options_of_a_class_are_typed_by_its_schema)
{
    trp_status_t status =
        load(POOL "        options\n            strict = 0\n            takeout = 0.15\n", NULL);

    cr_assert_eq(status, TRP_OK, "%s: %s", fault.option, fault.rule);
    trp_document_t document;
    config_test_options_t options;
    trp_fault_t bad;
    const config_child_t *child = &config->pools[0].child;
    cr_assert_eq(trp_schema_unpack(&config_test_options_schema,
                                   ((trp_text_t){child->args, child->args_size}), &document,
                                   &options, &bad),
                 TRP_OK);
    cr_assert(options.has_strict && !options.strict);
    cr_assert(options.has_takeout && options.takeout > 0.149 && options.takeout < 0.151);
    cr_assert(!options.has_depth);
    trp_document_fini(&document);
}

/* Loads a text that must be refused at a line and an option. */
static void refused(const char *text, int line, const char *option, const char *rule)
{
    trp_status_t status = load(text, NULL);
    cr_assert_eq(status, TRP_CONFIG, "accepted: %s", text);
    cr_assert_null(config);
    cr_assert_eq(fault.line, line, "line %d, not %d: %s: %s", fault.line, line, fault.option,
                 fault.rule);
    cr_assert_str_eq(fault.option, option);
    cr_assert_not_null(strstr(fault.rule, rule), "rule: %s", fault.rule);
}

Test(config, faults_name_line_option_and_rule)
{
    refused("node\n    nome = x\n", 2, "node.nome", "known option");
    refused("node\n    stop_ms = soon\n", 2, "node.stop_ms", "an integer from 100");
    refused("node\n    stop_ms = 99\n", 2, "node.stop_ms", "an integer from 100");
    refused("node\n    stop_ms = 99999999999\n", 2, "node.stop_ms", "an integer from 100");
    refused("node\n    options\n", 2, "node.options", "known option");
    refused("nodes\n    name = x\n", 1, "nodes", "sections node, majordomo, cache, tree, pools");
    refused("node\n    name = a/b\n", 2, "node.name", "letters");
    refused("majordomo\n    endpoint = \"udp://127.0.0.1:5\"\n", 2, "majordomo.endpoint",
            "tcp://ADDRESS:PORT");
    refused("majordomo\n    endpoint = \"tcp://127.0.0.1:99999\"\n", 2, "majordomo.endpoint",
            "0 to 65535");
    refused("majordomo\n    endpoint = \"tcp://127.0.0.1:55x\"\n", 2, "majordomo.endpoint",
            "0 to 65535");
    refused("majordomo\n    endpoint = \"tcp://localhost\"\n", 2, "majordomo.endpoint",
            "0 to 65535");
    refused("node\n    log_level = loud\n", 2, "node.log_level", "one of trace|debug");
    refused(POOL "        max = 1\n", 2, "pools.parser", "max not below min");
    refused("pools\n    p\n        class = nobody\n        tools = t\n", 3, "pools.p.class",
            "a class of this program");
    refused("pools\n    p\n        class = worker\n", 2, "pools.p", "tools");
    refused(POOL "        options\n            depth = 12\n", 8, "pools.parser.options.depth", "9");
    refused(POOL "        options\n            dept = 1\n", 8, "pools.parser.options.dept", "");
}

Test(config, syntax_faults_name_the_line)
{
    refused("node\n   name = x\n", 2, "", "4 spaces");
    refused("node\n\tname = x\n", 2, "", "4 spaces");
    refused("node\n        name = x\n", 2, "", "one level deeper");
    refused("node\n    name = \"x\n", 2, "", "closing quote");
    refused("node\n    name: x\n", 2, "", "name = value");
    refused("node\n    name = x\n    name = y\n", 3, "node.name", "only once");
    refused("= x\n", 1, "", "a name of letters");
}

Test(config, missing_file_and_bad_override_are_told)
{
    const char *const overrides[] = {"majordomo", NULL};

    trp_status_t missing = config_load("/nonexistent/troupe.conf", NULL, classes, &config, &fault);
    cr_assert_eq(missing, TRP_CONFIG);
    cr_assert_not_null(strstr(fault.rule, "No such file"));

    trp_status_t bad = load(POOL, overrides);
    cr_assert_eq(bad, TRP_CONFIG);
    cr_assert_not_null(strstr(fault.rule, "section.option=value"));
}

Test(config, fault_of_an_override_is_not_blamed_on_the_file)
{
    const char *const wrong[][2] = {{"pools.parser.min=abc", NULL}, {"pools.parser.nimm=3", NULL}};

    for (size_t i = 0; i < 2; i++) {
        cr_assert_eq(load(POOL, wrong[i]), TRP_CONFIG);
        cr_assert_str_eq(fault.path, "--set");
        cr_assert_eq(fault.line, 0);
    }
    cr_assert_str_eq(fault.option, "pools.parser.nimm");
}

/* A worker and a supervisor of two in a supervisor. */
#define NESTED                                \
    "tree\n"                                  \
    "    children\n"                          \
    "        clock\n"                         \
    "            class = worker\n"            \
    "        sensors\n"                       \
    "            strategy = one_for_all\n"    \
    "            restart = transient\n"       \
    "            children\n"                  \
    "                left\n"                  \
    "                    class = worker\n"    \
    "                inner\n"                 \
    "                    type = supervisor\n" \
    "                    intensity = 7\n"     \
    "                    children\n"          \
    "                        right\n"         \
    "                            class = worker\n"

Test(config, supervisors_nest_with_flags_of_their_own)
{
    trp_status_t status = load(NESTED, NULL);

    cr_assert_eq(status, TRP_OK, "%d: %s: %s", fault.line, fault.option, fault.rule);
    cr_assert_eq(config->tree.child_count, 2u);
    cr_assert_null(config->tree.children[0].branch);
    const config_child_t *sensors = &config->tree.children[1];
    cr_assert_eq(sensors->type, CONFIG_SUPERVISOR);
    cr_assert_eq(sensors->restart, 1);
    cr_assert_eq(sensors->shutdown_ms, -1);
    cr_assert_eq(sensors->branch->supervisor.strategy, 1);
    cr_assert_eq(sensors->branch->supervisor.intensity, 1);
    const config_child_t *inner = &sensors->branch->children[1];
    cr_assert_eq(inner->branch->supervisor.intensity, 7);
    cr_assert_str_eq(inner->branch->children[0].id, "right");
    cr_assert_eq(inner->branch->children[0].class, &worker_class);
}

Test(config, override_reaches_a_nested_child)
{
    const char *const overrides[] = {
        "tree.children.sensors.children.inner.children.right.shutdown_ms=7", NULL};

    cr_assert_eq(load(NESTED, overrides), TRP_OK, "%s: %s", fault.option, fault.rule);

    const config_branch_t *sensors = config->tree.children[1].branch;
    cr_assert_eq(sensors->children[1].branch->children[0].shutdown_ms, 7);
}

Test(config, faults_of_nested_children_name_their_line)
{
    refused(NESTED "                            clas = worker\n", 17,
            "tree.children.sensors.children.inner.children.right.clas", "known option");
    refused(NESTED "            class = worker\n", 17, "tree.children.sensors.class",
            "no `class` with `type = supervisor`");
    refused("tree\n    children\n        a\n            type = worker\n            children\n", 5,
            "tree.children.a.children", "known option");
    refused("tree\n    children\n        a\n            type = boss\n", 4, "tree.children.a.type",
            "one of worker|supervisor");
    refused("pools\n    p\n        type = supervisor\n", 3, "pools.p.type", "known option");
}

static char deep[8192];

static void add_line(int indent, const char *line)
{
    const size_t at = strlen(deep);
    snprintf(deep + at, sizeof(deep) - at, "%*s%s\n", indent, "", line);
}

/* `depth` supervisors above one another, and a worker. */
static const char *nest(int depth)
{
    deep[0] = '\0';
    add_line(0, "tree");
    add_line(4, "children");
    for (int i = 1; i <= depth; i++) {
        add_line(8 * i, "s");
        add_line(8 * i + 4, "children");
    }
    add_line(8 * depth + 8, "w");
    add_line(8 * depth + 12, "class = worker");
    return deep;
}

Test(config, supervisors_nest_to_a_bound)
{
    cr_assert_eq(load(nest(CONFIG_NESTED_MAX), NULL), TRP_OK, "%d: %s", fault.line, fault.rule);
    config_free(&config);

    cr_assert_eq(load(nest(CONFIG_NESTED_MAX + 1), NULL), TRP_CONFIG);
    cr_assert_not_null(strstr(fault.rule, "at most 10 supervisors"), "%s", fault.rule);
    cr_assert_eq(fault.line, 2 * CONFIG_NESTED_MAX + 3);
}

Test(config, mutated_files_are_read_or_refused_without_harm)
{
    static const char text[] =
        "node\n    name = n1\n" NESTED POOL "        options\n            depth = 3\n";
    uint64_t random = 7;
    for (int round = 0; round < 3000; round++) {
        char copy[sizeof(text)];
        memcpy(copy, text, sizeof(text));
        for (int i = 0; i < 3; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            copy[(random >> 33) % (sizeof(text) - 1)] = (char)(1 + (random >> 40) % 255);
        }

        trp_status_t status = load(copy, NULL);

        cr_assert(status == TRP_OK || (status == TRP_CONFIG && fault.rule[0] != '\0'));
        config_free(&config);
    }
}

Test(config, pool_that_scales_by_itself_does_so_at_eighty_and_twenty_percent)
{
    cr_assert_eq(load(POOL "        auto_scale = 1\n", NULL), TRP_OK, "%s", fault.rule);
    cr_assert_eq(config->pools[0].scale_up, 80);
    cr_assert_eq(config->pools[0].scale_down, 20);
    config_free(&config);

    cr_assert_eq(load(POOL "        auto_scale = 1\n        scale_up = 90\n", NULL), TRP_OK);
    cr_assert_eq(config->pools[0].scale_up, 90);
    config_free(&config);

    cr_assert_eq(load(POOL, NULL), TRP_OK, "it is off by default");
    cr_assert_eq(config->pools[0].scale_down, 0);
}

Test(config, pool_that_says_nothing_has_the_limits_that_are_promised)
{
    cr_assert_eq(load(POOL, NULL), TRP_OK, "%s", fault.rule);

    cr_expect_eq(config->pools[0].idle_ms, 300000, "idle for 5 minutes and it is suspended");
    cr_expect_eq(config->pools[0].run_ms, 30000);
    cr_expect_eq(config->pools[0].attempts_max, 3);
    cr_expect_eq(config->pools[0].strategy, 0, "least_loaded");
    cr_expect_eq(config->pools[0].scale_up, 100, "only when a task waits");
    cr_expect_eq(config->pools[0].scale_down, 0);
    cr_expect_eq(config->pools[0].fair, 1);
    cr_expect_eq(config->pools[0].child.limits.probe_ms, 1000);
}

Test(config, pool_of_foreign_workers_has_a_minute_for_an_attempt_unless_it_says_otherwise)
{
    config_pool_t unlisted;
    cr_assert_eq(load("pools\n"
                      "    a\n"
                      "        foreign = 1\n"
                      "        tools = a\n"
                      "    b\n"
                      "        foreign = 1\n"
                      "        tools = b\n"
                      "        run_ms = 7\n",
                      NULL),
                 TRP_OK, "%s", fault.rule);
    config_pool_foreign(&unlisted);

    cr_expect_eq(config->pools[0].run_ms, 60000);
    cr_expect_eq(config->pools[1].run_ms, 7);
    cr_expect_eq(unlisted.run_ms, 60000, "of a tool that came with its first worker");
    cr_expect_gt(config->pools[0].run_ms,
                 config->majordomo.heartbeat_ms * config->majordomo.liveness,
                 "so a worker that vanished is found first");
}

Test(config, pool_of_the_size_of_the_machine_leaves_one_core)
{
    const uint32_t cores = host_os.processors(host_os.user);

    cr_assert_eq(load(POOL "        size = cores\n", NULL), TRP_OK, "%s", fault.rule);

    cr_assert_eq(config->pools[0].min, cores > 2 ? (int64_t)cores - 1 : 1);
    cr_assert_eq(config->pools[0].max, config->pools[0].min);
}

Test(config, override_for_every_pool_reaches_every_pool)
{
    const char *const overrides[] = {"pools.*.strategy=round_robin", "pools.parser.queue_max=7",
                                     "pools.*.keys_max=3", NULL};

    cr_assert_eq(load(POOL "    other\n        class = worker\n        tools = c\n", overrides),
                 TRP_OK, "%s: %s", fault.option, fault.rule);

    for (size_t i = 0; i < 2; i++) {
        cr_assert_eq(config->pools[i].strategy, 1);
        cr_assert_eq(config->pools[i].keys_max, 3);
    }
    cr_assert_eq(config->pools[0].queue_max, 7);
    cr_assert_neq(config->pools[1].queue_max, 7);
}

Test(config, pool_with_nothing_but_a_share_of_others_tools_is_taken)
{
    cr_assert_eq(load(POOL "    new\n        class = worker\n        rollout_tools = a\n", NULL),
                 TRP_OK, "%s: %s", fault.option, fault.rule);
    refused("pools\n    new\n        foreign = 1\n        rollout_tools = a\n", 2, "pools.new",
            "rollout_tools");
}
