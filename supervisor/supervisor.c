/* SPDX-License-Identifier: MIT */
#include "supervisor/supervisor.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/log.h"
#include "supervisor/supervisor_state.h"

/* ---- start ---- */

static trp_status_t add_children(supervisor_t *supervisor)
{
    const trp_supervisor_spec_t *spec = supervisor->spec;
    for (size_t i = 0; i < spec->child_count; i++) {
        trp_status_t status = policy_add(&supervisor->policy, &spec->children[i], NULL);
        if (status != TRP_OK) {
            return status;
        }
    }
    return TRP_OK;
}

static trp_status_t init(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    supervisor_t *supervisor = state;
    trp_supervisor_args_t args;
    size_t size = 0;
    const void *data = message == NULL ? NULL : trp_message_data(message, &size);
    if (size != sizeof(args)) {
        return TRP_INVALID;
    }
    memcpy(&args, data, sizeof(args));

    supervisor->spec = args.spec;
    supervisor->parent = args.parent;
    supervisor->report.supervisor = args.spec->name;
    supervisor->next_number = 1;
    trp_trap_exit(ctx, true);
    trp_status_t status = policy_init(&supervisor->policy, args.spec, NULL, NULL);
    if (status == TRP_OK) {
        status = add_children(supervisor);
    }
    if (status != TRP_OK) {
        return status;
    }

    supervisor->in_init = true;
    supervisor_run(supervisor, ctx, &(policy_event_t){.kind = POLICY_BEGIN});
    supervisor->in_init = false;
    return supervisor->policy.mode == POLICY_RUNNING ? TRP_OK : TRP_PENDING;
}

static void release(void *state)
{
    supervisor_t *supervisor = state;
    HASH_CLEAR(by_pid, supervisor->pids);
    HASH_CLEAR(by_timer, supervisor->timers);
    policy_fini(&supervisor->policy);
    while (supervisor->programs != NULL) {
        supervisor_program_t *next = supervisor->programs->next;
        free(supervisor->programs);
        supervisor->programs = next;
    }
}

/* ---- what happens to children ---- */

static trp_reason_t reason_of(const trp_envelope_t *message)
{
    trp_reason_t reason = trp_reason(TRP_REASON_NO_PROCESS, 0, NULL);
    size_t size = 0;
    const void *data = trp_message_data(message, &size);
    if (size == sizeof(reason)) {
        memcpy(&reason, data, sizeof(reason));
    }
    return reason;
}

policy_child_t *supervisor_find(const supervisor_t *supervisor, trp_pid_t pid)
{
    policy_child_t *child = NULL;
    HASH_FIND(by_pid, supervisor->pids, &pid, sizeof(pid), child);
    return child;
}

static policy_child_t *find_timer(const supervisor_t *supervisor, uint64_t timer)
{
    policy_child_t *child = NULL;
    HASH_FIND(by_timer, supervisor->timers, &timer, sizeof(timer), child);
    return child;
}

static void run_of_child(supervisor_t *supervisor, trp_ctx_t *ctx, policy_event_kind_t kind,
                         policy_child_t *child, const trp_reason_t *reason)
{
    if (child == NULL) {
        return; /* of a row that is gone */
    }
    policy_event_t event = {.kind = kind, .child = child, .incarnation = child->incarnation};
    if (reason != NULL) {
        event.reason = *reason;
    }
    supervisor_run(supervisor, ctx, &event);
}

static void on_down(supervisor_t *supervisor, trp_ctx_t *ctx, const trp_envelope_t *message)
{
    if (observers_down(&supervisor->observers, message->request_id)) {
        return;
    }
    policy_child_t *child = supervisor_find(supervisor, message->from);
    trp_reason_t reason = reason_of(message);
    if (child != NULL && child->monitor == message->request_id) {
        child->monitor = 0;
        run_of_child(supervisor, ctx, POLICY_DOWN, child, &reason);
    }
}

static void on_timer(supervisor_t *supervisor, trp_ctx_t *ctx, const trp_envelope_t *message)
{
    if (message->request_id == supervisor->stop_timer) {
        supervisor->stop_timer = 0;
        supervisor_run(supervisor, ctx, &(policy_event_t){.kind = POLICY_STOP_TIMER});
        return;
    }
    policy_child_t *child = find_timer(supervisor, message->request_id);
    if (child != NULL) {
        HASH_DELETE(by_timer, supervisor->timers, child);
        child->timer = 0;
        run_of_child(supervisor, ctx, POLICY_TIMER, child, NULL);
    }
}

/* Also one of a plan that was dropped since, when the child waits again: as in Erlang/OTP, where
 * every attempt that failed has sent one. */
static void on_retry(supervisor_t *supervisor, trp_ctx_t *ctx, const trp_envelope_t *message)
{
    uint32_t key = 0;
    size_t size = 0;
    const void *data = trp_message_data(message, &size);
    if (!trp_pid_equal(message->from, trp_self(ctx)) || size != sizeof(key)) {
        return;
    }
    memcpy(&key, data, sizeof(key));
    policy_child_t *child = supervisor->policy.first;
    while (child != NULL && child->key != key) {
        child = child->next;
    }
    run_of_child(supervisor, ctx, POLICY_TIMER, child != NULL && child->timer == 0 ? child : NULL,
                 NULL);
}

/* Children are linked so that they end with us; of their ends the monitors tell. */
static void on_exit_signal(supervisor_t *supervisor, trp_ctx_t *ctx, const trp_envelope_t *message)
{
    if (trp_pid_equal(message->from, supervisor->parent)) {
        policy_event_t event = {.kind = POLICY_STOP, .reason = reason_of(message)};
        supervisor_run(supervisor, ctx, &event);
    }
}

/* ---- starts awaited: nothing else is looked at meanwhile ---- */

static bool is_awaited(const supervisor_t *supervisor, const trp_envelope_t *message)
{
    const policy_child_t *child;
    switch (message->tag) {
    case TRP_TAG_STARTED:
    case SUPERVISOR_TAG_REPORT:
        return true;
    case TRP_TAG_DOWN:
        child = supervisor_find(supervisor, message->from);
        return child == NULL || child->phase != POLICY_UP;
    case SUPERVISOR_TAG_TIMER:
        child = find_timer(supervisor, message->request_id);
        return child == NULL || child->phase != POLICY_BACKOFF;
    default:
        return false;
    }
}

/* Puts a message off that is not to be looked at now. When that finds no memory it is looked at. */
static bool put_off(supervisor_t *supervisor, trp_ctx_t *ctx, const trp_envelope_t *message)
{
    if (supervisor->spec->starts != TRP_STARTS_AWAITED || !policy_is_busy(&supervisor->policy) ||
        is_awaited(supervisor, message) ||
        trp_defer(ctx, message, UINT32_MAX, SIZE_MAX) != TRP_OK) {
        return false;
    }
    supervisor->has_deferred = true;
    return true;
}

static void take_up(supervisor_t *supervisor, trp_ctx_t *ctx)
{
    if (supervisor->has_deferred && !policy_is_busy(&supervisor->policy)) {
        supervisor->has_deferred = false;
        trp_recall(ctx);
    }
}

/* ---- messages ---- */

static void handle(supervisor_t *supervisor, trp_ctx_t *ctx, const trp_envelope_t *message)
{
    switch (message->tag) {
    case TRP_TAG_STARTED:
        run_of_child(supervisor, ctx, POLICY_READY, supervisor_find(supervisor, message->from),
                     NULL);
        break;
    case TRP_TAG_DOWN:
        on_down(supervisor, ctx, message);
        break;
    case SUPERVISOR_TAG_TIMER:
        on_timer(supervisor, ctx, message);
        break;
    case SUPERVISOR_TAG_RETRY:
        on_retry(supervisor, ctx, message);
        break;
    case SUPERVISOR_TAG_REPORT:
        supervisor->report_is_due = false;
        report_flush(&supervisor->report);
        break;
    case TRP_TAG_EXIT:
        on_exit_signal(supervisor, ctx, message);
        break;
    default:
        if (!supervisor_request(supervisor, ctx, message)) {
            log_event(LOG_WARN, "supervisor_unknown_message",
                      LOG_TEXT("supervisor", supervisor->spec->name), LOG_INT("tag", message->tag));
        }
    }
}

static trp_status_t receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    supervisor_t *supervisor = state;
    if (!put_off(supervisor, ctx, message)) {
        handle(supervisor, ctx, message);
        take_up(supervisor, ctx);
    }
    return TRP_OK;
}

const trp_class_t trp_supervisor_class = {
    .name = "supervisor",
    .version = 1,
    .state_size = sizeof(supervisor_t),
    .init = init,
    .receive = receive,
    .release = release,
    .flags = TRP_CLASS_SYSTEM,
};
