/* SPDX-License-Identifier: MIT */
#include "runtime/core/timeout.h"

#include "runtime/log.h"

static trp_status_t start(worker_t *worker, const cell_t *cell, watch_t *row)
{
    row->timer.worker = worker->index;
    return timer_start(&worker->wheel, row->due_ns, cell->self, row->ref, &row->timer);
}

static void cancel(const trp_runtime_t *runtime, const timer_handle_t *handle)
{
    timer_cancel(&runtime->workers[handle->worker].wheel, handle);
}

trp_status_t timeout_start(worker_t *worker, cell_t *cell, watch_t *row)
{
    spare_timer_t *spare = &cell->life->spare;
    if (spare->timer.timer != NULL && spare->taken_by == 0 && spare->due_ns <= row->due_ns) {
        spare->taken_by = row->ref;
        return TRP_OK;
    }
    return start(worker, cell, row);
}

void timeout_end(const trp_runtime_t *runtime, cell_t *cell, const watch_t *row)
{
    spare_timer_t *spare = &cell->life->spare;
    if (spare->taken_by == row->ref) {
        spare->taken_by = 0;
    } else if (row->timer.timer != NULL && spare->timer.timer == NULL) {
        *spare = (spare_timer_t){.timer = row->timer, .due_ns = row->due_ns, .fires = row->ref};
    } else if (row->timer.timer != NULL) {
        cancel(runtime, &row->timer);
    }
}

watch_t *timeout_fired(worker_t *worker, cell_t *cell, uint64_t ref)
{
    if (cell->life == NULL || cell->life->spare.timer.timer == NULL ||
        cell->life->spare.fires != ref) {
        return NULL;
    }
    watch_t *row = watch_mine(&cell->life->mine, cell->life->spare.taken_by);
    cell->life->spare = (spare_timer_t){.taken_by = 0};
    if (row == NULL || row->due_ns <= runtime_clock(worker->runtime)) {
        return row;
    }
    if (start(worker, cell, row) != TRP_OK) {
        row->timer.timer = NULL;
        log_event(LOG_ERROR, "timer_lost", LOG_TEXT("rule", "memory"));
    }
    return NULL;
}

void timeout_drop(const trp_runtime_t *runtime, cell_t *cell)
{
    if (cell->life->spare.timer.timer != NULL) {
        cancel(runtime, &cell->life->spare.timer);
    }
}
