/* SPDX-License-Identifier: MIT */
#include "supervisor/policy.h"

#include "supervisor/policy_cause.h"
#include "supervisor/policy_moves.h"
#include "supervisor/policy_table.h"

#define MS INT64_C(1000000)

/* ---- what a child's end means, by its restart type: [restart][ended by a fault] ---- */

enum { FORGET = 0, REPORT = 1, RESTART = 2 };

static const int verdicts[TRP_RESTART_COUNT][2] = {
    [TRP_PERMANENT] = {REPORT | RESTART, REPORT | RESTART},
    [TRP_TRANSIENT] = {FORGET, REPORT | RESTART},
    [TRP_TEMPORARY] = {FORGET, REPORT}, /* forgotten with its spec */
};

/* The time that the window counts: with `window = active` it stands still during stops. */
static int64_t window_ns(const policy_step_t *step)
{
    const policy_t *policy = step->policy;
    if (policy->spec->window != TRP_WINDOW_ACTIVE) {
        return step->now_ns;
    }
    return (policy->paused_at_ns != 0 ? policy->paused_at_ns : step->now_ns) - policy->paused_ns;
}

static bool is_one_too_many(policy_step_t *step)
{
    return tally_add(&step->policy->tally, window_ns(step));
}

/* One restart too many. */
static void give_up(policy_step_t *step, policy_child_t *child)
{
    trp_reason_t reason = trp_reason(TRP_REASON_SHUTDOWN, 0, NULL);
    if (child->spec->give_up == TRP_GIVE_UP_HOLD) {
        int64_t delay_ns = child->spec->backoff_max_ms * MS;
        int64_t pending_ns = policy_group_stop(step, child);
        delay_ns = delay_ns > pending_ns ? delay_ns : pending_ns;
        child->is_held = true;
        policy_report(step, child, POLICY_HELD, &child->last_reason)->delay_ns = delay_ns;
        policy_sleep(step, child, delay_ns, false); /* it is paid for: it never gets out else */
        return;
    }
    policy_report(step, child, POLICY_GAVE_UP, &child->last_reason);
    if (child->spec->give_up == TRP_GIVE_UP_ESCALATE) {
        reason = trp_reason(TRP_REASON_ERROR, TRP_FAILED, child->spec->id);
    }
    policy_rest(step, child);
    policy_end(step, reason);
}

/* How long to wait before the next start; the whole tree's restarts have a limit as well. */
static int64_t next_delay_ns(policy_step_t *step, policy_child_t *child, trp_on_exit_t choice)
{
    int64_t delay_ns = 0;
    child->streak++;
    if (choice != TRP_ON_EXIT_NOW) {
        delay_ns = policy_backoff_ns(child, step->random);
    }
    int64_t token_ns = trp_bucket_take(step->policy->spec->bucket, step->now_ns);
    return delay_ns > token_ns ? delay_ns : token_ns;
}

/* A child that was up has ended and is to be started again, which costs one unit of intensity. */
static void restart(policy_step_t *step, policy_child_t *child, trp_on_exit_t choice)
{
    if (choice != TRP_ON_EXIT_WAIT && is_one_too_many(step)) {
        give_up(step, child);
        return;
    }

    child->streak = policy_streak_left(child, step->now_ns);
    int64_t own_ns = next_delay_ns(step, child, choice);
    int64_t pending_ns = policy_group_stop(step, child);
    int64_t delay_ns = own_ns > pending_ns ? own_ns : pending_ns;
    policy_report(step, child, POLICY_RESTARTING, &child->last_reason)->delay_ns = delay_ns;
    if (delay_ns == 0) {
        policy_group_start(step, child);
    } else {
        policy_sleep(step, child, delay_ns, false);
    }
}

/* A significant child ended by itself and is not started again. */
static void shutdown_if_last(policy_step_t *step, bool is_significant)
{
    policy_t *policy = step->policy;
    if (!is_significant || policy->spec->auto_shutdown == TRP_AUTO_SHUTDOWN_NEVER) {
        return;
    }
    bool any_left = false;
    if (policy->spec->auto_shutdown == TRP_AUTO_SHUTDOWN_ALL) {
        for (const policy_child_t *child = policy->first; child != NULL; child = child->next) {
            any_left |= child->spec->is_significant && child->phase != POLICY_IDLE;
        }
    }
    if (!any_left) {
        policy_end(step, trp_reason(TRP_REASON_SHUTDOWN, 0, NULL));
    }
}

static void remember(policy_step_t *step, policy_child_t *child)
{
    child->last_reason = step->event->reason;
    child->has_last_reason = true;
}

/* ---- handlers: one for each (phase, event) that means something ---- */

typedef void handler_t(policy_step_t *step, policy_child_t *child);

static void count_retry(policy_t *policy, policy_child_t *child, bool has_failed)
{
    policy->retrying += has_failed;
    policy->retrying -= child->has_retried;
    child->has_retried = has_failed;
}

static void ready(policy_step_t *step, policy_child_t *child)
{
    policy_act(step->policy, POLICY_DISARM, child);
    policy_table_phase(step->policy, child, POLICY_UP);
    count_retry(step->policy, child, false);
    child->is_fresh = false;
    child->is_late = false;
    child->is_held = false;
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

/* Its init answered TRP_IGNORE: a success without an incarnation. */
static void ignored(policy_step_t *step, policy_child_t *child)
{
    count_retry(step->policy, child, false);
    child->is_fresh = false;
    policy_settle(step, child, CHILD_OK);
    policy_rest(step, child);
}

/* What is done about an end that is followed by a restart. */
static trp_on_exit_t choose(policy_child_t *child, const trp_reason_t *reason)
{
    const trp_on_exit_t choice = policy_choice(child->spec, reason);
    if (choice != TRP_ON_EXIT_RAISE) {
        return choice;
    }
    return policy_raise_memory(child) ? TRP_ON_EXIT_BACKOFF : TRP_ON_EXIT_NEVER;
}

/* Of a restart: tried again, after the requests and the ends that wait already. */
static void start_again(policy_step_t *step, policy_child_t *child)
{
    trp_on_exit_t choice = choose(child, &child->last_reason);
    if (choice == TRP_ON_EXIT_NEVER) {
        policy_report(step, child, POLICY_NOT_RESTARTED, &child->last_reason);
        policy_group_unplan(step, child);
        policy_rest(step, child);
        return;
    }
    if (choice == TRP_ON_EXIT_GIVE_UP) {
        give_up(step, child);
        return;
    }
    policy_group_unplan(step, child);
    int64_t delay_ns = next_delay_ns(step, child, choice);
    count_retry(step->policy, child, policy_is_template(step->policy));
    policy_report(step, child, POLICY_RESTARTING, &child->last_reason)->delay_ns = delay_ns;
    policy_sleep(step, child, delay_ns, choice != TRP_ON_EXIT_WAIT);
}

static void start_failed(policy_step_t *step, policy_child_t *child)
{
    policy_t *policy = step->policy;
    const trp_reason_t *reason = &step->event->reason;
    policy_act(policy, POLICY_DISARM, child);
    if (reason->kind == TRP_REASON_START_FAILED && reason->code == TRP_IGNORE) {
        ignored(step, child);
        return;
    }
    remember(step, child);
    if (child->is_late) {
        child->last_reason = trp_reason(TRP_REASON_START_FAILED, TRP_TIMEOUT, "not ready in time");
    }
    child->is_late = false;

    if (child->asker.request_id != 0) { /* asked for: answered, not reported, not tried again */
        policy_settle(step, child, CHILD_FAILED);
        policy_table_phase(policy, child, POLICY_IDLE);
        if (child->is_fresh) {
            policy_table_remove(policy, child);
        }
        return;
    }
    policy_report(step, child, POLICY_START_ERROR, &child->last_reason);
    if (policy->mode == POLICY_BEGINNING && child->incarnation == 1) {
        policy_table_phase(policy, child, POLICY_IDLE);
        policy_end(step, trp_reason(TRP_REASON_START_FAILED, status_of(&child->last_reason),
                                    child->spec->id));
        return;
    }
    start_again(step, child);
}

static void retry(policy_step_t *step, policy_child_t *child)
{
    if (child->next_at_ns > step->now_ns) {
        return; /* of a plan that was dropped for a later one */
    }
    count_retry(step->policy, child, false);
    if (child->retry_costs && is_one_too_many(step)) {
        give_up(step, child);
        return;
    }
    policy_group_start(step, child);
}

static void crashed(policy_step_t *step, policy_child_t *child)
{
    const trp_reason_t *reason = &step->event->reason;
    int verdict = verdicts[child->spec->restart][!trp_reason_is_clean(reason)];
    trp_on_exit_t choice = (verdict & RESTART) != 0 ? choose(child, reason) : TRP_ON_EXIT_DEFAULT;

    policy_tell(step, child, CHILD_DOWN);
    remember(step, child);
    if ((verdict & REPORT) != 0) {
        policy_report(step, child, POLICY_CHILD_TERMINATED, reason);
    }
    policy_table_phase(step->policy, child, POLICY_IDLE);
    if ((verdict & RESTART) != 0 && choice == TRP_ON_EXIT_GIVE_UP) {
        give_up(step, child);
    } else if ((verdict & RESTART) != 0 && choice != TRP_ON_EXIT_NEVER) {
        restart(step, child, choice);
    } else {
        bool is_significant = child->spec->is_significant;
        if ((verdict & RESTART) != 0) {
            policy_report(step, child, POLICY_NOT_RESTARTED, reason);
        }
        policy_rest(step, child);
        shutdown_if_last(step, is_significant);
    }
}

static void ended(policy_step_t *step, policy_child_t *child)
{
    policy_act(step->policy, POLICY_DISARM, child);
    policy_tell(step, child, CHILD_DOWN);
    remember(step, child);
    policy_conclude(step, child);
}

/* By itself, before its turn came: what there is to say of it is said when it comes. */
static void ended_early(policy_step_t *step, policy_child_t *child)
{
    policy_tell(step, child, CHILD_DOWN);
    remember(step, child);
    policy_table_phase(step->policy, child, POLICY_GONE);
}

static void stop_late(policy_step_t *step, policy_child_t *child)
{
    policy_table_phase(step->policy, child, POLICY_KILLING);
    policy_act(step->policy, POLICY_KILL, child);
}

/* terminate_child */

static void terminate_idle(policy_step_t *step, policy_child_t *child)
{
    child->is_dropped = child->spec->is_dynamic;
    policy_answer(step, child, step->event->asker, CHILD_OK);
    policy_rest(step, child);
}

static void terminate_planned(policy_step_t *step, policy_child_t *child)
{
    child->is_dropped = child->spec->is_dynamic;
    child->is_held = false;
    child->has_retried = false; /* as in OTP, whose count goes on counting it */
    policy_answer(step, child, step->event->asker, CHILD_OK);
    policy_unplan(step, child, CHILD_STOPPING);
}

static void terminate_alive(policy_step_t *step, policy_child_t *child)
{
    policy_doom(step, child, false);
    child->is_dropped = child->spec->is_dynamic;
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
    child->is_dropped = child->spec->is_dynamic;
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
    child->memory = 0;
    child->is_ordered = false;
    policy_table_phase(step->policy, child, POLICY_QUEUED);
}

static void delete_idle(policy_step_t *step, policy_child_t *child)
{
    policy_answer(step, child, step->event->asker, CHILD_OK);
    policy_table_remove(step->policy, child);
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
    [POLICY_DOOMED]   = {NULL,  ended_early,  NULL,       terminate_leaving, refuse,      refuse},
    [POLICY_STOPPING] = {NULL,  ended,        stop_late,  terminate_leaving, refuse,      refuse},
    [POLICY_KILLING]  = {NULL,  ended,        NULL,       terminate_leaving, refuse,      refuse},
    [POLICY_GONE]     = {NULL,  NULL,         NULL,       terminate_leaving, refuse,      refuse},
};
/* clang-format on */

policy_child_t *policy_decide(policy_step_t *step)
{
    const policy_event_t *event = step->event;
    bool is_request = event->kind >= POLICY_TERMINATE;
    if (is_request && step->policy->mode >= POLICY_ENDING) {
        policy_answer(step, NULL, event->asker, CHILD_STOPPING);
        return NULL;
    }

    policy_child_t *child = event->child;
    if (child == NULL && event->id != NULL) {
        child = policy_child_by_id(step->policy, event->id);
    }
    if (child == NULL) {
        policy_answer(step, NULL, event->asker, CHILD_NOT_FOUND);
        return NULL;
    }
    if (!is_request && child->incarnation != event->incarnation) {
        return NULL;
    }
    handler_t *handler = handlers[child->phase][event->kind];
    if (handler != NULL) {
        handler(step, child);
    }
    return child;
}
