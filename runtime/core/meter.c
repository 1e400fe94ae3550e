/* SPDX-License-Identifier: MIT */
#include "runtime/core/meter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/core/life.h"

#define STAMP_BITS 31
#define STAMP_MASK ((1u << STAMP_BITS) - 1)

_Static_assert(TRP_TRACE_STAMP >> STAMP_BITS == 1, "a stamp's mark is above its time");

trp_status_t meter_init(meter_table_t *table, uint32_t workers)
{
    memset(table, 0, sizeof(*table));
    /* Large and zero, so it is the kernel's until it is written: most classes never are. */
    table->rows = calloc((size_t)workers * METER_CLASSES, sizeof(meter_row_t));
    if (table->rows == NULL) {
        return TRP_NO_MEMORY;
    }
    pthread_mutex_init(&table->lock, NULL);
    return TRP_OK;
}

void meter_fini(meter_table_t *table)
{
    pthread_mutex_destroy(&table->lock);
    free(table->rows);
}

/* ---- classes: a closed hash table without removal ---- */

static uint32_t next_of(uint32_t index)
{
    return index % (METER_CLASSES - 1) + 1;
}

/* The index of a class, or of the free place for it; 0: neither. */
static uint32_t place_of(const meter_table_t *table, const trp_class_t *class)
{
    const uint32_t first = next_of((uint32_t)((uintptr_t) class >> 4));
    uint32_t index = first;
    do {
        /* Acquire: its name. */
        const trp_class_t *there =
            atomic_load_explicit(&table->classes[index].class, memory_order_acquire);
        if (there == class || there == NULL) {
            return index;
        }
        index = next_of(index);
    } while (index != first);
    return 0;
}

static void add_class(meter_table_t *table, const trp_class_t *class)
{
    pthread_mutex_lock(&table->lock);
    meter_class_t *row = &table->classes[place_of(table, class)];
    /* Relaxed: under the lock. */
    if (row != &table->classes[0] &&
        atomic_load_explicit(&row->class, memory_order_relaxed) == NULL) {
        snprintf(row->name, sizeof(row->name), "%s", class->name == NULL ? "" : class->name);
        row->is_proxy = (class->flags & TRP_CLASS_PROXY) != 0;
        /* Release: the name, and whether it is a proxy's. */
        atomic_store_explicit(&row->class, class, memory_order_release);
    }
    pthread_mutex_unlock(&table->lock);
}

uint8_t meter_class(meter_table_t *table, const trp_class_t *class)
{
    uint32_t index = place_of(table, class);
    /* Relaxed: it was there before, or the lock will tell. */
    if (index != 0 &&
        atomic_load_explicit(&table->classes[index].class, memory_order_relaxed) != class) {
        add_class(table, class);
        index = place_of(table, class);
    }
    return (uint8_t)index;
}

/* ---- noting ---- */

static meter_row_t *row_of(const worker_t *worker, uint8_t class)
{
    return &worker->runtime->meters.rows[worker->index * METER_CLASSES + class];
}

static void add(_Atomic uint64_t *sum, uint64_t more)
{
    /* Relaxed: only its own worker writes it; others show it. */
    atomic_store_explicit(sum, atomic_load_explicit(sum, memory_order_relaxed) + more,
                          memory_order_relaxed);
}

uint32_t meter_bucket(uint32_t units)
{
    if (units < 4) {
        return units;
    }
    const uint32_t top = 31u - (uint32_t)__builtin_clz(units);
    return (top - 1) * 4 + (units >> (top - 2)) % 4;
}

uint32_t meter_beyond(uint32_t bucket)
{
    return bucket < 4 ? bucket + 1 : (5 + bucket % 4) << (bucket / 4 - 1);
}

uint32_t meter_gap(worker_t *worker, uint32_t mean)
{
    return mean <= 1 ? 1 : 1 + (uint32_t)(worker_chance(worker) % (2 * mean - 1));
}

static uint32_t time_of(const trp_runtime_t *runtime)
{
    return (uint32_t)((uint64_t)runtime_clock(runtime) / METER_UNIT_NS) & STAMP_MASK;
}

void meter_stamp(trp_runtime_t *runtime, worker_t *worker, trp_envelope_t *envelope)
{
    if (worker != NULL) {
        worker->stamp_credit =
            meter_stamps_all(&runtime->meters) ? 1 : meter_gap(worker, METER_EVERY);
    }
    if (envelope->trace_id == 0 || (envelope->trace_id & TRP_TRACE_STAMP) != 0) {
        envelope->trace_id = TRP_TRACE_STAMP | time_of(runtime);
    }
}

void meter_took(worker_t *worker, const cell_t *cell, trp_envelope_t *envelope)
{
    if ((envelope->trace_id & TRP_TRACE_STAMP) == 0) {
        return;
    }
    const uint32_t units = (time_of(worker->runtime) - envelope->trace_id) & STAMP_MASK;
    envelope->trace_id = 0;
    if (meter_stamps_all(&worker->runtime->meters)) {
        meter_note_wait(&worker->runtime->meters, cell, units);
        if (worker_chance(worker) % METER_EVERY != 0) {
            return;
        }
    }
    meter_row_t *row = row_of(worker, cell->meter);
    _Atomic uint32_t *count = &row->queue[meter_bucket(units)];
    /* Relaxed, as above. */
    atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + 1,
                          memory_order_relaxed);
    if (units > atomic_load_explicit(&row->queue_max, memory_order_relaxed)) {
        atomic_store_explicit(&row->queue_max, units, memory_order_relaxed);
    }
}

void meter_run(worker_t *worker, cell_t *cell)
{
    const uint32_t weight = worker->time_weight;
    const uint8_t class = cell->meter;
    /* Relaxed: nobody else raises it while we run the cell. */
    const uint32_t generation = atomic_load_explicit(&cell->generation, memory_order_relaxed);
    worker->time_weight = worker->time_credit = meter_gap(worker, worker->clock_interval);
    const int64_t begin_ns = runtime_clock(worker->runtime);
    cell_run(worker, cell);
    const uint64_t took_ns = (uint64_t)(runtime_clock(worker->runtime) - begin_ns) * weight;
    add(&row_of(worker, class)->busy_ns, took_ns);
    /* Relaxed, all of it: the cell is not ours any more. Another worker may add as well; and an
     * actor that ends just now may leave the time of its last slice to the next in the cell. */
    if (atomic_load_explicit(&cell->generation, memory_order_relaxed) == generation) {
        atomic_fetch_add_explicit(&cell->busy_ns, took_ns, memory_order_relaxed);
    }
}

void meter_ended(worker_t *worker, const cell_t *cell)
{
    /* Relaxed: the runner's own. */
    add(&row_of(worker, cell->meter)->handled,
        atomic_load_explicit(&cell->handled, memory_order_relaxed));
}

/* ---- showing ---- */

void meter_sum_add(meter_sum_t *sum, const _Atomic uint32_t counts[METER_BUCKETS], uint32_t max)
{
    for (uint32_t bucket = 0; bucket < METER_BUCKETS; bucket++) {
        /* Relaxed: a snapshot. */
        const uint32_t count = atomic_load_explicit(&counts[bucket], memory_order_relaxed);
        sum->counts[bucket] += count;
        sum->count += count;
    }
    sum->max = max > sum->max ? max : sum->max;
}

uint64_t meter_share_ns(const meter_sum_t *sum, uint64_t percent)
{
    const uint64_t rank = (sum->count * percent + 99) / 100;
    uint64_t passed = 0;
    for (uint32_t bucket = 0; bucket < METER_BUCKETS && sum->count != 0; bucket++) {
        passed += sum->counts[bucket];
        if (passed >= rank) {
            const uint64_t beyond = meter_beyond(bucket);
            const uint64_t most = (uint64_t)sum->max + 1;
            return (beyond < most ? beyond : most) * METER_UNIT_NS;
        }
    }
    return 0;
}

uint64_t meter_max_ns(const meter_sum_t *sum)
{
    return sum->count == 0 ? 0 : ((uint64_t)sum->max + 1) * METER_UNIT_NS;
}

static void add_row(runtime_class_info_t *info, meter_sum_t *sum, const meter_row_t *row)
{
    /* Relaxed: a snapshot. */
    info->handled += atomic_load_explicit(&row->handled, memory_order_relaxed);
    info->busy_ns += atomic_load_explicit(&row->busy_ns, memory_order_relaxed);
    meter_sum_add(sum, row->queue, atomic_load_explicit(&row->queue_max, memory_order_relaxed));
}

/* Adds those that live now. */
static void add_living(trp_runtime_t *runtime, runtime_class_info_t infos[METER_CLASSES])
{
    const uint32_t used = atomic_load_explicit(&runtime->table.used, memory_order_acquire);
    for (uint32_t slot = 1; slot < used; slot++) {
        const cell_t *cell = &runtime->table.cells[slot];
        if (cell_phase(cell) == CELL_VACANT) {
            continue; /* spares the lock; who is born meanwhile may be missed */
        }
        pthread_mutex_t *lock = cell_inspect_lock(&runtime->table, cell);
        pthread_mutex_lock(lock);
        if (cell_phase(cell) != CELL_VACANT) {
            runtime_class_info_t *info = &infos[cell->meter];
            info->actors++;
            info->handled += atomic_load_explicit(&cell->handled, memory_order_relaxed);
        }
        pthread_mutex_unlock(lock);
    }
}

void runtime_classes(trp_runtime_t *runtime,
                     void (*each)(void *user, const runtime_class_info_t *info), void *user)
{
    const meter_table_t *table = &runtime->meters;
    runtime_class_info_t infos[METER_CLASSES] = {0};
    add_living(runtime, infos);
    for (uint32_t class = 0; class < METER_CLASSES; class ++) {
        runtime_class_info_t *info = &infos[class];
        meter_sum_t queue = {.count = 0};
        /* Acquire: the name. */
        const bool known =
            atomic_load_explicit(&table->classes[class].class, memory_order_acquire) != NULL;
        for (uint32_t i = 0; i < runtime->worker_count; i++) {
            add_row(info, &queue, &table->rows[i * METER_CLASSES + class]);
        }
        info->is_proxy = known && table->classes[class].is_proxy;
        info->name = class == 0 ? "(others)" : table->classes[class].name;
        info->sampled = queue.count;
        info->queue_p50_ns = meter_share_ns(&queue, 50);
        info->queue_p99_ns = meter_share_ns(&queue, 99);
        info->queue_max_ns = meter_max_ns(&queue);
        if (known || info->actors != 0 || info->handled != 0) {
            each(user, info);
        }
    }
}
