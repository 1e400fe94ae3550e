/* SPDX-License-Identifier: MIT */
#include "tests/sim/scenario_echo.h"

#include "actors/tool.h"

#define ECHO_FIELDS(F) F(INT, n, _, 0, 1000000, "what comes back")
TRP_SCHEMA_DECLARE(echo, ECHO_FIELDS)
TRP_SCHEMA_DEFINE(echo, 0, 0, ECHO_FIELDS, "gives back what it got")

static trp_status_t run_echo(tool_call_t *call, const void *request)
{
    trp_write_map(&call->result, 1);
    trp_put_int(&call->result, "n", ((const echo_t *)request)->n);
    return TRP_OK;
}

static const tool_t tools[] = {{"echo", &echo_schema, run_echo}};
static const tool_table_t table = {tools, 1, false};

static trp_status_t receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    const trp_status_t status = tool_serve(ctx, state, message, &table);
    return status == TRP_UNSUPPORTED ? TRP_OK : status;
}

static const trp_schema_t *const messages[] = {&task_run_schema, &echo_schema, NULL};

const trp_class_t echo_class = {
    .name = "echo", .version = 1, .receive = receive, .messages = messages};
