/* SPDX-License-Identifier: MIT */
/* A second pool that serves a share of a tool's calls, to be compared with the first or to take
 * them over, until it has all:
 *
 *     compare   the first pool answers all calls; a share of them is made in the second one as
 *               well, by tasks for which nobody waits (shadows), and the results are compared
 *     take      a share of the calls goes to the second pool
 *
 * The share is of keys where calls have one, so that a key stays on its side while the share grows.
 * A service of either pool points to the same rollout. Edge thread only. */
#ifndef TRP_ACTORS_ROUTER_ROLLOUT_H
#define TRP_ACTORS_ROUTER_ROLLOUT_H

#include "actors/router/histogram.h"
#include "actors/router/router_parts.h"

#define ROLLOUT_EXAMPLES 8 /* the last ones */

/** In the order of the choices of the option `rollout_mode`. */
typedef enum rollout_mode { ROLLOUT_COMPARE, ROLLOUT_TAKE } rollout_mode_t;

/** What became of the calls that one pool made. */
typedef struct rollout_side {
    uint64_t calls;
    uint64_t errors;  /* of its tools, and refused after they were accepted */
    uint64_t crashes; /* deaths of workers at them */
    histogram_t time; /* from the worker's start to its answer */
} rollout_side_t;

/** A difference that was found; bytes are kept up to a limit, else there are none. */
typedef struct rollout_example {
    char task_id[37];
    char path[128];
    zmq_msg_t input; /* a task_run */
    zmq_msg_t results[2];
} rollout_example_t;

struct rollout {
    service_t *first;
    service_t second; /* the same name, not in router->services */
    rollout_mode_t mode;
    int64_t share; /* percent; 0: off */
    int64_t since_ns;
    rollout_side_t sides[2]; /* since then, as all that follows */
    uint64_t shadows;
    uint64_t skipped; /* shadows that were not made: there was no room for them */
    uint64_t equal, different;
    uint64_t incomplete; /* one of the two had no result, or it was too large */
    rollout_example_t examples[ROLLOUT_EXAMPLES];
    uint64_t example_count; /* ever: the last ones are there */
    rollout_t *next;        /* in router->rollouts */
};

/** Begins to count anew. */
void rollout_reset(router_t *router, rollout_t *rollout);

/* ---- router_compare.c ---- */

/** Makes a call of the first pool in the second one as well, if there is room. */
void rollout_shadow(router_t *router, const task_t *task);
/** One of a pair was answered, or ends. */
void rollout_note_result(router_t *router, const task_t *task, const task_done_t *done);
void rollout_note_end(router_t *router, const task_t *task);

#endif
