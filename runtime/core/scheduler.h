/* SPDX-License-Identifier: MIT */
/* The scheduler: worker threads that run cells, M:N. Internal to the core.
 *
 *     worker: system queue -> LIFO slot -> own queue -> inject queue -> steal half -> spin -> park
 *
 * The system queue holds actors on which others wait (supervisors); after SYSTEM_USES of them in a
 * row another has its turn. An actor's slice ends after SLICE_WORK messages or SLICE_NS.
 * The LIFO slot holds the cell that the running actor woke last, whose message is still in the
 * cache; used at most LIFO_USES times in a row while others wait. The edge worker (index 0 when
 * there is an edge) runs its own cells, and all when there is no pool thread; its queue is never
 * stolen from, and it parks in its sockets.
 * A parked worker is woken for cells that would wait longer than a wake costs, and who is awake
 * takes from another's queue only what is worth its way (runtime/core/share.h). For the handler
 * that suddenly takes long there is the sentinel: while any worker runs, one parked one looks once
 * a millisecond whether another moves so slowly that what waits behind it would wait for longer
 * than that, and takes it, the LIFO slot too. An idle node has none. When all are in handlers that
 * do not return the watchdog (runtime/core/watchdog.h) starts a spare worker, which finds nothing
 * to do, parks, and so becomes the sentinel.
 * Who falls asleep says so first and looks at the queues again; who adds work does that first and
 * then looks for sleepers; so no wake is lost. One worker at a time is woken or searches. */
#ifndef TRP_RUNTIME_SCHEDULER_H
#define TRP_RUNTIME_SCHEDULER_H

#include "runtime/core/cell.h"
#include "runtime/core/meter.h"
#include "runtime/core/registry.h"
#include "runtime/core/route.h"
#include "runtime/core/runq.h"
#include "runtime/core/runtime.h"
#include "runtime/core/share.h"
#include "runtime/core/timer.h"

#define WORKERS_MAX 63      /* the idle mask is one word, the edge has a bit as well */
#define SPARES_MAX  4       /* threads that stand in for stuck ones */
#define SLICE_WORK  256     /* messages that one actor handles and sends in a row ... */
#define SLICE_EDGE  64      /* ... and on the edge, where sockets wait ... */
#define SLICE_NS    1000000 /* ... and how long that may take: runtime/core/slice.c looks */

_Static_assert(RUNTIME_THREADS_MAX + 1 + SPARES_MAX <= WORKERS_MAX, "pool threads, edge, spares");

typedef struct worker worker_t;
typedef struct offload_port offload_port_t;

/** What the last look of the watchdog found a worker at. */
typedef struct watchdog_row {
    const cell_t *cell;
    uint64_t handled;
    uint32_t turn;
    uint32_t looks;      /* ... in a row, in the same callback */
    uint32_t kill_looks; /* ... and a kill waits for that */
    bool is_told;        /* it was logged */
    bool is_written_off;
} watchdog_row_t;

/** runtime/core/watchdog.h. All but `word` and `lock` is its thread's own. */
typedef struct watchdog {
    runtime_watch_t options; /* .stuck_ms 0: there is none */
    host_thread_t *thread;
    pthread_mutex_t lock; /* probes against their threads' end, burials of who was written off; no
                           * leaf: the locks of a cell's end are taken under it */
    host_word_t word;     /* whether it looks, sleeps or is to end */
    int64_t period_ns;
    watchdog_row_t rows[WORKERS_MAX];
    _Atomic uint64_t stuck; /* a bit for each worker whose handler does not return; written by the
                             * watchdog alone */
    bool is_quiet;          /* nothing moved since the look before */
    _Atomic uint32_t written_off; /* threads of actors that are written off */
} watchdog_t;

/** Who sends: passed by address, since a pair of pointers by value goes through the stack in a form
 * that makes the processor wait. */
typedef struct sender {
    trp_runtime_t *runtime;
    worker_t *worker; /* this thread's; NULL: a thread outside of the runtime */
} sender_t;

/** What an actor's callback sees of the runtime; one for each worker. */
struct trp_ctx {
    trp_runtime_t *runtime;
    worker_t *worker;
    cell_t *cell;
    trp_envelope_t *message; /* being handled; NULL: none, or taken by a proxy */
    bool answered;           /* the message was a request and has its answer */
    bool is_waking;          /* `restore` runs since it has hibernated */
    uint8_t after;           /* what is to be done when the callback has returned: CTX_ marks */
    trp_reason_t reason;     /* CTX_END: with this */
    /* runtime/core/lease.h: shared with a signal handler on the same thread */
    volatile bool in_callback;
    volatile bool is_gone;   /* the cell was taken from the callback that runs */
    volatile uint32_t calls; /* calls of the runtime that it is in */
};

enum {
    CTX_END = 1u << 0,       /* trp_stop was called */
    CTX_SCRATCH = 1u << 1,   /* there is scratch to be taken back */
    CTX_HIBERNATE = 1u << 2, /* trp_hibernate was called */
};

/** Written by the worker alone; atomics for who sums them up. */
typedef struct counters {
    _Atomic uint64_t sent, handled, refused;
    _Atomic uint64_t dead[TRP_DEAD_COUNT]; /* drops included */
} counters_t;

struct worker {
    runq_t queue;
    runq_t held; /* cells that only this pool worker runs: never stolen */
    trp_runtime_t *runtime;
    uint32_t index;
    bool is_edge;
    bool runs_pool; /* takes cells that are not held to one worker */
    bool has_peers; /* others that may run its cells */
    bool is_searching;
    _Atomic bool holds;     /* there have been cells held to it */
    _Atomic(cell_t *) lifo; /* put by the worker; taken by it, or by who finds the worker stuck */
    _Atomic uint32_t turn;  /* slices run: who looks twice sees whether the worker moves */
    _Atomic(cell_t *) runs; /* the cell of the slice that runs, for the watchdog; NULL: none */
    _Atomic bool rests;     /* a spare that is not needed: told so by the watchdog */
    uint32_t lifo_uses, system_uses, picks, spin_rounds;
    uint32_t clock_credit, clock_interval; /* slices until, and between, looks at the clock */
    uint32_t time_credit, time_weight;     /* slices until, and since, one that is timed */
    uint32_t stamp_credit;                 /* messages until one that is stamped */
    uint32_t slice_work; /* messages handled and sent in the slice that runs, or ran last */
    uint32_t slice_max;
    uint32_t poll_credit, poll_interval; /* the edge: messages until, and between, polls */
    int64_t now_ns, polled_ns;
    share_t share;      /* when others help: looked at with the clock ... */
    uint32_t look_turn; /* ... since this slice, in which so many messages ... */
    uint32_t look_work; /* ... were handled and sent */
    uint64_t chance[4]; /* xoshiro256** */
    struct trp_ctx ctx;
    sender_t sender;
    counters_t counters;
    scratch_t scratch;
    host_thread_t *thread;
    host_probe_t *probe; /* under the watchdog's lock; NULL: it can't be looked at */
    timer_wheel_t wheel;
    _Alignas(64) host_word_t parked; /* 1 while it sleeps or is about to */
};

struct trp_runtime {
    uint32_t node, incarnation;
    const trp_host_t *host;
    const runtime_observer_t *observer; /* NULL: none */
    scheduler_park_t edge_park;
    const char *origin; /* of what is spawned from outside; NULL: nobody's */
    worker_t *edge;     /* NULL: none */
    worker_t *workers;
    uint32_t worker_count; /* with the spares, whether they have threads or not */
    uint32_t first_pool;   /* index of the first pool thread */
    uint32_t first_spare;  /* ... of the first that only stands in for one that is stuck */
    bool spin;             /* more than one processor for its threads */
    runq_t inject;         /* cells made ready outside of the pool's threads */
    runq_t system;         /* cells of TRP_CLASS_SYSTEM, made ready anywhere */
    cell_table_t table;
    registry_t names;
    group_table_t groups;
    route_table_t routes;
    meter_table_t meters;
    trp_placement_t places[TRP_PLACE_COUNT];
    runtime_uplink_t uplink; /* .ask NULL: this is the node */
    struct keep *keeps;
    offload_port_t *offloads;
    counters_t outside; /* of threads that are no workers */
    sender_t outsider;  /* they */
    watchdog_t watchdog;
    /* The next five, and worker.parked and .rests, are sequentially consistent throughout unless it
     * says otherwise there: park and wake are each a write of one and then a read of another, on
     * both sides (push, then look for sleepers; say that one sleeps, then look at the queues). */
    _Alignas(64) _Atomic uint64_t idle; /* a bit for each parked pool worker */
    _Atomic uint64_t live; /* a bit for each pool worker that takes cells; spares come and go */
    _Atomic uint32_t searching;
    _Atomic uint32_t sentinel; /* index + 1 of the parked worker that looks after the others; 0 */
    _Atomic bool stopping;
    host_word_t threads;     /* pool threads that are in their loops */
    _Atomic int exit_status; /* set before `stopping`; 0: none was given */
};

/** The worker of `runtime` that this thread is; NULL: none of them. */
worker_t *scheduler_current(const trp_runtime_t *runtime);

/** Says which worker this thread is from now on (NULL: none). Returns the one before. */
worker_t *scheduler_enter(worker_t *worker);

/** Makes a cell run: it has just become runnable and is in no queue. `worker`: this thread's, or
 * NULL. */
void scheduler_ready(trp_runtime_t *runtime, worker_t *worker, cell_t *cell);

/** Puts back a cell whose slice is used up. */
void scheduler_again(worker_t *worker, cell_t *cell);

/** Runs one slice of one actor, turns the timers when it is time. False: nothing to do now. The
 * unit of the scheduler: the threads' loop is step or park, a simulator steps by itself. */
bool scheduler_step(worker_t *worker);

/** A worker that searches does so no more, with nothing found. */
void scheduler_stop_search(worker_t *worker);

/** Runs one slice of a cell that was taken from a queue. */
void scheduler_run(worker_t *worker, cell_t *cell);

/** Fires what is due on the wheel of `owner`; by `worker`, this thread's: itself or who finds it
 * stuck. */
void scheduler_turn_wheel(worker_t *worker, worker_t *owner, int64_t now_ns);

/** Takes what waits behind the pool workers that the watchdog found stuck, if there are any: queue,
 * LIFO slot, due timers. */
void scheduler_adopt(worker_t *worker, int64_t now_ns);

/** Looks at the clock: fires timers that are due. */
void scheduler_tick(worker_t *worker);

/** Takes a cell to run from the worker's own queues and the inject queue. NULL: none. */
cell_t *scheduler_next(worker_t *worker);

/** Whether all other pool workers are parked. */
bool scheduler_others_idle(const worker_t *worker);

/** Wakes the pool worker `index` if it is parked; it comes back as a searcher. */
bool scheduler_wake(trp_runtime_t *runtime, uint32_t index);

/** Wakes one parked pool worker if none is searching. */
void scheduler_notify(trp_runtime_t *runtime);

/* ---- the parts of a pool thread's loop: step, else search, else park ---- */

/** Looks everywhere for a cell to run; as the only searcher also for a while, longer when that has
 * paid before. NULL: none. */
cell_t *scheduler_search(worker_t *worker);

/** Says that the worker parks: who adds work from now on wakes it. It must look at the queues once
 * more before it sleeps. */
void scheduler_park_begin(worker_t *worker);

/** Whether a queue of the pool has something that one more worker should run, for sure: under their
 * locks. */
bool scheduler_has_work(trp_runtime_t *runtime);

/** Leaves the idle mask; when a waker has been quicker it has made the worker a searcher. */
void scheduler_park_end(worker_t *worker);

/** Starts the thread of a pool worker. errors: TRP_SYSTEM, TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t worker_start(worker_t *worker);

/** Its body; the last thing that it does: the runtime may be freed then. */
void worker_pool_loop(void *worker);
void worker_ended(worker_t *worker);

/** Body of the edge thread. */
void worker_edge_loop(worker_t *worker);

/** Runs up to one slice of a cell. */
void cell_run(worker_t *worker, cell_t *cell);

static inline runtime_at_work_t cell_at_work(const cell_t *cell)
{
    return (runtime_at_work_t){cell->self, cell->class->name, cell->origin};
}

/** Next number of the worker's generator. */
uint64_t worker_chance(worker_t *worker);

/** Adds one to a counter of `worker`, or of the threads outside when NULL. */
#define COUNT(runtime, worker, member)                                                      \
    counter_add((worker) != NULL ? &(worker)->counters.member : &(runtime)->outside.member, \
                (worker) != NULL)

static inline void counter_add(_Atomic uint64_t *counter, bool own)
{
    /* Relaxed: sums for display; only its own worker writes `own` ones. */
    if (own) {
        uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);
        atomic_store_explicit(counter, value + 1, memory_order_relaxed);
    } else {
        atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
    }
}

/** Whether a time has passed; most are far ahead, and cost no look at the exact clock. */
static inline bool runtime_is_past(const trp_runtime_t *runtime, int64_t time_ns)
{
    const trp_host_t *host = runtime->host;
    return (host->about_ns == NULL || time_ns - host->about_ns(host->user) <= HOST_ABOUT_NS) &&
           time_ns < host->now_ns(host->user);
}

static inline int64_t runtime_clock(const trp_runtime_t *runtime)
{
    return runtime->host->now_ns(runtime->host->user);
}

#endif
