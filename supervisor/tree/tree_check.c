/* SPDX-License-Identifier: MIT */
#include "supervisor/tree/tree_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/place/dead_log.h"
#include "supervisor/supervisor_check.h"

/* A child of section `tree`: each is registered under its id, in whatever branch it is. */
typedef struct named {
    const char *id;
    const char *parent; /* "tree.children.a" */
    size_t order;       /* in the file */
} named_t;

static int by_id(const void *a, const void *b)
{
    const named_t *one = a, *other = b;
    const int order = strcmp(one->id, other->id);
    return order != 0 ? order : (one->order > other->order) - (one->order < other->order);
}

static bool is_reserved(const char *id)
{
    static const char *const reserved[] = {TREE_ROOT, TREE_ROUTER, TREE_INTAKE,
                                           "control", "node",      DEAD_LOG_NAME};
    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
        if (strcmp(id, reserved[i]) == 0) {
            return true;
        }
    }
    return false;
}

static trp_status_t refuse_id(const config_t *config, const named_t *child, const char *rule,
                              config_fault_t *fault)
{
    char option[CONFIG_PATH_MAX];
    snprintf(option, sizeof(option), "%.180s.children.%.64s", child->parent, child->id);
    return config_refuse(config, fault, option, rule);
}

static size_t list_names(const tree_t *tree, const config_t *config, named_t *rows)
{
    size_t count = 0;
    for (size_t i = 0; i < config->tree.child_count; i++, count++) {
        rows[count] = (named_t){config->tree.children[i].id, "tree", count};
    }
    for (size_t b = 0; b < tree->branch_count; b++) {
        const tree_branch_t *branch = &tree->branches[b];
        for (size_t i = 0; i < branch->spec.child_count; i++, count++) {
            rows[count] = (named_t){branch->spec.children[i].id, branch->path, count};
        }
    }
    return count;
}

static trp_status_t check_names(const tree_t *tree, const config_t *config, config_fault_t *fault)
{
    named_t *rows = calloc(tree->child_count + 1, sizeof(*rows));
    if (rows == NULL) {
        return TRP_NO_MEMORY;
    }
    const size_t count = list_names(tree, config, rows);
    trp_status_t status = TRP_OK;
    qsort(rows, count, sizeof(*rows), by_id);
    for (size_t i = 0; i < count && status == TRP_OK; i++) {
        if (is_reserved(rows[i].id)) {
            status = refuse_id(config, &rows[i], "a name that troupe does not use itself", fault);
        } else if (i > 0 && strcmp(rows[i - 1].id, rows[i].id) == 0) {
            char rule[160];
            snprintf(rule, sizeof(rule), "a name of its own: %.80s has a child of this name",
                     rows[i - 1].parent);
            status = refuse_id(config, &rows[i], rule, fault);
        }
    }
    free(rows);
    return status;
}

/* The section of the configuration that a supervisor was made from. */
static void path_of(const tree_t *tree, const config_t *config, const trp_supervisor_spec_t *spec,
                    char path[CONFIG_PATH_MAX])
{
    snprintf(path, CONFIG_PATH_MAX, "tree");
    for (size_t i = 0; i < config->pool_count; i++) {
        if (spec == &tree->pools[i]) {
            snprintf(path, CONFIG_PATH_MAX, "pools.%s", config->pools[i].name);
        }
    }
    for (size_t i = 0; i < tree->branch_count; i++) {
        if (spec == &tree->branches[i].spec) {
            snprintf(path, CONFIG_PATH_MAX, "%s", tree->branches[i].path);
        }
    }
}

static trp_status_t refuse_spec(const tree_t *tree, const config_t *config,
                                const supervisor_fault_t *found, config_fault_t *fault)
{
    char path[CONFIG_PATH_MAX];
    char option[2 * CONFIG_PATH_MAX];
    path_of(tree, config, found->supervisor, path);
    if (found->child == NULL || found->supervisor->template != NULL) {
        snprintf(option, sizeof(option), "%s.%s", path, found->option);
    } else {
        snprintf(option, sizeof(option), "%s.children.%s.%s", path, found->child->id,
                 found->option);
    }
    return config_refuse(config, fault, option, found->expected);
}

trp_status_t tree_check(const tree_t *tree, const config_t *config, config_fault_t *fault)
{
    trp_status_t status = check_names(tree, config, fault);
    if (status == TRP_OK) {
        supervisor_fault_t found;
        status = supervisor_check(&tree->root, &found);
        status = status == TRP_INVALID ? refuse_spec(tree, config, &found, fault) : status;
    }
    return status;
}
