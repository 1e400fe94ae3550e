/* SPDX-License-Identifier: MIT */
#include "runtime/core/life.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/core/defer.h"
#include "runtime/core/name.h"
#include "runtime/core/overflow.h"
#include "runtime/core/room.h"
#include "runtime/core/signal.h"
#include "runtime/core/snapshot_core.h"

#define DEPTH_DEFAULT 100000u
#define BYTES_DEFAULT (64ull << 20)
#define PROXY_REFS    (1ull << 63) /* its own references never meet those of whom it stands for */
#define OWED_SHARE    16           /* part of a bound that may be given back late */
#define OWED_COUNT    64

trp_pid_t life_pid(const trp_runtime_t *runtime, const cell_t *cell)
{
    /* Relaxed: only who owns the cell asks, and nobody else raises it meanwhile. */
    uint32_t generation = atomic_load_explicit(&cell->generation, memory_order_relaxed);
    return (trp_pid_t){runtime->node, cell->slot, generation, runtime->incarnation};
}

static trp_status_t make_args(cell_t *cell, const birth_t *birth)
{
    const trp_spawn_t *spawn = birth->spawn;
    if (spawn->args == NULL && spawn->args_tag == 0) {
        return TRP_OK;
    }
    cell->args = envelope_alloc();
    if (cell->args == NULL) {
        return TRP_NO_MEMORY;
    }
    cell->args->to = cell->self;
    cell->args->from = birth->spawner == NULL ? TRP_PID_NONE : birth->spawner->self;
    cell->args->tag = spawn->args_tag;
    return envelope_set(cell->args, spawn->args, spawn->args == NULL ? 0 : spawn->args_size);
}

/* Links and monitors in one step with the birth: nobody runs the cell yet. On an error the
 * spawner's table may hold a row too many: undo_ties. */
static trp_status_t tie(cell_table_t *table, cell_t *cell, const birth_t *birth)
{
    const trp_spawn_t *spawn = birth->spawn;
    cell_t *spawner = birth->spawner;
    if (spawner == NULL || !(spawn->link || spawn->monitor || spawn->ack)) {
        return TRP_OK;
    }
    if (cell_life_make(table, cell) == NULL || cell_life_make(table, spawner) == NULL) {
        return TRP_NO_MEMORY;
    }
    cell->life->spawner = spawn->ack ? spawner->self : TRP_PID_NONE;
    cell->life->fail_down = spawn->ack && !spawn->link && !spawn->monitor;
    watch_t link = {.kind = WATCH_LINK, .pid = spawner->self};
    watch_t linked = {.kind = WATCH_LINK, .pid = cell->self};
    if (spawn->link && (watch_add(&cell->life->theirs, &link, true) != TRP_OK ||
                        watch_add(&spawner->life->theirs, &linked, true) != TRP_OK)) {
        return TRP_NO_MEMORY;
    }
    if (!spawn->monitor) {
        return TRP_OK;
    }
    uint64_t ref = spawner->next_ref++;
    watch_t watcher = {.kind = WATCH_WATCHER, .pid = spawner->self, .ref = ref};
    watch_t monitor = {.kind = WATCH_MONITOR, .pid = cell->self, .ref = ref};
    if (watch_add(&cell->life->theirs, &watcher, true) != TRP_OK ||
        watch_add(&spawner->life->mine, &monitor, false) != TRP_OK) {
        return TRP_NO_MEMORY;
    }
    if (spawn->monitor_ref != NULL) {
        *spawn->monitor_ref = ref;
    }
    return TRP_OK;
}

static void undo_ties(cell_t *cell, const birth_t *birth)
{
    cell_t *spawner = birth->spawner;
    if (spawner == NULL || spawner->life == NULL) {
        return;
    }
    watch_t *row = watch_find(&spawner->life->theirs, WATCH_LINK, cell->self, 0);
    if (birth->spawn->link && row != NULL) {
        watch_remove(&spawner->life->theirs, row, true);
    }
}

static trp_status_t name(trp_runtime_t *runtime, cell_t *cell, const birth_t *birth)
{
    const name_scope_t scope = trp_pid_is_none(birth->known) ? NAME_ALL : NAME_KNOWN;
    return birth->spawn->name == NULL ? TRP_OK
                                      : name_take(runtime, cell, birth->spawn->name, scope);
}

/* What is published from now on is not for it. */
static void forget_groups(trp_runtime_t *runtime, const cell_t *cell)
{
    if (cell->life == NULL) {
        return;
    }
    if (cell->life->groups != NULL && runtime->uplink.ask != NULL) {
        runtime_question_t all = {.what = LINK_LEAVE, .name = "", .pid = cell->self};
        (void)!runtime->uplink.ask(runtime->uplink.user, &all);
    }
    group_leave_all(&runtime->groups, &cell->life->groups);
    if (cell->life->hears_dead) {
        group_unlisten(&runtime->groups, cell->self);
    }
}

/* Gives back what a cell owns, all under the lock of those who look in. */
static void clear(trp_runtime_t *runtime, cell_t *cell)
{
    pthread_mutex_t *lock = cell_inspect_lock(&runtime->table, cell);
    pthread_mutex_lock(lock);
    cell_set_phase(cell, CELL_VACANT);
    cell_life_t *life = cell->life;
    cell->life = NULL;
    pthread_mutex_unlock(lock);
    if (life != NULL) {
        watch_free(&life->theirs);
        watch_free(&life->mine);
        quota_fini(&life->quota);
        if (life->snapshot != NULL) {
            envelope_free(life->snapshot);
        }
        free(life);
    }
    if (cell->args != NULL) {
        envelope_free(cell->args);
        cell->args = NULL;
    }
    if (cell->state != NULL && cell->class->release != NULL) {
        cell->class->release(cell->state);
    }
    free(cell->state);
    cell->state = NULL;
    cell_release(&runtime->table, cell);
}

/* What only some spawns ask for. */
static trp_status_t fill_life(trp_runtime_t *runtime, cell_t *cell, const trp_spawn_t *spawn)
{
    if (spawn->restarts == 0 && spawn->memory_quota == 0 && spawn->snapshot == NULL) {
        return TRP_OK;
    }
    if (cell_life_make(&runtime->table, cell) == NULL) {
        return TRP_NO_MEMORY;
    }
    cell->life->restarts = spawn->restarts;
    cell->life->quota.max = spawn->memory_quota;
    return spawn->snapshot == NULL ? TRP_OK : snapshot_keep(&runtime->table, cell, spawn);
}

/* cell.held of what is spawned so. */
static uint8_t holder(trp_runtime_t *runtime, const trp_spawn_t *spawn)
{
    if ((spawn->class->flags & TRP_CLASS_EDGE) != 0) {
        return runtime->edge == NULL ? 0 : (uint8_t)(runtime->edge->index + 1);
    }
    if (spawn->thread == 0 || runtime->first_pool == runtime->first_spare) {
        return 0;
    }
    uint32_t index = runtime->first_pool + spawn->thread - 1;
    /* Relaxed: a hint for how to wait; what it waits for comes through its queue. */
    atomic_store_explicit(&runtime->workers[index].holds, true, memory_order_relaxed);
    return (uint8_t)(index + 1);
}

/* What the cell has for itself, before anybody can find it. */
static trp_status_t fill(trp_runtime_t *runtime, cell_t *cell, const birth_t *birth)
{
    const trp_spawn_t *spawn = birth->spawn;
    cell->first = cell->last = NULL;
    cell->self = trp_pid_is_none(birth->known) ? life_pid(runtime, cell) : birth->known;
    cell->class = spawn->class;
    cell->held = holder(runtime, spawn);
    cell->next_ref = (spawn->class->flags & TRP_CLASS_PROXY) != 0 ? PROXY_REFS : 1;
    cell->origin = spawn->origin != NULL    ? spawn->origin
                   : birth->spawner != NULL ? birth->spawner->origin
                                            : runtime->origin;
    cell->owed = 0;
    cell->meter = meter_class(&runtime->meters, spawn->class);
    /* Relaxed, all of them: published with the cell. */
    atomic_store_explicit(&cell->busy_ns, 0, memory_order_relaxed);
    atomic_store_explicit(&cell->turned_away, 0, memory_order_relaxed);
    atomic_store_explicit(&cell->died, 0, memory_order_relaxed);
    atomic_store_explicit(&cell->handled, 0, memory_order_relaxed);
    atomic_store_explicit(&cell->running, 0, memory_order_relaxed);
    if (spawn->class->state_size > 0) {
        cell->state = calloc(1, spawn->class->state_size);
        if (cell->state == NULL) {
            return TRP_NO_MEMORY;
        }
    }
    trp_status_t status = fill_life(runtime, cell, spawn);
    return status == TRP_OK ? make_args(cell, birth) : status;
}

static void open_mailbox(trp_runtime_t *runtime, cell_t *cell, const trp_spawn_t *spawn)
{
    uint32_t depth = spawn->depth_max == 0 ? DEPTH_DEFAULT : spawn->depth_max;
    uint64_t bytes = spawn->size_max == 0 ? BYTES_DEFAULT : spawn->size_max;
    uint64_t count = depth / OWED_SHARE < OWED_COUNT ? depth / OWED_SHARE : OWED_COUNT;
    cell->owed_max = mailbox_sum(count == 0 ? 1 : count, bytes / OWED_SHARE);
    pthread_mutex_t *lock = cell_inspect_lock(&runtime->table, cell);
    pthread_mutex_lock(lock);
    cell_set_phase(cell, CELL_NEW);
    pthread_mutex_unlock(lock);
    overflow_open(cell, spawn, depth, bytes);
}

/* What was queued when the actor ended. */
static void bury(const sender_t *sender, cell_t *cell, trp_envelope_t *list,
                 const trp_reason_t *reason)
{
    trp_reason_t stale = trp_reason(TRP_REASON_NO_PROCESS, 0, NULL);
    while (list != NULL) {
        trp_envelope_t *next = list->next;
        bool ours = trp_pid_equal(list->to, cell->self);
        mailbox_credit(&cell->mailbox, mailbox_charge_of(list));
        dead_letter(sender, list, ours ? TRP_DEAD_ENDED : TRP_DEAD_STALE, ours ? reason : &stale);
        list = next;
    }
}

/* Opens the mailbox, then makes the cell known: who finds a name may send to it. */
static trp_status_t announce(trp_runtime_t *runtime, cell_t *cell, const birth_t *birth)
{
    open_mailbox(runtime, cell, birth->spawn);
    trp_status_t status = name(runtime, cell, birth);
    return status == TRP_OK ? tie(&runtime->table, cell, birth) : status;
}

/* Takes back what was made of an actor that is not to be. */
static void unmake(const sender_t *sender, cell_t *cell, const birth_t *birth)
{
    trp_reason_t reason = trp_reason(TRP_REASON_NO_PROCESS, 0, NULL);
    undo_ties(cell, birth);
    name_drop(sender->runtime, cell);
    bury(sender, cell, mailbox_close(&cell->mailbox), &reason);
    clear(sender->runtime, cell);
}

/* The edge alone, which runs all then, counts as one. */
static uint32_t thread_max(const trp_runtime_t *runtime)
{
    uint32_t threads = runtime->first_spare - runtime->first_pool;
    return threads == 0 ? 1 : threads;
}

trp_status_t life_spawn(const sender_t *sender, const birth_t *birth, trp_pid_t *pid)
{
    trp_runtime_t *runtime = sender->runtime;
    const trp_spawn_t *spawn = birth->spawn;
    if (spawn->class == NULL || spawn->class->receive == NULL ||
        (spawn->args == NULL && spawn->args_size != 0) ||
        (unsigned)spawn->overflow >= TRP_OVERFLOW_COUNT || spawn->thread > thread_max(runtime)) {
        return TRP_INVALID;
    }
    if (spawn->memory_quota != 0 && spawn->class->state_size > spawn->memory_quota) {
        return TRP_TOO_LARGE;
    }
    cell_t *cell = cell_take(&runtime->table);
    if (cell == NULL) {
        return TRP_NO_MEMORY;
    }
    trp_status_t status = fill(runtime, cell, birth);
    if (status == TRP_OK) {
        status = announce(runtime, cell, birth);
    }
    if (status != TRP_OK) {
        unmake(sender, cell, birth);
        return status;
    }
    *pid = cell->self;
    if (!trp_pid_is_none(birth->known)) {
        route_set_known(&runtime->routes, birth->known, life_pid(runtime, cell));
    }
    scheduler_ready(runtime, sender->worker, cell);
    return TRP_OK;
}

void life_ready(worker_t *worker, cell_t *cell)
{
    cell_set_phase(cell, CELL_LIVE);
    if (cell->life != NULL && !trp_pid_is_none(cell->life->spawner)) {
        const sender_t *sender = &worker->sender;
        send_signal(sender, signal_make(cell->self, cell->life->spawner, TRP_TAG_STARTED, 0));
        cell->life->spawner = TRP_PID_NONE;
        cell->life->fail_down = false;
    }
}

void life_take_scratch(worker_t *worker, const cell_t *cell)
{
    if ((worker->ctx.after & CTX_SCRATCH) != 0) {
        worker->ctx.after &= (uint8_t)~CTX_SCRATCH;
        scratch_reset(&worker->scratch, &cell->life->quota);
    }
}

static bool is_restored(const cell_t *cell)
{
    return cell->life != NULL && cell->life->snapshot != NULL;
}

bool life_start(worker_t *worker, cell_t *cell)
{
    trp_ctx_t *ctx = &worker->ctx;
    trp_status_t status = TRP_OK;
    cell_set_phase(cell, CELL_STARTING);
    if (cell->class->init != NULL || is_restored(cell)) {
        lease_open(ctx);
        status = is_restored(cell) ? snapshot_restore(ctx, cell)
                                   : cell->class->init(ctx, cell->state, cell->args);
        if (!lease_close(ctx)) {
            life_abandon(worker, cell);
            return false;
        }
    }
    life_take_scratch(worker, cell);
    if (cell->args != NULL) {
        envelope_free(cell->args);
        cell->args = NULL;
    }
    if (status != TRP_OK && status != TRP_PENDING) {
        trp_reason_t reason = trp_reason(TRP_REASON_START_FAILED, (int32_t)status, NULL);
        life_end(worker, cell, &reason, false);
        return false;
    }
    if ((ctx->after & CTX_END) != 0) {
        trp_reason_t reason = ctx->reason;
        life_end(worker, cell, &reason, true);
        return false;
    }
    if (status == TRP_OK) {
        life_ready(worker, cell);
    }
    return true;
}

/* What a proxy took and never got reported as handled died with its worker. */
static void settle_taken(const sender_t *sender, cell_t *cell)
{
    uint64_t taken = cell->life == NULL ? 0 : cell->life->taken;
    mailbox_credit(&cell->mailbox, cell->owed + taken);
    for (uint32_t i = mailbox_count(taken); i > 0; i--) {
        COUNT(sender->runtime, sender->worker, dead[TRP_DEAD_WORKER]);
    }
}

/* The end, as others see it; the cell's memory stays. */
static void wind_up(const sender_t *sender, cell_t *cell, const trp_reason_t *reason)
{
    name_drop(sender->runtime, cell);
    forget_groups(sender->runtime, cell);
    trp_envelope_t *queued = mailbox_close(&cell->mailbox);
    signal_ended(sender, cell, reason);
    bury(sender, cell, defer_take_all(cell), reason);
    bury(sender, cell, cell->first, reason);
    bury(sender, cell, queued, reason);
    cell->first = cell->last = NULL;
    settle_taken(sender, cell);
    room_end(sender, cell);
}

void life_end(worker_t *worker, cell_t *cell, const trp_reason_t *reason, bool orderly)
{
    trp_ctx_t *ctx = &worker->ctx;
    cell_set_phase(cell, CELL_ENDING);
    if (orderly && cell->class->terminate != NULL) {
        lease_open(ctx);
        cell->class->terminate(ctx, cell->state, reason);
        if (!lease_close(ctx)) {
            life_abandon(worker, cell);
            return;
        }
        life_take_scratch(worker, cell);
    }
    wind_up(&worker->sender, cell, reason);
    ctx->cell = NULL;
    meter_ended(worker, cell);
    clear(worker->runtime, cell);
}

void life_write_off(const sender_t *sender, cell_t *cell, const lease_lost_t *lost)
{
    const trp_reason_t reason = trp_reason(TRP_REASON_KILLED, 0, "stuck");
    const trp_pid_t self = cell->self;
    cell_set_phase(cell, CELL_STUCK);
    wind_up(sender, cell, &reason);
    cell->owed = 0;
    if (lost->has_message) {
        COUNT(sender->runtime, sender->worker, handled); /* in vain, as when a handler fails */
    }
    if (!trp_pid_is_none(lost->asker)) {
        trp_envelope_t *down = signal_make(self, lost->asker, TRP_SIGNAL_DOWN, lost->request_id);
        send_signal(sender, signal_make_reason(down, &reason));
    }
}

void life_abandon(worker_t *worker, cell_t *cell)
{
    trp_ctx_t *ctx = &worker->ctx;
    pthread_mutex_t *burial = &worker->runtime->watchdog.lock;
    pthread_mutex_lock(burial); /* it may still be going on */
    pthread_mutex_unlock(burial);
    if (ctx->message != NULL) {
        envelope_free(ctx->message);
        ctx->message = NULL;
    }
    ctx->is_gone = false;
    ctx->cell = NULL;
    life_take_scratch(worker, cell);
    meter_ended(worker, cell);
    clear(worker->runtime, cell);
}
