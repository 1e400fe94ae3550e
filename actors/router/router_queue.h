/* SPDX-License-Identifier: MIT */
/* A queue of tasks: by priority, then round robin over the clients that wait, then first in, first
 * out for each client; so a greedy client can't starve others. With `fair` off all clients are one.
 * All costs are constant. Edge thread only.
 *
 *     priority 9   ring:  client a [task task task]  ->  client c [task]  -> (a)
 *     priority 5   ring:  client b [task task]  -> (b)
 */
#ifndef TRP_ACTORS_ROUTER_QUEUE_H
#define TRP_ACTORS_ROUTER_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUEUE_PRIORITIES       10
#define QUEUE_PRIORITY_DEFAULT 4

typedef struct task task_t;
typedef struct lane lane_t;

/** Zeroed: empty and not fair. */
typedef struct queue {
    lane_t *lanes; /* hash by priority and client */
    lane_t *rings[QUEUE_PRIORITIES];
    lane_t *spare; /* an empty lane, kept so that putting one client's tasks allocates nothing */
    uint32_t count;
    bool fair;
} queue_t;

/** Frees the lanes; the tasks must have been taken. */
void queue_fini(queue_t *queue);

/** Puts a task behind, or before, the others of its client. False: no memory. */
bool queue_put(queue_t *queue, task_t *task, bool in_front);

/** Moves a task from the queue that it is in. False: no memory, nothing changed. */
bool queue_move(queue_t *to, task_t *task);

/** Takes a task out, wherever it is. */
void queue_remove(queue_t *queue, task_t *task);

/** The task whose turn it is; NULL: empty. */
task_t *queue_first(const queue_t *queue);

/** queue_remove for the task whose turn it is: the next turn is another client's. */
void queue_took(queue_t *queue, task_t *task);

#endif
