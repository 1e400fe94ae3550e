/* SPDX-License-Identifier: MIT */
/* The edge's park: who pushes a cell for the edge thread and ends its park, against the edge that
 * says that it parks, looks again and waits in epoll. Two words, one in the scheduler (parked) and
 * one in the edge (state), and the eventfd; a socket may become readable meanwhile, and somebody may
 * stop the runtime. PUSHERS threads push one cell each.
 *
 * Each step is one atomic access of the code, or what it does under one lock; `@` as in mailbox.pml.
 * Holds:
 *     no lost wake      the edge runs every cell, handles the socket, and ends when it is stopped
 *     no needless wake  the eventfd is written only for an edge that said it waits
 *     progress          it comes to rest: no write is left that wakes it again and again
 *
 * run: pushers [progress]  -DPUSHERS=2 -DSOCKET
 * run: stop [progress]     -DPUSHERS=1 -DSOCKET -DSTOP
 * run: crowd               -DPUSHERS=4 */

#ifndef PUSHERS
#define PUSHERS 2
#endif

mtype = { RUNNING, WAITING, WOKEN };

bool parked = false;    /* edge->parked of the scheduler */
mtype state = RUNNING;  /* edge->state */
byte event_fd = 0;      /* the count of the eventfd */
byte queue = 0;         /* edge->queue */
bool readable = false;  /* the socket's descriptor */
bool stopping = false;

byte handled = 0;       /* cells that ran */
bool received = false;  /* the socket was handled */
bool waits = false;     /* in epoll */
bool edge_ended = false;
byte pushing = 0;       /* threads that are not done */

inline wake() /* @ runtime.c runtime_stop: runtime->edge_park.wake(runtime->edge_park.user) */
{
    atomic { /* @ edge.c edge_wake: atomic_exchange_explicit(&edge->state, EDGE_WOKEN */
        before = state;
        state = WOKEN
    }
    if
    :: before == WAITING -> event_fd++ /* @ edge.c edge_wake: write(edge->wake_fd, &one */
    :: else
    fi
}

inline wake_edge()
{
    atomic { /* @ scheduler.c wake_edge: atomic_compare_exchange_strong_explicit(&edge->parked, &parked, 0 */
        was_parked = parked;
        parked = false
    }
    if
    :: was_parked -> wake() /* @ scheduler.c wake_edge: runtime->edge_park.wake(runtime->edge_park.user) */
    :: else
    fi
}

proctype pusher()
{
    mtype before;
    bool was_parked;
    queue++; /* @ scheduler.c ready_held: runq_push(&holder->queue, cell) */
    wake_edge(); /* @ scheduler.c ready_held: wake_edge(runtime) */
    pushing--
}

proctype peer()
{
    readable = true;
    pushing--
}

proctype stopper()
{
    mtype before;
    stopping = true; /* @ runtime.c runtime_stop: atomic_store_explicit(&runtime->stopping, true */
    wake();
    pushing--
}

/* Waits in epoll for the eventfd or the socket. */
inline wait_events()
{
    waits = true;
end_waiting:
    atomic { event_fd > 0 || readable -> waits = false }; /* @ edge_poll.c edge_poll_wait: epoll_wait(poll_fd, events, EDGE_EVENTS_MAX, -1) */
    woken = (event_fd > 0)
}

inline park()
{
    atomic { /* @ edge.c edge_wait: atomic_compare_exchange_strong_explicit(&edge->state, &expected, EDGE_WAITING */
        expected = state;
        if
        :: state == RUNNING -> state = WAITING
        :: else
        fi
    }
    if
    :: expected != RUNNING ->
        state = RUNNING /* @ edge.c edge_resume: atomic_exchange_explicit(&edge->state, EDGE_RUNNING */
    :: else ->
        wait_events(); /* @ edge.c edge_wait: const int count = edge_poll_wait(edge->poll_fd, events, has_limit ? left_ns : -1) */
        state = RUNNING; /* @ edge.c edge_wait: edge_spin_slept(&edge->spin, edge_now_ns(edge) - begin_ns, count > 0); edge_resume(edge) */
        if
        :: woken -> event_fd = 0 /* @ edge.c dispatch: read(edge->wake_fd, &count */
        :: else -> readable = false; received = true /* @ edge.c dispatch: (void)pump(edge, socket, socket->descriptors[0]) */
        fi
    fi
}

active proctype edge()
{
    mtype expected;
    bool woken;
    do
    :: stopping -> break /* @ scheduler_loop.c worker_edge_loop: while (!is_stopping(edge->runtime)) */
    :: else ->
        if
        :: atomic { queue > 0 -> queue-- } handled++ /* @ scheduler_loop.c worker_edge_loop: if (!scheduler_step(edge)) */
        :: queue == 0 ->
            parked = true; /* @ scheduler_loop.c edge_wait: atomic_store_explicit(&edge->parked, 1 */
            if
            :: queue == 0 -> /* @ scheduler_loop.c edge_wait: if (!edge_has_work(edge) */
                if
                :: !stopping -> park() /* @ scheduler_loop.c edge_wait: park->park(park->user, timer_next_ns(&edge->wheel)) */
                :: else
                fi
            :: else
            fi;
            parked = false /* @ scheduler_loop.c edge_wait: atomic_store_explicit(&edge->parked, 0 */
        fi
    od;
    edge_ended = true
}

init {
    byte i;
    atomic {
        i = 0;
        do
        :: i < PUSHERS -> run pusher(); pushing++; i++
        :: else -> break
        od
#ifdef SOCKET
        ;
        run peer();
        pushing++
#endif
#ifdef STOP
        ;
        run stopper();
        pushing++
#endif
    }
#ifdef STOP
    edge_ended
#else
    atomic {
        pushing == 0 && handled == PUSHERS && waits && event_fd == 0 && !readable
    }
#endif
#ifdef SOCKET
    ;
    assert(received || stopping)
#endif
}
