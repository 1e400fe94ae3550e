/* SPDX-License-Identifier: MIT */
#include "runtime/core/runtime.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/core/context.h"
#include "runtime/core/defer.h"
#include "runtime/core/keep.h"
#include "runtime/core/life.h"
#include "runtime/core/overflow.h"
#include "runtime/core/room.h"
#include "runtime/core/watchdog.h"
#include "runtime/log.h"
#include "runtime/snapshot.h"

#define CELLS_DEFAULT (1u << 20)
#define CELLS_MAX     (1u << 28)

static void worker_init(trp_runtime_t *runtime, uint32_t index, uint32_t slice_edge)
{
    worker_t *worker = &runtime->workers[index];
    const trp_host_t *host = runtime->host;
    worker->runtime = runtime;
    worker->index = index;
    worker->is_edge = index < runtime->first_pool;
    worker->runs_pool = !worker->is_edge || runtime->first_pool == runtime->first_spare;
    worker->has_peers = !worker->is_edge && runtime->first_spare - runtime->first_pool > 1;
    worker->slice_max = worker->is_edge ? slice_edge : SLICE_WORK;
    worker->clock_credit = worker->clock_interval = 1;
    worker->time_credit = worker->time_weight = worker->stamp_credit = 1;
    worker->poll_credit = worker->poll_interval = 1;
    worker->spin_rounds = 1;
    share_init(&worker->share);
    worker->now_ns = host->now_ns(host->user);
    worker->sender = (sender_t){runtime, worker};
    worker->ctx = (struct trp_ctx){.runtime = runtime, .worker = worker};
    for (size_t i = 0; i < sizeof(worker->chance) / sizeof(worker->chance[0]); i++) {
        worker->chance[i] = host->chance(host->user) | 1; /* never all zero */
    }
    runq_init(&worker->queue);
    runq_init(&worker->held);
    timer_wheel_init(&worker->wheel, worker->now_ns);
}

static trp_status_t make_workers(trp_runtime_t *runtime, const runtime_options_t *options)
{
    runtime->first_pool = options->edge.park != NULL ? 1 : 0;
    runtime->first_spare = runtime->first_pool + options->threads;
    runtime->worker_count = runtime->first_spare;
    if (options->watch.stuck_ms > 0 && options->threads > 0) {
        runtime->worker_count += SPARES_MAX;
    }
    /* Relaxed: before any other thread. */
    atomic_store_explicit(&runtime->live,
                          (1ull << runtime->first_spare) - (1ull << runtime->first_pool),
                          memory_order_relaxed);
    size_t size = runtime->worker_count * sizeof(worker_t);
    runtime->workers = aligned_alloc(64, size);
    if (runtime->workers == NULL) {
        return TRP_NO_MEMORY;
    }
    memset(runtime->workers, 0, size);
    for (uint32_t i = 0; i < runtime->worker_count; i++) {
        worker_init(runtime, i, options->slice_max == 0 ? SLICE_EDGE : options->slice_max);
    }
    if (meter_init(&runtime->meters, runtime->worker_count) != TRP_OK) {
        free(runtime->workers);
        return TRP_NO_MEMORY;
    }
    runtime->edge = runtime->first_pool == 1 ? &runtime->workers[0] : NULL;
    return TRP_OK;
}

trp_status_t runtime_create(const runtime_options_t *options, trp_runtime_t **runtime)
{
    uint32_t cells = options->cells_max == 0 ? CELLS_DEFAULT : options->cells_max;
    bool edge = options->edge.park != NULL;
    if (options->threads + edge == 0 || options->threads > RUNTIME_THREADS_MAX ||
        cells > CELLS_MAX || (edge && (options->edge.poll == NULL || options->edge.wake == NULL))) {
        return TRP_INVALID;
    }
    trp_runtime_t *made = aligned_alloc(64, sizeof(*made));
    if (made == NULL) {
        return TRP_NO_MEMORY;
    }
    memset(made, 0, sizeof(*made));
    made->node = options->node;
    made->incarnation = options->incarnation;
    made->host = options->host == NULL ? &host_os : options->host;
    made->outsider = (sender_t){made, NULL};
    made->edge_park = options->edge;
    made->watchdog.options = options->watch;
    pthread_mutex_init(&made->watchdog.lock, NULL);
    made->observer = options->observer;
    made->origin = options->origin;
    made->spin = options->threads > 0 && made->host->processors(made->host->user) > 1;
    if (cell_table_init(&made->table, cells + 1) != TRP_OK) {
        goto no_table;
    }
    if (registry_init(&made->names) != TRP_OK) {
        goto no_names;
    }
    if (offload_port_open(made) != TRP_OK) {
        goto no_workers;
    }
    if (make_workers(made, options) != TRP_OK) {
        offload_port_close(made);
        goto no_workers;
    }
    group_table_init(&made->groups);
    route_table_init(&made->routes);
    runq_init(&made->inject);
    runq_init(&made->system);
    *runtime = made;
    return TRP_OK;

no_workers:
    registry_fini(&made->names);
no_names:
    cell_table_fini(&made->table);
no_table:
    free(made);
    return TRP_NO_MEMORY;
}

trp_status_t runtime_start(trp_runtime_t *runtime)
{
    trp_status_t status = watchdog_start(runtime);
    for (uint32_t i = runtime->first_pool; i < runtime->first_spare && status == TRP_OK; i++) {
        status = worker_start(&runtime->workers[i]);
    }
    if (status != TRP_OK) {
        runtime_stop(runtime); /* those that run are joined by runtime_destroy */
    }
    return status;
}

void runtime_run_edge(trp_runtime_t *runtime)
{
    worker_edge_loop(runtime->edge);
}

void runtime_stop(trp_runtime_t *runtime)
{
    const trp_host_t *host = runtime->host;
    /* Sequentially consistent: a worker looks at it after it said that it parks. */
    atomic_store_explicit(&runtime->stopping, true, memory_order_seq_cst);
    watchdog_stop(runtime);
    for (uint32_t i = runtime->first_pool; i < runtime->worker_count; i++) {
        atomic_store_explicit(&runtime->workers[i].parked, 0, memory_order_seq_cst);
        host->wake(host->user, &runtime->workers[i].parked);
    }
    if (runtime->edge != NULL) {
        runtime->edge_park.wake(runtime->edge_park.user);
    }
}

void runtime_stop_with(trp_runtime_t *runtime, int status)
{
    /* Release: to who reads it after the loops. */
    atomic_store_explicit(&runtime->exit_status, status, memory_order_release);
    runtime_stop(runtime);
}

int runtime_exit_status(const trp_runtime_t *runtime)
{
    /* Acquire: as it was set before the loops were left. */
    return atomic_load_explicit(&runtime->exit_status, memory_order_acquire);
}

bool runtime_await_threads(trp_runtime_t *runtime, int64_t limit_ms)
{
    const trp_host_t *host = runtime->host;
    const int64_t until_ns = runtime_clock(runtime) + limit_ms * 1000000;
    /* Acquire: what the threads did. */
    uint32_t left = atomic_load_explicit(&runtime->threads, memory_order_acquire);
    while (left != 0 && runtime_clock(runtime) < until_ns) {
        host->sleep(host->user, &runtime->threads, left, until_ns);
        left = atomic_load_explicit(&runtime->threads, memory_order_acquire);
    }
    return left == 0;
}

static void free_list(trp_envelope_t *list)
{
    while (list != NULL) {
        trp_envelope_t *next = list->next;
        envelope_free(list);
        list = next;
    }
}

/* What is left of an actor when all threads are gone. */
static void discard(cell_t *cell)
{
    if (cell_phase(cell) == CELL_VACANT) {
        return;
    }
    free_list(defer_take_all(cell));
    free_list(cell->first);
    free_list(mailbox_close(&cell->mailbox));
    free_list(cell->args);
    if (cell->state != NULL && cell->class->release != NULL) {
        cell->class->release(cell->state);
    }
    free(cell->state);
    if (cell->life != NULL) {
        free_list(cell->life->snapshot);
        quota_fini(&cell->life->quota);
        watch_free(&cell->life->mine);
        watch_free(&cell->life->theirs);
        free(cell->life);
    }
}

void runtime_destroy(trp_runtime_t **runtime)
{
    trp_runtime_t *ending = *runtime;
    if (ending == NULL) {
        return;
    }
    *runtime = NULL;
    runtime_stop(ending);
    ending->host->thread_join(ending->host->user, &ending->watchdog.thread); /* it starts spares */
    for (uint32_t i = 0; i < ending->worker_count; i++) {
        ending->host->thread_join(ending->host->user, &ending->workers[i].thread);
    }
    uint32_t used = atomic_load_explicit(&ending->table.used, memory_order_acquire);
    for (uint32_t slot = 1; slot < used; slot++) {
        discard(&ending->table.cells[slot]);
    }
    offload_port_close(ending);
    keep_end(ending);
    for (uint32_t i = 0; i < ending->worker_count; i++) {
        timer_wheel_fini(&ending->workers[i].wheel);
        scratch_fini(&ending->workers[i].scratch);
        runq_fini(&ending->workers[i].queue);
        runq_fini(&ending->workers[i].held);
    }
    runq_fini(&ending->inject);
    runq_fini(&ending->system);
    route_table_fini(&ending->routes);
    group_table_fini(&ending->groups);
    registry_fini(&ending->names);
    meter_fini(&ending->meters);
    cell_table_fini(&ending->table);
    pthread_mutex_destroy(&ending->watchdog.lock);
    free(ending->workers);
    free(ending);
}

/* ---- from outside of actors ---- */

static const sender_t *outside(const trp_runtime_t *runtime)
{
    const worker_t *worker = scheduler_current(runtime);
    return worker == NULL ? &runtime->outsider : &worker->sender;
}

/* The cell of `pid` when its callback runs on this thread now; NULL: another, or none. */
static cell_t *running_cell(const trp_runtime_t *runtime, trp_pid_t pid)
{
    const worker_t *worker = scheduler_current(runtime);
    cell_t *cell = worker == NULL ? NULL : worker->ctx.cell;
    return cell != NULL && trp_pid_equal(cell->self, pid) ? cell : NULL;
}

trp_status_t runtime_spawn(trp_runtime_t *runtime, const trp_spawn_t *spawn, trp_pid_t *pid)
{
    if ((unsigned)spawn->place >= TRP_PLACE_COUNT) {
        return TRP_UNSUPPORTED;
    }
    if (spawn->snapshot != NULL) {
        trp_status_t status = trp_snapshot_check(spawn);
        if (status != TRP_OK) {
            return status;
        }
    }
    if (spawn->place != TRP_PLACE_POOL) {
        const trp_placement_t *place = &runtime->places[spawn->place];
        return place->start == NULL ? TRP_UNSUPPORTED
                                    : place->start(place->user, runtime, spawn, TRP_PID_NONE, pid);
    }
    birth_t birth = {.spawn = spawn};
    return life_spawn(outside(runtime), &birth, pid);
}

trp_status_t runtime_spawn_for(trp_runtime_t *runtime, const trp_spawn_t *spawn, trp_pid_t spawner,
                               trp_pid_t *pid)
{
    birth_t birth = {.spawn = spawn, .spawner = running_cell(runtime, spawner)};
    return life_spawn(outside(runtime), &birth, pid);
}

trp_status_t runtime_spawn_known(trp_runtime_t *runtime, const trp_spawn_t *spawn,
                                 trp_pid_t spawner, trp_pid_t known, trp_pid_t *local)
{
    birth_t birth = {.spawn = spawn, .spawner = running_cell(runtime, spawner), .known = known};
    trp_pid_t pid;
    trp_status_t status = life_spawn(outside(runtime), &birth, &pid);
    if (status == TRP_OK) {
        *local = route_find(&runtime->routes, known);
    }
    return status;
}

trp_status_t runtime_send(trp_runtime_t *runtime, trp_envelope_t *envelope)
{
    return send_envelope(outside(runtime), envelope);
}

trp_pid_t runtime_whereis(trp_runtime_t *runtime, const char *name)
{
    return registry_find(&runtime->names, name);
}

trp_status_t runtime_register(trp_runtime_t *runtime, const char *name, trp_pid_t pid)
{
    return registry_add(&runtime->names, name, pid);
}

void runtime_unregister(trp_runtime_t *runtime, const char *name, trp_pid_t pid)
{
    registry_remove(&runtime->names, name, pid);
}

int64_t runtime_now_ns(const trp_runtime_t *runtime)
{
    return runtime_clock(runtime);
}

const trp_host_t *runtime_host(const trp_runtime_t *runtime)
{
    return runtime->host;
}

/* ---- routes and places ---- */

trp_status_t runtime_route(trp_runtime_t *runtime, uint32_t node, uint32_t incarnation,
                           trp_pid_t proxy)
{
    return route_set(&runtime->routes, node, incarnation, proxy);
}

void runtime_route_default(trp_runtime_t *runtime, trp_pid_t proxy)
{
    route_set_fallback(&runtime->routes, proxy);
}

void runtime_node_down(trp_runtime_t *runtime, uint32_t node, uint32_t incarnation,
                       const trp_reason_t *reason)
{
    trp_pid_t from = {.node = node, .incarnation = incarnation};
    cell_table_t *table = &runtime->table;
    for (uint32_t slot = cell_next_remote(table, 0); slot != 0;
         slot = cell_next_remote(table, slot)) {
        /* Acquire: as any sender. The cell may end meanwhile: the signal is dropped then. */
        uint32_t generation =
            atomic_load_explicit(&table->cells[slot].generation, memory_order_acquire);
        trp_pid_t to = {runtime->node, slot, generation, runtime->incarnation};
        send_signal(outside(runtime),
                    signal_make_reason(signal_make(from, to, TRP_SIGNAL_NODE_DOWN, 0), reason));
    }
}

void runtime_place(trp_runtime_t *runtime, trp_place_t place, const trp_placement_t *placement)
{
    runtime->places[place] = *placement;
}

/* ---- proxies ---- */

trp_envelope_t *proxy_take(trp_ctx_t *ctx, const trp_envelope_t *message)
{
    trp_envelope_t *taken = ctx->message;
    if (taken != message || !cell_is_proxy(ctx->cell) ||
        cell_life_make(&ctx->runtime->table, ctx->cell) == NULL) {
        return NULL;
    }
    ctx->message = NULL;
    taken->next = NULL;
    return taken;
}

void proxy_dead(trp_runtime_t *runtime, trp_envelope_t *envelope, trp_dead_t why,
                const trp_reason_t *reason)
{
    dead_letter_again(outside(runtime), envelope, why, reason);
}

bool proxy_is_over(const trp_ctx_t *ctx)
{
    const cell_t *cell = ctx->cell;
    if (!overflow_drops_old(cell) || cell->life == NULL || ctx->message == NULL) {
        return false;
    }
    uint64_t bound = overflow_bound(cell);
    uint64_t held = cell->life->taken + mailbox_charge_of(ctx->message);
    return mailbox_count(held) > mailbox_count(bound) || mailbox_bytes(held) > mailbox_bytes(bound);
}

void proxy_drop(trp_ctx_t *ctx, trp_envelope_t *envelope)
{
    cell_t *cell = ctx->cell;
    trp_reason_t reason = trp_reason(TRP_REASON_ERROR, TRP_FULL, "drop_old");
    uint64_t charge = mailbox_charge_of(envelope);
    cell->life->taken -= charge;
    mailbox_credit(&cell->mailbox, charge);
    overflow_died(cell);
    dead_letter(&ctx->worker->sender, envelope, TRP_DEAD_DROP_OLD, &reason);
}

void proxy_credit(trp_runtime_t *runtime, trp_pid_t proxy, uint32_t count, uint64_t bytes)
{
    cell_t *cell = cell_at(&runtime->table, proxy.slot);
    /* Acquire: as any sender; the edge runs both the proxy and the caller. */
    if (cell == NULL || cell->life == NULL ||
        atomic_load_explicit(&cell->generation, memory_order_acquire) != proxy.generation) {
        return;
    }
    uint64_t charge = mailbox_sum(count, bytes);
    bool fits =
        count <= mailbox_count(cell->life->taken) && bytes <= mailbox_bytes(cell->life->taken);
    if (!fits) {
        log_event(LOG_ERROR, "proxy_credit_too_high", LOG_INT("count", count),
                  LOG_INT("bytes", bytes));
        return;
    }
    cell->life->taken -= charge;
    mailbox_credit(&cell->mailbox, charge);
    worker_t *worker = scheduler_current(runtime);
    for (uint32_t i = 0; i < count; i++) {
        COUNT(runtime, worker, handled);
    }
    if (worker != NULL) {
        room_tell(&worker->sender, cell, count);
    }
}
