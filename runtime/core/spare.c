/* SPDX-License-Identifier: MIT */
#include "runtime/core/spare.h"

#include "runtime/core/watchdog.h"
#include "runtime/log.h"

static bool is_stopping(const trp_runtime_t *runtime)
{
    return atomic_load_explicit(&runtime->stopping, memory_order_seq_cst);
}

static void enlist(trp_runtime_t *runtime, uint32_t index)
{
    worker_t *worker = &runtime->workers[index];
    const trp_host_t *host = runtime->host;
    /* Sequentially consistent: before it looks for work, so that the others count it in. */
    atomic_fetch_or_explicit(&runtime->live, 1ull << index, memory_order_seq_cst);
    if (worker->thread != NULL) {
        atomic_store_explicit(&worker->rests, false, memory_order_seq_cst);
        atomic_store_explicit(&worker->parked, 0, memory_order_seq_cst);
        host->wake(host->user, &worker->parked);
    } else if (worker_start(worker) != TRP_OK) {
        atomic_fetch_and_explicit(&runtime->live, ~(1ull << index), memory_order_seq_cst);
        log_event(LOG_ERROR, "spare_not_started", LOG_INT("worker", index));
        return;
    }
    log_event(LOG_INFO, "spare_started", LOG_INT("worker", index));
}

static void dismiss(trp_runtime_t *runtime, uint32_t index)
{
    worker_t *worker = &runtime->workers[index];
    /* Sequentially consistent: if it parks now it sees this, or we see it parked. */
    atomic_store_explicit(&worker->rests, true, memory_order_seq_cst);
    (void)scheduler_wake(runtime, index);
    log_event(LOG_INFO, "spare_rests", LOG_INT("worker", index));
}

void spare_balance(trp_runtime_t *runtime)
{
    const uint64_t live = atomic_load_explicit(&runtime->live, memory_order_seq_cst);
    const uint64_t free = live & ~watchdog_stuck(runtime);
    const uint32_t count = (uint32_t)__builtin_popcountll(free);
    const uint32_t wanted = runtime->first_spare - runtime->first_pool;
    for (uint32_t i = runtime->first_spare; i < runtime->worker_count; i++) {
        const bool is_live = (live >> i & 1) != 0;
        if (is_live && atomic_load_explicit(&runtime->workers[i].rests, memory_order_seq_cst)) {
            return; /* on its way to rest */
        }
    }
    for (uint32_t i = runtime->first_spare; i < runtime->worker_count; i++) {
        const bool is_live = (live >> i & 1) != 0;
        if (count < wanted && !is_live) {
            enlist(runtime, i);
            return;
        }
        if (count > wanted && (free >> i & 1) != 0) {
            dismiss(runtime, i);
            return;
        }
    }
}

/* All that it would run goes to the others. */
static void give_away(worker_t *worker)
{
    trp_runtime_t *runtime = worker->runtime;
    worker->runs_pool = false; /* what it makes ready from now on goes to the inject queue */
    /* Acquire-release: as any hand-over of a cell; the sentinel may be quicker. */
    cell_t *cell = atomic_exchange_explicit(&worker->lifo, NULL, memory_order_acq_rel);
    if (cell == NULL) {
        cell = runq_pop(&worker->queue);
    }
    while (cell != NULL) {
        scheduler_ready(runtime, worker, cell);
        cell = runq_pop(&worker->queue);
    }
}

void spare_rest(worker_t *worker)
{
    trp_runtime_t *runtime = worker->runtime;
    const trp_host_t *host = runtime->host;
    const uint64_t bit = 1ull << worker->index;
    scheduler_stop_search(worker);
    give_away(worker);
    /* Who pushed while we were a searcher woke nobody. */
    if (scheduler_has_work(runtime)) {
        scheduler_notify(runtime);
    }
    /* Sequentially consistent: from here on the others need not look after it. */
    atomic_fetch_and_explicit(&runtime->live, ~(1ull << worker->index), memory_order_seq_cst);
    /* It may have been the sentinel, and those who parked meanwhile are not: one of them looks
     * around, parks again, and takes the office. */
    scheduler_notify(runtime);
    for (;;) {
        scheduler_turn_wheel(worker, worker, runtime_clock(runtime));
        /* Sequentially consistent, all: who ends the rest clears `rests` or sets `stopping`, then
         * clears this word. */
        atomic_store_explicit(&worker->parked, 1, memory_order_seq_cst);
        if (is_stopping(runtime) || !atomic_load_explicit(&worker->rests, memory_order_seq_cst)) {
            break;
        }
        /* Called and sent back before this thread ran: that it is live again would say for ever
         * that it is on its way here. */
        atomic_fetch_and_explicit(&runtime->live, ~bit, memory_order_seq_cst);
        host->sleep(host->user, &worker->parked, 1, timer_next_ns(&worker->wheel));
    }
    /* Who called may have said so before the line above. */
    atomic_fetch_or_explicit(&runtime->live, bit, memory_order_seq_cst);
    atomic_store_explicit(&worker->parked, 0, memory_order_seq_cst);
    worker->runs_pool = true;
}
