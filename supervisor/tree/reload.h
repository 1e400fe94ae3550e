/* SPDX-License-Identifier: MIT */
/* A running node reads its configuration again (SIGHUP) and takes over what it can:
 *
 *     the file is bad           nothing; the log names file, line and rule
 *     options looked up by use  in place
 *     rules of a pool           in place, and the router is told
 *     limits of processes       the tree's cells: they hold from the next start on
 *     all else                  named in the log: it needs a start
 *
 * Edge thread only. */
#ifndef TRP_SUPERVISOR_RELOAD_H
#define TRP_SUPERVISOR_RELOAD_H

#include "runtime/config/config.h"
#include "supervisor/tree/tree.h"

typedef struct reload {
    const char *path;             /* of the file */
    const char *const *overrides; /* as for config_load */
    const trp_class_t *const *classes;
    config_t *config; /* the running one, changed in place */
    tree_t *tree;
} reload_t;

/** Reads, compares, takes over, and tells the guardian, once all is done. */
void reload_now(const reload_t *reload, trp_ctx_t *ctx);

#endif
