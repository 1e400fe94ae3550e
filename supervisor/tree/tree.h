/* SPDX-License-Identifier: MIT */
/* The supervision tree of a node, as specs made from its configuration:
 *
 *     root ── control, children of section `tree` ..., pool.NAME ..., router
 *                       └── children of a nested one   └── NAME.1, NAME.2 ...
 *
 * Started in this order and stopped in the reverse of it: the router, which has drained by then,
 * before the pools that it uses, and the control last, so that a stop can be watched. */
#ifndef TRP_SUPERVISOR_TREE_H
#define TRP_SUPERVISOR_TREE_H

#include "runtime/config/config.h"
#include "supervisor/control/names.h"
#include "supervisor/supervisor.h"

/** A supervisor of section `tree`, below the root. */
typedef struct tree_branch {
    trp_supervisor_spec_t spec;
    trp_bucket_t bucket;
    char path[CONFIG_PATH_MAX]; /* "tree.children.ID" */
} tree_branch_t;

/** Limits that a configuration gave; kept while the tree lives: a start may be reading them. */
typedef struct tree_limits {
    trp_limits_t limits;
    struct tree_limits *next;
} tree_limits_t;

/** What the children made from one part of the configuration share. */
typedef struct tree_cell {
    const config_child_t *of;
    trp_limits_cell_t cell;
    char path[CONFIG_PATH_MAX]; /* "tree.children.ID", "pools.NAME": trp_spawn_t.origin */
} tree_cell_t;

typedef struct tree {
    trp_supervisor_spec_t root;
    bool has_router;
    trp_child_spec_t *children; /* of the root, then of each branch */
    size_t child_count;         /* of all of them so far */
    tree_branch_t *branches;    /* each before those nested in it */
    size_t branch_count;
    trp_supervisor_spec_t *pools; /* one for each pool */
    trp_child_spec_t *workers;    /* of all pools, the templates first */
    size_t worker_count;
    trp_bucket_t *buckets; /* of the root, then of each pool, below it */
    tree_cell_t *cells;
    size_t cell_count;
    tree_limits_t *given;
} tree_t;

/** `classes`: of the program, NULL-terminated. Options and classes of `config` are used in place:
 * it must outlive the tree. owns: tree_free. errors: TRP_CONFIG with `fault`, TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t tree_build(const config_t *config, const trp_class_t *const *classes,
                                     tree_t **tree, config_fault_t *fault);

/** Limits of processes that are started from now on: those that the configuration, which the tree
 * was built from, has now. Edge thread; the tree's supervisors may run. errors: TRP_NO_MEMORY, and
 * nothing is changed for what comes behind */
TRP_MUST_USE trp_status_t tree_take_limits(tree_t *tree);

/** Children made from that part of the configuration are to run in a process of their own, shown as
 * quarantined. Before the tree starts. Returns NULL, or why it can't be. */
const char *tree_quarantine(tree_t *tree, const char *path);
void tree_free(tree_t **tree);

#endif
