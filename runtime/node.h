/* SPDX-License-Identifier: MIT */
/* The node process: one runtime with its edge on the main thread, under a guardian.
 *
 *     guardian_run  -> (fork) node_run   : start hook makes the tree; the edge loop runs
 *                   -> (fork) worker_run : one worker process each, asked for by the place
 * `process`
 *
 * A stop signal reaches the stop hook, once; when the tree has ended, its owner calls node_end. */
#ifndef TRP_RUNTIME_NODE_H
#define TRP_RUNTIME_NODE_H

#include "runtime/guardian.h"
#include "runtime/runtime.h"

typedef struct node_options {
    const trp_class_t *const *classes; /* NULL-terminated: all that a worker process may run */
    uint32_t threads;                  /* pool threads */
    int64_t start_ms; /* for a worker process to say hello and be ready; 0 = 10000 */

    /** Makes the actors of the node; on the edge thread, before its loop. Not TRP_OK: the node ends
     * with exit status 1. */
    trp_status_t (*start)(void *user, trp_runtime_t *runtime);

    /** A stop signal came: let the tree drain and call node_end after. Edge thread. */
    void (*stop)(void *user, trp_runtime_t *runtime);
    void *user;
} node_options_t;

/** The main of the node process: use it as the guardian's node_main. Returns the exit status. */
int node_run(const node_options_t *options, const guardian_child_t *child);

/** Ends the node's loop: node_run returns `status`. Any thread. */
void node_end(trp_runtime_t *runtime, int status);

/** The main of a worker process: use it as the guardian's worker_main. Returns the exit status. */
int worker_run(const trp_class_t *const *classes, const guardian_child_t *child);

/** What a program does when it is started with `--worker` (the option `program` of a child): reads
 * from its environment what the guardian gave it. Returns the exit status. */
int worker_exec(const trp_class_t *const *classes);

#endif
