/* SPDX-License-Identifier: MIT */
#include "actors/parser/parser.h"

#include "actors/parser/parser_tool.h"

static const tool_t tools[] = {
    {"code_parse", &code_parse_schema, parser_code_parse},
};
static const tool_table_t table = {.tools = tools, .count = sizeof(tools) / sizeof(tools[0])};

static trp_status_t init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)ctx;
    parser_options_t options;
    trp_document_t document;
    trp_fault_t fault;
    trp_status_t status =
        trp_message_unpack(&parser_options_schema, args, &document, &options, &fault);
    if (status == TRP_OK) {
        parser_init(state, &options);
        trp_document_fini(&document);
    }
    return status;
}

static trp_status_t receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    trp_status_t status = tool_serve(ctx, state, message, &table);
    return status == TRP_UNSUPPORTED ? TRP_OK : status; /* no task: nothing for us */
}

/* Also of one that was killed, or whose replay ended. */
static void release(void *state)
{
    parser_fini(state);
}

static const trp_schema_t *const messages[] = {&task_run_schema, &code_parse_schema, NULL};

const trp_class_t parser_class = {
    .name = "parser",
    .version = 1,
    .state_size = sizeof(parser_t),
    .init = init,
    .receive = receive,
    .release = release,
    .messages = messages,
    .answers = tool_answers,
    .options = &parser_options_schema,
};
