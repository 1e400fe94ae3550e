/* SPDX-License-Identifier: MIT */
/* A supervisor is an ordinary actor whose children are actors: it starts them in order, starts them
 * again when they end by a fault, and stops them in reverse order.
 * What it decides is supervisor/policy.h; what can be asked of it is messages/supervisor.h. */
#ifndef TRP_SUPERVISOR_SUPERVISOR_H
#define TRP_SUPERVISOR_SUPERVISOR_H

#include <stdatomic.h>

#include "messages/supervisor.h"
#include "runtime/troupe.h"
#include "supervisor/bucket.h"

/** In the order of config_supervisor_t.strategy. */
typedef enum trp_strategy {
    TRP_ONE_FOR_ONE,        /* only the child that ended */
    TRP_ONE_FOR_ALL,        /* all children */
    TRP_REST_FOR_ONE,       /* that child and those after it */
    TRP_SIMPLE_ONE_FOR_ONE, /* children without ids, all made from one template while it runs */
    TRP_STRATEGY_COUNT
} trp_strategy_t;

/** In the order of config_child_t.restart. */
typedef enum trp_restart {
    TRP_PERMANENT, /* always */
    TRP_TRANSIENT, /* unless it ended with normal or shutdown */
    TRP_TEMPORARY, /* never; its spec goes with it */
    TRP_RESTART_COUNT
} trp_restart_t;

/** Whether the end of a significant child that is not started again ends the supervisor. */
typedef enum trp_auto_shutdown {
    TRP_AUTO_SHUTDOWN_NEVER,
    TRP_AUTO_SHUTDOWN_ANY, /* the first of them that ends */
    TRP_AUTO_SHUTDOWN_ALL, /* the last of them */
    TRP_AUTO_SHUTDOWN_COUNT
} trp_auto_shutdown_t;

/** How children are started, at first and in a group that restarts. */
typedef enum trp_starts {
    TRP_STARTS_ORDERED,  /* each when the one before is ready; requests are served meanwhile */
    TRP_STARTS_PARALLEL, /* start_max at a time, in no order */
    TRP_STARTS_AWAITED,  /* as ordered, and as in Erlang/OTP nothing else is looked at while a child
                          * starts or stops */
    TRP_STARTS_COUNT
} trp_starts_t;

/** Which time the window of restarts counts. */
typedef enum trp_window {
    TRP_WINDOW_PASSING, /* all, as Erlang/OTP does */
    TRP_WINDOW_ACTIVE,  /* not while children are stopped: a slow stop can't keep it from filling */
    TRP_WINDOW_COUNT
} trp_window_t;

/** What follows one restart too many of a child. */
typedef enum trp_give_up {
    TRP_GIVE_UP_STOP,     /* the supervisor ends with `shutdown`, as Erlang/OTP does */
    TRP_GIVE_UP_HOLD,     /* the child waits at its longest delay, and is shown as held */
    TRP_GIVE_UP_ESCALATE, /* the supervisor ends with `error`: its parent starts it again also when
                           * it is transient */
    TRP_GIVE_UP_COUNT
} trp_give_up_t;

typedef enum trp_jitter {
    TRP_JITTER_EQUAL, /* chance takes up to half of the delay away */
    TRP_JITTER_FULL,  /* ... up to all of it */
    TRP_JITTER_COUNT
} trp_jitter_t;

/** Why a child ended, as far as it matters for what is done then. */
typedef enum trp_cause {
    TRP_CAUSE_CLEAN,   /* normal, shutdown, exit code 0 */
    TRP_CAUSE_CONFIG,  /* its options or arguments are wrong: TRP_CONFIG, TRP_INVALID */
    TRP_CAUSE_UNREADY, /* what it needs is not there yet: TRP_BUSY, TRP_GONE, noconnection */
    TRP_CAUSE_MEMORY,  /* out of memory */
    TRP_CAUSE_STUCK,   /* its handler did not return */
    TRP_CAUSE_CRASH,   /* all else */
    TRP_CAUSE_COUNT
} trp_cause_t;

/** What is done about a cause, where the restart type says restart. */
typedef enum trp_on_exit {
    TRP_ON_EXIT_DEFAULT, /* backoff */
    TRP_ON_EXIT_BACKOFF, /* started again after its delay */
    TRP_ON_EXIT_NOW,     /* ... without a delay */
    TRP_ON_EXIT_WAIT,    /* ... after its delay, and it costs no intensity */
    TRP_ON_EXIT_NEVER,   /* stays down with its spec, until somebody asks for a restart */
    TRP_ON_EXIT_GIVE_UP, /* as one restart too many */
    TRP_ON_EXIT_RAISE,   /* of CAUSE_MEMORY: as backoff, with its limit of memory raised; never when
                          * that is at its ceiling */
    TRP_ON_EXIT_COUNT
} trp_on_exit_t;

/** What becomes of messages for a named child while it is down. Other than GONE: its name is of
 * an actor with one pid for all its incarnations, which passes messages on. */
typedef enum trp_while_down {
    TRP_WHILE_DOWN_GONE,  /* it has no address: senders hear TRP_GONE */
    TRP_WHILE_DOWN_FAIL,  /* it keeps its address: requests get TRP_TAG_DOWN at once */
    TRP_WHILE_DOWN_QUEUE, /* ... and what is sent waits for it, up to mailbox_max or 10000 */
    TRP_WHILE_DOWN_COUNT
} trp_while_down_t;

#define TRP_SHUTDOWN_INFINITY (-1) /* wait for ever */
#define TRP_SHUTDOWN_BRUTAL   (-2) /* kill at once, without asking */

/** Limits that may change while the tree runs: whoever owns the cell puts another pointer in, and
 * keeps what it pointed to before. */
typedef _Atomic(const trp_limits_t *) trp_limits_cell_t;

/** One child. Texts and args are the caller's and must outlive the supervisor; but those of
 * trp_supervisor_start_child are copied. */
typedef struct trp_child_spec {
    char id[TRP_NAME_MAX]; /* unique among the children */
    const trp_class_t *class;
    trp_place_t place;
    const char *program;           /* place process: run this one; NULL or "" = a fork of ours */
    const trp_limits_t *limits;    /* place process; NULL = the defaults */
    trp_limits_cell_t *limits_now; /* instead, looked into at each start; NULL: none */
    const char *origin;            /* trp_spawn_t.origin; NULL: the supervisor's */
    uint16_t args_tag;
    const void *args;
    size_t args_size;
    trp_restart_t restart;
    bool is_significant; /* auto_shutdown looks at it */
    bool is_supervisor;
    bool is_named;   /* registered under its id */
    bool is_dynamic; /* terminate_child deletes its spec as well, as it does of temporary ones */
    bool
        is_quarantined; /* its place is not the one that was configured: it brought the node down */
    int64_t shutdown_ms;    /* time to end when asked; or one of TRP_SHUTDOWN_ */
    int64_t start_ms;       /* time to become ready; 0 = no limit */
    int64_t backoff_ms;     /* delay of the second restart in a row; 0 = no delays */
    int64_t backoff_max_ms; /* its cap, chance included */
    int64_t backoff_factor; /* from one delay to the next; 0 = 2 */
    int64_t backoff_steps;  /* or: from the first to the cap in this many equal ratios; 0 = none */
    trp_jitter_t jitter;
    int64_t reset_after_ms; /* of readiness: the streak is forgotten; halved each tenth of it. 0:
                             * halved each second */
    trp_give_up_t give_up;
    trp_while_down_t while_down; /* of one that is_named */
    trp_on_exit_t on_exit[TRP_CAUSE_COUNT];
    uint32_t mailbox_max; /* messages in its mailbox; 0 = 100000 */
    size_t mailbox_bytes; /* bytes in its mailbox; 0 = 64 MiB */
    trp_overflow_t overflow;
    size_t memory_quota; /* bytes: its quota; 0 = none */
} trp_child_spec_t;

/** Hears of each report, before anything follows from it; on the supervisor's thread, must not call
 * the runtime. */
typedef void trp_report_hook_t(void *user, const supervisor_report_t *report);

/** A supervisor: its flags and its first children. */
typedef struct trp_supervisor_spec {
    char name[TRP_NAME_MAX];
    trp_strategy_t strategy;
    int64_t intensity; /* restarts allowed ... */
    int64_t period_s;  /* ... within this time; one more ends the supervisor with `shutdown` */
    trp_auto_shutdown_t auto_shutdown;
    trp_starts_t starts;
    size_t start_max; /* of parallel starts at a time; 0 = no limit */
    trp_window_t window;
    const trp_child_spec_t *children;
    size_t child_count;
    const trp_child_spec_t *template; /* of children that start_child adds, or NULL; id = "NAME" */
    size_t child_max;                 /* children that start_child may reach; 0 = 65535, of a
                                       * template strategy 1000000 */
    trp_report_hook_t *on_report;     /* NULL: the log and TRP_REPORT_TOPIC only */
    void *on_report_user;
    trp_bucket_t *bucket; /* restarts each second of the whole tree; NULL = no limit */
} trp_supervisor_spec_t;

/** The message for a supervisor's init: the spec must outlive it. */
typedef struct trp_supervisor_args {
    const trp_supervisor_spec_t *spec;
    trp_pid_t parent; /* whose exit signal is the request to stop */
} trp_supervisor_args_t;

/** Ready when all its first children are; fails when one of them does, after stopping those before
 * it. */
extern TRP_API const trp_class_t trp_supervisor_class;

/** Says what is wrong with a spec, or with one of those nested in it. errors: TRP_INVALID with
 * `rule` */
TRP_API TRP_MUST_USE trp_status_t trp_supervisor_check(const trp_supervisor_spec_t *spec,
                                                       char rule[160]);

/* ---- requests: each is answered once, by the message named, or by TRP_TAG_DOWN when the
 * supervisor does not live (long enough). `request_id` says which answer is whose. ---- */

/** Adds a child and starts it. Its args are copied; the spec of a supervisor (is_supervisor, args)
 * is used in place. Of simple_one_for_one: `spec` with `args` alone, the rest is the template's.
 * Only within one process. -> TRP_TAG_CHILD_ANSWER: ok with its pid, ok without one when its start
 * answered TRP_IGNORE, failed, already_started, already_present, refused, stopping */
TRP_API TRP_MUST_USE trp_status_t trp_supervisor_start_child(trp_ctx_t *ctx, trp_pid_t supervisor,
                                                             const trp_child_spec_t *spec,
                                                             uint64_t *request_id);

/** What can be asked about one child. */
typedef enum trp_child_request {
    TRP_CHILD_TERMINATE, /* -> ok, not_found; the spec stays, but of a temporary child */
    TRP_CHILD_RESTART,   /* of one that is down -> as start_child, running, restarting, not_found */
    TRP_CHILD_DELETE,    /* of one that is down -> ok, running, restarting, not_found */
    TRP_CHILD_SPEC,      /* -> TRP_TAG_CHILD_SPEC_SHOWN, or TRP_TAG_CHILD_ANSWER: not_found */
} trp_child_request_t;

/** By its id; -> TRP_TAG_CHILD_ANSWER where nothing else is said above. */
TRP_API TRP_MUST_USE trp_status_t trp_supervisor_ask_child(trp_ctx_t *ctx, trp_pid_t supervisor,
                                                           trp_child_request_t request,
                                                           const char *id, uint64_t *request_id);

/** By its pid, of simple_one_for_one: TERMINATE and SPEC. A dead pid is ok, a living stranger
 * not_found. */
TRP_API TRP_MUST_USE trp_status_t trp_supervisor_ask_instance(trp_ctx_t *ctx, trp_pid_t supervisor,
                                                              trp_child_request_t request,
                                                              trp_pid_t pid, uint64_t *request_id);

/** What can be asked about all of them. */
typedef enum trp_children_request {
    TRP_CHILDREN_WHICH, /* -> TRP_TAG_CHILDREN */
    TRP_CHILDREN_COUNT, /* -> TRP_TAG_CHILDREN_COUNTED */
    TRP_CHILDREN_STOP,  /* -> TRP_TAG_CHILD_ANSWER when all have ended; then it ends with normal */
} trp_children_request_t;

TRP_API TRP_MUST_USE trp_status_t trp_supervisor_ask(trp_ctx_t *ctx, trp_pid_t supervisor,
                                                     trp_children_request_t request,
                                                     uint64_t *request_id);

#endif
