/* SPDX-License-Identifier: MIT */
/* How long the messages of a single actor wait, while somebody asks. */
#include "runtime/core/meter.h"

#include "runtime/core/life.h"

_Static_assert(RUNTIME_WAITS_ROWS == METER_BUCKETS, "a row for each bucket");

/* What tells one actor of this runtime from all others; never 0: generations begin with 1. */
static uint64_t key_of(uint32_t slot, uint32_t generation)
{
    return (uint64_t)generation << 32 | slot;
}

void meter_note_wait(meter_table_t *table, const cell_t *cell, uint32_t units)
{
    /* Relaxed: the runner's own. */
    const uint64_t actor =
        key_of(cell->slot, atomic_load_explicit(&cell->generation, memory_order_relaxed));
    for (uint32_t i = 0; i < METER_WAITS; i++) {
        meter_wait_t *wait = &table->waits[i];
        /* Acquire: the counts as who asks has cleared them. */
        if (atomic_load_explicit(&wait->actor, memory_order_acquire) != actor) {
            continue;
        }
        /* Relaxed: sums. Only the actor's runner comes here, or one that is late: it may note its
         * last message for who asks next. */
        atomic_fetch_add_explicit(&wait->queue[meter_bucket(units)], 1, memory_order_relaxed);
        if (units > atomic_load_explicit(&wait->queue_max, memory_order_relaxed)) {
            atomic_store_explicit(&wait->queue_max, units, memory_order_relaxed);
        }
    }
}

/* In the pool of this runtime, where its messages wait. */
static trp_status_t find(trp_runtime_t *runtime, trp_pid_t actor)
{
    const cell_t *cell = cell_at(&runtime->table, actor.slot);
    if (cell == NULL) {
        return TRP_NOT_FOUND;
    }
    pthread_mutex_t *lock = cell_inspect_lock(&runtime->table, cell);
    pthread_mutex_lock(lock);
    const bool lives = cell_phase(cell) != CELL_VACANT && trp_pid_equal(cell->self, actor);
    const trp_status_t status = !lives                ? TRP_NOT_FOUND
                                : cell_is_proxy(cell) ? TRP_UNSUPPORTED
                                                      : TRP_OK;
    pthread_mutex_unlock(lock);
    return status;
}

/* With the lock. NULL: none is free. */
static meter_wait_t *free_wait(meter_table_t *table)
{
    for (uint32_t i = 0; i < METER_WAITS; i++) {
        if (atomic_load_explicit(&table->waits[i].actor, memory_order_relaxed) == 0) {
            return &table->waits[i];
        }
    }
    return NULL;
}

trp_status_t runtime_waits_begin(trp_runtime_t *runtime, trp_pid_t actor, uint32_t *result)
{
    meter_table_t *table = &runtime->meters;
    const trp_status_t status = find(runtime, actor);
    if (status != TRP_OK) {
        return status;
    }
    pthread_mutex_lock(&table->lock);
    meter_wait_t *wait = free_wait(table);
    if (wait != NULL) {
        for (uint32_t bucket = 0; bucket < METER_BUCKETS; bucket++) {
            atomic_store_explicit(&wait->queue[bucket], 0, memory_order_relaxed); /* see below */
        }
        atomic_store_explicit(&wait->queue_max, 0, memory_order_relaxed);
        /* Release: the lines above. */
        atomic_store_explicit(&wait->actor, key_of(actor.slot, actor.generation),
                              memory_order_release);
        atomic_fetch_add_explicit(&table->waiting, 1, memory_order_relaxed); /* a hint */
        *result = (uint32_t)(wait - table->waits);
    }
    pthread_mutex_unlock(&table->lock);
    return wait == NULL ? TRP_FULL : TRP_OK;
}

void runtime_waits_read(const trp_runtime_t *runtime, uint32_t index, runtime_waits_t *waits)
{
    const meter_wait_t *wait = &runtime->meters.waits[index];
    meter_sum_t sum = {.count = 0};
    /* Relaxed: a snapshot. */
    meter_sum_add(&sum, wait->queue, atomic_load_explicit(&wait->queue_max, memory_order_relaxed));
    *waits = (runtime_waits_t){.count = sum.count,
                               .p50_ns = meter_share_ns(&sum, 50),
                               .p90_ns = meter_share_ns(&sum, 90),
                               .p99_ns = meter_share_ns(&sum, 99),
                               .max_ns = meter_max_ns(&sum)};
    for (uint32_t bucket = 0; bucket < METER_BUCKETS; bucket++) {
        if (sum.counts[bucket] != 0) {
            waits->row[waits->rows].below_ns = (uint64_t)meter_beyond(bucket) * METER_UNIT_NS;
            waits->row[waits->rows++].count = sum.counts[bucket];
        }
    }
}

void runtime_waits_end(trp_runtime_t *runtime, uint32_t index)
{
    meter_table_t *table = &runtime->meters;
    pthread_mutex_lock(&table->lock);
    /* Relaxed, both: a late runner is told of in meter_note_wait. */
    atomic_store_explicit(&table->waits[index].actor, 0, memory_order_relaxed);
    atomic_fetch_sub_explicit(&table->waiting, 1, memory_order_relaxed);
    pthread_mutex_unlock(&table->lock);
}
