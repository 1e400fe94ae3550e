/* SPDX-License-Identifier: MIT */
#include "tests/sim/scenario_echo.h"

#include "actors/tool.h"
#include "messages/task.h"

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

/* ---- takes its time ---- */

#define LAZY_MAX_MS 50
#define TAG_AWAKE   TRP_TAG_USER

typedef struct lazy {
    trp_reply_address_t asked; /* of the task that it has; it is given one at a time */
} lazy_t;

static trp_status_t lazy_answer(trp_ctx_t *ctx, const lazy_t *lazy)
{
    const task_done_t done = {.success = true, .body = {"{\"n\":1}", 7}};
    zmq_msg_t message;
    trp_status_t status = trp_schema_pack(&task_done_schema, &done, &message);
    if (status == TRP_OK) {
        status = trp_reply_to(ctx, lazy->asked, TRP_TAG_TASK_DONE, &message);
        (void)zmq_msg_close(&message);
    }
    return status;
}

static trp_status_t lazy_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    lazy_t *lazy = state;
    uint64_t timer;
    if (message->tag == TRP_TAG_TASK_RUN) {
        lazy->asked = trp_reply_address(message);
        return trp_timer_start(ctx, (int64_t)(trp_random(ctx) % LAZY_MAX_MS), 0, TAG_AWAKE, &timer);
    }
    return message->tag == TAG_AWAKE ? lazy_answer(ctx, lazy) : TRP_OK;
}

const trp_class_t lazy_class = {.name = "lazy",
                                .version = 1,
                                .state_size = sizeof(lazy_t),
                                .receive = lazy_receive,
                                .messages = messages};
