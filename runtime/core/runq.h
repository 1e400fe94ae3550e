/* SPDX-License-Identifier: MIT */
/* A run queue: cells that are ready, first in first out. One mutex (6 ns when nobody else wants it;
 * a lock-free deque was not worth its complexity), a leaf in the lock order. */
#ifndef TRP_RUNTIME_RUNQ_H
#define TRP_RUNTIME_RUNQ_H

#include <pthread.h>

#include "runtime/core/cell.h"

typedef struct runq {
    _Alignas(64) pthread_mutex_t lock;
    cell_t *first, *last;
    _Atomic uint32_t count; /* written under the lock; a hint outside */
} runq_t;

void runq_init(runq_t *queue);
void runq_fini(runq_t *queue);

/** Adds at the tail; the number of cells in it now. */
uint32_t runq_push(runq_t *queue, cell_t *cell);

/** The oldest, or NULL. */
cell_t *runq_pop(runq_t *queue);

/** Whether there is something for sure or not: under the lock, for who is about to sleep. */
bool runq_is_empty(runq_t *queue);

/** Moves the older half of `victim` (rounded up) to `thief`, save its first cell, which is
 * returned. NULL: there was nothing. */
cell_t *runq_steal(runq_t *victim, runq_t *thief);

/** How many, as a hint without the lock. */
static inline uint32_t runq_count(const runq_t *queue)
{
    return atomic_load_explicit(&queue->count, memory_order_relaxed);
}

#endif
