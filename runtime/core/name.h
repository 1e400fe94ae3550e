/* SPDX-License-Identifier: MIT */
/* An actor's name: in the registry here and, where this is not the node, in the node's as well. On
 * the thread that makes, runs or ends the actor. */
#ifndef TRP_RUNTIME_NAME_H
#define TRP_RUNTIME_NAME_H

#include "runtime/core/scheduler.h"

/** Who has to know of it. */
typedef enum name_scope {
    NAME_ALL,   /* the node is asked: a round trip */
    NAME_KNOWN, /* the node knows already: it has chosen the name */
} name_scope_t;

/** Names a cell that has none. errors: TRP_EXISTS, TRP_INVALID, TRP_NO_MEMORY, those of the way to
 * the node */
TRP_MUST_USE trp_status_t name_take(trp_runtime_t *runtime, cell_t *cell, const char *name,
                                    name_scope_t scope);

/** Nobody finds it any more. */
void name_drop(trp_runtime_t *runtime, const cell_t *cell);

#endif
