/* SPDX-License-Identifier: MIT */
#include "runtime/core/scheduler.h"

#include "runtime/core/send.h"
#include "runtime/core/watchdog.h"

#define LIFO_USES    16    /* in a row, while others wait in the queue */
#define SYSTEM_USES  16    /* likewise */
#define INJECT_EVERY 61    /* picks: the inject queue is looked at before the own one */
#define CLOCK_MAX    64    /* slices between looks at the clock ... */
#define CLOCK_NS     50000 /* ... as long as they take no longer than this */
#define LIFO_NS      20000 /* slices that take longer: what they wake goes where others see it */

static _Thread_local worker_t *current;

worker_t *scheduler_current(const trp_runtime_t *runtime)
{
    return current != NULL && current->runtime == runtime ? current : NULL;
}

bool runtime_at_work(runtime_at_work_t *at_work)
{
    const worker_t *worker = current;
    /* Relaxed: this thread's own. */
    const cell_t *cell =
        worker == NULL ? NULL : atomic_load_explicit(&worker->runs, memory_order_relaxed);
    if (cell == NULL) {
        return false;
    }
    *at_work = cell_at_work(cell);
    return true;
}

worker_t *scheduler_enter(worker_t *worker)
{
    worker_t *before = current;
    current = worker;
    return before;
}

/* Ends the edge's park if it is in one. */
static void wake_edge(trp_runtime_t *runtime)
{
    worker_t *edge = runtime->edge;
    uint32_t parked = 1;
    /* Sequentially consistent: our push comes before; the edge says that it parks before it looks
     * at its queue for the last time. */
    if (atomic_compare_exchange_strong_explicit(&edge->parked, &parked, 0, memory_order_seq_cst,
                                                memory_order_seq_cst)) {
        runtime->edge_park.wake(runtime->edge_park.user);
    }
}

/* Takes the parked worker `index` out of the idle mask. False: another has. */
static bool claim_idle(trp_runtime_t *runtime, uint32_t index)
{
    uint64_t bit = 1ull << index;
    return (atomic_fetch_and_explicit(&runtime->idle, ~bit, memory_order_seq_cst) & bit) != 0;
}

bool scheduler_wake(trp_runtime_t *runtime, uint32_t index)
{
    worker_t *worker = &runtime->workers[index];
    if (!claim_idle(runtime, index)) {
        return false;
    }
    atomic_fetch_add_explicit(&runtime->searching, 1, memory_order_seq_cst);
    /* Release: that it searches, to the worker that wakes. */
    atomic_store_explicit(&worker->parked, 0, memory_order_release);
    runtime->host->wake(runtime->host->user, &worker->parked);
    return true;
}

void scheduler_notify(trp_runtime_t *runtime)
{
    /* Sequentially consistent, both: our push comes before. A searcher that stops says so before
     * it looks at the queues again, and so does a worker that parks. */
    if (atomic_load_explicit(&runtime->searching, memory_order_seq_cst) != 0) {
        return;
    }
    uint64_t idle = atomic_load_explicit(&runtime->idle, memory_order_seq_cst);
    while (idle != 0) {
        if (scheduler_wake(runtime, (uint32_t)__builtin_ctzll(idle))) {
            return;
        }
        idle = atomic_load_explicit(&runtime->idle, memory_order_seq_cst);
    }
}

static bool is_system(const cell_t *cell)
{
    /* Relaxed: the runner's own since the birth; who wakes it has acquired that. */
    return (atomic_load_explicit(&cell->flags, memory_order_relaxed) & TRP_CLASS_SYSTEM) != 0;
}

/* By a thread that does not run pool cells. */
static void inject(trp_runtime_t *runtime, worker_t *worker, cell_t *cell)
{
    runq_push(is_system(cell) ? &runtime->system : &runtime->inject, cell);
    if (runtime->first_pool < runtime->first_spare) {
        scheduler_notify(runtime);
    } else if (worker != runtime->edge) {
        wake_edge(runtime);
    }
}

bool scheduler_others_idle(const worker_t *worker)
{
    const trp_runtime_t *runtime = worker->runtime;
    uint64_t live = atomic_load_explicit(&runtime->live, memory_order_seq_cst);
    uint64_t idle = atomic_load_explicit(&runtime->idle, memory_order_seq_cst);
    return ((idle | 1ull << worker->index) & live) == live;
}

/* Whether another worker should be woken for the `waiting` cells of this one, or as a sentinel. */
static bool is_behind(const worker_t *worker, uint32_t waiting)
{
    /* Sequentially consistent: when a sentinel has stepped down, it has seen us run before that. */
    return waiting > worker->share.bearable ||
           atomic_load_explicit(&worker->runtime->sentinel, memory_order_seq_cst) == 0;
}

static void notify_if_behind(worker_t *worker, uint32_t waiting)
{
    if (worker->has_peers && is_behind(worker, waiting)) {
        scheduler_notify(worker->runtime);
    }
}

/* To the LIFO slot, who was there to the queue, where others may steal it. Behind handlers that
 * take long a cell had better go to the queue at once. */
static void keep_local(worker_t *worker, cell_t *cell)
{
    cell_t *displaced = cell;
    if (!worker->has_peers || worker->share.of_late.slice_ns < LIFO_NS) {
        displaced = NULL;
        if (atomic_load_explicit(&worker->lifo, memory_order_relaxed) == NULL) {
            /* Release: the cell, to who finds us stuck. Nobody else writes an empty slot. */
            atomic_store_explicit(&worker->lifo, cell, memory_order_release);
        } else {
            displaced = atomic_exchange_explicit(&worker->lifo, cell, memory_order_acq_rel);
        }
    }
    notify_if_behind(worker, displaced == NULL ? 0 : runq_push(&worker->queue, displaced) + 1);
}

/* To the one worker that may run it. */
static void ready_held(trp_runtime_t *runtime, worker_t *worker, cell_t *cell)
{
    worker_t *holder = &runtime->workers[cell->held - 1];
    if (!holder->is_edge) {
        runq_push(&holder->held, cell);
        /* Sequentially consistent: our push comes before; who parks is seen to do so, and looks at
         * its queues after that. */
        if (worker != holder && (atomic_load_explicit(&runtime->idle, memory_order_seq_cst) &
                                 1ull << holder->index) != 0) {
            (void)!scheduler_wake(runtime, holder->index);
        }
    } else if (worker == holder) {
        keep_local(worker, cell);
    } else {
        runq_push(&holder->queue, cell);
        wake_edge(runtime);
    }
}

void scheduler_ready(trp_runtime_t *runtime, worker_t *worker, cell_t *cell)
{
    if (cell->held != 0) {
        ready_held(runtime, worker, cell);
    } else if (worker != NULL && worker->runs_pool) {
        if (is_system(cell)) {
            notify_if_behind(worker, runq_push(&runtime->system, cell));
            return;
        }
        keep_local(worker, cell);
    } else {
        inject(runtime, worker, cell);
    }
}

void scheduler_again(worker_t *worker, cell_t *cell)
{
    if (cell->held != 0 && !worker->is_edge) {
        runq_push(&worker->held, cell);
        return;
    }
    bool shared = worker->runs_pool && is_system(cell);
    uint32_t waiting = runq_push(shared ? &worker->runtime->system : &worker->queue, cell);
    /* Relaxed: our own; who rescues may take it. */
    if (waiting > 1 || atomic_load_explicit(&worker->lifo, memory_order_relaxed) != NULL) {
        notify_if_behind(worker, waiting);
    }
}

static cell_t *take_lifo(worker_t *worker)
{
    /* Relaxed: our own; NULL stays so until we put a cell there. */
    if (atomic_load_explicit(&worker->lifo, memory_order_relaxed) == NULL) {
        return NULL;
    }
    /* Acquire-release: as any hand-over of a cell; a rescuer may have been quicker. */
    cell_t *cell = atomic_exchange_explicit(&worker->lifo, NULL, memory_order_acq_rel);
    if (cell == NULL || ++worker->lifo_uses <= LIFO_USES) {
        return cell;
    }
    worker->lifo_uses = 0;
    cell_t *other = runq_pop(&worker->queue);
    if (other == NULL) {
        return cell;
    }
    runq_push(&worker->queue, cell);
    return other;
}

/* NULL also when it is another's turn. */
static cell_t *take_system(worker_t *worker)
{
    runq_t *queue = &worker->runtime->system;
    if (runq_count(queue) == 0 || !worker->runs_pool || ++worker->system_uses > SYSTEM_USES) {
        worker->system_uses = 0;
        return NULL;
    }
    return runq_pop(queue);
}

cell_t *scheduler_next(worker_t *worker)
{
    trp_runtime_t *runtime = worker->runtime;
    cell_t *cell = take_system(worker);
    if (cell != NULL) {
        return cell;
    }
    if (++worker->picks >= INJECT_EVERY) {
        worker->picks = 0;
        cell = worker->runs_pool ? runq_pop(&runtime->inject) : NULL;
    }
    if (cell == NULL && worker->picks % 2 != 0) { /* every other time before the rest */
        cell = runq_pop(&worker->held);
    }
    if (cell == NULL) {
        cell = take_lifo(worker);
    }
    if (cell == NULL) {
        worker->lifo_uses = 0;
        cell = runq_pop(&worker->queue);
    }
    if (cell == NULL) {
        cell = runq_pop(&worker->held);
    }
    if (cell == NULL && worker->runs_pool) {
        cell = runq_pop(&runtime->inject);
    }
    if (cell == NULL && worker->runs_pool) {
        cell = runq_pop(&runtime->system); /* the others, whose turn it was, have nothing */
    }
    return cell;
}

static void fire(void *user, trp_pid_t owner, uint64_t ref)
{
    worker_t *worker = user;
    const sender_t *sender = &worker->sender;
    send_signal(sender, signal_make(owner, owner, TRP_SIGNAL_TIMER, ref));
}

static bool has_timers(const worker_t *worker)
{
    /* Relaxed: only the worker's own thread adds; others are told by the next look. */
    return atomic_load_explicit(&worker->wheel.count, memory_order_relaxed) != 0;
}

void scheduler_turn_wheel(worker_t *worker, worker_t *owner, int64_t now_ns)
{
    if (has_timers(owner)) {
        timer_advance(&owner->wheel, now_ns, fire, worker);
    }
}

static void adopt_from(worker_t *worker, worker_t *stuck, int64_t now_ns)
{
    scheduler_turn_wheel(worker, stuck, now_ns);
    cell_t *cell = runq_steal(&stuck->queue, &worker->queue);
    if (cell != NULL) {
        runq_push(&worker->queue, cell);
    }
    /* Acquire: the cell as its waker left it; a release is the queue's lock. */
    cell = atomic_exchange_explicit(&stuck->lifo, NULL, memory_order_acquire);
    if (cell != NULL) {
        runq_push(&worker->queue, cell);
    }
}

void scheduler_adopt(worker_t *worker, int64_t now_ns)
{
    trp_runtime_t *runtime = worker->runtime;
    uint64_t others = ~((1ull << runtime->first_pool) - 1) & ~(1ull << worker->index);
    uint64_t stuck = watchdog_stuck(runtime) & others;
    while (stuck != 0 && worker->runs_pool) {
        adopt_from(worker, &runtime->workers[__builtin_ctzll(stuck)], now_ns);
        stuck &= stuck - 1;
    }
}

static void note_slices(worker_t *worker, int64_t took_ns)
{
    /* Relaxed: the worker's own. */
    const uint32_t turn = atomic_load_explicit(&worker->turn, memory_order_relaxed);
    share_look(&worker->share, took_ns, turn - worker->look_turn, worker->look_work);
    worker->look_turn = turn;
    worker->look_work = 0;
}

void scheduler_tick(worker_t *worker)
{
    int64_t now = runtime_clock(worker->runtime);
    int64_t took = now - worker->now_ns;
    worker->now_ns = now;
    note_slices(worker, took);
    if (took > CLOCK_NS) {
        worker->clock_interval = worker->clock_interval > 1 ? worker->clock_interval / 2 : 1;
    } else if (worker->clock_interval < CLOCK_MAX) {
        worker->clock_interval *= 2;
    }
    worker->clock_credit = worker->clock_interval;
    if (worker->clock_interval == 1) {
        worker->time_credit = worker->time_weight = 1;
    }
    scheduler_turn_wheel(worker, worker, now);
    scheduler_adopt(worker, now);
    const uint32_t waiting = runq_count(&worker->queue);
    if (waiting != 0) {
        notify_if_behind(worker, waiting); /* what was pushed when slices seemed short */
    }
}

/* A worker that was woken to search, or did, has found something: another may search now, or look
 * after those that saw a searcher, or a sentinel, and did not wake anybody for what they pushed. */
static void stop_searching(worker_t *worker)
{
    trp_runtime_t *runtime = worker->runtime;
    worker->is_searching = false;
    atomic_fetch_sub_explicit(&runtime->searching, 1, memory_order_seq_cst);
    if (!runq_is_empty(&runtime->inject) || !runq_is_empty(&runtime->system)) {
        scheduler_notify(runtime);
    } else if (runq_count(&worker->queue) != 0 || !scheduler_others_idle(worker)) {
        notify_if_behind(worker, runq_count(&worker->queue));
    }
}

void scheduler_run(worker_t *worker, cell_t *cell)
{
    if (worker->is_searching) {
        stop_searching(worker);
    }
    /* Relaxed: who looks only compares. */
    uint32_t turn = atomic_load_explicit(&worker->turn, memory_order_relaxed);
    atomic_store_explicit(&worker->turn, turn + 1, memory_order_relaxed);
    atomic_store_explicit(&worker->runs, cell, memory_order_relaxed);
    if (--worker->time_credit != 0) {
        cell_run(worker, cell);
    } else {
        meter_run(worker, cell);
    }
    atomic_store_explicit(&worker->runs, NULL, memory_order_relaxed);
    worker->look_work += worker->slice_work;
    worker->ctx.cell = NULL;
}

bool scheduler_step(worker_t *worker)
{
    if (--worker->clock_credit == 0) {
        scheduler_tick(worker);
    }
    cell_t *cell = scheduler_next(worker);
    if (cell == NULL && has_timers(worker)) {
        scheduler_tick(worker);
        cell = scheduler_next(worker);
    }
    if (cell == NULL) {
        return false;
    }
    scheduler_run(worker, cell);
    return true;
}

uint64_t worker_chance(worker_t *worker)
{
    uint64_t *s =
        worker->chance; /* xoshiro256**, source: D. Blackman, S. Vigna, prng.di.unimi.it */
    uint64_t scrambled = s[1] * 5;
    scrambled = (scrambled << 7 | scrambled >> 57) * 9;
    uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = s[3] << 45 | s[3] >> 19;
    return scrambled;
}
