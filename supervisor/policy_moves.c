/* SPDX-License-Identifier: MIT */
#include "supervisor/policy_moves.h"

#include <signal.h>
#include <string.h>

#include "supervisor/policy_table.h"

#define MS INT64_C(1000000)

/* ---- small steps ---- */

policy_action_t *policy_report(policy_step_t *step, policy_child_t *child, policy_context_t context,
                               const trp_reason_t *reason)
{
    policy_action_t *action = policy_act(step->policy, POLICY_REPORT, child);
    action->context = context;
    action->reason = *reason;
    return action;
}

void policy_tell(policy_step_t *step, policy_child_t *child, child_change_t change)
{
    if (change != CHILD_UP && !child->is_announced) {
        return;
    }
    policy_action_t *action = policy_act(step->policy, POLICY_TELL, child);
    action->change = change;
    action->reason = step->event->reason;
    child->is_announced = change != CHILD_DOWN;
}

void policy_answer(policy_step_t *step, policy_child_t *child, trp_reply_address_t asker,
                   child_outcome_t outcome)
{
    if (asker.request_id == 0) {
        return;
    }
    policy_action_t *action = policy_act(step->policy, POLICY_ANSWER, child);
    action->asker = asker;
    action->outcome = outcome;
    action->reason = step->event->reason;
}

void policy_settle(policy_step_t *step, policy_child_t *child, child_outcome_t outcome)
{
    policy_answer(step, child, child->asker, outcome);
    child->asker = (trp_reply_address_t){0};
}

static void arm(policy_step_t *step, policy_child_t *child, int64_t delay_ns)
{
    policy_act(step->policy, POLICY_ARM, child)->delay_ns = delay_ns;
}

static void disarm(policy_step_t *step, policy_child_t *child)
{
    policy_act(step->policy, POLICY_DISARM, child);
}

bool policy_is_passing(const policy_t *policy, const policy_child_t *child)
{
    return child->is_fresh || child->is_dropped || child->spec->restart == TRP_TEMPORARY ||
           policy_is_template(policy);
}

bool policy_is_leaving(const policy_child_t *child)
{
    return child->phase >= POLICY_DOOMED;
}

void policy_rest(policy_step_t *step, policy_child_t *child)
{
    policy_table_phase(step->policy, child, POLICY_IDLE);
    if (policy_is_passing(step->policy, child)) {
        policy_table_remove(step->policy, child);
    }
}

/* ---- stopping ---- */

void policy_doom(policy_step_t *step, policy_child_t *child, bool starts_again)
{
    if (child->phase == POLICY_STARTING) {
        disarm(step, child);
        policy_settle(step, child, CHILD_STOPPING);
    }
    policy_tell(step, child, CHILD_LEAVING);
    child->starts_again = starts_again;
    policy_table_phase(step->policy, child, POLICY_DOOMED);
}

void policy_begin_stop(policy_step_t *step, policy_child_t *child)
{
    if (child->spec->shutdown_ms == TRP_SHUTDOWN_BRUTAL) {
        policy_table_phase(step->policy, child, POLICY_KILLING);
        policy_act(step->policy, POLICY_KILL, child);
        return;
    }
    policy_table_phase(step->policy, child, POLICY_STOPPING);
    policy_act(step->policy, POLICY_EXIT, child);
    if (child->spec->shutdown_ms != TRP_SHUTDOWN_INFINITY) {
        arm(step, child, child->spec->shutdown_ms * MS);
    }
}

/* Whether a child that was asked to end did so as it should. */
static bool ended_well(const trp_child_spec_t *spec, const trp_reason_t *reason)
{
    bool brutal = spec->shutdown_ms == TRP_SHUTDOWN_BRUTAL;
    bool permanent = spec->restart == TRP_PERMANENT;
    switch (reason->kind) {
    case TRP_REASON_SHUTDOWN:
        return reason->text[0] == '\0' ? !(brutal && permanent) : !permanent;
    case TRP_REASON_NORMAL:
        return !permanent;
    case TRP_REASON_KILLED: /* "stuck": written off, its thread is still in it */
        return brutal && reason->text[0] == '\0';
    case TRP_REASON_SIGNAL:
        return brutal && reason->code == SIGKILL;
    default:
        return false;
    }
}

/* One more of a template's children that ended so. When there are more reasons than places, the
 * last place counts the rest. */
static void count_error(policy_t *policy, const trp_reason_t *reason)
{
    size_t i = 0;
    while (i < policy->error_count && i + 1 < POLICY_ERRORS &&
           memcmp(&policy->errors[i].reason, reason, sizeof(*reason)) != 0) {
        i++;
    }
    if (i == policy->error_count) {
        policy->errors[i].reason = *reason;
        policy->errors[i].count = 0;
        policy->error_count++;
    }
    policy->errors[i].count++;
}

void policy_report_errors(policy_step_t *step)
{
    policy_t *policy = step->policy;
    for (size_t i = 0; i < policy->error_count; i++) {
        policy_report(step, NULL, POLICY_SHUTDOWN_ERROR, &policy->errors[i].reason)->count =
            policy->errors[i].count;
    }
    policy->error_count = 0;
}

void policy_conclude(policy_step_t *step, policy_child_t *child)
{
    policy_t *policy = step->policy;
    if (!ended_well(child->spec, &child->last_reason)) {
        if (policy_is_template(policy) && policy->mode == POLICY_ENDING) {
            count_error(policy, &child->last_reason);
        } else {
            policy_report(step, child, POLICY_SHUTDOWN_ERROR, &child->last_reason);
        }
    }
    policy_settle(step, child, CHILD_OK);
    if (child->starts_again && !policy_is_passing(policy, child)) {
        child->is_ordered = true;
        policy_table_phase(policy, child, POLICY_QUEUED);
    } else {
        policy_rest(step, child);
    }
}

void policy_unplan(policy_step_t *step, policy_child_t *child, child_outcome_t outcome)
{
    if (child->phase == POLICY_BACKOFF) {
        disarm(step, child);
    }
    policy_settle(step, child, outcome);
    policy_rest(step, child);
}

/* All at once, under one time limit. */
static void end_instances(policy_step_t *step)
{
    policy_t *policy = step->policy;
    for (policy_child_t *child = policy->first; child != NULL; child = child->next) {
        if (child->phase == POLICY_DOOMED) {
            bool kill = child->spec->shutdown_ms == TRP_SHUTDOWN_BRUTAL;
            policy_table_phase(policy, child, kill ? POLICY_KILLING : POLICY_STOPPING);
            policy_act(policy, kill ? POLICY_KILL : POLICY_EXIT, child);
        }
    }
    if (policy->phases[POLICY_STOPPING] > 0 && policy->spec->template->shutdown_ms >= 0) {
        policy->is_stop_armed = true;
        arm(step, NULL, policy->spec->template->shutdown_ms * MS);
    }
}

void policy_stop_late(policy_step_t *step)
{
    policy_t *policy = step->policy;
    if (policy->mode != POLICY_ENDING || !policy->is_stop_armed) {
        return;
    }
    policy->is_stop_armed = false;
    for (policy_child_t *child = policy->first; child != NULL; child = child->next) {
        if (child->phase == POLICY_STOPPING) {
            policy_table_phase(policy, child, POLICY_KILLING);
            policy_act(policy, POLICY_KILL, child);
        }
    }
}

void policy_end(policy_step_t *step, trp_reason_t reason)
{
    policy_t *policy = step->policy;
    if (policy->mode >= POLICY_ENDING) {
        return;
    }

    policy->mode = POLICY_ENDING;
    policy->end_reason = reason;
    policy_child_t *next;
    for (policy_child_t *child = policy->first; child != NULL; child = next) {
        next = child->next;
        child->starts_again = false;
        if (child->phase == POLICY_BACKOFF || child->phase == POLICY_QUEUED) {
            policy_unplan(step, child, CHILD_STOPPING);
        } else if (child->phase == POLICY_STARTING || child->phase == POLICY_UP) {
            policy_doom(step, child, false);
        }
    }
    if (policy_is_template(policy)) {
        end_instances(step);
    }
}

/* ---- starting again ---- */

static bool is_in_group(const policy_t *policy, const policy_child_t *of,
                        const policy_child_t *child)
{
    return child == of || policy->spec->strategy == TRP_ONE_FOR_ALL ||
           (policy->spec->strategy == TRP_REST_FOR_ONE && child->key > of->key);
}

/* The first row that may be in the group of `of`; the last is followed by NULL. */
static policy_child_t *group_first(const policy_t *policy, policy_child_t *of)
{
    return policy->spec->strategy == TRP_ONE_FOR_ALL ? policy->first : of;
}

static policy_child_t *group_next(const policy_t *policy, const policy_child_t *of,
                                  const policy_child_t *child)
{
    policy_child_t *next = child->next;
    return next != NULL && is_in_group(policy, of, next) ? next : NULL;
}

int64_t policy_group_stop(policy_step_t *step, policy_child_t *of)
{
    policy_t *policy = step->policy;
    int64_t next_at_ns = 0;
    policy_child_t *next;
    for (policy_child_t *child = group_first(policy, of); child != NULL; child = next) {
        next = group_next(policy, of, child);
        if (child == of) {
            continue;
        }
        if (child->phase == POLICY_BACKOFF && child->next_at_ns > next_at_ns) {
            next_at_ns = child->next_at_ns;
        }
        if (child->phase == POLICY_BACKOFF || child->phase == POLICY_QUEUED) {
            policy_unplan(step, child, CHILD_STOPPING);
        } else if (policy_is_alive(child) && !policy_is_leaving(child)) {
            policy_doom(step, child, false);
        }
    }
    return next_at_ns > step->now_ns ? next_at_ns - step->now_ns : 0;
}

void policy_group_unplan(policy_step_t *step, policy_child_t *of)
{
    policy_t *policy = step->policy;
    policy_child_t *next;
    for (policy_child_t *child = group_first(policy, of); child != NULL; child = next) {
        next = group_next(policy, of, child);
        if (child->phase == POLICY_QUEUED) {
            policy_unplan(step, child, CHILD_STOPPING);
        }
    }
}

void policy_group_start(policy_step_t *step, policy_child_t *of)
{
    policy_t *policy = step->policy;
    policy_child_t *next;
    for (policy_child_t *child = group_first(policy, of); child != NULL; child = next) {
        next = group_next(policy, of, child);
        if (policy_is_leaving(child)) {
            child->starts_again = true;
        } else if (policy_is_alive(child)) {
            policy_doom(step, child, true);
        } else {
            if (child->phase == POLICY_BACKOFF && child != of) {
                disarm(step, child);
            }
            child->is_ordered = policy->spec->strategy == TRP_ONE_FOR_ALL ||
                                policy->spec->strategy == TRP_REST_FOR_ONE;
            policy_table_phase(policy, child, POLICY_QUEUED);
        }
    }
}

void policy_sleep(policy_step_t *step, policy_child_t *child, int64_t delay_ns, bool costs)
{
    policy_table_phase(step->policy, child, POLICY_BACKOFF);
    child->retry_costs = costs;
    child->next_at_ns = step->now_ns + delay_ns;
    arm(step, child, delay_ns);
}
