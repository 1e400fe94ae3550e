/* SPDX-License-Identifier: MIT */
#include "supervisor/supervisor.h"

#include <stdio.h>
#include <string.h>

#include "runtime/log.h"
#include "supervisor/supervisor_state.h"

#define CHILD_MAX 65535

/* ---- start ---- */

static trp_status_t add_children(supervisor_t *supervisor)
{
    const trp_supervisor_spec_t *spec = supervisor->spec;
    for (size_t i = 0; i < spec->child_count; i++) {
        trp_status_t status = policy_add(&supervisor->policy, &spec->children[i]);
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

    const trp_supervisor_spec_t *spec = args.spec;
    supervisor->spec = spec;
    supervisor->parent = args.parent;
    supervisor->report.supervisor = spec->name;
    trp_trap_exit(ctx, true);
    trp_status_t status =
        policy_init(&supervisor->policy, spec->strategy, spec->intensity, spec->period_s);
    if (status == TRP_OK) {
        status = add_children(supervisor);
    }
    if (status != TRP_OK) {
        policy_fini(&supervisor->policy);
        return status;
    }

    supervisor->in_init = true;
    supervisor_run(supervisor, ctx, &(policy_event_t){.kind = POLICY_BEGIN});
    supervisor->in_init = false;
    return supervisor->policy.mode == POLICY_RUNNING ? TRP_OK : TRP_PENDING;
}

static void terminate(trp_ctx_t *ctx, void *state, const trp_reason_t *reason)
{
    (void)ctx;
    (void)reason;
    supervisor_t *supervisor = state;
    policy_fini(&supervisor->policy);
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

/* By pid (started), monitor (down) or timer: the one of them that is not 0. */
static policy_child_t *find(supervisor_t *supervisor, trp_pid_t pid, uint64_t monitor,
                            uint64_t timer)
{
    for (size_t i = 0; i < supervisor->policy.child_count; i++) {
        policy_child_t *child = &supervisor->policy.children[i];
        if ((!trp_pid_is_none(pid) && trp_pid_equal(child->pid, pid)) ||
            (monitor != 0 && child->monitor == monitor) || (timer != 0 && child->timer == timer)) {
            return child;
        }
    }
    return NULL;
}

static void run_of_child(supervisor_t *supervisor, trp_ctx_t *ctx, policy_event_kind_t kind,
                         const policy_child_t *child, const trp_reason_t *reason)
{
    if (child == NULL) {
        return; /* of a row that is gone */
    }
    policy_event_t event = {.kind = kind, .key = child->key, .incarnation = child->incarnation};
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
    policy_child_t *child = find(supervisor, TRP_PID_NONE, message->request_id, 0);
    trp_reason_t reason = reason_of(message);
    if (child != NULL) {
        child->monitor = 0;
    }
    run_of_child(supervisor, ctx, POLICY_DOWN, child, &reason);
}

static void on_timer(supervisor_t *supervisor, trp_ctx_t *ctx, const trp_envelope_t *message)
{
    policy_child_t *child = find(supervisor, TRP_PID_NONE, 0, message->request_id);
    if (child != NULL) {
        child->timer = 0;
    }
    run_of_child(supervisor, ctx, POLICY_TIMER, child, NULL);
}

/* Children are linked so that they end with us; of their ends the monitors tell. */
static void on_exit_signal(supervisor_t *supervisor, trp_ctx_t *ctx, const trp_envelope_t *message)
{
    if (trp_pid_equal(message->from, supervisor->parent)) {
        policy_event_t event = {.kind = POLICY_STOP, .reason = reason_of(message)};
        supervisor_run(supervisor, ctx, &event);
    }
}

/* ---- requests ---- */

static void on_observe(supervisor_t *supervisor, trp_ctx_t *ctx, const trp_envelope_t *message)
{
    trp_status_t status = observers_add(&supervisor->observers, ctx, message->from);
    trp_reason_t reason = trp_reason(TRP_REASON_ERROR, (int32_t)status, NULL);
    child_outcome_t outcome = status == TRP_OK ? CHILD_OK : CHILD_REFUSED;
    supervisor_answer(ctx, trp_reply_address(message), outcome, NULL, &reason);
    for (size_t i = 0; i < supervisor->policy.child_count && status == TRP_OK; i++) {
        const policy_child_t *child = &supervisor->policy.children[i];
        if (child->is_announced) {
            char pid[TRP_PID_TEXT_MAX];
            child_change_t change = child->phase == POLICY_UP ? CHILD_UP : CHILD_LEAVING;
            child_event_t event = observers_event(supervisor->spec->name, child, change, pid);
            observers_tell(&supervisor->observers, ctx, message->from, &event);
        }
    }
}

static void refuse(trp_ctx_t *ctx, const trp_envelope_t *message, child_outcome_t outcome,
                   const policy_child_t *child, const char *why)
{
    trp_reason_t reason = trp_reason(TRP_REASON_ERROR, TRP_INVALID, why);
    supervisor_answer(ctx, trp_reply_address(message), outcome, child, &reason);
}

/* terminate_child, restart_child, delete_child: the policy knows. */
static void on_child_id(supervisor_t *supervisor, trp_ctx_t *ctx, const trp_envelope_t *message,
                        policy_event_kind_t kind)
{
    trp_document_t document;
    trp_fault_t fault;
    child_id_t request;
    if (trp_message_unpack(&child_id_schema, message, &document, &request, &fault) != TRP_OK) {
        refuse(ctx, message, CHILD_REFUSED, NULL, fault.rule);
        return;
    }
    char id[TRP_NAME_MAX];
    snprintf(id, sizeof(id), "%.*s", (int)request.id.size, request.id.data);
    trp_document_fini(&document);

    policy_event_t event = {.kind = kind, .id = id, .asker = trp_reply_address(message)};
    supervisor_run(supervisor, ctx, &event);
}

/* The id that was asked for, or the lowest free NAME.n. */
static void choose_id(supervisor_t *supervisor, const child_start_t *request, char id[TRP_NAME_MAX])
{
    if (request->has_id) {
        snprintf(id, TRP_NAME_MAX, "%.*s", (int)request->id.size, request->id.data);
        return;
    }
    unsigned n = 0;
    do {
        snprintf(id, TRP_NAME_MAX, "%.50s.%u", supervisor->spec->template->id, ++n);
    } while (policy_child_by_id(&supervisor->policy, id) != NULL);
}

static void start_child(supervisor_t *supervisor, trp_ctx_t *ctx, const trp_envelope_t *message,
                        const child_start_t *request)
{
    policy_t *policy = &supervisor->policy;
    size_t child_max = supervisor->spec->child_max;
    if (supervisor->spec->template == NULL) {
        refuse(ctx, message, CHILD_REFUSED, NULL, "this supervisor has no template");
        return;
    }
    if (policy_child_count(policy) >= (child_max == 0 ? CHILD_MAX : child_max)) {
        refuse(ctx, message, CHILD_REFUSED, NULL, "at its maximum of children");
        return;
    }

    trp_child_spec_t spec = *supervisor->spec->template;
    choose_id(supervisor, request, spec.id);
    trp_status_t status = policy_add(policy, &spec);
    if (status == TRP_EXISTS) {
        const policy_child_t *child = policy_child_by_id(policy, spec.id);
        refuse(ctx, message, policy_is_alive(child) ? CHILD_ALREADY_STARTED : CHILD_ALREADY_PRESENT,
               child, "the id is taken");
        return;
    }
    if (status != TRP_OK) {
        refuse(ctx, message, CHILD_FAILED, NULL, trp_status_text(status));
        return;
    }
    policy_event_t event = {
        .kind = POLICY_RESTART, .id = spec.id, .asker = trp_reply_address(message)};
    supervisor_run(supervisor, ctx, &event);
}

static void on_start_child(supervisor_t *supervisor, trp_ctx_t *ctx, const trp_envelope_t *message)
{
    child_start_t request;
    trp_document_t document;
    trp_fault_t fault;
    if (trp_message_unpack(&child_start_schema, message, &document, &request, &fault) != TRP_OK) {
        refuse(ctx, message, CHILD_REFUSED, NULL, fault.rule);
        return;
    }
    start_child(supervisor, ctx, message, &request);
    trp_document_fini(&document);
}

static trp_status_t receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    supervisor_t *supervisor = state;
    switch (message->tag) {
    case TRP_TAG_STARTED:
        run_of_child(supervisor, ctx, POLICY_READY, find(supervisor, message->from, 0, 0), NULL);
        break;
    case TRP_TAG_DOWN:
        on_down(supervisor, ctx, message);
        break;
    case SUPERVISOR_TAG_TIMER:
        on_timer(supervisor, ctx, message);
        break;
    case SUPERVISOR_TAG_REPORT:
        supervisor->report_is_due = false;
        report_flush(&supervisor->report);
        break;
    case TRP_TAG_EXIT:
        on_exit_signal(supervisor, ctx, message);
        break;
    case TRP_TAG_CHILD_START:
        on_start_child(supervisor, ctx, message);
        break;
    case TRP_TAG_CHILD_TERMINATE:
        on_child_id(supervisor, ctx, message, POLICY_TERMINATE);
        break;
    case TRP_TAG_CHILD_RESTART:
        on_child_id(supervisor, ctx, message, POLICY_RESTART);
        break;
    case TRP_TAG_CHILD_DELETE:
        on_child_id(supervisor, ctx, message, POLICY_DELETE);
        break;
    case TRP_TAG_CHILDREN_WHICH:
        return supervisor_show_children(supervisor, ctx, message);
    case TRP_TAG_CHILDREN_COUNT:
        return supervisor_show_count(supervisor, ctx, message);
    case TRP_TAG_OBSERVE:
        on_observe(supervisor, ctx, message);
        break;
    default:
        log_event(LOG_WARN, "supervisor_unknown_message",
                  LOG_TEXT("supervisor", supervisor->spec->name), LOG_INT("tag", message->tag));
    }
    return TRP_OK;
}

const trp_class_t trp_supervisor_class = {
    .name = "supervisor",
    .version = 1,
    .state_size = sizeof(supervisor_t),
    .init = init,
    .receive = receive,
    .terminate = terminate,
};
