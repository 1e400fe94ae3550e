/* SPDX-License-Identifier: MIT */
/* Children of the tree: workers, and supervisors with children of their own. */
#include "runtime/config/config_loader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/config/config_args.h"

#define MEMORY_MIN (64 * 1024 * 1024) /* bytes: below it a worker does not get ready */

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
static trp_status_t check_limits(config_loader_t *loader, const char *path,
                                 const config_child_t *child)
{
    trp_limits_t none = {0};
    option_defaults(&loader->tables[CONFIG_LIMITS], &none);
    if (child->place != TRP_PLACE_PROCESS && memcmp(&none, &child->limits, sizeof(none)) != 0) {
        return config_loader_refuse(loader, path, "limits only with `place = process`");
    }
    if (child->limits.memory != 0 && child->limits.memory < MEMORY_MIN) {
        return config_loader_refuse(loader, path, "memory of at least %d bytes, or 0", MEMORY_MIN);
    }
    return TRP_OK;
}

/* A raise needs something to raise, and a ceiling that nobody uses would be ignored. */
static trp_status_t check_raise(config_loader_t *loader, const char *path,
                                const config_child_t *child)
{
    const bool raises = child->on_memory == CONFIG_ON_EXIT_RAISE;
    const int64_t memory = child->limits.memory, ceiling = child->limits.memory_ceiling;
    char option[CONFIG_PATH_MAX + 32];
    snprintf(option, sizeof(option), "%s.%s", path, raises ? "on_memory" : "memory_ceiling");
    if (raises && (memory == 0 || ceiling <= memory)) {
        return config_loader_refuse(loader, option,
                                    "with raise a limit `memory` and a memory_ceiling above it");
    }
    if (!raises && ceiling != 0) {
        return config_loader_refuse(loader, option, "memory_ceiling only with on_memory = raise");
    }
    return TRP_OK;
}

trp_status_t config_worker_finish(config_loader_t *loader, const char *path, zconfig_t *section,
                                  config_child_t *child)
{
    char option[CONFIG_PATH_MAX + 192];
    snprintf(option, sizeof(option), "%s.class", path);
    for (const trp_class_t *const *class = loader->classes; *class != NULL; class ++) {
        if (strcmp((*class)->name, child->class_name) == 0) {
            child->class = *class;
        }
    }
    if (child->class == NULL) {
        char names[96];
        return config_loader_refuse(loader, option, "a class of this program (%s), not \"%.40s\"",
                                    class_names(loader->classes, names, sizeof(names)),
                                    child->class_name);
    }
    if (child->program[0] != '\0' && child->place != TRP_PLACE_PROCESS) {
        return config_loader_refuse(loader, path, "`program` only with `place = process`");
    }
    if (check_limits(loader, path, child) != TRP_OK || check_raise(loader, path, child) != TRP_OK) {
        return TRP_CONFIG;
    }
    trp_fault_t bad = {0};
    trp_status_t status = config_args_build(child, zconfig_locate(section, "options"), &bad);
    if (status == TRP_PAYLOAD) {
        snprintf(option, sizeof(option), "%s.options.%s", path, bad.path);
        return config_loader_refuse(loader, option, "%s, not %s", bad.rule, bad.value);
    }
    return status;
}

static bool is_children(zconfig_t *item)
{
    return strcmp(zconfig_name(item), "children") == 0 && zconfig_value(item)[0] == '\0';
}

/* What only a worker has: it would be ignored. */
static trp_status_t check_branch_options(config_loader_t *loader, const char *path,
                                         zconfig_t *section)
{
    static const char *const of_workers[] = {"class",       "place",         "program",
                                             "mailbox_max", "mailbox_bytes", "memory_quota",
                                             "overflow",    "while_down"};
    for (size_t i = 0; i < sizeof(of_workers) / sizeof(of_workers[0]); i++) {
        if (zconfig_locate(section, of_workers[i]) != NULL) {
            char option[CONFIG_PATH_MAX];
            snprintf(option, sizeof(option), "%.*s.%s", CONFIG_PATH_MAX - 32, path, of_workers[i]);
            return config_loader_refuse(loader, option, "no `%s` with `type = supervisor`",
                                        of_workers[i]);
        }
    }
    return TRP_OK;
}

static trp_status_t read_branch(config_loader_t *loader, const char *path, zconfig_t *section,
                                config_child_t *child)
{
    child->branch = calloc(1, sizeof(*child->branch));
    if (child->branch == NULL) {
        return TRP_NO_MEMORY;
    }
    const config_target_t targets[] = {{CONFIG_CHILD_TYPE, child},
                                       {CONFIG_CHILD, child},
                                       {CONFIG_BRANCH, &child->branch->supervisor}};
    for (size_t i = 0; i < 3; i++) {
        option_defaults(&loader->tables[targets[i].table], targets[i].values);
    }
    child->type = CONFIG_SUPERVISOR;
    child->shutdown_ms = -1; /* its children have limits of their own */
    child->start_ms = 0;
    trp_status_t status = check_branch_options(loader, path, section);
    for (zconfig_t *item = zconfig_child(section); item != NULL && status == TRP_OK;
         item = zconfig_next(item)) {
        status = is_children(item) ? config_children_read(loader, path, item, child->branch)
                                   : config_loader_set(loader, path, item, targets, 3);
    }
    return status;
}

static trp_status_t read_worker(config_loader_t *loader, const char *path, zconfig_t *section,
                                config_child_t *child)
{
    const config_target_t targets[] = {
        {CONFIG_CHILD_TYPE, child}, {CONFIG_CHILD, child}, {CONFIG_LIMITS, &child->limits}};
    for (size_t i = 0; i < 3; i++) {
        option_defaults(&loader->tables[targets[i].table], targets[i].values);
    }
    trp_status_t status = config_loader_read(loader, path, section, targets, 3);
    return status == TRP_OK ? config_worker_finish(loader, path, section, child) : status;
}

/* `type` decides; without it, whether there are children. */
static bool is_supervisor(zconfig_t *section)
{
    const char *type = zconfig_get(section, "type", "");
    return strcmp(type, "supervisor") == 0 ||
           (type[0] == '\0' && zconfig_locate(section, "children") != NULL);
}

static trp_status_t read_child(config_loader_t *loader, const char *path, zconfig_t *section,
                               config_child_t *child)
{
    snprintf(child->id, sizeof(child->id), "%s", zconfig_name(section));
    return is_supervisor(section) ? read_branch(loader, path, section, child)
                                  : read_worker(loader, path, section, child);
}

/* Supervisors of the path "tree.children.a.children.b": it has two levels for each. */
static unsigned nested_depth(const char *path)
{
    unsigned dots = 0;
    for (; *path != '\0'; path++) {
        dots += *path == '.';
    }
    return dots / 2;
}

trp_status_t config_children_read(config_loader_t *loader, const char *path, zconfig_t *section,
                                  config_branch_t *branch)
{
    char parent[CONFIG_PATH_MAX];
    char own[2 * CONFIG_PATH_MAX];
    snprintf(parent, sizeof(parent), "%s.children", path);
    if (nested_depth(path) > CONFIG_NESTED_MAX) {
        return config_loader_refuse(loader, path, "at most %d supervisors above one another",
                                    CONFIG_NESTED_MAX);
    }
    branch->children = calloc(config_loader_count(section) + 1, sizeof(*branch->children));
    if (branch->children == NULL) {
        return TRP_NO_MEMORY;
    }
    for (zconfig_t *item = zconfig_child(section); item != NULL; item = zconfig_next(item)) {
        trp_status_t status = config_loader_name(loader, parent, item);
        if (status == TRP_OK) {
            snprintf(own, sizeof(own), "%s.%s", parent, zconfig_name(item));
            status = strlen(own) < CONFIG_PATH_MAX
                         ? read_child(loader, own, item, &branch->children[branch->child_count++])
                         : config_loader_refuse(loader, parent, "shorter names below it");
        }
        if (status != TRP_OK) {
            return status;
        }
    }
    return TRP_OK;
}

void config_children_free(config_branch_t *branch)
{
    for (size_t i = 0; i < branch->child_count; i++) {
        config_child_t *child = &branch->children[i];
        free(child->args);
        if (child->branch != NULL) {
            config_children_free(child->branch);
            free(child->branch);
        }
    }
    free(branch->children);
}
