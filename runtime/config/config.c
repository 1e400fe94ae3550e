/* SPDX-License-Identifier: MIT */
#include "runtime/config/config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/host.h"
#include "runtime/config/config_address.h"
#include "runtime/config/config_keys.h"
#include "runtime/config/config_lines.h"
#include "runtime/config/config_loader.h"

#define AUTO_SCALE_UP   80 /* percent */
#define AUTO_SCALE_DOWN 20

#define CONFIG_FOREIGN_MAX    1000000 /* workers that come by themselves */
#define CONFIG_FOREIGN_RUN_MS 60000   /* above liveness, so that a vanished worker is found first */

/* Where an option was set: the line of the file, or `--set`. */
static trp_status_t refuse_at(const config_t *config, config_fault_t *fault, const char *option)
{
    const int line = config->lines == NULL ? 0 : config_lines_find(config->lines, option);
    snprintf(fault->option, sizeof(fault->option), "%s", option);
    if (line == CONFIG_LINE_SET) {
        snprintf(fault->path, sizeof(fault->path), "--set");
    }
    fault->line = line == CONFIG_LINE_SET ? 0 : line;
    return TRP_CONFIG;
}

trp_status_t config_refuse(const config_t *config, config_fault_t *fault, const char *option,
                           const char *rule)
{
    *fault = (config_fault_t){0};
    snprintf(fault->path, sizeof(fault->path), "%s", config->path);
    snprintf(fault->rule, sizeof(fault->rule), "%s", rule);
    return refuse_at(config, fault, option);
}

trp_status_t config_loader_refuse(config_loader_t *loader, const char *option, const char *rule,
                                  ...)
{
    va_list arguments;
    va_start(arguments, rule);
    vsnprintf(loader->fault->rule, sizeof(loader->fault->rule), rule, arguments);
    va_end(arguments);
    return refuse_at(loader->config, loader->fault, option);
}

trp_status_t config_loader_set(config_loader_t *loader, const char *path, zconfig_t *item,
                               const config_target_t *targets, size_t count)
{
    char option[CONFIG_PATH_MAX];
    char rule[160] = "";
    snprintf(option, sizeof(option), "%s.%s", path, zconfig_name(item));
    for (size_t i = 0; i < count; i++) {
        trp_status_t status = option_set(&loader->tables[targets[i].table], targets[i].values,
                                         zconfig_name(item), zconfig_value(item), rule);
        if (status == TRP_OK) {
            return TRP_OK;
        }
        if (status != TRP_NOT_FOUND) {
            return config_loader_refuse(loader, option, "%s", rule);
        }
    }
    return config_loader_refuse(loader, option, "a known option; `troupe config` lists them");
}

trp_status_t config_loader_read(config_loader_t *loader, const char *path, zconfig_t *section,
                                const config_target_t *targets, size_t count)
{
    for (zconfig_t *item = zconfig_child(section); item != NULL; item = zconfig_next(item)) {
        if (strchr(path, '.') != NULL && strcmp(zconfig_name(item), "options") == 0 &&
            (zconfig_value(item) == NULL || zconfig_value(item)[0] == '\0')) {
            continue;
        }
        trp_status_t status = config_loader_set(loader, path, item, targets, count);
        if (status != TRP_OK) {
            return status;
        }
    }
    return TRP_OK;
}

static trp_status_t check_pool(config_loader_t *loader, const char *path, config_pool_t *pool)
{
    if (pool->foreign) {
        pool->min = 0;
        pool->max = CONFIG_FOREIGN_MAX;
    }
    if (pool->max == 0) {
        pool->max = pool->min;
    }
    if (pool->max < pool->min || pool->max < 1) {
        return config_loader_refuse(loader, path,
                                    "max not below min and at least 1, not %lld to %lld",
                                    (long long)pool->min, (long long)pool->max);
    }
    const bool has_rollout = pool->rollout_tools[strspn(pool->rollout_tools, " ")] != '\0';
    if (pool->tools[strspn(pool->tools, " ")] == '\0' && !has_rollout) {
        return config_loader_refuse(loader, path, "`tools`: the names of its tools");
    }
    if (has_rollout && pool->foreign) {
        return config_loader_refuse(loader, path, "no `rollout_tools` with `foreign = 1`");
    }
    return TRP_OK;
}

/* One core is left to the node. */
static void size_by_cores(config_pool_t *pool)
{
    const uint32_t cores = host_os.processors(host_os.user);
    if (pool->size != 0) {
        pool->min = cores > 2 ? (int64_t)cores - 1 : 1;
    }
}

static void scale_by_itself(zconfig_t *section, config_pool_t *pool)
{
    if (pool->auto_scale && zconfig_locate(section, "scale_up") == NULL) {
        pool->scale_up = AUTO_SCALE_UP;
    }
    if (pool->auto_scale && zconfig_locate(section, "scale_down") == NULL) {
        pool->scale_down = AUTO_SCALE_DOWN;
    }
}

static trp_status_t read_pool(config_loader_t *loader, zconfig_t *section, config_pool_t *pool)
{
    const config_target_t targets[] = {{CONFIG_POOL, pool},
                                       {CONFIG_CHILD, &pool->child},
                                       {CONFIG_LIMITS, &pool->child.limits},
                                       {CONFIG_POOL_SUPERVISOR, &pool->supervisor}};
    char path[CONFIG_PATH_MAX];
    snprintf(path, sizeof(path), "pools.%s", zconfig_name(section));
    snprintf(pool->name, sizeof(pool->name), "%s", zconfig_name(section));
    const size_t count = sizeof(targets) / sizeof(targets[0]);
    for (size_t i = 0; i < count; i++) {
        option_defaults(&loader->tables[targets[i].table], targets[i].values);
    }
    trp_status_t status = config_loader_read(loader, path, section, targets, count);
    if (status == TRP_OK) {
        size_by_cores(pool);
        scale_by_itself(section, pool);
        status = check_pool(loader, path, pool);
    }
    if (status != TRP_OK || !pool->foreign) {
        return status == TRP_OK ? config_worker_finish(loader, path, section, &pool->child)
                                : status;
    }
    if (zconfig_locate(section, "run_ms") == NULL) {
        pool->run_ms = CONFIG_FOREIGN_RUN_MS;
    }
    if (pool->child.class_name[0] != '\0') {
        return config_loader_refuse(loader, path,
                                    "no `class` with `foreign = 1`: other programs do its work");
    }
    return TRP_OK;
}

void config_pool_foreign(config_pool_t *pool)
{
    size_t count = 0;
    *pool = (config_pool_t){0};
    option_defaults(&config_tables(&count)[CONFIG_POOL], pool);
    pool->foreign = 1;
    pool->min = 0;
    pool->max = CONFIG_FOREIGN_MAX;
    pool->run_ms = CONFIG_FOREIGN_RUN_MS;
}

trp_status_t config_pool_set(config_pool_t *pool, const char *option, const char *value, char *rule)
{
    size_t count = 0;
    return option_set(&config_tables(&count)[CONFIG_POOL], pool, option, value, rule);
}

size_t config_loader_count(zconfig_t *section)
{
    size_t count = 0;
    for (zconfig_t *item = zconfig_child(section); item != NULL; item = zconfig_next(item)) {
        count++;
    }
    return count;
}

trp_status_t config_loader_name(config_loader_t *loader, const char *parent, zconfig_t *section)
{
    const char *name = zconfig_name(section);
    char path[CONFIG_PATH_MAX];
    snprintf(path, sizeof(path), "%s.%s", parent, name);
    if (strlen(name) >= TRP_NAME_MAX - 8 || strpbrk(name, "./") != NULL) {
        return config_loader_refuse(loader, path, "a name of at most %d bytes without `.` and `/`",
                                    TRP_NAME_MAX - 9);
    }
    return TRP_OK;
}

static trp_status_t read_pools(config_loader_t *loader, zconfig_t *section)
{
    config_t *config = loader->config;
    config->pools = calloc(config_loader_count(section) + 1, sizeof(*config->pools));
    if (config->pools == NULL) {
        return TRP_NO_MEMORY;
    }
    for (zconfig_t *item = zconfig_child(section); item != NULL; item = zconfig_next(item)) {
        trp_status_t status = config_loader_name(loader, "pools", item);
        if (status == TRP_OK) {
            status = read_pool(loader, item, &config->pools[config->pool_count++]);
        }
        if (status != TRP_OK) {
            return status;
        }
    }
    return TRP_OK;
}

static trp_status_t read_tree(config_loader_t *loader, zconfig_t *section)
{
    config_branch_t *tree = &loader->config->tree;
    const config_target_t target = {CONFIG_TREE, &tree->supervisor};
    for (zconfig_t *item = zconfig_child(section); item != NULL; item = zconfig_next(item)) {
        trp_status_t status = strcmp(zconfig_name(item), "children") == 0
                                  ? config_children_read(loader, "tree", item, tree)
                                  : config_loader_set(loader, "tree", item, &target, 1);
        if (status != TRP_OK) {
            return status;
        }
    }
    return TRP_OK;
}

static trp_status_t read_section(config_loader_t *loader, zconfig_t *section)
{
    const char *name = zconfig_name(section);
    config_t *config = loader->config;
    if (strcmp(name, "node") == 0) {
        return config_loader_read(loader, name, section,
                                  &(config_target_t){CONFIG_NODE, &config->node}, 1);
    }
    if (strcmp(name, "majordomo") == 0) {
        return config_loader_read(loader, name, section,
                                  &(config_target_t){CONFIG_MAJORDOMO, &config->majordomo}, 1);
    }
    if (strcmp(name, "cache") == 0) {
        return config_loader_read(loader, name, section,
                                  &(config_target_t){CONFIG_CACHE, &config->cache}, 1);
    }
    if (strcmp(name, "tree") == 0) {
        return read_tree(loader, section);
    }
    if (strcmp(name, "pools") == 0) {
        return read_pools(loader, section);
    }
    return config_loader_refuse(loader, name,
                                "one of the sections node, majordomo, cache, tree, pools");
}

static trp_status_t check_node(config_loader_t *loader)
{
    const char *name = loader->config->node.name;
    if (name[0] == '\0' || strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                        "0123456789-_") != strlen(name)) {
        return config_loader_refuse(loader, "node.name", "letters, digits, `-` and `_`");
    }
    return TRP_OK;
}

static trp_status_t check_keys(config_loader_t *loader)
{
    const config_majordomo_t *options = &loader->config->majordomo;
    bool is_open =
        strncmp(options->endpoint, "tcp://", 6) == 0 && !config_is_loopback(options->endpoint);
    if ((options->curve_secret[0] == '\0') != (options->keys[0] == '\0')) {
        return config_loader_refuse(loader, "majordomo.curve_secret",
                                    "curve_secret and keys, or neither");
    }
    if (is_open && options->curve_secret[0] == '\0' && !options->insecure) {
        return config_loader_refuse(
            loader, "majordomo.endpoint",
            "an address of this computer alone, or curve_secret and keys, or insecure = 1");
    }
    return config_keys_load(loader->config, &loader->tables[CONFIG_KEY], loader->fault);
}

static trp_status_t check_endpoint(config_loader_t *loader)
{
    const char *endpoint = loader->config->majordomo.endpoint;
    const char *colon = strrchr(endpoint, ':');
    if (endpoint[0] == '\0' || strncmp(endpoint, "ipc://", 6) == 0) {
        return TRP_OK;
    }
    if (strncmp(endpoint, "tcp://", 6) != 0) {
        return config_loader_refuse(loader, "majordomo.endpoint",
                                    "tcp://ADDRESS:PORT or ipc://PATH, not \"%.60s\"", endpoint);
    }
    if (colon < endpoint + 6 || !config_is_port(colon + 1)) {
        return config_loader_refuse(loader, "majordomo.endpoint",
                                    "a port from 0 to 65535 or `*` at the end");
    }
    return TRP_OK;
}

static trp_status_t read_root(config_loader_t *loader, zconfig_t *root)
{
    option_defaults(&loader->tables[CONFIG_NODE], &loader->config->node);
    option_defaults(&loader->tables[CONFIG_MAJORDOMO], &loader->config->majordomo);
    option_defaults(&loader->tables[CONFIG_CACHE], &loader->config->cache);
    option_defaults(&loader->tables[CONFIG_TREE], &loader->config->tree.supervisor);
    for (zconfig_t *item = zconfig_child(root); item != NULL; item = zconfig_next(item)) {
        trp_status_t status = read_section(loader, item);
        if (status != TRP_OK) {
            return status;
        }
    }
    trp_status_t status = check_node(loader);
    status = status == TRP_OK ? check_endpoint(loader) : status;
    return status == TRP_OK ? check_keys(loader) : status;
}

/* Sets one option in the tree. */
static trp_status_t put(config_loader_t *loader, zconfig_t *root, const char *option,
                        const char *value)
{
    char path[CONFIG_PATH_MAX];
    if (config_lines_override(loader->config->lines, option) != TRP_OK) {
        return TRP_NO_MEMORY;
    }
    snprintf(path, sizeof(path), "%s", option);
    for (char *dot = path; (dot = strchr(dot, '.')) != NULL;) {
        *dot = '/';
    }
    zconfig_put(root, path, value);
    return TRP_OK;
}

/* "pools.*.OPTION": in each pool that the file has. */
static trp_status_t put_in_pools(config_loader_t *loader, zconfig_t *root, const char *option,
                                 const char *value)
{
    zconfig_t *pools = zconfig_locate(root, "pools");
    trp_status_t status = TRP_OK;
    zconfig_t *pool = pools != NULL ? zconfig_child(pools) : NULL;
    for (; status == TRP_OK && pool != NULL; pool = zconfig_next(pool)) {
        char path[CONFIG_PATH_MAX];
        int size = snprintf(path, sizeof(path), "pools.%s.%s", zconfig_name(pool), option);
        if (size < (int)sizeof(path)) { /* else the section's name is refused */
            status = put(loader, root, path, value);
        }
    }
    return status;
}

/* "pools.parser.min=3" -> the path and its value in the tree. */
static trp_status_t apply_override(config_loader_t *loader, zconfig_t *root, const char *override)
{
    static const char each_pool[] = "pools.*.";
    const char *equals = strchr(override, '=');
    char path[CONFIG_PATH_MAX];
    if (equals == NULL || equals == override || (size_t)(equals - override) >= sizeof(path)) {
        config_loader_refuse(loader, override, "written as section.option=value");
        snprintf(loader->fault->path, sizeof(loader->fault->path), "--set");
        return TRP_CONFIG;
    }
    snprintf(path, sizeof(path), "%.*s", (int)(equals - override), override);
    if (strncmp(path, each_pool, sizeof(each_pool) - 1) == 0) {
        return put_in_pools(loader, root, path + sizeof(each_pool) - 1, equals + 1);
    }
    return put(loader, root, path, equals + 1);
}

static trp_status_t load_text(config_loader_t *loader, const char *text)
{
    config_lines_t *lines = loader->config->lines;
    trp_status_t status = config_lines_read(text, lines, loader->fault);
    if (status != TRP_OK) {
        return status;
    }
    zconfig_t *root = lines->count == 0 ? zconfig_new("root", NULL) : zconfig_str_load(text);
    if (root == NULL) {
        return config_loader_refuse(
            loader, "", "ZPL that its reader takes; it named the line on standard error");
    }
    for (const char *const *each = loader->overrides;
         status == TRP_OK && each != NULL && *each != NULL; each++) {
        status = apply_override(loader, root, *each);
    }
    if (status == TRP_OK) {
        status = read_root(loader, root);
    }
    zconfig_destroy(&root);
    return status;
}

static trp_status_t load(config_loader_t *loader, const char *text, const char *path,
                         config_t **config)
{
    size_t table_count = 0;
    config_t *loaded = calloc(1, sizeof(*loaded));
    if (loaded == NULL || (loaded->lines = calloc(1, sizeof(*loaded->lines))) == NULL) {
        free(loaded);
        return TRP_NO_MEMORY;
    }
    loader->config = loaded;
    loader->tables = config_tables(&table_count);
    snprintf(loaded->path, sizeof(loaded->path), "%s", path);
    const trp_status_t status = load_text(loader, text);
    if (status != TRP_OK) {
        config_free(&loaded);
    }
    *config = loaded;
    return status;
}

static void begin(config_fault_t *fault, const char *path)
{
    *fault = (config_fault_t){0};
    snprintf(fault->path, sizeof(fault->path), "%s", path);
}

trp_status_t config_load(const char *path, const char *const *overrides,
                         const trp_class_t *const *classes, config_t **config,
                         config_fault_t *fault)
{
    begin(fault, path);
    char *text = NULL;
    trp_status_t status = config_lines_file(path, &text, fault);
    if (status != TRP_OK) {
        return status;
    }
    config_loader_t loader = {.classes = classes, .overrides = overrides, .fault = fault};
    status = load(&loader, text, path, config);
    free(text);
    return status;
}

trp_status_t config_read(const char *text, const char *name, const trp_class_t *const *classes,
                         config_t **config, config_fault_t *fault)
{
    begin(fault, name);
    config_loader_t loader = {.classes = classes, .fault = fault};
    return load(&loader, text, name, config);
}

void config_free(config_t **config)
{
    config_t *old = *config;
    if (old == NULL) {
        return;
    }
    if (old->lines != NULL) {
        config_lines_free(old->lines);
        free(old->lines);
    }
    config_children_free(&old->tree);
    for (size_t i = 0; i < old->pool_count; i++) {
        free(old->pools[i].child.args);
    }
    free(old->keys);
    free(old->pools);
    free(old);
    *config = NULL;
}
