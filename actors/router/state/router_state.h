/* SPDX-License-Identifier: MIT */
/* What the router knows: tools, pools, workers, tasks, keys. It belongs to the edge (runtime_keep),
 * not to the router actor: a restarted router finds all of it. Edge thread only.
 *
 *     client -> accept -> queue of its pool -> dispatch -> worker -> result -> answer -> client
 *                 |          ^         |                      |
 *               refuse     retry     expire                 died: retry
 */
#ifndef TRP_ACTORS_ROUTER_STATE_H
#define TRP_ACTORS_ROUTER_STATE_H

/* Out of memory is an element whose hh.tbl is NULL after HASH_ADD, not the end of the process. */
#define HASH_NONFATAL_OOM 1
#include <stddef.h>
#include <uthash.h>

#include "actors/router/base/balance.h"
#include "actors/router/base/cache.h"
#include "actors/router/base/histogram.h"
#include "actors/router/base/majordomo.h"
#include "messages/task.h"
#include "runtime/config/config.h"
#include "runtime/edge/edge.h"

typedef struct router router_t;
typedef struct task task_t;
typedef struct pool pool_t;
typedef struct worker worker_t;
typedef struct foreign foreign_t;
typedef struct call call_entry_t; /* router_calls.c */
typedef struct flight flight_t;
typedef struct poison poison_t;     /* router_poison.h */
typedef struct rollout rollout_t;   /* router_pair.h */
typedef struct lane lane_t;         /* router_queue.c */
typedef struct held held_t;         /* router_intake.c */
typedef struct line line_t;         /* router_intake.c */
typedef struct sequence sequence_t; /* router_sequence.c */
typedef struct pair pair_t;         /* router_pair.h */

/** What becomes of partial answers. */
typedef enum stream {
    STREAM_USUAL, /* a client of 0.2 gets them as they come, and then no second attempt */
    STREAM_EACH,  /* those of each attempt, with its number */
    STREAM_LAST   /* together with the last one */
} stream_t;

/** Where an answer goes. */
typedef struct origin {
    edge_peer_t *peer; /* a client of the Majordomo port, no larger than its id: not to be copied
                        * as a whole; NULL: an actor */
    majordomo_version_t version;
    bool has_options;
    stream_t stream;
    uint32_t attempt;             /* of which partial answers were sent there; 0: of none ... */
    uint32_t parts;               /* ... and how many, lost ones too */
    char id[TRP_TASK_ID_MAX + 1]; /* of the options frame; "" = none */
    trp_reply_address_t actor;
} origin_t;

/** A tool's name and the pool that serves it. */
typedef struct service {
    char name[TRP_TOOL_NAME_MAX + 1];
    pool_t *pool;       /* foreign ones: its own */
    bool makes_key;     /* goes to the worker that holds the fewest keys */
    bool is_second;     /* of its rollout */
    rollout_t *rollout; /* a share of its calls goes to, or comes from, another pool; NULL: none */
    uint64_t sent, answered, failed, retried;
    UT_hash_handle hh;
} service_t;

/** One who waits for the answer of a task. */
typedef struct waiter {
    char id[37]; /* UUID of the call */
    trp_form_t form;
    origin_t origin;
    int64_t deadline_ns; /* the client's; INT64_MAX = none */
    struct waiter *next; /* whose deadline is not before */
} waiter_t;

/** RESTING: between two attempts. */
typedef enum task_state { TASK_QUEUED, TASK_RUNNING, TASK_RESTING } task_state_t;

#define TASK_REASONS 3 /* ends of attempts that are remembered */

#define QUEUE_PRIORITIES       10
#define QUEUE_PRIORITY_DEFAULT 4

/** Tasks that wait (router_queue.h). Zeroed: empty and not fair. */
typedef struct queue {
    lane_t *lanes; /* hash by priority and client */
    lane_t *rings[QUEUE_PRIORITIES];
    lane_t *spare; /* an empty lane, kept so that putting one client's tasks allocates nothing */
    uint32_t count;
    bool fair;
} queue_t;

/** One accepted task, until it is answered. */
struct task {
    service_t *service;
    waiter_t waiter;  /* the one with the earliest deadline ... */
    waiter_t *joined; /* ... and those who asked for the same work, by deadline */
    task_state_t state;
    uint8_t priority;
    bool has_parts;    /* partial answers went to a client ... */
    bool is_pinned;    /* ... that would not know another attempt's: it can't be tried again */
    bool is_held;      /* QUEUED: until the one before it, of the same key, has ended */
    bool answered;     /* nobody waits any more: it only holds its worker's place */
    zmq_msg_t payload; /* shared by all attempts: task_run, packed once; a foreign tool's: the first
                        * frame of the body, as it came ... */
    zmq_msg_t *more;   /* ... the other frames; NULL: none ... */
    uint32_t more_count;
    uint32_t part_count; /* ... and partial answers kept for those who get them with the last one */
    zmq_msg_t *parts;
    char key[TRP_TASK_KEY_MAX + 1];
    int64_t accepted_ns;
    int64_t started_ns; /* of this attempt */
    int64_t expires_ns; /* not started by then: refused */
    int64_t run_end_ns; /* foreign: this attempt is over then; INT64_MAX where the request's limit
                         * says so */
    heap_node_t end;    /* in its pool's ends, from its first queue to its end */
    uint32_t attempts;
    uint32_t crashes;      /* attempts whose end the work itself may have caused */
    int64_t again_ns;      /* RESTING: when it is tried again */
    trp_reason_t *reasons; /* TASK_REASONS of them, from the first death on; NULL: none */
    uint64_t avoid;        /* name (balance_member_t) of the worker that failed it last; 0 = none */
    worker_t *worker;      /* while running */
    uint64_t request_id;   /* of this attempt: the fence */
    flight_t *flight;      /* NULL: nobody may join */
    queue_t *queue; /* while queued: its pool's, or that of the worker that holds its key ... */
    lane_t *lane;   /* ... and its client's lane in it */
    struct task *prev, *next; /* in its lane, or among its worker's tasks */
    UT_hash_handle hh;        /* in router->running */
};

/** Work under way that others may ask for as well. */
struct flight {
    cache_key_t key;
    task_t *task;
    bool is_replay; /* by an idempotency key: all answers are kept; else successes, by the body */
    UT_hash_handle hh; /* in router->flights */
};

/** A worker that is ready. */
struct worker {
    balance_member_t member; /* how balance_pick finds it */
    trp_pid_t pid;           /* of an actor of ours ... */
    uint64_t monitor;
    foreign_t *foreign; /* ... or a program that speaks Majordomo */
    char name[TRP_NAME_MAX];
    pool_t *pool;
    task_t *tasks;   /* running here */
    queue_t waiting; /* tasks whose key it holds, until it has a place free */
    uint64_t done, failed;
    int64_t busy_us;   /* time that its tools ran */
    int64_t rss_bytes; /* most memory of its process, as it said last */
    int64_t up_ns;
    int64_t back_ns;    /* since when its share grows anew, after an ejection; 0: there was none */
    int64_t ejected_ns; /* gets no new work until then; 0: it does */
    uint32_t ejections;
    uint32_t faults;                      /* in a row; ... */
    uint64_t good_before;                 /* ... successes of the pool before the first of them */
    uint32_t seen, bad;                   /* last answers, and errors among them */
    int64_t idle_ns;                      /* since when it has nothing to do */
    bool leaving;                         /* asked to stop */
    bool is_understudy;                   /* ready, and given nothing until another one dies */
    bool is_idle, is_ready;               /* in pool->idle, pool->ready */
    struct worker *prev, *next;           /* in pool->workers */
    struct worker *idle_prev, *idle_next; /* in pool->idle */
    struct worker *ready_prev, *ready_next;
    UT_hash_handle hh; /* in router->workers, unless it is foreign */
};

/** A worker of another program. */
struct foreign {
    edge_peer_t peer;
    majordomo_version_t version;
    worker_t *worker;
    char key[CONFIG_KEY_SIZE + 1]; /* that it came under; "" = none */
    int64_t heard_ns;
    UT_hash_handle hh; /* in router->foreign.workers, by peer */
};

/** Stops what only fails: closed, until so many attempts in a row failed; then open for a while;
 * then half open: one attempt decides. */
typedef struct breaker {
    uint32_t failures; /* in a row */
    int64_t open_ns;   /* until then nothing is given; 0: closed */
} breaker_t;

/** Tasks of one kind and those who do them. */
struct pool {
    router_t *router;
    config_pool_t settings;      /* those of the configuration, and what orders changed of them */
    const config_pool_t *config; /* = &settings */
    char name[TRP_NAME_MAX];     /* of the configuration; foreign ones: of the tool */
    bool was_served;             /* foreign: there was a worker once */
    bool is_unlisted;            /* foreign: the configuration does not know the tool */
    bool was_near_full;
    breaker_t breaker;
    uint64_t good;         /* successes */
    sequence_t *sequences; /* order = key: by key */
    worker_t *workers;
    worker_t *idle; /* nothing in hand and no keys; the longest idle first */
    balance_t balance;
    uint32_t worker_count; /* without the understudies: */
    uint32_t understudies;
    uint32_t ejected; /* of those that stay */
    uint32_t kept;    /* so many its supervisor has for certain, and replaces; at most `min` ... */
    uint32_t begun;   /* ... with how many a new one begins */
    uint32_t leaving; /* of them, how many were asked to stop */
    bool growing;     /* one more worker was asked for and is not up yet: ... */
    uint64_t grow_request; /* ... by this request */
    int64_t grow_at_ns;    /* its supervisor refused: not asked again before, unless it has news */
    worker_t *outgoing;    /* its place is taken by who was asked for; NULL: nobody's */
    int64_t use_ns, used_ns, window_ns; /* tasks times ns since window_ns, up to use_ns */
    trp_pid_t supervisor;               /* NONE while it is down */
    queue_t queue;                      /* waiting for any worker */
    queue_t makers;                     /* waiting for one that has room for one key more */
    worker_t *ready;                    /* have a place free and tasks waiting for their keys */
    bool wants_more;                    /* a task waits and one worker more would help */
    uint32_t queued;                    /* in all queues */
    uint32_t joined;                    /* who wait for tasks of others */
    uint32_t running;
    heap_t ends; /* tasks, by when time alone changes them */
    uint64_t timer;
    int64_t timer_ns;
    uint64_t refused;        /* its queue was full ... */
    int64_t refused_ns;      /* ... the last time */
    histogram_t waits, runs; /* of its answered tasks: from acceptance to start, and in the tool */
    int64_t total_ns;        /* tasks times ns, ever; ... */
    int64_t looked_ns, looked_total_ns; /* ... and when it was shown */
    uint64_t late;                      /* answers of former attempts */
};

/** Which worker holds a key (a match); after its death why it is gone, for a while. */
typedef struct key {
    char name[TRP_TASK_KEY_MAX + 1];
    worker_t *worker; /* NULL: lost */
    trp_reason_t reason;
    uint64_t listed; /* by the worker's list of this number */
    int64_t lost_ns;
    UT_hash_handle hh;
} key_entry_t;

/* What one file alone keeps has a struct of its own, named after it. */
struct router {
    trp_runtime_t *runtime;
    trp_ctx_t *ctx; /* inside a callback of the actor, else NULL */
    trp_pid_t self;
    bool nudged; /* a wake-up is in the actor's mailbox */
    const config_t *config;
    edge_socket_t *socket;
    uint64_t random; /* state of the generator of task ids */

    service_t *services;
    size_t unlisted; /* tools that the configuration does not know */
    pool_t **pools;  /* each stays where it is */
    size_t pool_count;
    worker_t *workers; /* actors of all pools, by pid */
    key_entry_t *keys;
    uint64_t key_lists; /* lists of keys that came */

    task_t *running;
    size_t tasks;                 /* accepted and unanswered */
    size_t bytes;                 /* of their bodies */
    call_entry_t *calls;          /* by what their clients call them */
    flight_t *flights;            /* work that others may join */
    cache_t *cache;               /* results, by tool and body */
    cache_t *replays;             /* answers, by idempotency key */
    uint64_t shared;              /* calls that joined the work of another */
    bool draining;                /* no new work */
    trp_reply_address_t drain_to; /* who is told when all is answered; NONE: told already */

    struct {
        foreign_t *workers;  /* by peer */
        uint64_t beat_timer; /* while there are any */
        uint64_t serial;     /* of their names and attempts */
        uint64_t sent_away;
    } foreign;
    rollout_t *rollouts;
    struct {
        pair_t *of_task[2]; /* calls and shadows under way, by the task of either ... */
        pair_t *compared;   /* ... and those whose results are at the intake, by request */
        size_t count;
        size_t shadows; /* tasks for which nobody waits */
    } pairs;
    struct {
        poison_t *first; /* the oldest */
        size_t count, bytes;
    } poison;
    struct {
        bool has_intake;  /* the program has an actor that reads large bodies */
        line_t *lines;    /* clients whose requests wait for it ... */
        line_t *asked;    /* ... by the request to it */
        held_t *resuming; /* one of these requests while it is served */
        size_t count;     /* of all these requests */
        bool wants_looks; /* some were not asked for yet */
    } held;
    struct {
        edge_socket_t *zap; /* where libzmq asks for keys; NULL: none are wanted */
        int64_t *rates;     /* of each key: when its bucket is full again; for these keys: ... */
        const config_key_t *rates_of;
        size_t rate_count;   /* ... so many */
        uint64_t locked_out; /* connections whose key nobody knows */
    } rights;

    uint64_t junk;        /* messages that were no protocol at all */
    uint64_t unreachable; /* answers whose client has left or does not read */
    uint64_t unread;      /* ... of these, for clients that do not read */
};

enum {
    ROUTER_TAG_NUDGE = 0x0600, /* there is something in a queue */
    ROUTER_TAG_TIMER = 0x0601, /* a pool's timer: a task expires, or a worker idles too long */
    ROUTER_TAG_BEAT = 0x0602,  /* heartbeats of foreign workers are due */
};

/** Who waits for a task, one after the other; NULL: that was the last one. */
static inline waiter_t *waiter_next(const task_t *task, const waiter_t *waiter)
{
    return waiter == &task->waiter ? task->joined : waiter->next;
}

/** The 1st, 2nd, 4th, 8th ... of its kind: no flood of lines. */
static inline bool is_worth_a_line(uint64_t count)
{
    return (count & (count - 1)) == 0;
}

#endif
