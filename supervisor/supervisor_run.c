/* SPDX-License-Identifier: MIT */
/* Carries out what the policy decided. */
#include <stdlib.h>
#include <string.h>

#include "runtime/log.h"
#include "supervisor/policy_cause.h"
#include "supervisor/supervisor_state.h"

#define MS INT64_C(1000000)

static trp_text_t text(const char *string)
{
    return (trp_text_t){string, strlen(string)};
}

void supervisor_answer(trp_ctx_t *ctx, trp_reply_address_t asker, child_outcome_t outcome,
                       const policy_child_t *child, const trp_reason_t *reason)
{
    if (asker.request_id == 0) {
        return;
    }
    char pid[TRP_PID_TEXT_MAX];
    char line[TRP_REASON_LINE_MAX];
    child_answer_t answer = {.outcome = (int)outcome,
                             .id = text(child == NULL ? "" : child->spec->id)};
    if (child != NULL && child->phase == POLICY_UP) {
        answer.has_pid = true;
        answer.pid = text(trp_pid_format(child->pid, pid));
    }
    bool is_said =
        reason != NULL && reason->kind != TRP_REASON_NORMAL; /* of an event without one */
    if (outcome != CHILD_OK && is_said) {
        answer.has_reason = true;
        answer.reason = text(trp_reason_format(reason, line));
    }

    zmq_msg_t message;
    trp_status_t status = trp_schema_pack(&child_answer_schema, &answer, &message);
    if (status == TRP_OK) {
        status = trp_reply_to(ctx, asker, TRP_TAG_CHILD_ANSWER, &message);
        zmq_msg_close(&message);
    }
    if (status != TRP_OK) {
        log_event(LOG_ERROR, "answer_not_sent", LOG_TEXT("error", trp_status_name(status)));
    }
}

/* ---- spawn ---- */

static void forget_pid(supervisor_t *supervisor, policy_child_t *child)
{
    if (child->by_pid.tbl != NULL) {
        HASH_DELETE(by_pid, supervisor->pids, child);
        child->by_pid.tbl = NULL;
    }
}

static trp_status_t know_pid(supervisor_t *supervisor, trp_ctx_t *ctx, policy_child_t *child)
{
    HASH_ADD(by_pid, supervisor->pids, pid, sizeof(child->pid), child);
    if (child->by_pid.tbl != NULL) {
        return TRP_OK;
    }
    trp_reason_t killed = trp_reason(TRP_REASON_KILLED, 0, NULL);
    trp_exit(ctx, child->pid, &killed);
    return TRP_NO_MEMORY;
}

/* `own`: room for them, where they are not the spec's. */
static const trp_limits_t *limits_of(const policy_child_t *child, trp_limits_t *own)
{
    const trp_limits_t *limits = policy_limits(child->spec);
    if (limits == NULL || child->memory <= limits->memory) {
        return limits;
    }
    *own = *limits;
    own->memory = child->memory;
    return own;
}

/* ---- kept addresses ---- */

#define KEEP_MAX 10000 /* below what a mailbox holds by default */

/* The child's name goes to its front, once. */
static trp_status_t make_front(trp_ctx_t *ctx, policy_child_t *child)
{
    const trp_child_spec_t *spec = child->spec;
    if (spec->while_down == TRP_WHILE_DOWN_GONE || !trp_pid_is_none(child->front)) {
        return TRP_OK;
    }
    const bool is_less = spec->mailbox_max != 0 && spec->mailbox_max < KEEP_MAX;
    const front_args_t args = {.supervisor = trp_self(ctx),
                               .while_down = spec->while_down,
                               .keep_max = is_less ? spec->mailbox_max : KEEP_MAX};
    const trp_spawn_t spawn = {.class = &front_class,
                               .name = spec->id,
                               .args = &args,
                               .args_size = sizeof(args),
                               .link = true};
    return trp_spawn(ctx, &spawn, &child->front);
}

static void end_front(trp_ctx_t *ctx, policy_child_t *child)
{
    if (!trp_pid_is_none(child->front)) {
        const trp_reason_t killed = trp_reason(TRP_REASON_KILLED, 0, NULL);
        trp_exit(ctx, child->front, &killed);
        child->front = TRP_PID_NONE;
    }
}

/* ---- starts ---- */

/* Spawns, and tells its front of it. */
static trp_status_t spawn_child(trp_ctx_t *ctx, policy_child_t *child, const trp_spawn_t *spawn)
{
    trp_status_t status = make_front(ctx, child);
    if (status == TRP_OK) {
        status = trp_spawn(ctx, spawn, &child->pid);
    }
    if (status == TRP_OK && !trp_pid_is_none(child->front)) {
        status = trp_send(ctx, child->front, FRONT_TAG_CHILD, &child->pid, sizeof(child->pid));
        if (status != TRP_OK) { /* nobody would reach it */
            const trp_reason_t killed = trp_reason(TRP_REASON_KILLED, 0, NULL);
            trp_exit(ctx, child->pid, &killed);
        }
    }
    return status;
}

static void start(supervisor_t *supervisor, trp_ctx_t *ctx, policy_child_t *child)
{
    const trp_child_spec_t *spec = child->spec;
    const bool has_front = spec->while_down != TRP_WHILE_DOWN_GONE;
    trp_supervisor_args_t nested = {.spec = spec->args, .parent = trp_self(ctx)};
    trp_limits_t raised;
    trp_spawn_t spawn = {
        .class = spec->class,
        .name = spec->is_named && !has_front ? spec->id : NULL,
        .place = spec->place,
        .args_tag = spec->args_tag,
        .args = child->args != NULL ? child->args : spec->args,
        .args_size = child->args != NULL ? child->args_size : spec->args_size,
        .link = true,
        .monitor = true,
        .monitor_ref = &child->monitor,
        .ack = true,
        .depth_max = spec->mailbox_max,
        .size_max = spec->mailbox_bytes,
        .overflow = spec->overflow,
        .memory_quota = spec->memory_quota,
        .restarts = child->incarnation - 1,
        .program = spec->program,
        .limits = limits_of(child, &raised),
        .origin = spec->origin,
    };
    if (spec->is_supervisor) {
        spawn.args = &nested;
        spawn.args_size = sizeof(nested);
    }
    forget_pid(supervisor, child);
    child->pid = TRP_PID_NONE;
    child->monitor = 0;
    child->started_ns = trp_now_ns(ctx);
    child->spawn_status = spawn_child(ctx, child, &spawn);
    if (child->spawn_status == TRP_OK) {
        child->spawn_status = know_pid(supervisor, ctx, child);
    }
    if (child->spawn_status != TRP_OK) {
        child->next_failed = supervisor->failed;
        supervisor->failed = child;
    }
    if (spec->restart == TRP_TEMPORARY) {
        free(child->args); /* never needed again */
        child->args = NULL;
    }
}

/* A start that failed leaves no pid behind: the child goes by the one that it had. */
static void take_back_pid(supervisor_t *supervisor, policy_child_t *child)
{
    forget_pid(supervisor, child);
    child->pid = child->ready_pid;
    if (!trp_pid_is_none(child->pid)) {
        HASH_ADD(by_pid, supervisor->pids, pid, sizeof(child->pid), child);
    }
}

static void note_pid(supervisor_t *supervisor, const policy_event_t *event)
{
    policy_child_t *child = event->child;
    if (child == NULL || child->phase != POLICY_STARTING) {
        return;
    }
    if (event->kind == POLICY_READY) {
        child->ready_pid = child->pid;
    } else if (event->kind == POLICY_DOWN) {
        take_back_pid(supervisor, child);
    }
}

/* ---- timers ---- */

static void disarm(supervisor_t *supervisor, trp_ctx_t *ctx, policy_child_t *child)
{
    if (child->timer != 0) {
        HASH_DELETE(by_timer, supervisor->timers, child);
        trp_timer_cancel(ctx, child->timer);
        child->timer = 0;
    }
}

static trp_status_t arm_child(supervisor_t *supervisor, trp_ctx_t *ctx, policy_child_t *child,
                              int64_t delay_ms)
{
    disarm(supervisor, ctx, child);
    trp_status_t status = trp_timer_start(ctx, delay_ms, 0, SUPERVISOR_TAG_TIMER, &child->timer);
    if (status != TRP_OK) {
        child->timer = 0;
        return status;
    }
    HASH_ADD(by_timer, supervisor->timers, timer, sizeof(child->timer), child);
    if (child->by_timer.tbl == NULL) {
        trp_timer_cancel(ctx, child->timer);
        child->timer = 0;
        return TRP_NO_MEMORY;
    }
    return TRP_OK;
}

static void arm(supervisor_t *supervisor, trp_ctx_t *ctx, policy_child_t *child, int64_t delay_ns)
{
    int64_t delay_ms = (delay_ns + MS - 1) / MS;
    trp_status_t status;
    if (child == NULL) {
        status = trp_timer_start(ctx, delay_ms, 0, SUPERVISOR_TAG_TIMER, &supervisor->stop_timer);
    } else if (delay_ns == 0 && child->phase == POLICY_BACKOFF) {
        status = trp_continue(ctx, SUPERVISOR_TAG_RETRY, &child->key, sizeof(child->key));
    } else {
        status = arm_child(supervisor, ctx, child, delay_ms);
    }
    if (status != TRP_OK) {
        /* Without its timer the child would hang: fail, and let whoever supervises us start
         * over. */
        trp_reason_t reason = trp_reason(TRP_REASON_ERROR, TRP_NO_MEMORY, "no timer");
        trp_stop(ctx, &reason);
    }
}

/* ---- what is said ---- */

static void tell(supervisor_t *supervisor, trp_ctx_t *ctx, const policy_action_t *action)
{
    char pid[TRP_PID_TEXT_MAX];
    char line[TRP_REASON_LINE_MAX];
    const policy_child_t *child = action->child;
    child_event_t event = observers_event(supervisor->spec->name, child, action->change, pid);
    if (action->change == CHILD_DOWN) {
        event.has_reason = true;
        event.reason = text(trp_reason_format(&action->reason, line));
    } else if (action->change == CHILD_UP && supervisor->spec->strategy != TRP_SIMPLE_ONE_FOR_ONE) {
        report_started(&supervisor->report, ctx, child);
    }
    observers_tell(&supervisor->observers, ctx, TRP_PID_NONE, &event);
}

static void forget(supervisor_t *supervisor, trp_ctx_t *ctx, policy_child_t *child)
{
    disarm(supervisor, ctx, child);
    forget_pid(supervisor, child);
    end_front(ctx, child);
    supervisor->next_number = 1;
}

static void end(supervisor_t *supervisor, trp_ctx_t *ctx, const trp_reason_t *reason)
{
    report_flush(&supervisor->report);
    for (policy_child_t *child = supervisor->policy.first; child != NULL; child = child->next) {
        end_front(ctx, child);
    }
    supervisor_answer(ctx, supervisor->stopper, CHILD_OK, NULL, NULL);
    trp_stop(ctx, reason);
}

/* ---- actions ---- */

/* What the sink works with. */
typedef struct hands {
    supervisor_t *supervisor;
    trp_ctx_t *ctx;
} hands_t;

static void carry_out(supervisor_t *supervisor, trp_ctx_t *ctx, const policy_action_t *action)
{
    policy_child_t *child = action->child;
    trp_reason_t shutdown = trp_reason(TRP_REASON_SHUTDOWN, 0, NULL);
    trp_reason_t killed = trp_reason(TRP_REASON_KILLED, 0, NULL);
    switch (action->kind) {
    case POLICY_START:
        start(supervisor, ctx, child);
        break;
    case POLICY_EXIT:
        trp_exit(ctx, child->pid, &shutdown);
        break;
    case POLICY_KILL:
        trp_exit(ctx, child->pid, &killed);
        break;
    case POLICY_ARM:
        arm(supervisor, ctx, child, action->delay_ns);
        break;
    case POLICY_DISARM:
        disarm(supervisor, ctx, child);
        break;
    case POLICY_ANSWER:
        supervisor_answer(ctx, action->asker, action->outcome, child, &action->reason);
        break;
    case POLICY_TELL:
        tell(supervisor, ctx, action);
        break;
    case POLICY_REPORT:
        report_action(&supervisor->report, ctx, supervisor->spec, action);
        break;
    case POLICY_REMOVE:
        forget(supervisor, ctx, child);
        break;
    case POLICY_ALL_UP:
        if (!supervisor->in_init) {
            trp_ready(ctx);
        }
        break;
    case POLICY_END:
        end(supervisor, ctx, &action->reason);
        break;
    }
}

static void sink(void *user, const policy_action_t *actions, size_t count)
{
    const hands_t *hands = user;
    for (size_t i = 0; i < count; i++) {
        carry_out(hands->supervisor, hands->ctx, &actions[i]);
    }
}

static void step(supervisor_t *supervisor, trp_ctx_t *ctx, const policy_event_t *event)
{
    hands_t hands = {supervisor, ctx};
    note_pid(supervisor, event);
    supervisor->policy.sink = sink;
    supervisor->policy.user = &hands;
    policy_step(&supervisor->policy, event, trp_now_ns(ctx), trp_random(ctx));
    supervisor->policy.user = NULL; /* a context is of one callback */
}

/* The next child whose spawn failed at once, as the event that it is; false: none. */
static bool take_failed_spawn(supervisor_t *supervisor, policy_event_t *event)
{
    policy_child_t *child = supervisor->failed;
    if (child == NULL) {
        return false;
    }
    supervisor->failed = child->next_failed;
    int32_t status = (int32_t)child->spawn_status;
    child->spawn_status = TRP_OK;
    *event = (policy_event_t){.kind = POLICY_DOWN,
                              .child = child,
                              .incarnation = child->incarnation,
                              .reason = trp_reason(TRP_REASON_START_FAILED, status, "not spawned")};
    return true;
}

void supervisor_run(supervisor_t *supervisor, trp_ctx_t *ctx, const policy_event_t *event)
{
    policy_event_t failed;

    step(supervisor, ctx, event);
    while (take_failed_spawn(supervisor, &failed)) {
        step(supervisor, ctx, &failed);
    }
    if (supervisor->report.held > 0 && !supervisor->report_is_due) {
        uint64_t timer = 0;
        supervisor->report_is_due =
            trp_timer_start(ctx, REPORT_WINDOW_NS / MS, 0, SUPERVISOR_TAG_REPORT, &timer) == TRP_OK;
    }
}
