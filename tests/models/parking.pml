/* SPDX-License-Identifier: MIT */
/* The event count of the pool: who adds a cell and looks for sleepers, against who says that it
 * sleeps and looks at the queues again; one searcher at a time, who takes from another's queue only
 * what is worth its way, which may be nothing; the sentinel that looks after a worker that moves by
 * less than what waits behind it. WORKERS pool threads, and a thread outside that injects cells:
 *
 *     cell 1   puts cell 2 into its worker's LIFO slot or queue and is stuck until that has run
 *     cell 3   makes cell 4 ready and returns
 *     cell 5   returns
 *     cell 6   is stuck until cell 5 has run, of which its worker knows nothing
 *
 * The queue of system actors is another inject queue, looked at in the same places, and not modelled.
 * Each step is one atomic access of the code, or what it does under one lock; `@` as in mailbox.pml.
 * Worker 1 may be a spare that is told to rest. The sentinel's clock ticks at any time, but no more than FREE_TICKS times, and when nothing else
 * can move. Holds:
 *     no lost wake      every cell runs; nobody sleeps for ever while one waits
 *     once              a cell that was made ready once runs once
 *     no stray wake     a park ends by a wake that took the worker's idle bit, or by a tick
 *     balance           when all sleep again there is no searcher, and every idle bit is set
 *
 * run: stuck   -DSTUCK -DFREE_TICKS=2
 * run: chain   -DCHAIN -DFREE_TICKS=1
 * run: both    -DSTUCK -DPLAIN -DFREE_TICKS=0
 * run: rest    -DREST -DPLAIN -DFREE_TICKS=0
 * run: blocked -DBLOCKED -DPLAIN -DFREE_TICKS=1 */

#ifndef WORKERS
#define WORKERS 2
#endif
#ifndef FREE_TICKS
#define FREE_TICKS 2
#endif
#define QUIET_TICKS 4 /* when nothing else moves: enough to see a turn twice, for each stuck cell */
#define CELLS 6
#define NOBODY 0

#define ALL ((1 << WORKERS) - 1)
#define bit(w) (1 << (w))

chan inject = [3] of { byte };
chan queue[WORKERS] = [3] of { byte };
byte lifo[WORKERS];
byte turn[WORKERS];
bool parked[WORKERS];
bool in_futex[WORKERS]; /* the kernel's part of host->sleep */
byte idle = 0;          /* a bit for each parked worker */
short searching = 0;
byte sentinel = NOBODY;
bool rests = false;     /* worker 1: it is to rest */
byte live = ALL;        /* a bit for each worker that takes cells */

/* What the properties speak of. */
bool was_ready[CELLS + 1], has_run[CELLS + 1];
bool is_resting = false;
byte free_ticks = 0, quiet_ticks = 0;

#define others_idle(w) (((idle | bit(w)) & live) == live) /* @ scheduler.c scheduler_others_idle: ((idle | 1ull << worker->index) & live) == live */

/* ---- making cells ready ---- */

/* Wakes one sleeper if nobody searches. */
inline notify()
{
    if
    :: searching != 0 /* @ scheduler.c scheduler_notify: atomic_load_explicit(&runtime->searching */
    :: else ->
        mask = idle; /* @ scheduler.c scheduler_notify: uint64_t idle = atomic_load_explicit(&runtime->idle */
        do
        :: mask == 0 -> break /* @ scheduler.c scheduler_notify: while (idle != 0) */
        :: else ->
            atomic {
                index = (mask & 1 -> 0 : (mask & 2 -> 1 : 2)); /* @ scheduler.c scheduler_notify: scheduler_wake(runtime, (uint32_t)__builtin_ctzll(idle)) */
                mask = idle & bit(index); /* @ scheduler.c claim_idle: atomic_fetch_and_explicit(&runtime->idle, ~bit */
                idle = idle & (ALL - bit(index))
            }
            if
            :: mask != 0 ->
                searching++; /* @ scheduler.c scheduler_wake: atomic_fetch_add_explicit(&runtime->searching, 1 */
                parked[index] = false; /* @ scheduler.c scheduler_wake: atomic_store_explicit(&worker->parked, 0 */
                in_futex[index] = false; /* @ scheduler.c scheduler_wake: runtime->host->wake(runtime->host->user */
                break
            :: else -> mask = idle /* @ scheduler.c scheduler_notify: idle = atomic_load_explicit(&runtime->idle, memory_order_seq_cst) */
            fi
        od
    fi;
    atomic { mask = 0; index = 0 }
}

/* `waiting` cells may be worth a wake or not; without a sentinel one is needed. */
inline notify_if_behind(waiting)
{
    if
    :: waiting > 0 -> notify() /* @ scheduler.c is_behind: waiting > worker->share.bearable */
    :: true ->
        if
        :: sentinel == NOBODY -> notify() /* @ scheduler.c is_behind: atomic_load_explicit(&worker->runtime->sentinel */
        :: else
        fi
    fi
}

/* By the worker that runs. */
inline ready_local(c)
{
    atomic { assert(!was_ready[c]); was_ready[c] = true }
    if
    :: atomic { /* @ scheduler.c keep_local: atomic_store_explicit(&worker->lifo, cell */
        lifo[me] == NOBODY -> lifo[me] = c }
        notify_if_behind(0)
    :: queue[me]!c; /* @ scheduler.c keep_local: runq_push(&worker->queue, displaced) */
        notify_if_behind(1)
    fi
}

/* By a thread outside of the pool. */
inline ready_outside(c)
{
    atomic {
        assert(!was_ready[c]);
        was_ready[c] = true;
        inject!c /* @ scheduler.c inject: runq_push(is_system(cell) ? &runtime->system : &runtime->inject, cell) */
    }
    notify() /* @ scheduler.c inject: scheduler_notify(runtime) */
}

/* ---- finding cells ---- */

inline pop(source)
{
    if
    :: atomic { cell == NOBODY && len(source) > 0 -> source?cell } /* @ runq.c runq_pop: cell_t *cell = queue->first */
    :: cell != NOBODY || len(source) == 0 /* @ runq.c runq_pop: if (runq_count(queue) == 0) */
    fi
}

inline take_lifo(whose)
{
    atomic { /* @ scheduler.c take_lifo: atomic_exchange_explicit(&worker->lifo, NULL */
        if
        :: cell == NOBODY -> cell = lifo[whose]; lifo[whose] = NOBODY
        :: else
        fi
    }
}

inline next_cell() /* @ scheduler.c scheduler_next: cell = take_lifo(worker) */
{
    take_lifo(me);
    pop(queue[me]); /* @ scheduler.c scheduler_next: cell = runq_pop(&worker->queue) */
    pop(inject) /* @ scheduler.c scheduler_next: if (cell == NULL && worker->runs_pool) */
}

inline steal()
{
    pop(inject); /* @ scheduler_loop.c steal: cell = cell == NULL ? runq_pop(&runtime->inject) : cell */
    other = 0;
    do
    :: other == WORKERS || cell != NOBODY -> break
    :: other < WORKERS && cell == NOBODY && other == me -> other++
    :: other < WORKERS && cell == NOBODY && other != me -> other++ /* @ scheduler_loop.c steal: offers_work(victim) */
    :: other < WORKERS && cell == NOBODY && other != me -> pop(queue[other]); other++ /* @ scheduler_loop.c steal: runq_steal(&victim->queue, &worker->queue) */
    od;
    other = 0
}

inline search()
{
    steal();
    if
    :: cell == NOBODY && !is_searching -> /* @ scheduler_loop.c scheduler_search: if (!worker->is_searching) */
        atomic { /* @ scheduler_loop.c scheduler_search: &runtime->searching, &none, 1 */
            if
            :: searching == 0 -> searching = 1; is_searching = true
            :: else
            fi
        }
    :: else
    fi;
    if
    :: cell == NOBODY && is_searching -> steal() /* @ scheduler_loop.c scheduler_search: if (seems_busy(runtime)) */
    :: else
    fi
}

/* ---- parking ---- */

/* Sees whether there is work for sure: each queue under its own lock. */
inline look_again()
{
    found = (len(inject) > 0); /* @ scheduler_loop.c scheduler_has_work: !runq_is_empty(&runtime->inject) */
    other = 0;
    do
    :: other < WORKERS -> other++ /* @ scheduler_loop.c scheduler_has_work: offers_work(worker) */
    :: other < WORKERS -> found = found || (len(queue[other]) > 0); other++ /* @ scheduler_loop.c scheduler_has_work: !runq_is_empty(&worker->queue) */
    :: else -> break
    od;
    other = 0
}

inline become_sentinel()
{
    if
    :: !others_idle(me) -> /* @ scheduler_loop.c become_sentinel: !scheduler_others_idle(worker) */
        atomic { /* @ scheduler_loop.c become_sentinel: &worker->runtime->sentinel, &none */
            if
            :: sentinel == NOBODY -> sentinel = me + 1; is_sentinel = true
            :: else -> is_sentinel = false
            fi
        }
    :: else -> is_sentinel = false
    fi
}

/* Takes what waits behind a worker that has moved by no more slices than that since the last look. */
inline rescue()
{
    atomic {
        mask = idle; /* @ scheduler_loop.c rescue: uint64_t idle = atomic_load_explicit(&runtime->idle */
        other = 0
    }
    do
    :: other == WORKERS -> break
    :: else ->
        if
        :: turn[other] - turns[other] <= len(queue[other]) && other != me && (mask & bit(other)) == 0 && cell == NOBODY -> /* @ scheduler_loop.c rescue: turn - turns[i] <= runq_count(&other->queue) && other != worker && (idle >> i & 1) == 0 && cell == NULL */
            pop(queue[other]); /* @ scheduler_loop.c take_over: runq_steal(&stuck->queue, &worker->queue) */
            take_lifo(other); /* @ scheduler_loop.c take_over: atomic_compare_exchange_strong_explicit(&stuck->lifo, &lifo, NULL */
            next_cell() /* @ scheduler_loop.c take_over: return cell != NULL ? cell : scheduler_next(worker) */
        :: else -> turns[other] = turn[other] /* @ scheduler_loop.c rescue: turns[i] = turn */
        fi;
        other++
    od;
    atomic { mask = 0; other = 0 }
}

inline sleep_until()
{
    become_sentinel(); /* @ scheduler_loop.c sleep_until: bool sentinel = become_sentinel(worker) */
    do
    :: cell != NOBODY || !parked[me] -> break /* @ scheduler_loop.c sleep_until: atomic_load_explicit(&worker->parked, memory_order_acquire) != 0 */
    :: else ->
        atomic { /* @ host.c os_sleep: FUTEX_WAIT_BITSET_PRIVATE, expected */
            if
            :: parked[me] -> in_futex[me] = true
            :: else
            fi
        }
end_asleep:
        if
        :: !in_futex[me]
        :: atomic { in_futex[me] && is_sentinel && free_ticks < FREE_TICKS -> /* @ scheduler_loop.c sleep_until: sentinel ? now_ns + look_again_ns(worker) : until_ns */
            free_ticks++; in_futex[me] = false }
        :: atomic { in_futex[me] && is_sentinel && quiet_ticks < QUIET_TICKS && timeout ->
            quiet_ticks++; in_futex[me] = false }
        fi;
        if
        :: is_sentinel ->
            rescue(); /* @ scheduler_loop.c sleep_until: cell = rescue(worker, turns) */
            if
            :: cell == NOBODY && others_idle(me) -> /* @ scheduler_loop.c stay_sentinel: if (!scheduler_others_idle(worker)) */
                sentinel = NOBODY; /* @ scheduler_loop.c stay_sentinel: atomic_store_explicit(&worker->runtime->sentinel, 0 */
                become_sentinel() /* @ scheduler_loop.c stay_sentinel: return become_sentinel(worker) */
            :: else
            fi
        :: else
        fi
    od;
    if
    :: is_sentinel ->
        assert(sentinel == me + 1);
        sentinel = NOBODY; /* @ scheduler_loop.c sleep_until: atomic_store_explicit(&runtime->sentinel, 0 */
        is_sentinel = false
    :: else
    fi;
    atomic {
        other = 0;
        do
        :: other < WORKERS -> turns[other] = 0; other++
        :: else -> break
        od;
        other = 0
    }
}

inline unpark()
{
    atomic { /* @ scheduler_loop.c scheduler_park_end: atomic_fetch_and_explicit(&runtime->idle, ~bit */
        is_searching = ((idle & bit(me)) == 0);
        idle = idle & (ALL - bit(me));
        assert(is_searching || cell != NOBODY || found || rests)
    }
    if
    :: is_searching -> !parked[me] /* @ scheduler_loop.c scheduler_park_end: while (atomic_load_explicit(&worker->parked, memory_order_acquire) != 0) */
    :: else
    fi;
    parked[me] = false /* @ scheduler_loop.c scheduler_park_end: atomic_store_explicit(&worker->parked, 0, memory_order_relaxed) */
}

inline park()
{
    if
    :: is_searching ->
        is_searching = false;
        searching-- /* @ scheduler_loop.c scheduler_stop_search: atomic_fetch_sub_explicit(&worker->runtime->searching, 1 */
    :: else
    fi;
    parked[me] = true; /* @ scheduler_loop.c scheduler_park_begin: atomic_store_explicit(&worker->parked, 1 */
    idle = idle | bit(me); /* @ scheduler_loop.c scheduler_park_begin: atomic_fetch_or_explicit(&runtime->idle, 1ull << worker->index */
    look_again(); /* @ scheduler_loop.c park: bool found = scheduler_has_work(runtime) */
    if
    :: !found && !(rests && me == 1) -> sleep_until() /* @ scheduler_loop.c park: cell = sleep_until(worker, timer_next_ns(&worker->wheel)) */
    :: else
    fi;
    unpark(); /* @ scheduler_loop.c park: scheduler_park_end(worker) */
    if
    :: found && !is_searching -> /* @ scheduler_loop.c park: if (found && !worker->is_searching) */
        is_searching = true;
        searching++ /* @ scheduler_loop.c start_search: atomic_fetch_add_explicit(&worker->runtime->searching, 1 */
    :: else
    fi;
    found = false;
    if
    :: cell != NOBODY && !is_searching -> notify() /* @ scheduler_loop.c park: if (cell != NULL && !worker->is_searching) */
    :: else
    fi
}

/* ---- running ---- */

inline stop_searching()
{
    is_searching = false;
    searching--; /* @ scheduler.c stop_searching: atomic_fetch_sub_explicit(&runtime->searching, 1 */
    assert(searching >= 0);
    if
    :: len(inject) > 0 -> notify() /* @ scheduler.c stop_searching: if (!runq_is_empty(&runtime->inject) || !runq_is_empty(&runtime->system)) */
    :: else ->
        if
        :: len(queue[me]) > 0 || !others_idle(me) -> notify_if_behind(len(queue[me])) /* @ scheduler.c stop_searching: runq_count(&worker->queue) != 0 || !scheduler_others_idle(worker) */
        :: else
        fi
    fi
}

inline run_cell()
{
    if
    :: is_searching -> stop_searching() /* @ scheduler.c scheduler_run: stop_searching(worker) */
    :: else
    fi;
    turn[me] = turn[me] + 1; /* @ scheduler.c scheduler_run: atomic_store_explicit(&worker->turn, turn + 1 */
    if
    :: cell == 1 -> ready_local(2); has_run[2] /* stuck until then */
    :: cell == 3 -> ready_local(4)
    :: cell == 6 -> has_run[5]
    :: else
    fi;
    atomic { assert(!has_run[cell]); has_run[cell] = true; cell = NOBODY }
}

/* A spare that is not needed gives away what it has and takes no cells any more. */
inline rest()
{
    if
    :: is_searching -> is_searching = false; searching-- /* @ spare.c spare_rest: scheduler_stop_search(worker) */
    :: else
    fi;
    take_lifo(me); /* @ spare.c give_away: atomic_exchange_explicit(&worker->lifo, NULL */
    pop(queue[me]); /* @ spare.c give_away: cell = runq_pop(&worker->queue) */
    do
    :: cell != NOBODY ->
        inject!cell; /* @ spare.c give_away: scheduler_ready(runtime, worker, cell) */
        cell = NOBODY;
        notify();
        pop(queue[me])
    :: else -> break
    od;
    look_again(); /* @ spare.c spare_rest: if (scheduler_has_work(runtime)) */
    if
    :: found -> notify() /* @ spare.c spare_rest: scheduler_notify(runtime) */
    :: else
    fi;
    live = live & (ALL - bit(me)); /* @ spare.c spare_rest: atomic_fetch_and_explicit(&runtime->live, ~(1ull << worker->index) */
    is_resting = true;
end_resting:
    false
}

proctype worker(byte me)
{
    byte cell, other, index, mask;
    byte turns[WORKERS];
    bool is_searching, is_sentinel, found;
    do
    :: rests && me == 1 -> rest() /* @ scheduler_loop.c worker_pool_loop: spare_rest(worker) */
    :: !(rests && me == 1) ->
        next_cell(); /* @ scheduler_loop.c worker_pool_loop: if (scheduler_step(worker)) */
        if
        :: cell == NOBODY -> search() /* @ scheduler_loop.c worker_pool_loop: cell_t *cell = scheduler_search(worker) */
        :: else
        fi;
        if
        :: cell == NOBODY -> park() /* @ scheduler_loop.c worker_pool_loop: cell = park(worker) */
        :: else
        fi;
        if
        :: cell != NOBODY -> run_cell() /* @ scheduler_loop.c worker_pool_loop: scheduler_run(worker, cell) */
        :: else
        fi
    od
}

proctype watchdog()
{
    byte index, mask;
    rests = true; /* @ spare.c dismiss: atomic_store_explicit(&worker->rests, true */
    atomic { /* @ spare.c dismiss: scheduler_wake(runtime, index) */
        mask = idle & bit(1);
        idle = idle & (ALL - bit(1))
    }
    if
    :: mask != 0 -> searching++; parked[1] = false; in_futex[1] = false
    :: else
    fi
}

proctype outside()
{
    byte index, mask;
#ifdef STUCK
    ready_outside(1);
#endif
#ifdef CHAIN
    ready_outside(3);
#endif
#ifdef BLOCKED
    ready_outside(6);
#endif
#ifdef PLAIN
    ready_outside(5);
#endif
    skip
}

init {
    atomic {
        run worker(0);
        run worker(1);
#ifdef REST
        run watchdog();
#endif
        run outside()
    }
#ifdef STUCK
    has_run[1];
#endif
#ifdef CHAIN
    has_run[4];
#endif
#ifdef BLOCKED
    has_run[6];
#endif
#ifdef PLAIN
    has_run[5];
#endif
    /* and all sleep again */
    atomic {
        (idle & live) == live && in_futex[0] && (in_futex[1] && !rests || is_resting);
        assert(searching == 0)
    }
}
