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

#include "runtime/edge/channel.h"
#include "runtime/edge/edge.h"
#include "runtime/guardian/guardian.h"
#include "runtime/place/guardian_port.h"
#include "runtime/place/place_hub.h"

typedef struct node_options {
    const trp_class_t *const *classes; /* NULL-terminated: all that a worker process may run */
    uint32_t threads;                  /* pool threads */
    runtime_watch_t watch; /* without `fatal`: the node ends by SIGABRT, the guardian restarts it */
    int64_t start_ms;      /* for a worker process to say hello and be ready; 0 = 10000 */
    const char *box_folder; /* for black boxes of workers that died; NULL or "": in the run
                             * directory, with which they go */

    /** Makes the actors of the node; on the edge thread, before its loop. Not TRP_OK: the node ends
     * with exit status 1. */
    trp_status_t (*start)(void *user, trp_runtime_t *runtime);

    /** A stop signal came: let the tree drain and call node_end after. Edge thread. */
    void (*stop)(void *user, trp_runtime_t *runtime);

    /** SIGHUP: read the configuration again, then call node_reloaded. Edge thread; may be NULL. */
    void (*reload)(void *user, trp_runtime_t *runtime);
    void *user;
} node_options_t;

/** What a process stands on; zeroed members: the operating system, libzmq and the guardian of
 * `child`. A simulation gives its own. */
typedef struct node_ground {
    edge_options_t edge;
    guardian_port_t *guardian;
} node_ground_t;

typedef struct node node_t;

/** Makes a node whose start hook has been called; what is left is to run its edge. `error` (256
 * bytes) says what failed. errors: those of edge_create, runtime_create, hub_open and of the start
 * hook */
TRP_MUST_USE trp_status_t node_create(const node_options_t *options, const guardian_child_t *child,
                                      const node_ground_t *ground, node_t **node, char error[256]);

/** Ends all of it, wherever it stands, and clears the pointer. */
void node_destroy(node_t **node);

trp_runtime_t *node_runtime(const node_t *node);
edge_t *node_edge(const node_t *node);
const place_hub_t *node_hub(const node_t *node);

/** The main of the node process: use it as the guardian's node_main. Returns the exit status. */
int node_run(const node_options_t *options, const guardian_child_t *child);

/** The listening socket for clients that the service manager gave; it stays the node's. 0: none. */
int node_listener(trp_runtime_t *runtime);

/** Tells the guardian, and it the service manager, that the node serves; `status` for people. Edge
 * thread. */
void node_ready(trp_runtime_t *runtime, const char *status);

/** The same after a reload. log_level: of processes that are made from now on; 0: nothing was taken
 * over. */
void node_reloaded(trp_runtime_t *runtime, const char *status, int log_level);

/** Ends the node's loop: node_run returns `status`. threads: an actor's, or one that ends
 * before the runtime does, as when a release hook joins it */
void node_end(trp_runtime_t *runtime, int status);

/** A worker process: its runtime, its link and its root actor. */
typedef struct worker_process worker_process_t;

/** Makes one that has said hello; what is left is to run its edge. `child` must outlive it. errors:
 * those of edge_create, runtime_create and edge_connect, with `error` */
TRP_MUST_USE trp_status_t worker_create(const trp_class_t *const *classes,
                                        const guardian_child_t *child, const node_ground_t *ground,
                                        worker_process_t **worker, char error[256]);
void worker_destroy(worker_process_t **worker);
trp_runtime_t *worker_runtime(const worker_process_t *worker);
edge_t *worker_edge(const worker_process_t *worker);
const channel_t *worker_channel(const worker_process_t *worker);

/** The main of a worker process: use it as the guardian's worker_main. Returns the exit status. */
int worker_run(const trp_class_t *const *classes, const guardian_child_t *child);

/** What a program does when it is started with `--worker` (the option `program` of a child): reads
 * from its environment what the guardian gave it. Returns the exit status. */
int worker_exec(const trp_class_t *const *classes);

#endif
