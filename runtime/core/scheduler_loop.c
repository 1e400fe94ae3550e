/* SPDX-License-Identifier: MIT */
/* What the workers' threads do: step, and when there is nothing to step, search, spin and park. */
#include "runtime/core/scheduler.h"

#include "runtime/core/spare.h"
#include "runtime/core/watchdog.h"

#define SPIN_MIN    64 /* rounds of looking before a park */
#define SPIN_MAX    1024
#define POLL_MIN    16 /* the edge: work between polls, while polls find something */
#define POLL_MAX    64 /* ... and when they do not */
#define POLL_NS     100000
#define SENTINEL_NS 1000000  /* between the sentinel's looks */
#define STUCK_NS    10000000 /* ... when all that run are known to be stuck */

static bool is_stopping(const trp_runtime_t *runtime)
{
    return atomic_load_explicit(&runtime->stopping, memory_order_seq_cst);
}

static void pause_briefly(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Whether a worker has more in its queue than it keeps for itself, by the hint alone. */
static bool offers_work(const worker_t *worker)
{
    return share_is_offered(&worker->share, runq_count(&worker->queue));
}

/* One look at all queues of the pool, from a random one on. */
static cell_t *steal(worker_t *worker)
{
    trp_runtime_t *runtime = worker->runtime;
    cell_t *cell = runq_pop(&runtime->system);
    if (cell == NULL && watchdog_stuck(runtime) != 0) {
        scheduler_adopt(worker, runtime_clock(runtime));
        cell = runq_pop(&worker->queue);
    }
    cell = cell == NULL ? runq_pop(&runtime->inject) : cell;
    uint32_t pool = runtime->worker_count - runtime->first_pool;
    uint32_t start = pool > 1 ? (uint32_t)(worker_chance(worker) % pool) : 0;
    for (uint32_t i = 0; i < pool && cell == NULL; i++) {
        worker_t *victim = &runtime->workers[runtime->first_pool + (start + i) % pool];
        if (victim != worker && offers_work(victim)) {
            cell = runq_steal(&victim->queue, &worker->queue);
        }
    }
    return cell;
}

/* Whether any pool queue shows something, by the hints alone. */
static bool seems_busy(const trp_runtime_t *runtime)
{
    bool busy = runq_count(&runtime->inject) != 0 || runq_count(&runtime->system) != 0;
    for (uint32_t i = runtime->first_pool; i < runtime->worker_count; i++) {
        busy |= offers_work(&runtime->workers[i]);
    }
    return busy;
}

/* Whether there have been cells that only this worker runs: who holds them there means to have them
 * answer soon, so it looks for work as long as a wake would take before it parks. */
static bool holds_cells(const worker_t *worker)
{
    /* Relaxed: a hint; set before the cell comes here for the first time. */
    return atomic_load_explicit(&worker->holds, memory_order_relaxed);
}

/* While another searches. */
static cell_t *await_held(worker_t *worker)
{
    cell_t *cell = NULL;
    for (uint32_t round = 0; round < SPIN_MAX && cell == NULL && holds_cells(worker); round++) {
        pause_briefly();
        cell = runq_pop(&worker->held);
    }
    return cell;
}

cell_t *scheduler_search(worker_t *worker)
{
    trp_runtime_t *runtime = worker->runtime;
    cell_t *cell = steal(worker);
    if (cell != NULL || !runtime->spin) {
        return cell;
    }
    if (!worker->is_searching) {
        uint32_t none = 0;
        worker->is_searching = atomic_compare_exchange_strong_explicit(
            &runtime->searching, &none, 1, memory_order_seq_cst, memory_order_seq_cst);
        if (!worker->is_searching) {
            return await_held(worker);
        }
    }
    uint32_t rounds = holds_cells(worker) ? SPIN_MAX : worker->spin_rounds;
    for (uint32_t round = 0; round < rounds && cell == NULL; round++) {
        pause_briefly();
        if (seems_busy(runtime)) {
            cell = steal(worker);
        }
        cell = cell != NULL ? cell : runq_pop(&worker->held);
    }
    if (cell != NULL) {
        worker->spin_rounds = worker->spin_rounds < SPIN_MAX ? worker->spin_rounds * 2 : SPIN_MAX;
    } else {
        worker->spin_rounds = worker->spin_rounds > SPIN_MIN ? worker->spin_rounds / 2 : SPIN_MIN;
    }
    return cell;
}

/* Who found something at its last look before it slept: who pushed it may have relied on us as a
 * searcher, and the sentinel may have stepped down since we were idle. As a searcher we see to a
 * wake for what is behind the cell that we take: stop_searching in scheduler.c. */
static void start_search(worker_t *worker)
{
    worker->is_searching = true;
    atomic_fetch_add_explicit(&worker->runtime->searching, 1, memory_order_seq_cst);
}

void scheduler_stop_search(worker_t *worker)
{
    if (worker->is_searching) {
        worker->is_searching = false;
        atomic_fetch_sub_explicit(&worker->runtime->searching, 1, memory_order_seq_cst);
    }
}

bool scheduler_has_work(trp_runtime_t *runtime)
{
    bool work = !runq_is_empty(&runtime->inject) || !runq_is_empty(&runtime->system);
    for (uint32_t i = runtime->first_pool; i < runtime->worker_count; i++) {
        worker_t *worker = &runtime->workers[i];
        work |= !runq_is_empty(&worker->queue) && offers_work(worker);
    }
    return work;
}

void scheduler_park_end(worker_t *worker)
{
    trp_runtime_t *runtime = worker->runtime;
    uint64_t bit = 1ull << worker->index;
    uint64_t before = atomic_fetch_and_explicit(&runtime->idle, ~bit, memory_order_seq_cst);
    worker->is_searching = (before & bit) == 0;
    if (worker->is_searching) {
        /* The waker took our bit, then counts us as a searcher, then clears the word: wait for
         * it, so that a late clear does not end the next park. A few instructions. */
        while (atomic_load_explicit(&worker->parked, memory_order_acquire) != 0) {
            pause_briefly();
        }
    }
    atomic_store_explicit(&worker->parked, 0, memory_order_relaxed); /* ours alone now */
    watchdog_rouse(runtime);
    worker->now_ns = runtime_clock(runtime);
}

/* Takes the office of sentinel when it is free and there is somebody to look after. */
static bool become_sentinel(worker_t *worker)
{
    uint32_t none = 0;
    /* Sequentially consistent, here and when it is laid down: is_behind in scheduler.c. */
    return !scheduler_others_idle(worker) &&
           atomic_compare_exchange_strong_explicit(&worker->runtime->sentinel, &none,
                                                   worker->index + 1, memory_order_seq_cst,
                                                   memory_order_seq_cst);
}

/* Stays in office only while others run: looked at once more after laying it down. */
static bool stay_sentinel(worker_t *worker)
{
    if (!scheduler_others_idle(worker)) {
        return true;
    }
    atomic_store_explicit(&worker->runtime->sentinel, 0, memory_order_seq_cst);
    return become_sentinel(worker);
}

/* What waits behind a slow worker; what is due on its wheel goes to our queues. */
static cell_t *take_over(worker_t *worker, worker_t *stuck)
{
    scheduler_turn_wheel(worker, stuck, runtime_clock(worker->runtime));
    cell_t *cell = runq_steal(&stuck->queue, &worker->queue);
    cell_t *lifo = cell == NULL ? atomic_load_explicit(&stuck->lifo, memory_order_relaxed) : NULL;
    /* Acquire: the cell as its waker left it. */
    if (lifo != NULL &&
        atomic_compare_exchange_strong_explicit(&stuck->lifo, &lifo, NULL, memory_order_acq_rel,
                                                memory_order_relaxed)) {
        cell = lifo;
    }
    return cell != NULL ? cell : scheduler_next(worker);
}

/* Takes over from a worker that runs and has moved, since `turns` was noted, by no more slices than
 * wait behind it; notes anew. */
static cell_t *rescue(worker_t *worker, uint32_t turns[WORKERS_MAX])
{
    const trp_runtime_t *runtime = worker->runtime;
    uint64_t idle = atomic_load_explicit(&runtime->idle, memory_order_seq_cst);
    cell_t *cell = NULL;
    if (watchdog_stuck(runtime) != 0) { /* no need to look twice */
        scheduler_adopt(worker, runtime_clock(runtime));
        cell = scheduler_next(worker);
    }
    for (uint32_t i = runtime->first_pool; i < runtime->worker_count; i++) {
        worker_t *other = &runtime->workers[i];
        uint32_t turn = atomic_load_explicit(&other->turn, memory_order_relaxed);
        if (turn - turns[i] <= runq_count(&other->queue) && other != worker &&
            (idle >> i & 1) == 0 && cell == NULL) {
            cell = take_over(worker, other);
        }
        turns[i] = turn;
    }
    return cell;
}

static int64_t look_again_ns(const worker_t *worker)
{
    const trp_runtime_t *runtime = worker->runtime;
    uint64_t live = atomic_load_explicit(&runtime->live, memory_order_seq_cst);
    uint64_t idle = atomic_load_explicit(&runtime->idle, memory_order_seq_cst);
    return (live & ~idle & ~watchdog_stuck(runtime)) == 0 ? STUCK_NS : SENTINEL_NS;
}

/* Sleeps until woken, `until_ns`, or the end; as the sentinel looks after the others meanwhile.
 * What it has to run then, or NULL. */
static cell_t *sleep_until(worker_t *worker, int64_t until_ns)
{
    trp_runtime_t *runtime = worker->runtime;
    const trp_host_t *host = runtime->host;
    uint32_t turns[WORKERS_MAX] = {0};
    cell_t *cell = NULL;
    bool sentinel = become_sentinel(worker);
    while (cell == NULL && !is_stopping(runtime) &&
           atomic_load_explicit(&worker->parked, memory_order_acquire) != 0) {
        int64_t now_ns = sentinel || until_ns != HOST_FOREVER ? runtime_clock(runtime) : 0;
        if (now_ns >= until_ns) {
            break;
        }
        int64_t look_ns = sentinel ? now_ns + look_again_ns(worker) : until_ns;
        host->sleep(host->user, &worker->parked, 1, look_ns < until_ns ? look_ns : until_ns);
        if (sentinel) {
            cell = rescue(worker, turns);
            sentinel = cell != NULL || stay_sentinel(worker);
        }
    }
    if (sentinel) {
        atomic_store_explicit(&runtime->sentinel, 0, memory_order_seq_cst);
    }
    return cell;
}

/* Sequentially consistent: spare.c sets it, then looks whether the worker is parked. */
static bool must_rest(const worker_t *worker)
{
    return atomic_load_explicit(&worker->rests, memory_order_seq_cst);
}

/* Order: no more a searcher, then parked, then idle, then the last look at the queues. Who pushes
 * does so before it looks for searchers and idle ones: one of the two sees the other. */
void scheduler_park_begin(worker_t *worker)
{
    trp_runtime_t *runtime = worker->runtime;
    scheduler_stop_search(worker);
    atomic_store_explicit(&worker->parked, 1, memory_order_seq_cst);
    atomic_fetch_or_explicit(&runtime->idle, 1ull << worker->index, memory_order_seq_cst);
}

static cell_t *park(worker_t *worker)
{
    trp_runtime_t *runtime = worker->runtime;
    cell_t *cell = NULL;
    scheduler_park_begin(worker);
    bool found = scheduler_has_work(runtime) || !runq_is_empty(&worker->held);
    if (!found && !must_rest(worker)) {
        cell = sleep_until(worker, timer_next_ns(&worker->wheel));
    }
    scheduler_park_end(worker);
    if (found && !worker->is_searching) {
        start_search(worker);
    }
    if (cell != NULL && !worker->is_searching) {
        scheduler_notify(runtime); /* who runs now looks after nobody, and more may wait */
    }
    return cell;
}

void worker_ended(worker_t *worker)
{
    trp_runtime_t *runtime = worker->runtime;
    /* Release: all that it did, to who waits until none is left. */
    atomic_fetch_sub_explicit(&runtime->threads, 1, memory_order_release);
    runtime->host->wake(runtime->host->user, &runtime->threads);
}

void worker_pool_loop(void *arg)
{
    worker_t *worker = arg;
    trp_runtime_t *runtime = worker->runtime;
    scheduler_enter(worker);
    watchdog_enter(worker);
    worker->now_ns = runtime_clock(runtime);
    while (!is_stopping(runtime)) {
        if (must_rest(worker)) {
            spare_rest(worker);
        }
        if (scheduler_step(worker)) {
            continue;
        }
        cell_t *cell = scheduler_search(worker);
        if (cell == NULL) {
            cell = park(worker);
        }
        if (cell != NULL) {
            scheduler_run(worker, cell);
        }
    }
    watchdog_leave(worker);
    scheduler_enter(NULL);
    worker_ended(worker);
}

trp_status_t worker_start(worker_t *worker)
{
    trp_runtime_t *runtime = worker->runtime;
    const trp_host_t *host = runtime->host;
    /* Relaxed: only the end is waited for. */
    atomic_fetch_add_explicit(&runtime->threads, 1, memory_order_relaxed);
    trp_status_t status = host->thread_start(host->user, worker_pool_loop, worker, &worker->thread);
    if (status != TRP_OK) {
        atomic_fetch_sub_explicit(&runtime->threads, 1, memory_order_relaxed);
    }
    return status;
}

static bool edge_lifo(const worker_t *edge)
{
    /* Relaxed: the edge's own. */
    return atomic_load_explicit(&edge->lifo, memory_order_relaxed) != NULL;
}

static bool edge_has_work(worker_t *edge)
{
    return edge_lifo(edge) || !runq_is_empty(&edge->queue) ||
           (edge->runs_pool &&
            (!runq_is_empty(&edge->runtime->inject) || !runq_is_empty(&edge->runtime->system)));
}

static void edge_poll(worker_t *edge)
{
    const scheduler_park_t *park = &edge->runtime->edge_park;
    uint32_t before = runq_count(&edge->queue) + edge_lifo(edge);
    park->poll(park->user);
    bool found = runq_count(&edge->queue) + edge_lifo(edge) != before;
    if (found) {
        edge->poll_interval = POLL_MIN;
    } else if (edge->poll_interval < POLL_MAX) {
        edge->poll_interval *= 2;
    }
    edge->poll_credit = edge->poll_interval;
    edge->polled_ns = edge->now_ns;
}

/* The watchdog sees that the edge moves, also when only its sockets have work. */
static void note_turn(worker_t *edge)
{
    /* Relaxed: as in scheduler_run. */
    const uint32_t turn = atomic_load_explicit(&edge->turn, memory_order_relaxed);
    atomic_store_explicit(&edge->turn, turn + 1, memory_order_relaxed);
}

static void edge_wait(worker_t *edge)
{
    const scheduler_park_t *park = &edge->runtime->edge_park;
    /* Sequentially consistent: wake_edge in scheduler.c reads it after its push, we look at the
     * queue after this. */
    atomic_store_explicit(&edge->parked, 1, memory_order_seq_cst);
    if (!edge_has_work(edge) && !is_stopping(edge->runtime)) {
        park->park(park->user, timer_next_ns(&edge->wheel));
    }
    atomic_store_explicit(&edge->parked, 0, memory_order_seq_cst);
    watchdog_rouse(edge->runtime);
    note_turn(edge);
    edge->now_ns = runtime_clock(edge->runtime);
    edge->polled_ns = edge->now_ns;
    edge->poll_interval = POLL_MIN;
    edge->poll_credit = POLL_MIN;
}

void worker_edge_loop(worker_t *edge)
{
    worker_t *before = scheduler_enter(edge);
    watchdog_enter(edge);
    note_turn(edge);
    edge->now_ns = runtime_clock(edge->runtime);
    while (!is_stopping(edge->runtime)) {
        if (!scheduler_step(edge)) {
            edge_wait(edge);
            continue;
        }
        uint32_t used = edge->slice_work + 1;
        edge->poll_credit -= used < edge->poll_credit ? used : edge->poll_credit;
        if (edge->poll_credit == 0 || edge->now_ns - edge->polled_ns > POLL_NS) {
            edge_poll(edge);
        }
    }
    watchdog_leave(edge);
    scheduler_enter(before);
}
