/* SPDX-License-Identifier: MIT */
/* What can be asked of a supervisor: messages/supervisor.h, and trp_supervisor_start_child. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/core/runtime.h"
#include "supervisor/supervisor_check.h"
#include "supervisor/supervisor_state.h"

#define CHILD_MAX    65535
#define INSTANCE_MAX 1000000

static void refuse(trp_ctx_t *ctx, const trp_envelope_t *message, child_outcome_t outcome,
                   const policy_child_t *child, const char *why)
{
    trp_reason_t reason = trp_reason(TRP_REASON_ERROR, TRP_INVALID, why);
    supervisor_answer(ctx, trp_reply_address(message), outcome, child, &reason);
}

static bool is_template(const supervisor_t *supervisor)
{
    return supervisor->spec->strategy == TRP_SIMPLE_ONE_FOR_ONE;
}

static void on_observe(supervisor_t *supervisor, trp_ctx_t *ctx, const trp_envelope_t *message)
{
    trp_status_t status = observers_add(&supervisor->observers, ctx, message->from);
    trp_reason_t reason = trp_reason(TRP_REASON_ERROR, (int32_t)status, NULL);
    child_outcome_t outcome = status == TRP_OK ? CHILD_OK : CHILD_REFUSED;
    supervisor_answer(ctx, trp_reply_address(message), outcome, NULL, &reason);
    if (status != TRP_OK) {
        return;
    }
    for (const policy_child_t *child = supervisor->policy.first; child != NULL;
         child = child->next) {
        if (child->is_announced) {
            char pid[TRP_PID_TEXT_MAX];
            child_change_t change = child->phase == POLICY_UP ? CHILD_UP : CHILD_LEAVING;
            child_event_t event = observers_event(supervisor->spec->name, child, change, pid);
            observers_tell(&supervisor->observers, ctx, message->from, &event);
        }
    }
}

/* ---- requests that name a child ---- */

/* The row that is meant by pid, of a template strategy. NULL: answered already. */
static policy_child_t *find_instance(supervisor_t *supervisor, trp_ctx_t *ctx,
                                     const trp_envelope_t *message, const child_id_t *request)
{
    char text[TRP_PID_TEXT_MAX];
    trp_pid_t pid;
    snprintf(text, sizeof(text), "%.*s", (int)request->pid.size, request->pid.data);
    if (!request->has_pid || trp_pid_parse(text, &pid) != TRP_OK) {
        refuse(ctx, message, CHILD_REFUSED, NULL, "simple_one_for_one: children go by pid");
        return NULL;
    }
    policy_child_t *child = supervisor_find(supervisor, pid);
    if (child == NULL) {
        /* As in Erlang/OTP: what is dead is as it was asked to be. */
        bool lives = runtime_lives(runtime_of(ctx), pid);
        supervisor_answer(ctx, trp_reply_address(message), lives ? CHILD_NOT_FOUND : CHILD_OK, NULL,
                          NULL);
    }
    return child;
}

static void on_named(supervisor_t *supervisor, trp_ctx_t *ctx, const trp_envelope_t *message,
                     const child_id_t *request, policy_event_kind_t kind)
{
    char id[TRP_NAME_MAX];
    snprintf(id, sizeof(id), "%.*s", (int)request->id.size, request->id.data);
    policy_event_t event = {.kind = kind, .id = id, .asker = trp_reply_address(message)};
    if (is_template(supervisor)) {
        if (kind != POLICY_TERMINATE) {
            refuse(ctx, message, CHILD_REFUSED, NULL, "simple_one_for_one");
            return;
        }
        event.child = find_instance(supervisor, ctx, message, request);
        if (event.child == NULL) {
            return;
        }
    }
    supervisor_run(supervisor, ctx, &event);
}

/* Named by the template's id, or by a pid: an instance's or, as in Erlang/OTP, a dead one. */
static bool is_of_template(const supervisor_t *supervisor, trp_ctx_t *ctx,
                           const child_id_t *request, const char *id)
{
    char text[TRP_PID_TEXT_MAX];
    trp_pid_t pid;
    if (!request->has_pid) {
        return strcmp(id, supervisor->spec->template->id) == 0;
    }
    snprintf(text, sizeof(text), "%.*s", (int)request->pid.size, request->pid.data);
    return trp_pid_parse(text, &pid) == TRP_OK &&
           (supervisor_find(supervisor, pid) != NULL || !runtime_lives(runtime_of(ctx), pid));
}

static void on_spec(supervisor_t *supervisor, trp_ctx_t *ctx, const trp_envelope_t *message,
                    const child_id_t *request)
{
    char id[TRP_NAME_MAX];
    snprintf(id, sizeof(id), "%.*s", (int)request->id.size, request->id.data);
    const policy_child_t *child = policy_child_by_id(&supervisor->policy, id);
    const trp_child_spec_t *spec = child == NULL ? NULL : child->spec;
    if (is_template(supervisor) && is_of_template(supervisor, ctx, request, id)) {
        spec = supervisor->spec->template;
    }
    if (spec == NULL) {
        supervisor_answer(ctx, trp_reply_address(message), CHILD_NOT_FOUND, NULL, NULL);
    } else if (supervisor_show_spec(ctx, message, spec) != TRP_OK) {
        refuse(ctx, message, CHILD_FAILED, NULL, "no memory");
    }
}

static void on_child_id(supervisor_t *supervisor, trp_ctx_t *ctx, const trp_envelope_t *message)
{
    trp_document_t document;
    trp_fault_t fault;
    child_id_t request;
    if (trp_message_unpack(&child_id_schema, message, &document, &request, &fault) != TRP_OK) {
        refuse(ctx, message, CHILD_REFUSED, NULL, fault.rule);
        return;
    }
    switch (message->tag) {
    case TRP_TAG_CHILD_TERMINATE:
        on_named(supervisor, ctx, message, &request, POLICY_TERMINATE);
        break;
    case TRP_TAG_CHILD_RESTART:
        on_named(supervisor, ctx, message, &request, POLICY_RESTART);
        break;
    case TRP_TAG_CHILD_DELETE:
        on_named(supervisor, ctx, message, &request, POLICY_DELETE);
        break;
    default:
        on_spec(supervisor, ctx, message, &request);
    }
    trp_document_fini(&document);
}

/* ---- start_child ---- */

/* Not of one that ends, which says so itself. */
static bool is_full(const supervisor_t *supervisor, bool over_max)
{
    if (supervisor->policy.mode >= POLICY_ENDING) {
        return false;
    }
    size_t child_max =
        supervisor->child_max > 0 ? supervisor->child_max : supervisor->spec->child_max;
    if (child_max == 0) {
        child_max = is_template(supervisor) ? INSTANCE_MAX : CHILD_MAX;
    }
    return supervisor->policy.child_count >= child_max + (over_max ? 1 : 0);
}

/* The path as a text that lasts; NULL: no memory. */
static const char *keep_program(supervisor_t *supervisor, trp_text_t path)
{
    supervisor_program_t *program = supervisor->programs;
    while (program != NULL && (strlen(program->path) != path.size ||
                               memcmp(program->path, path.data, path.size) != 0)) {
        program = program->next;
    }
    if (program == NULL) {
        program = calloc(1, sizeof(*program));
        if (program == NULL) {
            return NULL;
        }
        snprintf(program->path, sizeof(program->path), "%.*s", (int)path.size, path.data);
        program->next = supervisor->programs;
        supervisor->programs = program;
    }
    return program->path;
}

/* Adds the row and starts it. `args`: the message's; copied, where there are any. */
static void add(supervisor_t *supervisor, trp_ctx_t *ctx, const trp_envelope_t *message,
                const trp_child_spec_t *spec, trp_text_t args)
{
    policy_t *policy = &supervisor->policy;
    if (policy->mode >= POLICY_ENDING) {
        refuse(ctx, message, CHILD_STOPPING, NULL, "the supervisor ends");
        return;
    }
    void *copy = NULL;
    if (args.size > 0) {
        copy = malloc(args.size);
        if (copy == NULL) {
            refuse(ctx, message, CHILD_FAILED, NULL, trp_status_text(TRP_NO_MEMORY));
            return;
        }
        memcpy(copy, args.data, args.size);
    }

    policy_child_t *child = NULL;
    trp_status_t status = policy_add(policy, is_template(supervisor) ? NULL : spec, &child);
    if (status != TRP_OK) {
        free(copy);
        if (status == TRP_EXISTS) {
            bool lives = policy_is_alive(child);
            refuse(ctx, message, lives ? CHILD_ALREADY_STARTED : CHILD_ALREADY_PRESENT, child,
                   "the id is taken");
        } else {
            refuse(ctx, message, CHILD_FAILED, NULL, trp_status_text(status));
        }
        return;
    }
    child->args = copy;
    child->args_size = args.size;
    policy_event_t event = {
        .kind = POLICY_RESTART, .child = child, .asker = trp_reply_address(message)};
    supervisor_run(supervisor, ctx, &event);
}

/* The id that was asked for, or the lowest free NAME.n. */
static void choose_id(supervisor_t *supervisor, const child_start_t *request, char id[TRP_NAME_MAX])
{
    if (request->has_id) {
        snprintf(id, TRP_NAME_MAX, "%.*s", (int)request->id.size, request->id.data);
        return;
    }
    do {
        snprintf(id, TRP_NAME_MAX, "%.50s.%u", supervisor->spec->template->id,
                 supervisor->next_number++);
    } while (policy_child_by_id(&supervisor->policy, id) != NULL);
}

static void on_start_child(supervisor_t *supervisor, trp_ctx_t *ctx, const trp_envelope_t *message)
{
    child_start_t request;
    trp_document_t document;
    trp_fault_t fault;
    if (supervisor->spec->template == NULL) {
        refuse(ctx, message, CHILD_REFUSED, NULL, "this supervisor has no template");
        return;
    }
    if (trp_message_unpack(&child_start_schema, message, &document, &request, &fault) != TRP_OK) {
        refuse(ctx, message, CHILD_REFUSED, NULL, fault.rule);
        return;
    }
    if (request.has_max) {
        supervisor->child_max = (size_t)request.max;
    }
    trp_child_spec_t spec = *supervisor->spec->template;
    spec.program = supervisor->program != NULL ? supervisor->program : spec.program;
    if (request.has_program) {
        spec.program = keep_program(supervisor, request.program);
    }
    if (is_full(supervisor, request.has_over_max && request.over_max)) {
        refuse(ctx, message, CHILD_REFUSED, NULL, "at its maximum of children");
    } else if (request.has_program && spec.program == NULL) {
        refuse(ctx, message, CHILD_FAILED, NULL, trp_status_text(TRP_NO_MEMORY));
    } else {
        if (!is_template(supervisor)) {
            choose_id(supervisor, &request, spec.id);
        }
        add(supervisor, ctx, message, &spec, (trp_text_t){NULL, 0});
    }
    trp_document_fini(&document);
}

/* Later children run another program. */
static void on_template(supervisor_t *supervisor, trp_ctx_t *ctx, const trp_envelope_t *message)
{
    child_start_t request;
    trp_document_t document;
    trp_fault_t fault;
    if (supervisor->spec->template == NULL || is_template(supervisor)) {
        refuse(ctx, message, CHILD_REFUSED, NULL, "this supervisor has no template");
        return;
    }
    if (trp_message_unpack(&child_start_schema, message, &document, &request, &fault) != TRP_OK) {
        refuse(ctx, message, CHILD_REFUSED, NULL, fault.rule);
        return;
    }
    const char *program = request.has_program ? keep_program(supervisor, request.program) : NULL;
    if (request.has_program && program == NULL) {
        refuse(ctx, message, CHILD_FAILED, NULL, trp_status_text(TRP_NO_MEMORY));
    } else {
        supervisor->program = program != NULL ? program : supervisor->program;
        supervisor_answer(ctx, trp_reply_address(message), CHILD_OK, NULL, NULL);
    }
    trp_document_fini(&document);
}

/* [trp_child_spec_t, args]: pointers are in it, so only from actors of this process. */
static void on_add_child(supervisor_t *supervisor, trp_ctx_t *ctx, const trp_envelope_t *message)
{
    trp_child_spec_t spec;
    char rule[160] = "not from another process";
    size_t size = 0;
    const char *data = trp_message_data(message, &size);
    bool is_local = message->from.node == trp_self(ctx).node;
    if (!is_local || size < sizeof(spec)) {
        refuse(ctx, message, CHILD_REFUSED, NULL, rule);
        return;
    }
    memcpy(&spec, data, sizeof(spec));
    trp_text_t args = {data + sizeof(spec), size - sizeof(spec)};
    if (!spec.is_supervisor) { /* whose spec is used in place */
        spec.args = NULL;
        spec.args_size = 0;
    }
    if (is_template(supervisor) != (spec.class == NULL)) {
        refuse(ctx, message, CHILD_REFUSED, NULL,
               is_template(supervisor) ? "simple_one_for_one: the template is its spec"
                                       : "a child needs a class");
    } else if (spec.class != NULL &&
               supervisor_check_child(supervisor->spec, &spec, rule) != TRP_OK) {
        refuse(ctx, message, CHILD_REFUSED, NULL, rule);
    } else if (is_full(supervisor, false)) {
        refuse(ctx, message, CHILD_REFUSED, NULL, "at its maximum of children");
    } else {
        add(supervisor, ctx, message, &spec, args);
    }
}

/* ---- all ---- */

/* Answered when its children have ended: POLICY_END. */
static void on_stop(supervisor_t *supervisor, trp_ctx_t *ctx, const trp_envelope_t *message)
{
    if (supervisor->policy.mode >= POLICY_ENDING) {
        refuse(ctx, message, CHILD_STOPPING, NULL, "the supervisor ends");
        return;
    }
    supervisor->stopper = trp_reply_address(message);
    policy_event_t event = {.kind = POLICY_STOP, .reason = trp_reason(TRP_REASON_NORMAL, 0, NULL)};
    supervisor_run(supervisor, ctx, &event);
}

bool supervisor_request(supervisor_t *supervisor, trp_ctx_t *ctx, const trp_envelope_t *message)
{
    trp_status_t status = TRP_OK;
    switch (message->tag) {
    case TRP_TAG_CHILD_START:
        on_start_child(supervisor, ctx, message);
        break;
    case TRP_TAG_CHILD_TEMPLATE:
        on_template(supervisor, ctx, message);
        break;
    case TRP_TAG_CHILD_ADD:
        on_add_child(supervisor, ctx, message);
        break;
    case TRP_TAG_CHILD_TERMINATE:
    case TRP_TAG_CHILD_RESTART:
    case TRP_TAG_CHILD_DELETE:
    case TRP_TAG_CHILD_SPEC:
        on_child_id(supervisor, ctx, message);
        break;
    case TRP_TAG_CHILDREN_WHICH:
        status = supervisor_show_children(supervisor, ctx, message);
        break;
    case TRP_TAG_CHILDREN_COUNT:
        status = supervisor_show_count(supervisor, ctx, message);
        break;
    case TRP_TAG_OBSERVE:
        on_observe(supervisor, ctx, message);
        break;
    case TRP_TAG_SUPERVISOR_STOP:
        on_stop(supervisor, ctx, message);
        break;
    default:
        return false;
    }
    if (status != TRP_OK) {
        refuse(ctx, message, CHILD_FAILED, NULL, trp_status_text(status));
    }
    return true;
}
