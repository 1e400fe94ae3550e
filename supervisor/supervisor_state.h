/* SPDX-License-Identifier: MIT */
/* The supervisor actor's state, shared by its files: supervisor.c (what happens to children),
 * supervisor_request.c (what is asked), supervisor_run.c (actions out), supervisor_show.c (answers
 * about the table). */
#ifndef TRP_SUPERVISOR_SUPERVISOR_STATE_H
#define TRP_SUPERVISOR_SUPERVISOR_STATE_H

#include "supervisor/front.h"
#include "supervisor/observers.h"
#include "supervisor/policy.h"
#include "supervisor/report.h"

enum {
    SUPERVISOR_TAG_TIMER = 0x05f0,  /* of a child or its own: request_id says which */
    SUPERVISOR_TAG_REPORT = 0x05f1, /* lines that were held back are due */
    SUPERVISOR_TAG_RETRY = 0x05f2,  /* from itself: the next attempt to start the child of that
                                     * key, behind all that was queued before */
};

/* A program that children were told to run. Kept to the end: their rows point to it. */
typedef struct supervisor_program {
    struct supervisor_program *next;
    char path[256];
} supervisor_program_t;

typedef struct supervisor {
    const trp_supervisor_spec_t *spec;
    trp_pid_t parent;
    policy_t policy;
    policy_child_t *pids, *timers; /* rows by the last incarnation's pid, by their timer */
    policy_child_t *failed;        /* rows whose spawn failed at once */
    observers_t observers;
    report_t report;
    uint64_t stop_timer;
    trp_reply_address_t stopper; /* who asked it to stop; request_id 0 = nobody */
    supervisor_program_t *programs;
    size_t child_max;     /* as a request said last; 0: as the spec says */
    const char *program;  /* of the template, when it has changed; NULL: as the spec says */
    unsigned next_number; /* no NAME.n below it is free */
    bool in_init;
    bool report_is_due;
    bool has_deferred; /* starts awaited: messages are put off */
} supervisor_t;

/** One event through the policy, and all actions that follow carried out. */
void supervisor_run(supervisor_t *supervisor, trp_ctx_t *ctx, const policy_event_t *event);

/** The row of that incarnation; NULL: none. */
policy_child_t *supervisor_find(const supervisor_t *supervisor, trp_pid_t pid);

/** Answers a request with an outcome; `child` and `reason` may be NULL. */
void supervisor_answer(trp_ctx_t *ctx, trp_reply_address_t asker, child_outcome_t outcome,
                       const policy_child_t *child, const trp_reason_t *reason);

/** Handles a request. False: the message is none. */
bool supervisor_request(supervisor_t *supervisor, trp_ctx_t *ctx, const trp_envelope_t *message);

/** Replies with the table, with its numbers, or with the spec of one child. errors: TRP_NO_MEMORY,
 * those of trp_reply_move */
TRP_MUST_USE trp_status_t supervisor_show_children(const supervisor_t *supervisor, trp_ctx_t *ctx,
                                                   const trp_envelope_t *request);
TRP_MUST_USE trp_status_t supervisor_show_count(const supervisor_t *supervisor, trp_ctx_t *ctx,
                                                const trp_envelope_t *request);
TRP_MUST_USE trp_status_t supervisor_show_spec(trp_ctx_t *ctx, const trp_envelope_t *request,
                                               const trp_child_spec_t *spec);

#endif
