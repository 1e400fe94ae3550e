/* SPDX-License-Identifier: MIT */
#include "actors/transform/transform.h"

#include "actors/transform/transform_tool.h"
#include "runtime/log.h"

static trp_status_t init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    transform_options_t options;
    trp_document_t document;
    trp_fault_t fault;
    trp_status_t status =
        trp_message_unpack(&transform_options_schema, args, &document, &options, &fault);
    if (status != TRP_OK) {
        return status;
    }
    status = transform_worker_init(state, &options);
    if (status != TRP_OK) {
        trp_log(ctx, LOG_ERROR, "transform_options",
                "intervals: expected falling minutes and a label each, then a last label");
    }
    trp_document_fini(&document);
    return status;
}

static trp_status_t receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    const transform_worker_t *worker = state;
    trp_status_t status = tool_serve(ctx, state, message, &worker->tools);
    return status == TRP_UNSUPPORTED ? TRP_OK : status; /* no task: nothing for us */
}

static const trp_schema_t *const messages[] = {&task_run_schema, &race_data_schema, NULL};

const trp_class_t transform_class = {
    .name = "transform",
    .version = 1,
    .state_size = sizeof(transform_worker_t),
    .init = init,
    .receive = receive,
    .messages = messages,
    .answers = tool_answers,
    .options = &transform_options_schema,
};
