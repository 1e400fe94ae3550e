/* SPDX-License-Identifier: MIT */
/* Answers about the table: which_children and count_children. */
#include <stdlib.h>
#include <string.h>

#include "runtime/core/runtime.h"
#include "supervisor/supervisor_state.h"

/* Texts of a row while it is packed. */
typedef struct row_texts {
    char pid[TRP_PID_TEXT_MAX];
    char reason[TRP_REASON_LINE_MAX];
} row_texts_t;

/* Index into CHILD_STATES. */
static const int states[POLICY_PHASE_COUNT] = {
    [POLICY_IDLE] = 0,     [POLICY_BACKOFF] = 1, [POLICY_QUEUED] = 2,
    [POLICY_STARTING] = 3, [POLICY_UP] = 4,      [POLICY_DOOMED] = 5,
    [POLICY_STOPPING] = 5, [POLICY_KILLING] = 5, [POLICY_GONE] = 5,
};

static trp_text_t text(const char *string)
{
    return (trp_text_t){string, strlen(string)};
}

static void fill_row(const policy_child_t *child, int64_t now_ns, row_texts_t *texts,
                     child_info_t *row)
{
    *row = (child_info_t){
        .id = text(child->spec->id),
        .state = states[child->phase],
        .type = child->spec->is_supervisor,
        .class = text(child->spec->class->name),
        .place = (int)child->spec->place,
        .restart = (int)child->spec->restart,
        .restarts = child->incarnation == 0 ? 0 : child->incarnation - 1,
        .streak = child->streak,
        .is_held = child->is_held,
        .is_quarantined = child->spec->is_quarantined,
    };
    if (child->phase == POLICY_BACKOFF && child->next_at_ns > now_ns) {
        row->next_ms = (child->next_at_ns - now_ns) / 1000000;
    }
    if (policy_is_alive(child)) {
        row->has_pid = true;
        row->pid = text(trp_pid_format(child->pid, texts->pid));
    }
    if (child->has_last_reason) {
        row->has_last_reason = true;
        row->last_reason = text(trp_reason_format(&child->last_reason, texts->reason));
    }
}

static trp_status_t reply(trp_ctx_t *ctx, const trp_envelope_t *request, const trp_schema_t *schema,
                          const void *value)
{
    zmq_msg_t message;
    trp_status_t status = trp_schema_pack(schema, value, &message);
    if (status == TRP_OK) {
        status = trp_reply_move(ctx, request, schema->tag, &message);
        zmq_msg_close(&message);
    }
    return status;
}

trp_status_t supervisor_show_children(const supervisor_t *supervisor, trp_ctx_t *ctx,
                                      const trp_envelope_t *request)
{
    const policy_t *policy = &supervisor->policy;
    child_info_t *rows = calloc(policy->child_count + 1, sizeof(*rows));
    row_texts_t *texts = calloc(policy->child_count + 1, sizeof(*texts));
    trp_status_t status = TRP_NO_MEMORY;
    if (rows != NULL && texts != NULL) {
        children_t answer = {.supervisor = text(supervisor->spec->name),
                             .strategy = (int)policy->spec->strategy,
                             .children = rows};
        for (const policy_child_t *child = policy->first; child != NULL; child = child->next) {
            size_t row = answer.children_count++;
            fill_row(child, trp_now_ns(ctx), &texts[row], &rows[row]);
        }
        status = reply(ctx, request, &children_schema, &answer);
    }
    free(texts);
    free(rows);
    return status;
}

trp_status_t supervisor_show_count(const supervisor_t *supervisor, trp_ctx_t *ctx,
                                   const trp_envelope_t *request)
{
    const policy_t *policy = &supervisor->policy;
    const trp_supervisor_spec_t *spec = supervisor->spec;
    bool is_template = spec->strategy == TRP_SIMPLE_ONE_FOR_ONE;
    children_counted_t count = {
        .specs = is_template ? 1 : (int64_t)policy->child_count,
        .supervisors = (int64_t)policy->supervisor_count,
        .workers = (int64_t)(policy->child_count - policy->supervisor_count),
    };
    for (const policy_child_t *child = policy->first; child != NULL; child = child->next) {
        count.active += policy_is_alive(child) && runtime_lives(runtime_of(ctx), child->pid);
    }
    if (is_template && spec->starts == TRP_STARTS_AWAITED) {
        /* As in Erlang/OTP: all but those whose restart failed, the stopped ones of them too. */
        count.active = (int64_t)policy->child_count - (int64_t)policy->retrying;
    }
    return reply(ctx, request, &children_counted_schema, &count);
}

trp_status_t supervisor_show_spec(trp_ctx_t *ctx, const trp_envelope_t *request,
                                  const trp_child_spec_t *spec)
{
    child_spec_t answer = {
        .id = text(spec->id),
        .class = text(spec->class->name),
        .type = spec->is_supervisor,
        .place = (int)spec->place,
        .restart = (int)spec->restart,
        .significant = spec->is_significant,
        .shutdown_ms = spec->shutdown_ms,
        .start_ms = spec->start_ms,
        .backoff_ms = spec->backoff_ms,
        .backoff_max_ms = spec->backoff_max_ms,
        .give_up = (int)spec->give_up,
    };
    return reply(ctx, request, &child_spec_schema, &answer);
}
