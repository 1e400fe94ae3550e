/* SPDX-License-Identifier: MIT */
#include "actors/tool.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "actors/tool_frame.h"
#include "runtime/core/runtime.h"
#include "runtime/log.h"

/* A reply that can't be sent ends the actor: the router then runs the task again elsewhere, so that
 * its client still gets an answer. A router that is gone wants none. */
static trp_status_t send_reply(tool_call_t *call, tool_outcome_t *outcome)
{
    trp_status_t status =
        trp_reply_move(call->ctx, call->message, TRP_TAG_TASK_DONE, &outcome->reply);
    if (status == TRP_OK || status == TRP_GONE) {
        return TRP_OK;
    }
    trp_log(call->ctx, LOG_ERROR, "task_reply_failed", "%s", trp_status_text(status));
    return status;
}

/* The most memory that this process had in use. */
static int64_t peak_bytes(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (int64_t)usage.ru_maxrss * 1024 : 0;
}

/* Not a request of ours, so the attempt stands in it and not in its envelope. */
static trp_status_t send_part(const tool_call_t *call, trp_text_t value)
{
    const uint64_t attempt = call->message->request_id;
    char *part = malloc(sizeof(attempt) + value.size);
    if (part == NULL) {
        return TRP_NO_MEMORY;
    }
    memcpy(part, &attempt, sizeof(attempt));
    memcpy(part + sizeof(attempt), value.data, value.size);
    const trp_status_t status = runtime_tell(call->ctx, call->message->from, TRP_TAG_TASK_PART,
                                             part, sizeof(attempt) + value.size);
    free(part);
    return status;
}

trp_status_t tool_part(tool_call_t *call, trp_writer_t *part)
{
    char *json = NULL;
    trp_text_t body;
    trp_status_t status = tool_encode(call, part, &json, &body);
    if (status == TRP_OK && call->ctx != NULL) {
        status = send_part(call, body);
    }
    free(json);
    trp_writer_fini(part);
    trp_writer_init(part);
    return status;
}

const trp_schema_t *const tool_answers[] = {&task_done_schema, &task_release_schema, NULL};

trp_status_t tool_serve(trp_ctx_t *ctx, void *state, const trp_envelope_t *message,
                        const tool_table_t *table)
{
    if (message->tag != TRP_TAG_TASK_RUN) {
        return TRP_UNSUPPORTED;
    }
    tool_call_t call = {
        .ctx = ctx, .state = state, .message = message, .table = table, .rss_bytes = peak_bytes()};
    tool_outcome_t outcome;
    trp_text_t body;
    body.data = trp_message_data(message, &body.size);
    trp_status_t status = tool_execute(&call, body, &outcome);
    if (status == TRP_OK && outcome.detail[0] != '\0') {
        trp_log(ctx, LOG_ERROR, "tool_fault", "%s", outcome.detail);
    }
    if (status == TRP_OK && outcome.has_reply) {
        status = send_reply(&call, &outcome);
    }
    zmq_msg_close(&outcome.reply);
    return status == TRP_OK ? outcome.fault : status;
}
