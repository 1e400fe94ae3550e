/* SPDX-License-Identifier: MIT */
/* When time alone changes a task: its place in its pool's heap. */
#ifndef TRP_ACTORS_ROUTER_TASK_END_H
#define TRP_ACTORS_ROUTER_TASK_END_H

#include "actors/router/state/router_state.h"

/** The task whose `end` a heap gave. */
static inline task_t *task_of_end(heap_node_t *end)
{
    return (task_t *)((char *)end - offsetof(task_t, end));
}

int64_t task_end(const task_t *task);
/** To be called when that moment changed. */
void task_note_end(task_t *task);

#endif
