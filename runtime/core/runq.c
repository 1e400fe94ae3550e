/* SPDX-License-Identifier: MIT */
#include "runtime/core/runq.h"

void runq_init(runq_t *queue)
{
    *queue = (runq_t){.first = NULL};
    pthread_mutex_init(&queue->lock, NULL);
}

void runq_fini(runq_t *queue)
{
    pthread_mutex_destroy(&queue->lock);
}

/* Relaxed, all three: written under the lock, read as a hint. */
static uint32_t count_add(runq_t *queue, uint32_t change)
{
    uint32_t count = atomic_load_explicit(&queue->count, memory_order_relaxed) + change;
    atomic_store_explicit(&queue->count, count, memory_order_relaxed);
    return count;
}

static void append(runq_t *queue, cell_t *first, cell_t *last)
{
    last->run_next = NULL;
    if (queue->last == NULL) {
        queue->first = first;
    } else {
        queue->last->run_next = first;
    }
    queue->last = last;
}

uint32_t runq_push(runq_t *queue, cell_t *cell)
{
    pthread_mutex_lock(&queue->lock);
    append(queue, cell, cell);
    uint32_t count = count_add(queue, 1);
    pthread_mutex_unlock(&queue->lock);
    return count;
}

cell_t *runq_pop(runq_t *queue)
{
    if (runq_count(queue) == 0) {
        return NULL;
    }
    pthread_mutex_lock(&queue->lock);
    cell_t *cell = queue->first;
    if (cell != NULL) {
        queue->first = cell->run_next;
        if (queue->first == NULL) {
            queue->last = NULL;
        }
        count_add(queue, (uint32_t)-1);
    }
    pthread_mutex_unlock(&queue->lock);
    return cell;
}

bool runq_is_empty(runq_t *queue)
{
    pthread_mutex_lock(&queue->lock);
    bool empty = queue->first == NULL;
    pthread_mutex_unlock(&queue->lock);
    return empty;
}

cell_t *runq_steal(runq_t *victim, runq_t *thief)
{
    if (runq_count(victim) == 0) {
        return NULL;
    }
    pthread_mutex_lock(&victim->lock);
    uint32_t half = (runq_count(victim) + 1) / 2;
    cell_t *first = victim->first;
    cell_t *last = first;
    for (uint32_t i = 1; i < half; i++) {
        last = last->run_next;
    }
    if (first != NULL) {
        victim->first = last->run_next;
        if (victim->first == NULL) {
            victim->last = NULL;
        }
        count_add(victim, -half);
    }
    pthread_mutex_unlock(&victim->lock);
    if (first == NULL || first == last) {
        return first;
    }
    /* one lock at a time: two thieves that rob each other cannot deadlock */
    pthread_mutex_lock(&thief->lock);
    append(thief, first->run_next, last);
    count_add(thief, half - 1);
    pthread_mutex_unlock(&thief->lock);
    return first;
}
