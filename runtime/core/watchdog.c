/* SPDX-License-Identifier: MIT */
#include "runtime/core/watchdog.h"

#include "runtime/base/host_probe.h"
#include "runtime/core/life.h"
#include "runtime/core/spare.h"
#include "runtime/log.h"

#define LOOKS     4 /* in the shortest of the limits */
#define NS_PER_MS 1000000LL
#define CALLS_MAX 2048

/* Values of its word. */
enum { LOOKING, ASLEEP, ENDING };

static bool is_on(const trp_runtime_t *runtime)
{
    return runtime->watchdog.options.stuck_ms > 0;
}

static uint32_t looks_of(const watchdog_t *watchdog, int64_t limit_ms)
{
    const int64_t looks = (limit_ms * NS_PER_MS + watchdog->period_ns - 1) / watchdog->period_ns;
    return looks > UINT32_MAX ? UINT32_MAX : (uint32_t)looks;
}

/* ---- what a stuck thread is in ---- */

/* Filled in by the thread itself, in the middle of its handler. */
typedef struct glance {
    const worker_t *worker;
    void *frames[HOST_FRAMES_MAX];
    int count;
    bool in_actor;
    trp_pid_t pid;
    const char *class_name;
    const char *callback;
    uint16_t tag;
    uint64_t request_id;
} glance_t;

static const char *callback_of(const struct trp_ctx *ctx)
{
    switch (cell_phase(ctx->cell)) {
    case CELL_NEW:
    case CELL_STARTING:
        return ctx->message == NULL ? "init" : "receive";
    case CELL_ENDING:
        return "terminate";
    default:
        return "receive";
    }
}

/* In a signal handler. */
static void note(void *arg, void *const *frames, int count)
{
    glance_t *glance = arg;
    const struct trp_ctx *ctx = &glance->worker->ctx;
    glance->count = count;
    for (int i = 0; i < count; i++) {
        glance->frames[i] = frames[i];
    }
    glance->in_actor = ctx->cell != NULL;
    if (glance->in_actor) {
        glance->pid = ctx->cell->self;
        glance->class_name = ctx->cell->class->name;
        glance->callback = callback_of(ctx);
        glance->tag = ctx->message == NULL ? 0 : ctx->message->tag;
    }
}

/* Writes what the worker does not return from. */
static void tell(trp_runtime_t *runtime, worker_t *worker, int level, const char *event)
{
    const watchdog_t *watchdog = &runtime->watchdog;
    const trp_host_t *host = runtime->host;
    glance_t glance = {.worker = worker};
    const bool seen =
        worker->probe != NULL && host->probe_look(host->user, worker->probe, note, &glance);
    char pid[TRP_PID_TEXT_MAX] = "";
    char calls[CALLS_MAX] = "";
    if (seen) {
        host_frames_format(glance.frames, glance.count, calls, sizeof(calls));
    }
    const uint32_t looks = watchdog->rows[worker->index].looks;
    const int64_t for_ms = looks * watchdog->period_ns / NS_PER_MS;
    log_event(level, event, LOG_TEXT("thread", worker->is_edge ? "edge" : "pool"),
              LOG_INT("for_ms", for_ms),
              LOG_TEXT("actor", glance.in_actor ? trp_pid_format(glance.pid, pid) : ""),
              LOG_TEXT("class", glance.in_actor ? glance.class_name : ""),
              LOG_TEXT("callback", glance.in_actor ? glance.callback : ""),
              LOG_INT("tag", glance.tag), LOG_TEXT("calls", calls));
}

/* ---- writing off ---- */

typedef struct revocation {
    trp_ctx_t *ctx;
    const cell_t *cell;
    lease_lost_t lost;
    bool is_done;
} revocation_t;

/* In a signal handler. */
static void revoke(void *arg, void *const *frames, int count)
{
    revocation_t *revocation = arg;
    (void)frames;
    (void)count;
    revocation->is_done = lease_revoke(revocation->ctx, revocation->cell, &revocation->lost);
}

/* True: that is one too many. */
static bool count_written_off(watchdog_t *watchdog)
{
    /* Relaxed: the number stands for itself. */
    return atomic_fetch_add_explicit(&watchdog->written_off, 1, memory_order_relaxed) >=
           watchdog->options.stuck_max;
}

/* Ends the actor behind its callback's back. One that is in the middle of a call of the runtime
 * keeps its cell until the next look. */
static void write_off(trp_runtime_t *runtime, worker_t *worker)
{
    watchdog_t *watchdog = &runtime->watchdog;
    watchdog_row_t *row = &watchdog->rows[worker->index];
    const trp_host_t *host = runtime->host;
    revocation_t revocation = {.ctx = &worker->ctx, .cell = row->cell};
    if (worker->probe == NULL ||
        !host->probe_look(host->user, worker->probe, revoke, &revocation) || !revocation.is_done) {
        return;
    }
    cell_t *cell = &runtime->table.cells[row->cell->slot];
    char pid[TRP_PID_TEXT_MAX];
    log_event(LOG_ERROR, "actor_written_off", LOG_TEXT("actor", trp_pid_format(cell->self, pid)),
              LOG_TEXT("class", cell->class->name),
              LOG_INT("for_ms", row->looks * watchdog->period_ns / NS_PER_MS));
    const runtime_at_work_t who = cell_at_work(cell);
    row->is_written_off = true;
    /* Before the end is told, so that who hears of that finds it counted. */
    const bool is_too_many = count_written_off(watchdog);
    life_write_off(&runtime->outsider, cell, &revocation.lost);
    if (is_too_many) {
        watchdog->options.fatal(watchdog->options.user, "stuck_max", &who);
    }
}

void runtime_write_off(trp_runtime_t *runtime, const runtime_at_work_t *who)
{
    watchdog_t *watchdog = &runtime->watchdog;
    if (count_written_off(watchdog) && is_on(runtime)) {
        watchdog->options.fatal(watchdog->options.user, "stuck_max", who);
    }
}

void runtime_returned(trp_runtime_t *runtime)
{
    /* Relaxed: as in count_written_off. */
    atomic_fetch_sub_explicit(&runtime->watchdog.written_off, 1, memory_order_relaxed);
}

/* It has returned, or is where it was never stuck. */
static void forget(trp_runtime_t *runtime, watchdog_row_t *row)
{
    row->looks = row->kill_looks = 0;
    row->is_told = false;
    if (row->is_written_off) {
        row->is_written_off = false;
        runtime_returned(runtime);
    }
}

/* ---- looking ---- */

/* Notes where the worker is. True: where it was at the last look, and that is in a callback (the
 * edge: in its turn). */
static bool is_still(const worker_t *worker, watchdog_row_t *row)
{
    /* Relaxed, all: compared with what the next look finds. */
    const cell_t *cell = atomic_load_explicit(&worker->runs, memory_order_relaxed);
    const uint32_t turn = atomic_load_explicit(&worker->turn, memory_order_relaxed);
    const uint64_t handled =
        cell == NULL ? 0 : atomic_load_explicit(&cell->handled, memory_order_relaxed);
    const bool moves = cell != row->cell || turn != row->turn || handled != row->handled;
    row->cell = cell;
    row->turn = turn;
    row->handled = handled;
    if (worker->is_edge) {
        const bool waits = atomic_load_explicit(&worker->parked, memory_order_relaxed) != 0;
        return !moves && !waits && turn != 0; /* 0: its loop has not begun */
    }
    return !moves && cell != NULL;
}

static void look_at_edge(trp_runtime_t *runtime, const watchdog_row_t *row)
{
    const watchdog_t *watchdog = &runtime->watchdog;
    if (row->looks == looks_of(watchdog, watchdog->options.edge_stuck_ms)) {
        tell(runtime, runtime->edge, LOG_FATAL, "edge_stuck");
        /* In its turn, not in a slice: in a socket's callback, which is nobody's. */
        const runtime_at_work_t who =
            row->cell == NULL ? (runtime_at_work_t){.pid = TRP_PID_NONE} : cell_at_work(row->cell);
        watchdog->options.fatal(watchdog->options.user, "edge_stuck", &who);
    }
}

static void mark(watchdog_t *watchdog, const worker_t *worker, bool is_stuck)
{
    const uint64_t bit = 1ull << worker->index;
    const uint64_t stuck = atomic_load_explicit(&watchdog->stuck, memory_order_relaxed);
    /* Relaxed: nobody else writes it, and who reads it may be a look behind. */
    atomic_store_explicit(&watchdog->stuck, is_stuck ? stuck | bit : stuck & ~bit,
                          memory_order_relaxed);
}

/* True: it has moved since the last look. */
static bool look_at(trp_runtime_t *runtime, worker_t *worker)
{
    watchdog_t *watchdog = &runtime->watchdog;
    watchdog_row_t *row = &watchdog->rows[worker->index];
    const watchdog_row_t before = *row;
    if (!is_still(worker, row)) {
        forget(runtime, row);
        mark(watchdog, worker, false);
        return row->turn != before.turn || row->handled != before.handled;
    }
    row->looks++;
    if (!row->is_told && row->looks >= looks_of(watchdog, watchdog->options.stuck_ms)) {
        row->is_told = true;
        mark(watchdog, worker, true);
        tell(runtime, worker, LOG_WARN, "handler_stuck");
    }
    if (worker->is_edge) {
        look_at_edge(runtime, row);
    } else if (!row->is_written_off && mailbox_has_urgent(&row->cell->mailbox)) {
        row->kill_looks++;
        if (row->kill_looks > looks_of(watchdog, watchdog->options.kill_grace_ms)) {
            row->kill_looks = 0; /* the next try, if this fails: a thread is not to be signalled for
                                  * each look because somebody else's wish stands in that lane */
            write_off(runtime, worker);
            mark(watchdog, worker, row->is_told || row->is_written_off);
        }
    }
    return true;
}

static bool any_moved(trp_runtime_t *runtime)
{
    bool moved = false;
    for (uint32_t i = 0; i < runtime->worker_count; i++) {
        moved |= look_at(runtime, &runtime->workers[i]);
    }
    return moved;
}

void watchdog_look(trp_runtime_t *runtime)
{
    watchdog_t *watchdog = &runtime->watchdog;
    pthread_mutex_lock(&watchdog->lock);
    const bool moved = any_moved(runtime);
    pthread_mutex_unlock(&watchdog->lock);
    spare_balance(runtime);
    watchdog->is_quiet = !moved;
}

runtime_stuck_t runtime_stuck(const trp_runtime_t *runtime)
{
    const watchdog_t *watchdog = &runtime->watchdog;
    /* Relaxed, both: figures for display. */
    return (runtime_stuck_t){
        .handlers = (uint32_t)__builtin_popcountll(watchdog_stuck(runtime)),
        .written_off = atomic_load_explicit(&watchdog->written_off, memory_order_relaxed)};
}

/* ---- its thread ---- */

/* Nothing is to be looked after: all are parked, and no spare is there that should not be. */
static bool may_sleep(const trp_runtime_t *runtime)
{
    const watchdog_t *watchdog = &runtime->watchdog;
    /* Sequentially consistent: who goes to work says so first and looks at our word after that. */
    const uint64_t idle = atomic_load_explicit(&runtime->idle, memory_order_seq_cst);
    const uint64_t live = atomic_load_explicit(&runtime->live, memory_order_seq_cst);
    const bool edge_waits =
        runtime->edge == NULL || atomic_load_explicit(&runtime->edge->parked, memory_order_seq_cst);
    return watchdog->is_quiet && watchdog_stuck(runtime) == 0 &&
           live >> runtime->first_spare == 0 && (idle & live) == live && edge_waits;
}

static void sleep_deeply(trp_runtime_t *runtime)
{
    const trp_host_t *host = runtime->host;
    host_word_t *word = &runtime->watchdog.word;
    uint32_t state = LOOKING;
    if (!atomic_compare_exchange_strong_explicit(word, &state, ASLEEP, memory_order_seq_cst,
                                                 memory_order_seq_cst)) {
        return; /* to end */
    }
    while (may_sleep(runtime) && atomic_load_explicit(word, memory_order_seq_cst) == ASLEEP) {
        host->sleep(host->user, word, ASLEEP, HOST_FOREVER);
    }
    state = ASLEEP;
    (void)atomic_compare_exchange_strong_explicit(word, &state, LOOKING, memory_order_seq_cst,
                                                  memory_order_seq_cst);
}

static void watchdog_loop(void *arg)
{
    trp_runtime_t *runtime = arg;
    watchdog_t *watchdog = &runtime->watchdog;
    const trp_host_t *host = runtime->host;
    /* Acquire: as any reader; the value is all that it says. */
    while (atomic_load_explicit(&watchdog->word, memory_order_acquire) != ENDING) {
        const int64_t next_ns = runtime_clock(runtime) + watchdog->period_ns;
        while (atomic_load_explicit(&watchdog->word, memory_order_acquire) == LOOKING &&
               runtime_clock(runtime) < next_ns) {
            host->sleep(host->user, &watchdog->word, LOOKING, next_ns);
        }
        watchdog_look(runtime);
        if (may_sleep(runtime)) {
            sleep_deeply(runtime);
        }
    }
}

trp_status_t watchdog_start(trp_runtime_t *runtime)
{
    watchdog_t *watchdog = &runtime->watchdog;
    const trp_host_t *host = runtime->host;
    if (!is_on(runtime)) {
        return TRP_OK;
    }
    const runtime_watch_t *options = &watchdog->options;
    int64_t shortest_ms = options->stuck_ms;
    if (options->kill_grace_ms < shortest_ms) {
        shortest_ms = options->kill_grace_ms;
    }
    if (options->edge_stuck_ms < shortest_ms) {
        shortest_ms = options->edge_stuck_ms;
    }
    watchdog->period_ns = shortest_ms * NS_PER_MS / LOOKS;
    return host->thread_start(host->user, watchdog_loop, runtime, &watchdog->thread);
}

void watchdog_stop(trp_runtime_t *runtime)
{
    const trp_host_t *host = runtime->host;
    atomic_store_explicit(&runtime->watchdog.word, ENDING, memory_order_seq_cst);
    host->wake(host->user, &runtime->watchdog.word);
}

void watchdog_rouse(trp_runtime_t *runtime)
{
    const trp_host_t *host = runtime->host;
    uint32_t asleep = ASLEEP;
    /* Sequentially consistent: the caller is not idle any more; may_sleep looks at that after the
     * word said ASLEEP. The load spares the rest in the usual case. */
    if (atomic_load_explicit(&runtime->watchdog.word, memory_order_seq_cst) == ASLEEP &&
        atomic_compare_exchange_strong_explicit(&runtime->watchdog.word, &asleep, LOOKING,
                                                memory_order_seq_cst, memory_order_seq_cst)) {
        host->wake(host->user, &runtime->watchdog.word);
    }
}

void watchdog_enter(worker_t *worker)
{
    trp_runtime_t *runtime = worker->runtime;
    const trp_host_t *host = runtime->host;
    host_probe_t *probe = NULL;
    if (!is_on(runtime) || host->probe_open == NULL) {
        return;
    }
    if (host->probe_open(host->user, &probe) != TRP_OK) {
        log_event(LOG_WARN, "watchdog_blind", LOG_INT("worker", worker->index));
        return; /* what it is stuck in will be logged without its calls */
    }
    pthread_mutex_lock(&runtime->watchdog.lock);
    worker->probe = probe;
    pthread_mutex_unlock(&runtime->watchdog.lock);
}

void watchdog_leave(worker_t *worker)
{
    trp_runtime_t *runtime = worker->runtime;
    pthread_mutex_lock(&runtime->watchdog.lock);
    host_probe_t *probe = worker->probe;
    worker->probe = NULL;
    pthread_mutex_unlock(&runtime->watchdog.lock);
    if (probe != NULL) {
        runtime->host->probe_close(runtime->host->user, &probe);
    }
}
