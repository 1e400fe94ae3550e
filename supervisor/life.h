/* SPDX-License-Identifier: MIT */
/* A node's life, as an actor (name `node`, on the edge): starts the tree, says ready, and on
 * TRP_TAG_STOP lets the router drain, stops the tree and ends the node.
 *
 *     starting --root up--> serving --stop--> draining --drained, late--> stopping --root down--> end
 */
#ifndef TRP_SUPERVISOR_LIFE_H
#define TRP_SUPERVISOR_LIFE_H

#include "runtime/config.h"
#include "supervisor/tree.h"

#define LIFE_NAME "node"

/** The message for its init; all of it must outlive the runtime. */
typedef struct life_args {
    const config_t *config;
    const tree_t *tree;
    /** Called once, on the edge, when all of the tree is ready; may be NULL. */
    void (*ready)(void *user, trp_runtime_t *runtime);
    void *user;
} life_args_t;

extern const trp_class_t life_class;

#endif
