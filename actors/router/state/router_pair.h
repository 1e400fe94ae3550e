/* SPDX-License-Identifier: MIT */
/* Calls of which a second pool makes a shadow, with theirs: until both have a result, or one ends
 * without; and the rollouts that they are of (pool/router_rollout.h). */
#ifndef TRP_ACTORS_ROUTER_PAIR_H
#define TRP_ACTORS_ROUTER_PAIR_H

#include "actors/router/base/histogram.h"
#include "actors/router/state/router_state.h"

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

/* A call and its shadow. */
struct pair {
    const task_t *tasks[2]; /* by side; as keys only: they may have ended */
    bool has_result[2];
    zmq_msg_t results[2];
    zmq_msg_t input;
    rollout_t *rollout;
    char task_id[37];
    uint64_t request_id;  /* while it is compared */
    UT_hash_handle hh[2]; /* in router->pairs.of_task, while its task is under way */
    UT_hash_handle hh_id; /* in router->pairs.compared */
};

/** A task for which nobody waits: its result is compared and goes nowhere. */
static inline bool task_is_shadow(const task_t *task)
{
    return task->service->is_second && task->waiter.origin.peer == NULL &&
           trp_pid_is_none(task->waiter.origin.actor.to);
}

/** A call and its shadow. NULL: no memory */
pair_t *pair_new(router_t *router, const task_t *task, const task_t *shadow);
/** NULL: the task is in none. */
pair_t *pair_find(const router_t *router, const task_t *task);
/** Takes it out of the table of one side. */
void pair_leave(router_t *router, pair_t *pair, size_t side);
void pair_free(router_t *router, pair_t *pair);
/** One of the two has no result: there is nothing to compare. */
void pair_give_up(router_t *router, pair_t *pair);
/** A task of a rollout ends. */
void pair_end(router_t *router, const task_t *task);
/** Gives up the comparisons that wait for an answer; `all`: frees all pairs. */
void router_drop_pairs(router_t *router, bool all);

#endif
