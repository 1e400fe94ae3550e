/* SPDX-License-Identifier: MIT */
/* The guardian: the parent of a node and of its worker processes. One thread, no ZeroMQ context in
 * use, so that it may fork at any time; it alone hears SIGINT, SIGTERM and SIGHUP. It must run
 * before the process has made a thread or a context. */
#ifndef TRP_RUNTIME_GUARDIAN_H
#define TRP_RUNTIME_GUARDIAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/guardian/culprit.h"
#include "runtime/guardian/guardian_proto.h"
#include "runtime/guardian/quarantine.h"

/** What a child of the guardian knows of itself. */
typedef struct guardian_child {
    uint32_t node;        /* number of the process in pids: trp_node_worker(node, index) */
    uint32_t incarnation; /* of the process; a node gives its workers those above its own */
    int fd; /* the node: its end of the pair to the guardian; a worker: its black box, or -1 */
    unsigned char token[GUARDIAN_TOKEN_SIZE]; /* a worker: what proves it to its node */
    const char *run_dir;
    int listener;                   /* a node: the socket for clients that it was given; 0: none */
    bool reloaded;                  /* a node before it took over a changed file: read it again */
    culprit_page_t *culprit;        /* a node: where it says of whom it dies; NULL: nowhere */
    const quarantine_t *quarantine; /* a node: who is moved out of it; NULL: nobody */
} guardian_child_t;

typedef struct guardian_options {
    const char *name;            /* of the node, for the lock and for logs */
    const char *run_dir;         /* made when missing, mode 0700 */
    uint32_t node;               /* number of the node: trp_node_worker(node, 0) */
    int64_t stop_ms;             /* from a stop signal to SIGKILL for all that is left */
    size_t workers_max;          /* worker processes at a time; 0 = 1024 */
    uint32_t quarantine_after;   /* deaths of the node by one child ...; 0: it is never moved */
    int64_t quarantine_window_s; /* ... within this time move it into a process of its own */

    /** The main of a child; what it returns is its exit status. A node that exits by itself ends
     * the guardian with the same status; one that dies of a signal is started again. */
    int (*node_main)(void *user, const guardian_child_t *child);
    int (*worker_main)(void *user, const guardian_child_t *child);
    void *user;
} guardian_options_t;

/** Holds the run directory, starts the node, and serves it until it ends. Returns the exit status
 * for main: the node's, or 1 with a line on standard error that says why (run directory in use by
 * another guardian, named with its pid; node died too often). A first SIGINT or SIGTERM is passed
 * to the node as GUARDIAN_STOP; a second SIGINT kills all. SIGHUP is passed as GUARDIAN_RELOAD.
 * When it returns, no child is left and the files of the run directory are gone. */
int guardian_run(const guardian_options_t *options);

/** The user's run directory for a node: $XDG_RUNTIME_DIR/troupe/NAME, else /tmp/troupe-UID/NAME.
 * errors: TRP_TOO_LARGE */
TRP_MUST_USE trp_status_t guardian_run_dir(const char *name, char *path, size_t size);

#endif
