/* SPDX-License-Identifier: MIT */
/* What a supervisor decides: (child table, event, now, chance) -> actions. No clock, no actor and
 * no log in here, so every case can be walked by a test. The semantics are those of Erlang/OTP's
 * supervisor, with delays between restarts and starts that are awaited without blocking.
 *
 * A child is named by (key, incarnation): what is said of a former incarnation is ignored.
 * Owner: the supervisor actor (supervisor/supervisor.c), which carries the actions out in their
 * order and tells what came of them as events. */
#ifndef TRP_SUPERVISOR_POLICY_H
#define TRP_SUPERVISOR_POLICY_H

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
    POLICY_PHASE_COUNT
} policy_phase_t;

typedef struct policy_child {
    trp_child_spec_t spec;
    uint32_t key;         /* of this row, never used again */
    uint32_t incarnation; /* number of starts so far */
    policy_phase_t phase;
    bool is_ordered;   /* its start waits for those before it */
    bool is_fresh;     /* added by a request, not ready yet: a failed start removes it */
    bool is_late;      /* its start took too long and it was killed for that */
    bool is_dropped;   /* asked to end for good: the row goes with it */
    bool is_removed;   /* the row goes at the next step */
    bool is_announced; /* observers know that it is up */
    bool starts_again; /* when it has ended: it is part of a group that restarts */
    bool retry_costs;  /* the start after BACKOFF counts as a restart (its failure did not) */
    uint32_t streak;   /* restarts since it was last stable */
    int64_t ready_at_ns, next_at_ns; /* last readiness; next start in BACKOFF */
    trp_reason_t last_reason;        /* of its last end ... */
    bool has_last_reason;            /* ... when it has one */
    trp_reply_address_t asker;       /* who waits for its start or end; request_id 0 = nobody */

    /* Kept here for the actor; the policy never looks. */
    trp_pid_t pid;
    uint64_t monitor, timer; /* 0 = none */
    int64_t started_ns;
    trp_status_t spawn_status; /* of the last START, until it is told as DOWN */
} policy_child_t;

typedef enum policy_event_kind {
    /* about one incarnation: key, incarnation */
    POLICY_READY,
    POLICY_DOWN, /* reason; also of a spawn that failed at once */
    POLICY_TIMER,
    /* requests about one child: id, asker */
    POLICY_TERMINATE,
    POLICY_RESTART, /* start a child that is IDLE; also what follows policy_add */
    POLICY_DELETE,
    POLICY_CHILD_EVENT_COUNT,
    /* about the supervisor */
    POLICY_BEGIN = POLICY_CHILD_EVENT_COUNT, /* the first start of all children */
    POLICY_STOP,                             /* reason: what it will end with */
} policy_event_kind_t;

typedef struct policy_event {
    policy_event_kind_t kind;
    uint32_t key, incarnation;
    const char *id;
    trp_reason_t reason;
    trp_reply_address_t asker;
} policy_event_t;

typedef enum policy_action_kind {
    POLICY_START,  /* spawn it, linked and monitored; then READY or DOWN */
    POLICY_EXIT,   /* ask it to end: shutdown */
    POLICY_KILL,   /* end it by force */
    POLICY_ARM,    /* its one timer: TIMER after delay_ns */
    POLICY_DISARM, /* no TIMER after this */
    POLICY_ANSWER, /* asker, outcome, reason */
    POLICY_TELL,   /* observers: change, reason */
    POLICY_REPORT, /* context, reason, delay_ns */
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
} policy_context_t;

typedef struct policy_action {
    policy_action_kind_t kind;
    uint32_t key; /* of the child: policy_child finds it; 0 = none */
    int64_t delay_ns;
    trp_reason_t reason;
    trp_reply_address_t asker;
    child_outcome_t outcome;
    child_change_t change;
    policy_context_t context;
} policy_action_t;

typedef enum policy_mode {
    POLICY_NEW,
    POLICY_BEGINNING, /* the first start: a failure ends all, nothing is retried */
    POLICY_RUNNING,
    POLICY_ENDING, /* nothing is started any more */
    POLICY_ENDED,
} policy_mode_t;

typedef struct policy {
    trp_strategy_t strategy;
    policy_mode_t mode;
    trp_reason_t end_reason;
    tally_t tally;
    uint32_t next_key;
    policy_child_t *children; /* in the order of their start */
    size_t child_count, child_capacity;
    policy_action_t *actions; /* of the last step */
    size_t action_count, action_capacity;
} policy_t;

/** errors: TRP_INVALID (intensity, period), TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t policy_init(policy_t *policy, trp_strategy_t strategy, int64_t intensity,
                                      int64_t period_s);
void policy_fini(policy_t *policy);

/** Adds a row at the end; start it by POLICY_BEGIN, or by POLICY_RESTART with its id. errors:
 * TRP_EXISTS (the id), TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t policy_add(policy_t *policy, const trp_child_spec_t *spec);

/** The step: changes the table and fills policy->actions (valid until the next call of policy_add
 * or policy_step). `chance`: 64 random bits. cost: O(children) */
void policy_step(policy_t *policy, const policy_event_t *event, int64_t now_ns, uint64_t chance);

/** The row with that key, or NULL. */
policy_child_t *policy_child(policy_t *policy, uint32_t key);

/** The row with that id, or NULL. */
policy_child_t *policy_child_by_id(policy_t *policy, const char *id);

/** Rows that stay: those that go at the next step are left out. */
size_t policy_child_count(const policy_t *policy);

/** True while an incarnation of the child exists. */
bool policy_is_alive(const policy_child_t *child);

#endif
