/* SPDX-License-Identifier: MIT */
/* The supervision tree of a node, as specs made from its configuration:
 *
 *     root ── control, children of section `tree` ..., pool.NAME ..., router
 *                                                       └── NAME.1, NAME.2 ...
 *
 * Started in this order and stopped in the reverse of it: the router, which has drained by then,
 * before the pools that it uses, and the control last, so that a stop can be watched. */
#ifndef TRP_SUPERVISOR_TREE_H
#define TRP_SUPERVISOR_TREE_H

#include "runtime/config.h"
#include "supervisor/supervisor.h"

#define TREE_ROOT   "root"
#define TREE_ROUTER "router"

typedef struct tree {
    trp_supervisor_spec_t root;
    bool has_router;
    trp_child_spec_t *children;   /* of the root */
    trp_supervisor_spec_t *pools; /* one for each pool */
    trp_child_spec_t *workers;    /* of all pools, the templates first */
    trp_bucket_t *buckets;        /* of the root, then of each pool, below it */
} tree_t;

/** `classes`: of the program, NULL-terminated. Options and classes of `config` are used in place:
 * it must outlive the tree. `error` (256 bytes) says what is wrong. owns: tree_free. errors:
 * TRP_CONFIG with `error`, TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t tree_build(const config_t *config, const trp_class_t *const *classes,
                                     tree_t **tree, char error[256]);
void tree_free(tree_t **tree);

#endif
