/* SPDX-License-Identifier: MIT */
/* Looking in from any thread: rows for `ps`, the ledger; and what actors say about themselves. */
#include <stdio.h>
#include <string.h>

#include "runtime/core/hibernate_core.h"
#include "runtime/core/life.h"

static const char *state_of(const cell_t *cell)
{
    switch (cell_phase(cell)) {
    case CELL_NEW:
    case CELL_STARTING:
        return "starting";
    case CELL_ENDING:
        return "exiting";
    case CELL_STUCK:
        return "stuck";
    default:
        break;
    }
    /* Relaxed: for display. */
    if (atomic_load_explicit(&cell->running, memory_order_relaxed) != 0) {
        return "running";
    }
    if (!mailbox_is_asleep(&cell->mailbox)) {
        return "ready";
    }
    return hibernate_is_asleep(cell) ? "asleep" : "idle";
}

/* One row, under the cell's inspect lock; false: nobody lives there. */
static bool look(const cell_t *cell, int32_t os_pid, actor_info_t *info)
{
    if (cell_phase(cell) == CELL_VACANT) {
        return false;
    }
    *info = (actor_info_t){.pid = cell->self,
                           .class_name = cell->class->name,
                           .place = TRP_PLACE_POOL,
                           .os_pid = os_pid,
                           .state = state_of(cell)};
    /* Relaxed: a snapshot. */
    info->handled = atomic_load_explicit(&cell->handled, memory_order_relaxed);
    info->busy_ns = atomic_load_explicit(&cell->busy_ns, memory_order_relaxed);
    info->died = atomic_load_explicit(&cell->died, memory_order_relaxed);
    info->refused = atomic_load_explicit(&cell->turned_away, memory_order_relaxed);
    info->mailbox = mailbox_depth(&cell->mailbox);
    info->memory = cell->class->state_size;
    if (cell->life != NULL) {
        info->memory = atomic_load_explicit(&cell->life->quota.used, memory_order_relaxed);
        snprintf(info->name, sizeof(info->name), "%s", cell->life->name);
        snprintf(info->detail, sizeof(info->detail), "%s", cell->life->detail);
        info->restarts = cell->life->restarts;
    }
    if (cell_is_proxy(cell)) {
        info->place = cell->life == NULL ? TRP_PLACE_POOL : (trp_place_t)cell->life->place;
        info->os_pid = cell->life == NULL ? 0 : cell->life->os_pid;
    }
    return true;
}

bool runtime_look(trp_runtime_t *runtime, trp_pid_t pid, actor_info_t *info)
{
    const cell_t *cell = cell_at(&runtime->table, pid.slot);
    const trp_host_t *host = runtime->host;
    if (cell == NULL) {
        return false;
    }
    pthread_mutex_t *lock = cell_inspect_lock(&runtime->table, cell);
    pthread_mutex_lock(lock);
    const bool found =
        look(cell, host->process_id(host->user), info) && trp_pid_equal(info->pid, pid);
    pthread_mutex_unlock(lock);
    return found;
}

bool runtime_lives(const trp_runtime_t *runtime, trp_pid_t pid)
{
    const cell_t *cell = cell_at(&runtime->table, pid.slot);
    /* Relaxed: it may end the moment after. */
    return cell != NULL && pid.node == runtime->node && pid.incarnation == runtime->incarnation &&
           atomic_load_explicit(&cell->generation, memory_order_relaxed) == pid.generation;
}

void runtime_each(trp_runtime_t *runtime, void (*each)(void *user, const actor_info_t *info),
                  void *user)
{
    const trp_host_t *host = runtime->host;
    const int32_t os_pid = host->process_id(host->user);
    /* Acquire: as in cell_at. */
    uint32_t used = atomic_load_explicit(&runtime->table.used, memory_order_acquire);
    for (uint32_t slot = 1; slot < used; slot++) {
        const cell_t *cell = &runtime->table.cells[slot];
        pthread_mutex_t *lock = cell_inspect_lock(&runtime->table, cell);
        actor_info_t info;
        pthread_mutex_lock(lock);
        bool lives = look(cell, os_pid, &info);
        pthread_mutex_unlock(lock);
        if (lives) {
            each(user, &info);
        }
    }
}

size_t trp_find_class(trp_ctx_t *ctx, const char *class_name, trp_pid_t *pids, size_t max)
{
    const cell_table_t *table = &ctx->runtime->table;
    /* Acquire: as in cell_at. */
    uint32_t used = atomic_load_explicit(&table->used, memory_order_acquire);
    size_t count = 0;
    for (uint32_t slot = 1; slot < used; slot++) {
        cell_t *cell = &table->cells[slot];
        if (cell_phase(cell) == CELL_VACANT) {
            continue; /* spares the lock; who is born meanwhile may be missed */
        }
        pthread_mutex_t *lock = cell_inspect_lock(&ctx->runtime->table, cell);
        pthread_mutex_lock(lock);
        cell_phase_t phase = cell_phase(cell);
        bool found = phase != CELL_VACANT && phase < CELL_ENDING &&
                     strcmp(cell->class->name, class_name) == 0;
        if (found && count < max) {
            pids[count] = cell->self;
        }
        pthread_mutex_unlock(lock);
        count += found;
    }
    return count;
}

const char *runtime_place_name(trp_place_t place)
{
    static const char *const names[] = {"pool", "thread", "process"};
    _Static_assert(sizeof(names) / sizeof(names[0]) == TRP_PLACE_COUNT, "a name for each place");
    return names[place];
}

static void add(runtime_ledger_t *ledger, const counters_t *counters)
{
    /* Relaxed: exact at a quiet moment, close at any other. */
    ledger->sent += atomic_load_explicit(&counters->sent, memory_order_relaxed);
    ledger->handled += atomic_load_explicit(&counters->handled, memory_order_relaxed);
    ledger->refused += atomic_load_explicit(&counters->refused, memory_order_relaxed);
}

static void add_dead(uint64_t counts[TRP_DEAD_COUNT], const counters_t *counters)
{
    for (unsigned why = 0; why < TRP_DEAD_COUNT; why++) {
        /* Relaxed: a sum, as in `add`. */
        counts[why] += atomic_load_explicit(&counters->dead[why], memory_order_relaxed);
    }
}

void runtime_dead_counts(const trp_runtime_t *runtime, uint64_t counts[TRP_DEAD_COUNT])
{
    memset(counts, 0, TRP_DEAD_COUNT * sizeof(*counts));
    add_dead(counts, &runtime->outside);
    for (uint32_t i = 0; i < runtime->worker_count; i++) {
        add_dead(counts, &runtime->workers[i].counters);
    }
}

void runtime_ledger(trp_runtime_t *runtime, runtime_ledger_t *ledger)
{
    *ledger = (runtime_ledger_t){0};
    add(ledger, &runtime->outside);
    for (uint32_t i = 0; i < runtime->worker_count; i++) {
        add(ledger, &runtime->workers[i].counters);
    }
    runtime_dead_counts(runtime, ledger->dead_by);
    for (unsigned why = 0; why < TRP_DEAD_COUNT; why++) {
        bool drop = why == TRP_DEAD_DROP_NEW || why == TRP_DEAD_DROP_OLD;
        *(drop ? &ledger->dropped : &ledger->dead) += ledger->dead_by[why];
    }
    /* Acquire: as in cell_at. */
    uint32_t used = atomic_load_explicit(&runtime->table.used, memory_order_acquire);
    for (uint32_t slot = 1; slot < used; slot++) {
        ledger->queued += mailbox_depth(&runtime->table.cells[slot].mailbox);
    }
}

/* Writes what others read under the lock. NULL: no memory; nothing is shown then. */
static cell_life_t *shown(trp_ctx_t *ctx, pthread_mutex_t **lock)
{
    cell_life_t *life = cell_life_make(&ctx->runtime->table, ctx->cell);
    *lock = cell_inspect_lock(&ctx->runtime->table, ctx->cell);
    if (life != NULL) {
        pthread_mutex_lock(*lock);
    }
    return life;
}

void trp_describe(trp_ctx_t *ctx, const char *text)
{
    LEASE_CALL(ctx, )
    pthread_mutex_t *lock = NULL;
    cell_life_t *life = shown(ctx, &lock);
    if (life != NULL) {
        snprintf(life->detail, sizeof(life->detail), "%s", text);
        pthread_mutex_unlock(lock);
    }
}

void runtime_set_place(trp_ctx_t *ctx, trp_place_t place, int32_t os_pid)
{
    pthread_mutex_t *lock = NULL;
    cell_life_t *life = shown(ctx, &lock);
    if (life != NULL) {
        life->place = (uint8_t)place;
        life->os_pid = os_pid;
        pthread_mutex_unlock(lock);
    }
}
