/* SPDX-License-Identifier: MIT */
#include "runtime/config/config_change.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "runtime/config/config_tables.h"

/* Each list ends with NULL. */
static const char *const at_once_node[] = {"log_level", NULL};
static const char *const at_once_majordomo[] = {"body_max",        "heartbeat_ms", "liveness",
                                                "unknown_wait_ms", "services_max", NULL};
static const char *const at_once_cache[] = {"ttl_ms", "idem_ms", NULL};
static const char *const pool_rules[] = {"strategy",
                                         "weights",
                                         "inflight_max",
                                         "queue_max",
                                         "queue_ms",
                                         "run_ms",
                                         "retry_ms",
                                         "idle_ms",
                                         "attempts_max",
                                         "breaker_failures",
                                         "breaker_ms",
                                         "cancel_ms",
                                         "cache",
                                         "keys_max",
                                         "slow_start_ms",
                                         "scale_up",
                                         "scale_down",
                                         "scale_ms",
                                         "recycle_tasks",
                                         "recycle_ms",
                                         "recycle_bytes",
                                         "min",
                                         "max",
                                         "rollout_share",
                                         "rollout_mode",
                                         "rollout_ignore",
                                         "eject_failures",
                                         "eject_ms",
                                         "eject_percent",
                                         "order",
                                         NULL};

typedef struct comparison {
    void (*each)(void *user, const config_change_t *change);
    void *user;
    const config_pool_t *pool;
} comparison_t;

static bool has(const char *const *names, const char *name)
{
    while (*names != NULL && strcmp(*names, name) != 0) {
        names++;
    }
    return *names != NULL;
}

bool config_pool_may_change(const char *option)
{
    return has(pool_rules, option);
}

static config_effect_t effect_of(int table, const char *option)
{
    static const char *const *const at_once[CONFIG_TABLE_COUNT] = {
        [CONFIG_NODE] = at_once_node,
        [CONFIG_MAJORDOMO] = at_once_majordomo,
        [CONFIG_CACHE] = at_once_cache,
    };
    if (at_once[table] != NULL && has(at_once[table], option)) {
        return CONFIG_AT_ONCE;
    }
    if (table == CONFIG_POOL && config_pool_may_change(option)) {
        return CONFIG_POOL_RULE;
    }
    return table == CONFIG_LIMITS ? CONFIG_LIMIT : CONFIG_AT_START;
}

static bool is_same(const option_t *row, const void *one, const void *other)
{
    const char *a = (const char *)one + row->offset, *b = (const char *)other + row->offset;
    return row->kind == OPTION_TEXT ? strcmp(a, b) == 0 : memcmp(a, b, sizeof(int64_t)) == 0;
}

static void compare_rows(const comparison_t *comparison, int table, const char *path, void *now,
                         const void *wanted)
{
    size_t count = 0;
    const option_table_t *rows = &config_tables(&count)[table];
    for (size_t i = 0; i < rows->count; i++) {
        const option_t *row = &rows->rows[i];
        if (is_same(row, now, wanted)) {
            continue;
        }
        config_change_t change = {.effect = effect_of(table, row->name),
                                  .row = row,
                                  .now = now,
                                  .wanted = wanted,
                                  .pool = comparison->pool};
        snprintf(change.option, sizeof(change.option), "%.190s.%.60s", path, row->name);
        comparison->each(comparison->user, &change);
    }
}

static void whole(const comparison_t *comparison, const char *section, const char *name)
{
    config_change_t change = {.effect = CONFIG_AT_START};
    snprintf(change.option, sizeof(change.option), "%.190s.%.60s", section, name);
    comparison->each(comparison->user, &change);
}

static void compare_child(const comparison_t *comparison, const char *path, config_child_t *now,
                          const config_child_t *wanted)
{
    compare_rows(comparison, CONFIG_CHILD, path, now, wanted);
    compare_rows(comparison, CONFIG_LIMITS, path, &now->limits, &wanted->limits);
    if (now->args_size != wanted->args_size ||
        (now->args_size > 0 && memcmp(now->args, wanted->args, now->args_size) != 0)) {
        whole(comparison, path, "options");
    }
}

/* A list of names, to find out what came and went. */
typedef struct names {
    const void *rows;
    size_t count, stride, offset;
} names_t;

static const char *name_at(const names_t *names, size_t at)
{
    return (const char *)names->rows + at * names->stride + names->offset;
}

static bool has_name(const names_t *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(name_at(names, i), name) == 0) {
            return true;
        }
    }
    return false;
}

static size_t tell_missing(const comparison_t *comparison, const char *section, const names_t *from,
                           const names_t *in)
{
    size_t missing = 0;
    for (size_t i = 0; i < from->count; i++) {
        if (!has_name(in, name_at(from, i))) {
            whole(comparison, section, name_at(from, i));
            missing++;
        }
    }
    return missing;
}

/* True: the same names in the same order; else the differences were told. */
static bool are_same_names(const comparison_t *comparison, const char *section, const names_t *now,
                           const names_t *wanted)
{
    const size_t missing = tell_missing(comparison, section, now, wanted) +
                           tell_missing(comparison, section, wanted, now);
    for (size_t i = 0; missing == 0 && i < now->count; i++) {
        if (strcmp(name_at(now, i), name_at(wanted, i)) != 0) {
            whole(comparison, section, "(their order)");
            return false;
        }
    }
    return missing == 0;
}

static void compare_branch(const comparison_t *base, int table, const char *path,
                           config_branch_t *now, const config_branch_t *wanted);

static void compare_type(const comparison_t *comparison, const char *path, config_child_t *now,
                         const config_child_t *wanted)
{
    if ((now->branch == NULL) != (wanted->branch == NULL)) {
        whole(comparison, path, "type");
    } else if (now->branch != NULL) {
        compare_rows(comparison, CONFIG_CHILD, path, now, wanted);
        compare_branch(comparison, CONFIG_BRANCH, path, now->branch, wanted->branch);
    } else {
        compare_child(comparison, path, now, wanted);
    }
}

/* A supervisor of section `tree` and all below it, as deep as the reader of the file lets it be. */
static void compare_branch(const comparison_t *base, int table, const char *path,
                           config_branch_t *now, const config_branch_t *wanted)
{
    const size_t stride = sizeof(config_child_t), offset = offsetof(config_child_t, id);
    const names_t here = {now->children, now->child_count, stride, offset};
    const names_t there = {wanted->children, wanted->child_count, stride, offset};
    char below[CONFIG_PATH_MAX];
    compare_rows(base, table, path, &now->supervisor, &wanted->supervisor);
    snprintf(below, sizeof(below), "%.245s.children", path);
    if (!are_same_names(base, below, &here, &there)) {
        return;
    }
    for (size_t i = 0; i < now->child_count; i++) {
        char child[CONFIG_PATH_MAX];
        snprintf(child, sizeof(child), "%.190s.%.63s", below, now->children[i].id);
        compare_type(base, child, &now->children[i], &wanted->children[i]);
    }
}

static void compare_pools(const comparison_t *base, config_t *now, const config_t *wanted)
{
    const size_t stride = sizeof(config_pool_t), offset = offsetof(config_pool_t, name);
    const names_t here = {now->pools, now->pool_count, stride, offset};
    const names_t there = {wanted->pools, wanted->pool_count, stride, offset};
    if (!are_same_names(base, "pools", &here, &there)) {
        return;
    }
    for (size_t i = 0; i < now->pool_count; i++) {
        char path[128];
        config_pool_t *pool = &now->pools[i];
        comparison_t comparison = *base;
        comparison.pool = pool;
        snprintf(path, sizeof(path), "pools.%s", pool->name);
        compare_rows(&comparison, CONFIG_POOL, path, pool, &wanted->pools[i]);
        compare_rows(&comparison, CONFIG_POOL_SUPERVISOR, path, &pool->supervisor,
                     &wanted->pools[i].supervisor);
        compare_child(&comparison, path, &pool->child, &wanted->pools[i].child);
    }
}

/* Keys stand in files of their own, which are read with the configuration. */
static void compare_keys(const comparison_t *comparison, const config_t *now,
                         const config_t *wanted)
{
    const size_t size = now->key_count * sizeof(*now->keys);
    const bool is_same_file = strcmp(now->majordomo.keys, wanted->majordomo.keys) == 0;
    if (is_same_file && (now->key_count != wanted->key_count ||
                         (size > 0 && memcmp(now->keys, wanted->keys, size) != 0))) {
        const config_change_t change = {.effect = CONFIG_KEYS,
                                        .option = "majordomo.keys (what the file says)"};
        comparison->each(comparison->user, &change);
    }
    if (strcmp(now->curve_secret, wanted->curve_secret) != 0) {
        whole(comparison, "majordomo", "curve_secret (what the file says)");
    }
}

void config_compare(config_t *now, const config_t *wanted,
                    void (*each)(void *user, const config_change_t *change), void *user)
{
    const comparison_t comparison = {.each = each, .user = user};
    compare_rows(&comparison, CONFIG_NODE, "node", &now->node, &wanted->node);
    compare_rows(&comparison, CONFIG_MAJORDOMO, "majordomo", &now->majordomo, &wanted->majordomo);
    compare_keys(&comparison, now, wanted);
    compare_rows(&comparison, CONFIG_CACHE, "cache", &now->cache, &wanted->cache);
    compare_branch(&comparison, CONFIG_TREE, "tree", &now->tree, &wanted->tree);
    compare_pools(&comparison, now, wanted);
}

void config_keys_take(config_t *now, config_t *wanted)
{
    config_key_t *keys = now->keys;
    const size_t count = now->key_count;
    now->keys = wanted->keys;
    now->key_count = wanted->key_count;
    wanted->keys = keys;
    wanted->key_count = count;
}

void config_change_apply(const config_change_t *change)
{
    const option_t *row = change->row;
    memcpy((char *)change->now + row->offset, (const char *)change->wanted + row->offset,
           row->kind == OPTION_TEXT ? row->size : sizeof(int64_t));
}

void config_change_value(const config_change_t *change, char value[OPTION_TEXT_MAX])
{
    option_format(change->row, change->wanted, value);
}
