/* SPDX-License-Identifier: MIT */
/* What a supervisor decides: (child table, event, now, chance) -> actions. No clock, no actor and
 * no log in here, so every case can be walked by a test. The semantics are those of Erlang/OTP's
 * supervisor, with delays between restarts and starts that are awaited without blocking.
 *
 * A child is named by (row, incarnation): what is said of a former incarnation is ignored.
 * Owner: the supervisor actor (supervisor/supervisor.c), which carries the actions out in their
 * order and tells what came of them as events. */
#ifndef TRP_SUPERVISOR_POLICY_H
#define TRP_SUPERVISOR_POLICY_H

/* Out of memory is an element whose handle has no table after the addition. */
#ifndef HASH_NONFATAL_OOM
#define HASH_NONFATAL_OOM 1
#endif
#include <uthash.h>

#include "supervisor/bucket.h"
#include "supervisor/supervisor.h"
#include "supervisor/tally.h"

typedef enum policy_phase {
    POLICY_IDLE,     /* has no incarnation, and nothing is planned */
    POLICY_BACKOFF,  /* waits for the time of its next start */
    POLICY_QUEUED,   /* is started when its turn comes */
    POLICY_STARTING, /* spawned, not ready yet */
    POLICY_UP,       /* ready */
    POLICY_DOOMED,   /* alive; is asked to end when those after it are gone */
    POLICY_STOPPING, /* asked to end */
    POLICY_KILLING,  /* killed, not yet gone */
    POLICY_GONE,     /* ended before its turn to be asked: its report waits for that */
    POLICY_PHASE_COUNT
} policy_phase_t;

typedef struct policy_child {
    trp_child_spec_t *spec; /* the row's own; of an instance: the template's */
    uint32_t key;           /* of this row, never used again; in the order of the table */
    uint32_t incarnation;   /* number of starts so far */
    policy_phase_t phase;
    bool is_ordered;     /* its start waits for those before it */
    bool is_fresh;       /* added by a request, not ready yet: a failed start removes it */
    bool is_late;        /* its start took too long and it was killed for that */
    bool is_dropped;     /* asked to end for good: the row goes with it */
    bool is_removed;     /* taken out of the table; freed at the next step */
    bool is_announced;   /* observers know that it is up */
    bool starts_again;   /* when it has ended: it is part of a group that restarts */
    bool retry_costs;    /* the start after BACKOFF counts as a restart (its failure did not) */
    bool has_retried;    /* its last restart failed (what count_children of OTP looks at) */
    bool is_held;        /* past the limit of restarts, and its spec says hold */
    uint32_t streak;     /* restarts since it was last stable */
    int64_t ready_at_ns; /* last readiness */
    int64_t next_at_ns;  /* next start in BACKOFF */
    int64_t memory;      /* bytes: its limit as it was raised; 0: as its limits say */
    trp_reason_t last_reason;  /* of its last end ... */
    bool has_last_reason;      /* ... when it has one */
    trp_reply_address_t asker; /* who waits for its start or end; request_id 0 = nobody */
    struct policy_child *prev, *next;
    UT_hash_handle by_id;

    /* Kept here for the actor; the policy never looks. */
    trp_pid_t pid;       /* of the last incarnation; while its starts fail, of the last ready one */
    trp_pid_t ready_pid; /* of the last that was ready */
    trp_pid_t front;     /* its kept address (while_down), or none */
    uint64_t monitor, timer; /* 0 = none */
    int64_t started_ns;
    trp_status_t spawn_status; /* of the last START, until it is told as DOWN */
    void *args;                /* start_child's own copy, or NULL: those of the spec */
    size_t args_size;
    struct policy_child *next_failed; /* of those whose spawn failed at once */
    UT_hash_handle by_pid, by_timer;
} policy_child_t;

typedef enum policy_event_kind {
    /* about one incarnation: child, incarnation */
    POLICY_READY,
    POLICY_DOWN, /* reason; also of a spawn that failed at once */
    POLICY_TIMER,
    /* requests about one child: child, or its id; asker */
    POLICY_TERMINATE,
    POLICY_RESTART, /* start a child that is IDLE; also what follows policy_add */
    POLICY_DELETE,
    POLICY_CHILD_EVENT_COUNT,
    /* about the supervisor */
    POLICY_BEGIN = POLICY_CHILD_EVENT_COUNT, /* the first start of all children */
    POLICY_STOP,                             /* reason: what it will end with */
    POLICY_STOP_TIMER,                       /* the one of the supervisor itself */
} policy_event_kind_t;

typedef struct policy_event {
    policy_event_kind_t kind;
    policy_child_t *child; /* NULL: the one of that id */
    uint32_t incarnation;
    const char *id;
    trp_reason_t reason;
    trp_reply_address_t asker;
} policy_event_t;

typedef enum policy_action_kind {
    POLICY_START,  /* spawn it, linked and monitored; then READY or DOWN */
    POLICY_EXIT,   /* ask it to end: shutdown */
    POLICY_KILL,   /* end it by force */
    POLICY_ARM,    /* its one timer: TIMER after delay_ns; 0 = behind all that is queued now. Of no
                    * child: STOP_TIMER */
    POLICY_DISARM, /* no TIMER after this */
    POLICY_ANSWER, /* asker, outcome, reason */
    POLICY_TELL,   /* observers: change, reason */
    POLICY_REPORT, /* context, reason, delay_ns, count */
    POLICY_REMOVE, /* the row is out of the table; its memory goes at the next step */
    POLICY_ALL_UP, /* the first start is complete */
    POLICY_END,    /* the supervisor ends with `reason`; nothing follows */
} policy_action_kind_t;

/** What is worth a line in the log; words of Erlang/OTP. */
typedef enum policy_context {
    POLICY_CHILD_TERMINATED, /* it ended by itself */
    POLICY_RESTARTING,       /* it will be started again, after delay_ns */
    POLICY_START_ERROR,      /* its start failed */
    POLICY_SHUTDOWN_ERROR,   /* it was asked to end and ended otherwise */
    POLICY_GAVE_UP,          /* one restart too many: the supervisor ends */
    POLICY_HELD,             /* one restart too many: the child waits at its longest delay */
    POLICY_NOT_RESTARTED,    /* its table of exit causes says never */
    POLICY_CONTEXT_COUNT
} policy_context_t;

typedef struct policy_action {
    policy_action_kind_t kind;
    policy_child_t *child; /* NULL = none */
    int64_t delay_ns;
    trp_reason_t reason;
    trp_reply_address_t asker;
    child_outcome_t outcome;
    child_change_t change;
    policy_context_t context;
    uint32_t count; /* SHUTDOWN_ERROR of a template's children: how many ended so */
} policy_action_t;

typedef enum policy_mode {
    POLICY_NEW,
    POLICY_BEGINNING, /* the first start: a failure ends all, nothing is retried */
    POLICY_RUNNING,
    POLICY_ENDING, /* nothing is started any more */
    POLICY_ENDED,
} policy_mode_t;

#define POLICY_BATCH  32 /* actions between two calls of the sink */
#define POLICY_ERRORS 16 /* different reasons that a template's children may end with at a stop */

typedef struct policy policy_t;

/** Gets the actions of a step in their order, `count` of `actions` at a time. It may change what a
 * row keeps for the actor, and must not call policy_step. */
typedef void policy_sink_t(void *user, const policy_action_t *actions, size_t count);

struct policy {
    const trp_supervisor_spec_t *spec;
    policy_mode_t mode;
    trp_reason_t end_reason;
    tally_t tally;
    int64_t paused_ns, paused_at_ns; /* window active: what it does not count, since when */
    bool is_stop_armed;              /* the supervisor's own timer */
    uint32_t next_key;
    policy_child_t *first, *last; /* in the order of their start */
    policy_child_t *ids;          /* by id; not the instances of a template */
    policy_child_t *removed;      /* freed at the next step */
    policy_child_t *stop_from;    /* nothing that is leaving comes after it */
    policy_child_t *start_from;   /* nothing that is queued comes before it */
    size_t child_count, supervisor_count;
    size_t phases[POLICY_PHASE_COUNT]; /* rows in each */
    size_t starting_ordered;           /* rows in STARTING that others wait for */
    size_t retrying;                   /* instances whose last restart failed */
    struct {
        trp_reason_t reason;
        uint32_t count;
    } errors[POLICY_ERRORS]; /* of a template's stop */
    size_t error_count;
    policy_sink_t *sink;
    void *user;
    policy_action_t actions[POLICY_BATCH];
    size_t action_count;
};

/** `spec`: used in place; its children are not added. errors: TRP_INVALID (intensity, period),
 * TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t policy_init(policy_t *policy, const trp_supervisor_spec_t *spec,
                                      policy_sink_t *sink, void *user);
void policy_fini(policy_t *policy);

/** Adds a row at the end; start it by POLICY_BEGIN, or by POLICY_RESTART. Of a template strategy
 * `spec` is NULL: an instance. `child` gets the row, or who has the id already; may be NULL.
 * errors: TRP_EXISTS (the id), TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t policy_add(policy_t *policy, const trp_child_spec_t *spec,
                                     policy_child_t **child);

/** Decides. `random`: 64 random bits. The sink gets the actions before it returns. */
void policy_step(policy_t *policy, const policy_event_t *event, int64_t now_ns, uint64_t random);

/** NULL: none. cost: O(1) */
policy_child_t *policy_child_by_id(const policy_t *policy, const char *id);

/** True while an incarnation of the child exists. */
bool policy_is_alive(const policy_child_t *child);

/** True while a start or a stop is under way: what OTP's supervisor does inside of one callback. */
bool policy_is_busy(const policy_t *policy);

#endif
