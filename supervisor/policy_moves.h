/* SPDX-License-Identifier: MIT */
/* The moves that supervisor/policy.c decides for: each changes rows and adds actions. */
#ifndef TRP_SUPERVISOR_POLICY_MOVES_H
#define TRP_SUPERVISOR_POLICY_MOVES_H

#include "supervisor/policy.h"

/** One step: what every move works on. */
typedef struct policy_step {
    policy_t *policy;
    const policy_event_t *event;
    int64_t now_ns;
    uint64_t random;
} policy_step_t;

/** What the event means to its child: supervisor/policy.c. Returns the child; NULL: none. */
policy_child_t *policy_decide(policy_step_t *step);

/* ---- what is said ---- */

/** A line for the log. */
policy_action_t *policy_report(policy_step_t *step, policy_child_t *child, policy_context_t context,
                               const trp_reason_t *reason);

/** Tells observers, who hear of an end only when they heard of the readiness. */
void policy_tell(policy_step_t *step, policy_child_t *child, child_change_t change);

/** Answers a request; nobody when it has no id. */
void policy_answer(policy_step_t *step, policy_child_t *child, trp_reply_address_t asker,
                   child_outcome_t outcome);

/** Answers who waits for the child, if anybody does. */
void policy_settle(policy_step_t *step, policy_child_t *child, child_outcome_t outcome);

/* ---- stopping ---- */

/** Asked to end, or already told to. */
bool policy_is_leaving(const policy_child_t *child);

/** Its row goes when it ends. */
bool policy_is_passing(const policy_t *policy, const policy_child_t *child);

/** It has no incarnation any more; its row goes if it is passing. */
void policy_rest(policy_step_t *step, policy_child_t *child);

/** It will be asked to end when its turn comes. */
void policy_doom(policy_step_t *step, policy_child_t *child, bool starts_again);

/** It is asked to end, or killed when its spec says so. */
void policy_begin_stop(policy_step_t *step, policy_child_t *child);

/** It has ended, and its turn has come: reported where it ended otherwise than asked. */
void policy_conclude(policy_step_t *step, policy_child_t *child);

/** Takes back a start that was planned (BACKOFF, QUEUED); who waits for it gets `outcome`. */
void policy_unplan(policy_step_t *step, policy_child_t *child, child_outcome_t outcome);

/** The supervisor ends: timers first, so that nothing starts any more, then all in reverse order;
 * those of a template at once. */
void policy_end(policy_step_t *step, trp_reason_t reason);

/** The time limit of a template's stop passed: kills who is left. */
void policy_stop_late(policy_step_t *step);

/** The reports about a template's children that did not end as asked, by reason. */
void policy_report_errors(policy_step_t *step);

/* ---- starting again ---- */

/** Those that depend on the child end now; whether they start again with it is decided when it
 * does. Returns the longest delay that was pending among them: a group has one. */
int64_t policy_group_stop(policy_step_t *step, policy_child_t *of);

/** Those that were to start after the child do not, before its retry plans them again. */
void policy_group_unplan(policy_step_t *step, policy_child_t *of);

/** All of the group start in order as soon as the last of them has ended; not the temporary
 * ones. */
void policy_group_start(policy_step_t *step, policy_child_t *of);

/** It starts after a delay; `costs`: that start counts as a restart. */
void policy_sleep(policy_step_t *step, policy_child_t *child, int64_t delay_ns, bool costs);

#endif
