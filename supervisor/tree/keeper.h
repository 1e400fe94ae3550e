/* SPDX-License-Identifier: MIT */
/* The keeper of a node's life, an actor (name `node`, on the edge): starts the tree, says ready,
 * and on TRP_TAG_STOP lets the router drain, stops the tree and ends the node.
 *
 *   starting --root up--> serving --stop--> draining --drained, late--> stopping --root down--> end
 */
#ifndef TRP_SUPERVISOR_KEEPER_H
#define TRP_SUPERVISOR_KEEPER_H

#include "runtime/config/config.h"
#include "supervisor/control/names.h"
#include "supervisor/tree/tree.h"

enum { KEEPER_TAG_RELOAD = 0x05f8 };

/** The message for its init; all of it must outlive the runtime. */
typedef struct keeper_args {
    const config_t *config;
    const tree_t *tree;
    /** Called once, on the edge, when all of the tree is ready; may be NULL. */
    void (*ready)(void *user, trp_runtime_t *runtime);
    /** Called on the edge when KEEPER_TAG_RELOAD came from outside of the actors; may be NULL. */
    void (*reload)(void *user, trp_ctx_t *ctx);
    void *user;
} keeper_args_t;

extern const trp_class_t keeper_class;

#endif
