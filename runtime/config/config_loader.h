/* SPDX-License-Identifier: MIT */
/* What the files that read a configuration share: config.c (sections, pools), config_child.c
 * (children of the tree). One thread, for the time of one config_load. */
#ifndef TRP_RUNTIME_CONFIG_LOADER_H
#define TRP_RUNTIME_CONFIG_LOADER_H

#include <czmq.h>

#include "runtime/config/config_tables.h"

typedef struct config_loader {
    config_t *config;
    const trp_class_t *const *classes;
    const option_table_t *tables;
    const char *const *overrides;
    config_fault_t *fault;
} config_loader_t;

/** An option table and the struct that it fills. */
typedef struct config_target {
    int table;
    void *values;
} config_target_t;

/** Names the option, the rule, and where it was set. Returns TRP_CONFIG. */
TRP_PRINTF(3, 4)
trp_status_t config_loader_refuse(config_loader_t *loader, const char *option, const char *rule,
                                  ...);

/** Sets one option of section `path` in the first of `targets` that knows it. errors: TRP_CONFIG */
TRP_MUST_USE trp_status_t config_loader_set(config_loader_t *loader, const char *path,
                                            zconfig_t *item, const config_target_t *targets,
                                            size_t count);

/** All options of a section, but its section `options`, which belongs to a class and is read by
 * config_worker_finish. errors: TRP_CONFIG */
TRP_MUST_USE trp_status_t config_loader_read(config_loader_t *loader, const char *path,
                                             zconfig_t *section, const config_target_t *targets,
                                             size_t count);

/** A name that actors can be registered under. errors: TRP_CONFIG */
TRP_MUST_USE trp_status_t config_loader_name(config_loader_t *loader, const char *parent,
                                             zconfig_t *section);
size_t config_loader_count(zconfig_t *section);

/** Finds a worker's class and turns the section `options` into its arguments. errors: TRP_CONFIG,
 * TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t config_worker_finish(config_loader_t *loader, const char *path,
                                               zconfig_t *section, config_child_t *child);

/** The section `children` of the supervisor at `path`. owns: config_children_free, also after an
 * error. bounds: CONFIG_NESTED_MAX supervisors above one another. errors: TRP_CONFIG, TRP_NO_MEMORY
 */
TRP_MUST_USE trp_status_t config_children_read(config_loader_t *loader, const char *path,
                                               zconfig_t *section, config_branch_t *branch);
void config_children_free(config_branch_t *branch);

#endif
