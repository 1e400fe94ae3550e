/* SPDX-License-Identifier: MIT */
/* One step of the policy: what is decided about the event, then what can go on because of it. */
#include "supervisor/policy_moves.h"
#include "supervisor/policy_table.h"

#define MS INT64_C(1000000)

static void advance_stops(policy_step_t *step)
{
    policy_t *policy = step->policy;
    if (policy_leaving_count(policy) == 0) {
        policy->stop_from = NULL;
        return;
    }
    while (policy->stop_from != NULL) {
        policy_child_t *child = policy->stop_from;
        if (child->phase == POLICY_DOOMED) {
            policy_begin_stop(step, child);
        }
        if (child->phase == POLICY_STOPPING || child->phase == POLICY_KILLING) {
            return; /* those before it wait for its end */
        }
        policy->stop_from = child->prev;
        if (child->phase == POLICY_GONE) {
            policy_conclude(step, child);
        }
    }
}

static void start(policy_step_t *step, policy_child_t *child)
{
    policy_table_phase(step->policy, child, POLICY_STARTING);
    child->incarnation++;
    child->starts_again = false;
    child->is_late = false;
    policy_act(step->policy, POLICY_START, child);
    if (child->spec->start_ms > 0) {
        policy_act(step->policy, POLICY_ARM, child)->delay_ns = child->spec->start_ms * MS;
    }
}

/* An ordered start waits for all ends, and for the readiness of the one before; where the order
 * does not matter, for a place among those that start. */
static bool must_wait(const policy_t *policy)
{
    const trp_supervisor_spec_t *spec = policy->spec;
    if (policy_leaving_count(policy) > 0) {
        return true;
    }
    if (spec->starts == TRP_STARTS_PARALLEL) {
        return spec->start_max > 0 && policy->starting_ordered >= spec->start_max;
    }
    return policy->starting_ordered > 0;
}

/* `child`: of the event, or NULL; it is the only one that may be queued and not ordered. */
static void advance_starts(policy_step_t *step, policy_child_t *child)
{
    policy_t *policy = step->policy;
    if (child != NULL && !child->is_removed && child->phase == POLICY_QUEUED &&
        !child->is_ordered) {
        start(step, child);
    }
    if (policy->phases[POLICY_QUEUED] == 0) {
        policy->start_from = NULL;
        return;
    }
    while (policy->start_from != NULL && !must_wait(policy)) {
        policy_child_t *next = policy->start_from;
        policy->start_from = next->next;
        if (next->phase == POLICY_QUEUED) {
            start(step, next);
        }
    }
}

static void advance_mode(policy_step_t *step)
{
    policy_t *policy = step->policy;
    size_t starting = policy->phases[POLICY_STARTING];
    size_t alive = starting + policy->phases[POLICY_UP] + policy_leaving_count(policy);
    size_t waiting = policy->phases[POLICY_BACKOFF] + policy->phases[POLICY_QUEUED];
    if (policy->mode == POLICY_ENDING && alive == 0) {
        policy->mode = POLICY_ENDED;
        policy_report_errors(step);
        policy_act(policy, POLICY_END, NULL)->reason = policy->end_reason;
    } else if (policy->mode == POLICY_BEGINNING && starting + waiting == 0 &&
               policy_leaving_count(policy) == 0) {
        policy->mode = POLICY_RUNNING;
        policy_act(policy, POLICY_ALL_UP, NULL);
    }
}

/* With `window = active` the time spent waiting for stops does not age the window. */
static void advance_window(policy_step_t *step)
{
    policy_t *policy = step->policy;
    bool is_stopping = policy_leaving_count(policy) > 0;
    if (is_stopping && policy->paused_at_ns == 0) {
        policy->paused_at_ns = step->now_ns;
    } else if (!is_stopping && policy->paused_at_ns != 0) {
        policy->paused_ns += step->now_ns - policy->paused_at_ns;
        policy->paused_at_ns = 0;
    }
}

static void begin(policy_step_t *step)
{
    policy_t *policy = step->policy;
    if (policy->mode != POLICY_NEW) {
        return;
    }
    policy->mode = POLICY_BEGINNING;
    for (policy_child_t *child = policy->first; child != NULL; child = child->next) {
        child->is_ordered = true;
        policy_table_phase(policy, child, POLICY_QUEUED);
    }
}

void policy_step(policy_t *policy, const policy_event_t *event, int64_t now_ns, uint64_t random)
{
    policy_step_t step = {policy, event, now_ns, random};
    policy_child_t *child = NULL;

    policy_table_sweep(policy);
    if (policy->mode == POLICY_ENDED) {
        return;
    }
    switch (event->kind) {
    case POLICY_BEGIN:
        begin(&step);
        break;
    case POLICY_STOP:
        policy_end(&step, event->reason);
        break;
    case POLICY_STOP_TIMER:
        policy_stop_late(&step);
        break;
    default:
        child = policy_decide(&step);
    }

    advance_stops(&step);
    if (policy->mode < POLICY_ENDING) {
        advance_starts(&step, child);
    }
    advance_window(&step);
    advance_mode(&step);
    policy_flush(policy);
}
