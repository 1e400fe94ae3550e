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

#include "actors/router/state/router_state.h"

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
