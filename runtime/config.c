/* SPDX-License-Identifier: MIT */
#include "runtime/config.h"

#include <czmq.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/config_args.h"
#include "runtime/config_lines.h"
#include "runtime/config_tables.h"

#define CONFIG_FOREIGN_MAX    1000000 /* workers that come by themselves */
#define CONFIG_FOREIGN_RUN_MS 60000   /* above liveness, so that a vanished worker is found first */
#define MEMORY_MIN            (64 * 1024 * 1024) /* bytes: below it a worker does not get ready */

typedef struct loader {
    config_t *config;
    config_lines_t lines;
    const trp_class_t *const *classes;
    const option_table_t *tables;
    const char *const *overrides;
    config_fault_t *fault;
} loader_t;

static bool is_overridden(const loader_t *loader, const char *option)
{
    size_t size = strlen(option);
    for (const char *const *each = loader->overrides; each != NULL && *each != NULL; each++) {
        if (strncmp(*each, option, size) == 0 && ((*each)[size] == '=' || (*each)[size] == '\0')) {
            return true;
        }
    }
    return false;
}

/* Names the option, the rule, and where it was set: the line of the file, or `--set`. */
TRP_PRINTF(3, 4)
static trp_status_t refuse(loader_t *loader, const char *option, const char *rule, ...)
{
    config_fault_t *fault = loader->fault;
    snprintf(fault->option, sizeof(fault->option), "%s", option);
    if (is_overridden(loader, option)) {
        snprintf(fault->path, sizeof(fault->path), "--set");
    } else {
        fault->line = config_lines_find(&loader->lines, option);
    }
    va_list arguments;
    va_start(arguments, rule);
    vsnprintf(fault->rule, sizeof(fault->rule), rule, arguments);
    va_end(arguments);
    return TRP_CONFIG;
}

/* An option table and the struct that it fills. */
typedef struct target {
    int table;
    void *values;
} target_t;

/* Sets one option in the first of `targets` that knows it. */
static trp_status_t set_option(loader_t *loader, const char *section, zconfig_t *item,
                               const target_t *targets, size_t count)
{
    char path[192];
    char rule[160] = "";
    snprintf(path, sizeof(path), "%s.%s", section, zconfig_name(item));
    for (size_t i = 0; i < count; i++) {
        trp_status_t status = option_set(&loader->tables[targets[i].table], targets[i].values,
                                         zconfig_name(item), zconfig_value(item), rule);
        if (status == TRP_OK) {
            return TRP_OK;
        }
        if (status != TRP_NOT_FOUND) {
            return refuse(loader, path, "%s", rule);
        }
    }
    return refuse(loader, path, "a known option; `troupe config` lists them");
}

/* A section of options; a section `options` in it belongs to a class and is read by
 * finish_child. */
static trp_status_t read_options(loader_t *loader, const char *path, zconfig_t *section,
                                 const target_t *targets, size_t count)
{
    for (zconfig_t *item = zconfig_child(section); item != NULL; item = zconfig_next(item)) {
        if (strchr(path, '.') != NULL && strcmp(zconfig_name(item), "options") == 0 &&
            (zconfig_value(item) == NULL || zconfig_value(item)[0] == '\0')) {
            continue;
        }
        trp_status_t status = set_option(loader, path, item, targets, count);
        if (status != TRP_OK) {
            return status;
        }
    }
    return TRP_OK;
}

/* "parser, match, ...", cut at `size`. */
static const char *class_names(const trp_class_t *const *classes, char *names, size_t size)
{
    size_t at = 0;
    names[0] = '\0';
    for (; *classes != NULL && at < size; classes++) {
        int written = snprintf(names + at, size - at, "%s%s", at > 0 ? ", " : "", (*classes)->name);
        at += written > 0 ? (size_t)written : 0;
    }
    return names;
}

/* A limit that nobody would hold is refused, not ignored. */
static trp_status_t check_limits(loader_t *loader, const char *path, const config_child_t *child)
{
    trp_limits_t none = {0};
    option_defaults(&loader->tables[CONFIG_LIMITS], &none);
    if (child->place != TRP_PLACE_PROCESS && memcmp(&none, &child->limits, sizeof(none)) != 0) {
        return refuse(loader, path, "limits only with `place = process`");
    }
    if (child->limits.memory != 0 && child->limits.memory < MEMORY_MIN) {
        return refuse(loader, path, "memory of at least %d bytes, or 0", MEMORY_MIN);
    }
    return TRP_OK;
}

/* Finds the class and turns `options` into its arguments. */
static trp_status_t finish_child(loader_t *loader, const char *path, zconfig_t *section,
                                 config_child_t *child)
{
    char option[416];
    snprintf(option, sizeof(option), "%s.class", path);
    for (const trp_class_t *const *class = loader->classes; *class != NULL; class ++) {
        if (strcmp((*class)->name, child->class_name) == 0) {
            child->class = *class;
        }
    }
    if (child->class == NULL) {
        char names[96];
        return refuse(loader, option, "a class of this program (%s), not \"%.40s\"",
                      class_names(loader->classes, names, sizeof(names)), child->class_name);
    }
    if (child->program[0] != '\0' && child->place != TRP_PLACE_PROCESS) {
        return refuse(loader, path, "`program` only with `place = process`");
    }
    if (check_limits(loader, path, child) != TRP_OK) {
        return TRP_CONFIG;
    }
    trp_fault_t bad = {0};
    trp_status_t status = config_args_build(child, zconfig_locate(section, "options"), &bad);
    if (status == TRP_PAYLOAD) {
        snprintf(option, sizeof(option), "%s.options.%s", path, bad.path);
        return refuse(loader, option, "%s, not %s", bad.rule, bad.value);
    }
    return status;
}

static trp_status_t read_child(loader_t *loader, zconfig_t *section, config_child_t *child)
{
    char path[192];
    const target_t targets[] = {{CONFIG_CHILD, child}, {CONFIG_LIMITS, &child->limits}};
    snprintf(path, sizeof(path), "tree.children.%s", zconfig_name(section));
    snprintf(child->id, sizeof(child->id), "%s", zconfig_name(section));
    for (size_t i = 0; i < 2; i++) {
        option_defaults(&loader->tables[targets[i].table], targets[i].values);
    }
    trp_status_t status = read_options(loader, path, section, targets, 2);
    return status == TRP_OK ? finish_child(loader, path, section, child) : status;
}

static trp_status_t check_pool(loader_t *loader, const char *path, config_pool_t *pool)
{
    if (pool->foreign) {
        pool->min = 0;
        pool->max = CONFIG_FOREIGN_MAX;
    }
    if (pool->max == 0) {
        pool->max = pool->min;
    }
    if (pool->max < pool->min || pool->max < 1) {
        return refuse(loader, path, "max not below min and at least 1, not %lld to %lld",
                      (long long)pool->min, (long long)pool->max);
    }
    if (pool->tools[strspn(pool->tools, " ")] == '\0') {
        return refuse(loader, path, "`tools`: the names of its tools");
    }
    return TRP_OK;
}

static trp_status_t read_pool(loader_t *loader, zconfig_t *section, config_pool_t *pool)
{
    const target_t targets[] = {{CONFIG_POOL, pool},
                                {CONFIG_CHILD, &pool->child},
                                {CONFIG_LIMITS, &pool->child.limits},
                                {CONFIG_POOL_SUPERVISOR, &pool->supervisor}};
    char path[192];
    snprintf(path, sizeof(path), "pools.%s", zconfig_name(section));
    snprintf(pool->name, sizeof(pool->name), "%s", zconfig_name(section));
    const size_t count = sizeof(targets) / sizeof(targets[0]);
    for (size_t i = 0; i < count; i++) {
        option_defaults(&loader->tables[targets[i].table], targets[i].values);
    }
    trp_status_t status = read_options(loader, path, section, targets, count);
    if (status == TRP_OK) {
        status = check_pool(loader, path, pool);
    }
    if (status != TRP_OK || !pool->foreign) {
        return status == TRP_OK ? finish_child(loader, path, section, &pool->child) : status;
    }
    if (zconfig_locate(section, "run_ms") == NULL) {
        pool->run_ms = CONFIG_FOREIGN_RUN_MS;
    }
    if (pool->child.class_name[0] != '\0') {
        return refuse(loader, path, "no `class` with `foreign = 1`: other programs do its work");
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

static size_t count_children(zconfig_t *section)
{
    size_t count = 0;
    for (zconfig_t *item = zconfig_child(section); item != NULL; item = zconfig_next(item)) {
        count++;
    }
    return count;
}

static trp_status_t check_name(loader_t *loader, const char *parent, zconfig_t *section)
{
    const char *name = zconfig_name(section);
    char path[192];
    snprintf(path, sizeof(path), "%s.%s", parent, name);
    if (strlen(name) >= TRP_NAME_MAX - 8 || strpbrk(name, "./") != NULL) {
        return refuse(loader, path, "a name of at most %d bytes without `.` and `/`",
                      TRP_NAME_MAX - 9);
    }
    return TRP_OK;
}

static trp_status_t read_pools(loader_t *loader, zconfig_t *section)
{
    config_t *config = loader->config;
    config->pools = calloc(count_children(section) + 1, sizeof(*config->pools));
    if (config->pools == NULL) {
        return TRP_NO_MEMORY;
    }
    for (zconfig_t *item = zconfig_child(section); item != NULL; item = zconfig_next(item)) {
        trp_status_t status = check_name(loader, "pools", item);
        if (status == TRP_OK) {
            status = read_pool(loader, item, &config->pools[config->pool_count++]);
        }
        if (status != TRP_OK) {
            return status;
        }
    }
    return TRP_OK;
}

static trp_status_t read_children(loader_t *loader, zconfig_t *section)
{
    config_t *config = loader->config;
    config->children = calloc(count_children(section) + 1, sizeof(*config->children));
    if (config->children == NULL) {
        return TRP_NO_MEMORY;
    }
    for (zconfig_t *item = zconfig_child(section); item != NULL; item = zconfig_next(item)) {
        trp_status_t status = check_name(loader, "tree.children", item);
        if (status == TRP_OK) {
            status = read_child(loader, item, &config->children[config->child_count++]);
        }
        if (status != TRP_OK) {
            return status;
        }
    }
    return TRP_OK;
}

static trp_status_t read_tree(loader_t *loader, zconfig_t *section)
{
    const target_t target = {CONFIG_TREE, &loader->config->tree};
    for (zconfig_t *item = zconfig_child(section); item != NULL; item = zconfig_next(item)) {
        trp_status_t status = strcmp(zconfig_name(item), "children") == 0
                                  ? read_children(loader, item)
                                  : set_option(loader, "tree", item, &target, 1);
        if (status != TRP_OK) {
            return status;
        }
    }
    return TRP_OK;
}

static trp_status_t read_section(loader_t *loader, zconfig_t *section)
{
    const char *name = zconfig_name(section);
    config_t *config = loader->config;
    if (strcmp(name, "node") == 0) {
        return read_options(loader, name, section, &(target_t){CONFIG_NODE, &config->node}, 1);
    }
    if (strcmp(name, "majordomo") == 0) {
        return read_options(loader, name, section,
                            &(target_t){CONFIG_MAJORDOMO, &config->majordomo}, 1);
    }
    if (strcmp(name, "cache") == 0) {
        return read_options(loader, name, section, &(target_t){CONFIG_CACHE, &config->cache}, 1);
    }
    if (strcmp(name, "tree") == 0) {
        return read_tree(loader, section);
    }
    if (strcmp(name, "pools") == 0) {
        return read_pools(loader, section);
    }
    return refuse(loader, name, "one of the sections node, majordomo, cache, tree, pools");
}

static trp_status_t check_node(loader_t *loader)
{
    const char *name = loader->config->node.name;
    if (name[0] == '\0' || strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                        "0123456789-_") != strlen(name)) {
        return refuse(loader, "node.name", "letters, digits, `-` and `_`");
    }
    return TRP_OK;
}

/* ZeroMQ takes a port modulo 65536 and a missing one as 0, so they are looked at here. */
static bool is_port(const char *text)
{
    size_t size = strspn(text, "0123456789");
    return strcmp(text, "*") == 0 ||
           (size > 0 && size <= 5 && text[size] == '\0' && strtol(text, NULL, 10) <= 65535);
}

static trp_status_t check_majordomo(loader_t *loader)
{
    const char *endpoint = loader->config->majordomo.endpoint;
    const char *colon = strrchr(endpoint, ':');
    if (endpoint[0] == '\0' || strncmp(endpoint, "ipc://", 6) == 0) {
        return TRP_OK;
    }
    if (strncmp(endpoint, "tcp://", 6) != 0) {
        return refuse(loader, "majordomo.endpoint",
                      "tcp://ADDRESS:PORT or ipc://PATH, not \"%.60s\"", endpoint);
    }
    if (colon < endpoint + 6 || !is_port(colon + 1)) {
        return refuse(loader, "majordomo.endpoint", "a port from 0 to 65535 or `*` at the end");
    }
    return TRP_OK;
}

static trp_status_t read_root(loader_t *loader, zconfig_t *root)
{
    option_defaults(&loader->tables[CONFIG_NODE], &loader->config->node);
    option_defaults(&loader->tables[CONFIG_MAJORDOMO], &loader->config->majordomo);
    option_defaults(&loader->tables[CONFIG_CACHE], &loader->config->cache);
    option_defaults(&loader->tables[CONFIG_TREE], &loader->config->tree);
    for (zconfig_t *item = zconfig_child(root); item != NULL; item = zconfig_next(item)) {
        trp_status_t status = read_section(loader, item);
        if (status != TRP_OK) {
            return status;
        }
    }
    trp_status_t status = check_node(loader);
    return status == TRP_OK ? check_majordomo(loader) : status;
}

/* "pools.parser.min=3" -> the path and its value in the tree. */
static trp_status_t apply_override(loader_t *loader, zconfig_t *root, const char *override)
{
    const char *equals = strchr(override, '=');
    char path[192];
    if (equals == NULL || equals == override || (size_t)(equals - override) >= sizeof(path)) {
        return refuse(loader, override, "written as section.option=value");
    }
    snprintf(path, sizeof(path), "%.*s", (int)(equals - override), override);
    for (char *dot = path; (dot = strchr(dot, '.')) != NULL;) {
        *dot = '/';
    }
    zconfig_put(root, path, equals + 1);
    return TRP_OK;
}

static trp_status_t load_text(loader_t *loader, const char *text)
{
    trp_status_t status = config_lines_read(text, &loader->lines, loader->fault);
    if (status != TRP_OK) {
        return status;
    }
    zconfig_t *root = loader->lines.count == 0 ? zconfig_new("root", NULL) : zconfig_str_load(text);
    if (root == NULL) {
        config_lines_free(&loader->lines);
        return refuse(loader, "", "ZPL that its reader takes; it named the line on standard error");
    }
    for (const char *const *each = loader->overrides;
         status == TRP_OK && each != NULL && *each != NULL; each++) {
        status = apply_override(loader, root, *each);
    }
    if (status == TRP_OK) {
        status = read_root(loader, root);
    }
    zconfig_destroy(&root);
    config_lines_free(&loader->lines);
    return status;
}

static trp_status_t load(loader_t *loader, const char *text, const char *path, config_t **config)
{
    size_t table_count = 0;
    config_t *loaded = calloc(1, sizeof(*loaded));
    if (loaded == NULL) {
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
    loader_t loader = {.classes = classes, .overrides = overrides, .fault = fault};
    status = load(&loader, text, path, config);
    free(text);
    return status;
}

trp_status_t config_read(const char *text, const char *name, const trp_class_t *const *classes,
                         config_t **config, config_fault_t *fault)
{
    begin(fault, name);
    loader_t loader = {.classes = classes, .fault = fault};
    return load(&loader, text, name, config);
}

void config_free(config_t **config)
{
    config_t *old = *config;
    if (old == NULL) {
        return;
    }
    for (size_t i = 0; i < old->child_count; i++) {
        free(old->children[i].args);
    }
    for (size_t i = 0; i < old->pool_count; i++) {
        free(old->pools[i].child.args);
    }
    free(old->children);
    free(old->pools);
    free(old);
    *config = NULL;
}
