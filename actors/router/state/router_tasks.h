/* SPDX-License-Identifier: MIT */
/* A task: its birth and end, who waits for it, and the queue that it is in. */
#ifndef TRP_ACTORS_ROUTER_TASKS_H
#define TRP_ACTORS_ROUTER_TASKS_H

#include "actors/router/state/router_state.h"

/** A task whose waiter has an id; its payload is empty. NULL: no memory */
task_t *task_new(router_t *router, service_t *service);
/** Takes it out of whatever it is in but its worker's tasks. */
void task_free(router_t *router, task_t *task);
/** Bytes of the body. */
size_t task_bytes(task_t *task);

/** Puts it into its pool's queue. False: no memory, it is in none. */
bool task_enqueue(task_t *task, bool in_front);
/** Takes it out of its queue; `served`: because its turn came. */
void task_dequeue(task_t *task, bool served);

/** Takes away the waiter with the earliest deadline when another one is left. False: it is the last
 * one, and stays. owns: `gone` is the caller's (router_waiter_gone) */
bool task_next_waiter(task_t *task, waiter_t *gone);
/** The same for the one whose answer goes there. */
bool task_take_waiter(task_t *task, const origin_t *origin, waiter_t *gone);
/** Until nobody wants the answer any more; INT64_MAX: that is not known. units: milliseconds, 1 and
 * more */
int64_t task_left_ms(const task_t *task, int64_t now_ns);
/** One more who waits. owns: takes the origin's peer on success. False: no memory */
bool task_join(task_t *task, const waiter_t *waiter);
/** Nobody waits for a running task any more; it only holds its worker's place. */
void router_all_answered(router_t *router, task_t *task);

#endif
