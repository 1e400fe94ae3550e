/* SPDX-License-Identifier: MIT */
#include "runtime/core/cell.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define INSPECT_LOCKS 16

static size_t words_of(uint32_t capacity)
{
    return (capacity + 63u) / 64u;
}

trp_status_t cell_table_init(cell_table_t *table, uint32_t capacity)
{
    memset(table, 0, sizeof(*table));
    table->capacity = capacity;
    table->remote = calloc(words_of(capacity), sizeof(*table->remote));
    if (table->remote == NULL) {
        return TRP_NO_MEMORY;
    }
    void *cells = mmap(NULL, capacity * sizeof(cell_t), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (cells == MAP_FAILED) {
        free(table->remote);
        table->remote = NULL;
        return TRP_NO_MEMORY;
    }
    table->cells = cells;
    atomic_store_explicit(&table->used, 1, memory_order_relaxed); /* before any other thread */
    pthread_mutex_init(&table->lock, NULL);
    for (int i = 0; i < INSPECT_LOCKS; i++) {
        pthread_mutex_init(&table->inspect[i], NULL);
    }
    return TRP_OK;
}

void cell_table_fini(cell_table_t *table)
{
    munmap(table->cells, table->capacity * sizeof(cell_t));
    free(table->remote);
    pthread_mutex_destroy(&table->lock);
    for (int i = 0; i < INSPECT_LOCKS; i++) {
        pthread_mutex_destroy(&table->inspect[i]);
    }
}

static cell_t *take_new(cell_table_t *table)
{
    uint32_t slot = atomic_load_explicit(&table->used, memory_order_relaxed); /* under the lock */
    if (slot >= table->capacity) {
        return NULL;
    }
    cell_t *cell = &table->cells[slot];
    mailbox_init(&cell->mailbox);
    cell->slot = slot;
    atomic_store_explicit(&cell->generation, 1, memory_order_relaxed);
    /* Release: the lines above, to cell_at with a pid made up or from elsewhere. */
    atomic_store_explicit(&table->used, slot + 1, memory_order_release);
    return cell;
}

cell_t *cell_take(cell_table_t *table)
{
    pthread_mutex_lock(&table->lock);
    cell_t *cell = table->free_first;
    if (cell == NULL) {
        cell = take_new(table);
    } else {
        table->free_first = cell->run_next;
        if (table->free_first == NULL) {
            table->free_last = NULL;
        }
    }
    pthread_mutex_unlock(&table->lock);
    return cell;
}

void cell_release(cell_table_t *table, cell_t *cell)
{
    /* Release: a sender that finds the new generation finds the mailbox closed before it. */
    atomic_fetch_add_explicit(&cell->generation, 1, memory_order_release);
    uint64_t bit = 1ull << cell->slot % 64u;
    _Atomic uint64_t *word = &table->remote[cell->slot / 64u];
    /* Relaxed: a hint; a signal to a cell that has ended is dropped. */
    if ((atomic_load_explicit(word, memory_order_relaxed) & bit) != 0) {
        atomic_fetch_and_explicit(word, ~bit, memory_order_relaxed);
    }
    cell->run_next = NULL;
    pthread_mutex_lock(&table->lock);
    if (table->free_last == NULL) {
        table->free_first = cell;
    } else {
        table->free_last->run_next = cell;
    }
    table->free_last = cell;
    pthread_mutex_unlock(&table->lock);
}

cell_life_t *cell_life_make(cell_table_t *table, cell_t *cell)
{
    if (cell->life == NULL) {
        cell_life_t *life = calloc(1, sizeof(*life));
        if (life == NULL) {
            return NULL;
        }
        /* Relaxed: shown under the lock below, or by the runner itself. */
        atomic_store_explicit(&life->quota.used, cell->class->state_size, memory_order_relaxed);
        pthread_mutex_t *lock = cell_inspect_lock(table, cell);
        pthread_mutex_lock(lock);
        cell->life = life;
        pthread_mutex_unlock(lock);
    }
    return cell->life;
}

void cell_mark_remote(cell_table_t *table, const cell_t *cell)
{
    uint64_t bit = 1ull << cell->slot % 64u;
    /* Sequentially consistent: the mark comes before the send that depends on it, whose route is
     * looked up under the routes' lock; who ends a route does so first and then reads the marks. */
    atomic_fetch_or_explicit(&table->remote[cell->slot / 64u], bit, memory_order_seq_cst);
}

uint32_t cell_next_remote(cell_table_t *table, uint32_t slot)
{
    /* Acquire: as in cell_at. */
    uint32_t used = atomic_load_explicit(&table->used, memory_order_acquire);
    for (uint32_t at = slot + 1; at < used;) {
        uint64_t word = atomic_load_explicit(&table->remote[at / 64u], memory_order_seq_cst);
        word &= ~0ull << at % 64u;
        if (word != 0) {
            uint32_t found = (at & ~63u) + (uint32_t)__builtin_ctzll(word);
            return found < used ? found : 0;
        }
        at = (at & ~63u) + 64u;
    }
    return 0;
}
