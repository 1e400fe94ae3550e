/* SPDX-License-Identifier: MIT */
/* The supervisor actor's state, shared by its files: supervisor.c (messages in), supervisor_run.c
 * (actions out), supervisor_show.c (answers about the table). */
#ifndef TRP_SUPERVISOR_SUPERVISOR_STATE_H
#define TRP_SUPERVISOR_SUPERVISOR_STATE_H

#include "supervisor/observers.h"
#include "supervisor/policy.h"
#include "supervisor/report.h"

enum {
    SUPERVISOR_TAG_TIMER = 0x05f0,  /* of a child: request_id says which */
    SUPERVISOR_TAG_REPORT = 0x05f1, /* lines that were held back are due */
};

typedef struct supervisor {
    const trp_supervisor_spec_t *spec;
    trp_pid_t parent;
    policy_t policy;
    observers_t observers;
    report_t report;
    bool in_init;
    bool report_is_due;
} supervisor_t;

/** One event through the policy, and all actions that follow carried out. */
void supervisor_run(supervisor_t *supervisor, trp_ctx_t *ctx, const policy_event_t *event);

/** Answers a request with an outcome; `child` and `reason` may be NULL. */
void supervisor_answer(trp_ctx_t *ctx, trp_reply_address_t asker, child_outcome_t outcome,
                       const policy_child_t *child, const trp_reason_t *reason);

/** Replies with the table, or with its numbers. errors: TRP_NO_MEMORY, those of trp_reply_move */
TRP_MUST_USE trp_status_t supervisor_show_children(const supervisor_t *supervisor, trp_ctx_t *ctx,
                                                   const trp_envelope_t *request);
TRP_MUST_USE trp_status_t supervisor_show_count(const supervisor_t *supervisor, trp_ctx_t *ctx,
                                                const trp_envelope_t *request);

#endif
