/* SPDX-License-Identifier: MIT */
/* Carries out what the policy decided. */
#include <string.h>

#include "runtime/log.h"
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
                             .id = text(child == NULL ? "" : child->spec.id)};
    if (child != NULL && child->phase == POLICY_UP) {
        answer.has_pid = true;
        answer.pid = text(trp_pid_format(child->pid, pid));
    }
    if (outcome != CHILD_OK && reason != NULL) {
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

static void start(trp_ctx_t *ctx, policy_child_t *child)
{
    const trp_child_spec_t *spec = &child->spec;
    trp_supervisor_args_t nested = {.spec = spec->args, .parent = trp_self(ctx)};
    trp_spawn_t spawn = {
        .class = spec->class,
        .name = spec->is_named ? spec->id : NULL,
        .place = spec->place,
        .args_tag = spec->args_tag,
        .args = spec->is_supervisor ? (const void *)&nested : spec->args,
        .args_size = spec->is_supervisor ? sizeof(nested) : spec->args_size,
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
        .limits = spec->limits,
    };
    child->pid = TRP_PID_NONE;
    child->monitor = 0;
    child->started_ns = trp_now_ns(ctx);
    child->spawn_status = trp_spawn(ctx, &spawn, &child->pid);
}

static void disarm(trp_ctx_t *ctx, policy_child_t *child)
{
    if (child->timer != 0) {
        trp_timer_cancel(ctx, child->timer);
        child->timer = 0;
    }
}

static void arm(trp_ctx_t *ctx, policy_child_t *child, int64_t delay_ns)
{
    disarm(ctx, child);
    int64_t delay_ms = (delay_ns + MS - 1) / MS;
    if (trp_timer_start(ctx, delay_ms, 0, SUPERVISOR_TAG_TIMER, &child->timer) != TRP_OK) {
        /* Without its timer the child would hang: fail, and let whoever supervises us start
         * over. */
        trp_reason_t reason = trp_reason(TRP_REASON_ERROR, TRP_NO_MEMORY, "no timer");
        trp_stop(ctx, &reason);
    }
}

static void tell(supervisor_t *supervisor, trp_ctx_t *ctx, const policy_child_t *child,
                 const policy_action_t *action)
{
    char pid[TRP_PID_TEXT_MAX];
    char line[TRP_REASON_LINE_MAX];
    child_event_t event = observers_event(supervisor->spec->name, child, action->change, pid);
    if (action->change == CHILD_DOWN) {
        event.has_reason = true;
        event.reason = text(trp_reason_format(&action->reason, line));
    } else if (action->change == CHILD_UP) {
        report_started(&supervisor->report, child, trp_now_ns(ctx));
    }
    observers_tell(&supervisor->observers, ctx, TRP_PID_NONE, &event);
}

static void carry_out(supervisor_t *supervisor, trp_ctx_t *ctx, const policy_action_t *action)
{
    policy_child_t *child = policy_child(&supervisor->policy, action->key);
    trp_reason_t shutdown = trp_reason(TRP_REASON_SHUTDOWN, 0, NULL);
    trp_reason_t killed = trp_reason(TRP_REASON_KILLED, 0, NULL);
    switch (action->kind) {
    case POLICY_START:
        start(ctx, child);
        break;
    case POLICY_EXIT:
        trp_exit(ctx, child->pid, &shutdown);
        break;
    case POLICY_KILL:
        trp_exit(ctx, child->pid, &killed);
        break;
    case POLICY_ARM:
        arm(ctx, child, action->delay_ns);
        break;
    case POLICY_DISARM:
        disarm(ctx, child);
        break;
    case POLICY_ANSWER:
        supervisor_answer(ctx, action->asker, action->outcome, child, &action->reason);
        break;
    case POLICY_TELL:
        tell(supervisor, ctx, child, action);
        break;
    case POLICY_REPORT:
        report_action(&supervisor->report, child, action, trp_now_ns(ctx));
        break;
    case POLICY_ALL_UP:
        if (!supervisor->in_init) {
            trp_ready(ctx);
        }
        break;
    case POLICY_END:
        report_flush(&supervisor->report);
        trp_stop(ctx, &action->reason);
        break;
    }
}

static void step(supervisor_t *supervisor, trp_ctx_t *ctx, const policy_event_t *event)
{
    policy_t *policy = &supervisor->policy;
    policy_step(policy, event, trp_now_ns(ctx), trp_random(ctx));
    for (size_t i = 0; i < policy->action_count; i++) {
        carry_out(supervisor, ctx, &policy->actions[i]);
    }
}

/* The next child whose spawn failed at once, as the event that it is; false: none. */
static bool take_failed_spawn(policy_t *policy, policy_event_t *event)
{
    for (size_t i = 0; i < policy->child_count; i++) {
        policy_child_t *child = &policy->children[i];
        if (child->spawn_status != TRP_OK) {
            *event =
                (policy_event_t){.kind = POLICY_DOWN,
                                 .key = child->key,
                                 .incarnation = child->incarnation,
                                 .reason = trp_reason(TRP_REASON_START_FAILED,
                                                      (int32_t)child->spawn_status, "not spawned")};
            child->spawn_status = TRP_OK;
            return true;
        }
    }
    return false;
}

void supervisor_run(supervisor_t *supervisor, trp_ctx_t *ctx, const policy_event_t *event)
{
    policy_event_t failed;

    step(supervisor, ctx, event);
    while (take_failed_spawn(&supervisor->policy, &failed)) {
        step(supervisor, ctx, &failed);
    }
    if (supervisor->report.held > 0 && !supervisor->report_is_due) {
        uint64_t timer = 0;
        supervisor->report_is_due =
            trp_timer_start(ctx, REPORT_WINDOW_NS / MS, 0, SUPERVISOR_TAG_REPORT, &timer) == TRP_OK;
    }
}
