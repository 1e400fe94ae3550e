/* SPDX-License-Identifier: MIT */
#include "supervisor/policy_moves.h"

#include "supervisor/policy_table.h"

#define MS INT64_C(1000000)

/* ---- small steps ---- */

policy_action_t *policy_report(policy_step_t *step, const policy_child_t *child,
                               policy_context_t context, const trp_reason_t *reason)
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

void policy_answer(policy_step_t *step, const policy_child_t *child, trp_reply_address_t asker,
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

static void arm(policy_step_t *step, const policy_child_t *child, int64_t delay_ns)
{
    policy_act(step->policy, POLICY_ARM, child)->delay_ns = delay_ns;
}

static void disarm(policy_step_t *step, const policy_child_t *child)
{
    policy_act(step->policy, POLICY_DISARM, child);
}

bool policy_is_passing(const policy_child_t *child)
{
    return child->is_fresh || child->is_dropped || child->spec.restart == TRP_TEMPORARY;
}

bool policy_is_leaving(const policy_child_t *child)
{
    return child->phase >= POLICY_DOOMED;
}

/* ---- stopping ---- */

void policy_doom(policy_step_t *step, policy_child_t *child, bool starts_again)
{
    if (child->phase == POLICY_STARTING) {
        disarm(step, child);
        policy_settle(step, child, CHILD_STOPPING);
    }
    policy_tell(step, child, CHILD_LEAVING);
    child->phase = POLICY_DOOMED;
    child->starts_again = starts_again;
}

void policy_begin_stop(policy_step_t *step, policy_child_t *child)
{
    if (child->spec.shutdown_ms == TRP_SHUTDOWN_BRUTAL) {
        child->phase = POLICY_KILLING;
        policy_act(step->policy, POLICY_KILL, child);
        return;
    }
    child->phase = POLICY_STOPPING;
    policy_act(step->policy, POLICY_EXIT, child);
    if (child->spec.shutdown_ms != TRP_SHUTDOWN_INFINITY) {
        arm(step, child, child->spec.shutdown_ms * MS);
    }
}

void policy_unplan(policy_step_t *step, policy_child_t *child, child_outcome_t outcome)
{
    if (child->phase == POLICY_BACKOFF) {
        disarm(step, child);
    }
    policy_settle(step, child, outcome);
    child->phase = POLICY_IDLE;
    child->is_removed |= policy_is_passing(child);
}

void policy_end(policy_step_t *step, trp_reason_t reason)
{
    policy_t *policy = step->policy;
    if (policy->mode >= POLICY_ENDING) {
        return;
    }

    policy->mode = POLICY_ENDING;
    policy->end_reason = reason;
    for (size_t i = 0; i < policy->child_count; i++) {
        policy_child_t *child = &policy->children[i];
        child->starts_again = false;
        if (child->phase == POLICY_BACKOFF || child->phase == POLICY_QUEUED) {
            policy_unplan(step, child, CHILD_STOPPING);
        } else if (child->phase == POLICY_STARTING || child->phase == POLICY_UP) {
            policy_doom(step, child, false);
        }
    }
}

/* ---- starting again ---- */

static bool is_in_group(const policy_t *policy, const policy_child_t *of,
                        const policy_child_t *child)
{
    return child == of || policy->strategy == TRP_ONE_FOR_ALL ||
           (policy->strategy == TRP_REST_FOR_ONE && child > of);
}

int64_t policy_group_stop(policy_step_t *step, policy_child_t *of)
{
    policy_t *policy = step->policy;
    int64_t next_at_ns = 0;
    for (size_t i = 0; i < policy->child_count; i++) {
        policy_child_t *child = &policy->children[i];
        if (child == of || !is_in_group(policy, of, child)) {
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
    for (size_t i = 0; i < policy->child_count; i++) {
        policy_child_t *child = &policy->children[i];
        if (child->phase == POLICY_QUEUED && is_in_group(policy, of, child)) {
            policy_unplan(step, child, CHILD_STOPPING);
        }
    }
}

void policy_group_start(policy_step_t *step, policy_child_t *of)
{
    policy_t *policy = step->policy;
    for (size_t i = 0; i < policy->child_count; i++) {
        policy_child_t *child = &policy->children[i];
        if (!is_in_group(policy, of, child) || child->is_removed) {
            continue;
        }
        if (policy_is_leaving(child)) {
            child->starts_again = true;
        } else if (policy_is_alive(child)) {
            policy_doom(step, child, true);
        } else {
            if (child->phase == POLICY_BACKOFF && child != of) {
                disarm(step, child);
            }
            child->phase = POLICY_QUEUED;
            child->is_ordered = policy->strategy != TRP_ONE_FOR_ONE;
        }
    }
}

void policy_sleep(policy_step_t *step, policy_child_t *child, int64_t delay_ns, bool costs)
{
    child->phase = POLICY_BACKOFF;
    child->retry_costs = costs;
    child->next_at_ns = step->now_ns + delay_ns;
    arm(step, child, delay_ns);
}
