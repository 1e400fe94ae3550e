/* SPDX-License-Identifier: MIT */
#include "supervisor/policy.h"

#include <signal.h>

#include "runtime/backoff.h"
#include "supervisor/policy_moves.h"
#include "supervisor/policy_table.h"

#define MS INT64_C(1000000)

/* ---- what a child's end means, by its restart type: [restart][ended by a fault] ---- */

enum { FORGET = 0, REPORT = 1, RESTART = 2, REMOVE = 4 };

static const int verdicts[TRP_RESTART_COUNT][2] = {
    [TRP_PERMANENT] = {REPORT | RESTART, REPORT | RESTART},
    [TRP_TRANSIENT] = {FORGET, REPORT | RESTART},
    [TRP_TEMPORARY] = {REMOVE, REPORT | REMOVE},
};

static void give_up(policy_step_t *step, const policy_child_t *child)
{
    policy_report(step, child, POLICY_GAVE_UP, &child->last_reason);
    policy_end(step, trp_reason(TRP_REASON_SHUTDOWN, 0, NULL));
}

static int64_t next_delay_ns(policy_step_t *step, policy_child_t *child)
{
    backoff_t backoff = {child->spec.backoff_ms * MS, child->spec.backoff_max_ms * MS};
    child->streak++;
    return backoff_delay_ns(&backoff, child->streak, step->chance);
}

/* A child that was up has ended and is to be started again, which costs one unit of intensity. */
static void restart(policy_step_t *step, policy_child_t *child)
{
    if (tally_add(&step->policy->tally, step->now_ns)) {
        give_up(step, child);
        return;
    }

    child->streak = backoff_decay(child->streak, step->now_ns - child->ready_at_ns);
    int64_t own_ns = next_delay_ns(step, child);
    int64_t pending_ns = policy_group_stop(step, child);
    int64_t delay_ns = own_ns > pending_ns ? own_ns : pending_ns;
    policy_report(step, child, POLICY_RESTARTING, &child->last_reason)->delay_ns = delay_ns;
    if (delay_ns == 0) {
        policy_group_start(step, child);
    } else {
        policy_sleep(step, child, delay_ns, false);
    }
}

/* ---- handlers: one for each (phase, event) that means something ---- */

typedef void handler_t(policy_step_t *step, policy_child_t *child);

static void ready(policy_step_t *step, policy_child_t *child)
{
    policy_act(step->policy, POLICY_DISARM, child);
    child->phase = POLICY_UP;
    child->is_fresh = false;
    child->is_late = false;
    child->ready_at_ns = step->now_ns;
    policy_tell(step, child, CHILD_UP);
    policy_settle(step, child, CHILD_OK);
}

/* Killed; its end is then a failed start. */
static void start_late(policy_step_t *step, policy_child_t *child)
{
    child->is_late = true;
    policy_act(step->policy, POLICY_KILL, child);
}

/* The status in a reason; what ended a process, a signal or an exit status, is none. */
static int32_t status_of(const trp_reason_t *reason)
{
    bool is_status = reason->kind == TRP_REASON_START_FAILED || reason->kind == TRP_REASON_ERROR;
    return is_status ? reason->code : TRP_FAILED;
}

static void start_failed(policy_step_t *step, policy_child_t *child)
{
    policy_t *policy = step->policy;
    trp_reason_t reason = step->event->reason;
    if (child->is_late) {
        reason = trp_reason(TRP_REASON_START_FAILED, TRP_TIMEOUT, "not ready in time");
    }
    policy_act(step->policy, POLICY_DISARM, child);
    child->is_late = false;
    child->last_reason = reason;
    child->has_last_reason = true;
    child->phase = POLICY_IDLE;

    if (child->asker.request_id != 0) { /* asked for: answered, not reported, not tried again */
        child->is_removed = child->is_fresh;
        policy_settle(step, child, CHILD_FAILED);
        return;
    }
    policy_report(step, child, POLICY_START_ERROR, &reason);
    if (policy->mode == POLICY_BEGINNING && child->incarnation == 1) {
        policy_end(step, trp_reason(TRP_REASON_START_FAILED, status_of(&reason), child->spec.id));
        return;
    }
    policy_group_unplan(step, child);
    int64_t delay_ns = next_delay_ns(step, child);
    policy_report(step, child, POLICY_RESTARTING, &child->last_reason)->delay_ns = delay_ns;
    policy_sleep(step, child, delay_ns, true);
}

static void retry(policy_step_t *step, policy_child_t *child)
{
    if (child->retry_costs && tally_add(&step->policy->tally, step->now_ns)) {
        give_up(step, child);
        return;
    }
    policy_group_start(step, child);
}

static void crashed(policy_step_t *step, policy_child_t *child)
{
    const trp_reason_t *reason = &step->event->reason;
    int verdict = verdicts[child->spec.restart][!trp_reason_is_clean(reason)];

    policy_tell(step, child, CHILD_DOWN);
    child->phase = POLICY_IDLE;
    child->last_reason = *reason;
    child->has_last_reason = true;
    if ((verdict & REPORT) != 0) {
        policy_report(step, child, POLICY_CHILD_TERMINATED, reason);
    }
    if ((verdict & REMOVE) != 0) {
        child->is_removed = true;
    }
    if ((verdict & RESTART) != 0) {
        restart(step, child);
    }
}

/* Whether a child that was asked to end did so as it should. */
static bool ended_well(const policy_child_t *child, const trp_reason_t *reason)
{
    bool brutal = child->spec.shutdown_ms == TRP_SHUTDOWN_BRUTAL;
    bool permanent = child->spec.restart == TRP_PERMANENT;
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

static void ended(policy_step_t *step, policy_child_t *child)
{
    const trp_reason_t *reason = &step->event->reason;
    policy_act(step->policy, POLICY_DISARM, child);
    policy_tell(step, child, CHILD_DOWN);
    if (!ended_well(child, reason)) {
        policy_report(step, child, POLICY_SHUTDOWN_ERROR, reason);
    }
    policy_settle(step, child, CHILD_OK);

    child->last_reason = *reason;
    child->has_last_reason = true;
    child->phase = POLICY_IDLE;
    child->is_removed = policy_is_passing(child);
    if (child->starts_again && !child->is_removed) {
        child->phase = POLICY_QUEUED;
        child->is_ordered = true;
    }
}

static void stop_late(policy_step_t *step, policy_child_t *child)
{
    child->phase = POLICY_KILLING;
    policy_act(step->policy, POLICY_KILL, child);
}

/* terminate_child */

static void terminate_idle(policy_step_t *step, policy_child_t *child)
{
    child->is_dropped = child->spec.is_dynamic;
    child->is_removed = policy_is_passing(child);
    policy_answer(step, child, step->event->asker, CHILD_OK);
}

static void terminate_planned(policy_step_t *step, policy_child_t *child)
{
    child->is_dropped = child->spec.is_dynamic;
    policy_unplan(step, child, CHILD_STOPPING);
    policy_answer(step, child, step->event->asker, CHILD_OK);
}

static void terminate_alive(policy_step_t *step, policy_child_t *child)
{
    policy_doom(step, child, false);
    child->is_dropped = child->spec.is_dynamic;
    child->asker = step->event->asker;
    policy_begin_stop(step, child);
}

static void terminate_leaving(policy_step_t *step, policy_child_t *child)
{
    if (child->asker.request_id != 0) {
        policy_answer(step, child, step->event->asker, CHILD_REFUSED);
        return;
    }
    child->starts_again = false;
    child->is_dropped = child->spec.is_dynamic;
    child->asker = step->event->asker;
    if (child->phase == POLICY_DOOMED) {
        policy_begin_stop(step, child);
    }
}

/* restart_child and start_child */

static void start_asked(policy_step_t *step, policy_child_t *child)
{
    child->asker = step->event->asker;
    child->streak = 0;
    child->phase = POLICY_QUEUED;
    child->is_ordered = false;
}

static void delete_idle(policy_step_t *step, policy_child_t *child)
{
    child->is_removed = true;
    policy_answer(step, child, step->event->asker, CHILD_OK);
}

static void refuse(policy_step_t *step, policy_child_t *child)
{
    bool restarting = child->phase < POLICY_UP || child->starts_again;
    policy_answer(step, child, step->event->asker, restarting ? CHILD_RESTARTING : CHILD_RUNNING);
}

/* ---- the table ---- */

/* clang-format off */
static handler_t *const handlers[POLICY_PHASE_COUNT][POLICY_CHILD_EVENT_COUNT] = {
    /*                   READY  DOWN          TIMER       TERMINATE          RESTART      DELETE */
    [POLICY_IDLE]     = {NULL,  NULL,         NULL,       terminate_idle,    start_asked, delete_idle},
    [POLICY_BACKOFF]  = {NULL,  NULL,         retry,      terminate_planned, refuse,      refuse},
    [POLICY_QUEUED]   = {NULL,  NULL,         NULL,       terminate_planned, refuse,      refuse},
    [POLICY_STARTING] = {ready, start_failed, start_late, terminate_alive,   refuse,      refuse},
    [POLICY_UP]       = {NULL,  crashed,      NULL,       terminate_alive,   refuse,      refuse},
    [POLICY_DOOMED]   = {NULL,  ended,        NULL,       terminate_leaving, refuse,      refuse},
    [POLICY_STOPPING] = {NULL,  ended,        stop_late,  terminate_leaving, refuse,      refuse},
    [POLICY_KILLING]  = {NULL,  ended,        NULL,       terminate_leaving, refuse,      refuse},
};
/* clang-format on */

static void handle(policy_step_t *step)
{
    const policy_event_t *event = step->event;
    bool is_request = event->kind >= POLICY_TERMINATE;
    if (is_request && step->policy->mode >= POLICY_ENDING) {
        policy_answer(step, NULL, event->asker, CHILD_STOPPING);
        return;
    }

    policy_child_t *child = is_request ? policy_child_by_id(step->policy, event->id)
                                       : policy_child(step->policy, event->key);
    if (child == NULL) {
        policy_answer(step, NULL, event->asker, CHILD_NOT_FOUND);
        return;
    }
    if (!is_request && child->incarnation != event->incarnation) {
        return;
    }
    handler_t *handler = handlers[child->phase][event->kind];
    if (handler != NULL) {
        handler(step, child);
    }
}

/* ---- what can go on now ---- */

static void advance_stops(policy_step_t *step)
{
    for (size_t i = step->policy->child_count; i > 0; i--) {
        policy_child_t *child = &step->policy->children[i - 1];
        if (child->phase == POLICY_DOOMED) {
            policy_begin_stop(step, child);
        }
        if (policy_is_leaving(child)) {
            return; /* those before it wait for its end */
        }
    }
}

static void start(policy_step_t *step, policy_child_t *child)
{
    child->phase = POLICY_STARTING;
    child->incarnation++;
    child->starts_again = false;
    child->is_late = false;
    policy_act(step->policy, POLICY_START, child);
    if (child->spec.start_ms > 0) {
        policy_act(step->policy, POLICY_ARM, child)->delay_ns = child->spec.start_ms * MS;
    }
}

static void advance_starts(policy_step_t *step)
{
    policy_t *policy = step->policy;
    /* An ordered start waits for all ends, and for the readiness of the one before. */
    bool must_wait = false;
    for (size_t i = 0; i < policy->child_count; i++) {
        const policy_child_t *child = &policy->children[i];
        must_wait |=
            policy_is_leaving(child) || (child->phase == POLICY_STARTING && child->is_ordered);
    }
    for (size_t i = 0; i < policy->child_count; i++) {
        policy_child_t *child = &policy->children[i];
        if (child->phase == POLICY_QUEUED && !(child->is_ordered && must_wait)) {
            must_wait |= child->is_ordered;
            start(step, child);
        }
    }
}

static void advance_mode(policy_step_t *step)
{
    policy_t *policy = step->policy;
    bool any_alive = false;
    bool all_settled = true;
    for (size_t i = 0; i < policy->child_count; i++) {
        policy_phase_t phase = policy->children[i].phase;
        any_alive |= policy_is_alive(&policy->children[i]);
        all_settled &= phase == POLICY_UP || phase == POLICY_IDLE;
    }
    if (policy->mode == POLICY_ENDING && !any_alive) {
        policy->mode = POLICY_ENDED;
        policy_act(policy, POLICY_END, NULL)->reason = policy->end_reason;
    } else if (policy->mode == POLICY_BEGINNING && all_settled) {
        policy->mode = POLICY_RUNNING;
        policy_act(policy, POLICY_ALL_UP, NULL);
    }
}

static void begin(policy_step_t *step)
{
    if (step->policy->mode != POLICY_NEW) {
        return;
    }
    step->policy->mode = POLICY_BEGINNING;
    for (size_t i = 0; i < step->policy->child_count; i++) {
        step->policy->children[i].phase = POLICY_QUEUED;
        step->policy->children[i].is_ordered = true;
    }
}

void policy_step(policy_t *policy, const policy_event_t *event, int64_t now_ns, uint64_t chance)
{
    policy_step_t step = {policy, event, now_ns, chance};

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
    default:
        handle(&step);
    }

    advance_stops(&step);
    if (policy->mode < POLICY_ENDING) {
        advance_starts(&step);
    }
    advance_mode(&step);
}
