/* SPDX-License-Identifier: MIT */
#include "supervisor/control/inquiry.h"

#include <stdio.h>
#include <string.h>

#include "messages/supervisor.h"
#include "supervisor/control/control.h"
#include "supervisor/control/names.h"

#define CALL_MS_DEFAULT 60000

/* ---- verbs that need nobody else ---- */

static void verb_ping(inquiry_t *inquiry, trp_ctx_t *ctx, const control_request_t *request)
{
    (void)request;
    const trp_host_t *host = runtime_host(runtime_of(ctx));
    trp_writer_t result;
    trp_writer_init(&result);
    const runtime_stuck_t stuck = runtime_stuck(runtime_of(ctx));
    trp_write_map(&result, 5);
    trp_put_int(&result, "os_pid", host->process_id(host->user));
    trp_put_int(&result, "guardian_pid", host->parent_id(host->user));
    trp_put_int(&result, "epoch_ms", trp_epoch_ms(ctx));
    trp_put_int(&result, "stuck", stuck.handlers);
    trp_put_int(&result, "written_off", stuck.written_off);
    inquiry_answer(inquiry, ctx, &result);
}

/* State of the visit of all actors. */
typedef struct listing {
    trp_writer_t writer;
    size_t count;
} listing_t;

static void write_actor(void *user, const actor_info_t *info)
{
    listing_t *listing = user;
    trp_writer_t *writer = &listing->writer;
    char pid[TRP_PID_TEXT_MAX];
    if (strcmp(info->class_name, inquiry_class.name) == 0) {
        return; /* who asks is not of interest */
    }
    trp_write_map(writer, 14);
    trp_put_text(writer, "pid", trp_pid_format(info->pid, pid));
    trp_put_text(writer, "name", info->name);
    trp_put_text(writer, "class", info->class_name);
    trp_put_text(writer, "place", runtime_place_name(info->place));
    trp_put_int(writer, "os_pid", info->os_pid);
    trp_put_text(writer, "state", info->state);
    trp_put_text(writer, "detail", info->detail);
    trp_put_int(writer, "mailbox", info->mailbox);
    trp_put_int(writer, "handled", (int64_t)info->handled);
    trp_put_int(writer, "busy_ns", (int64_t)info->busy_ns);
    trp_put_int(writer, "died", (int64_t)info->died);
    trp_put_int(writer, "refused", (int64_t)info->refused);
    trp_put_int(writer, "memory", (int64_t)info->memory);
    trp_put_int(writer, "restarts", info->restarts);
    listing->count++;
}

static void verb_ps(inquiry_t *inquiry, trp_ctx_t *ctx, const control_request_t *request)
{
    (void)request;
    listing_t listing = {.count = 0};
    trp_writer_init(&listing.writer);
    size_t mark = trp_write_array_begin(&listing.writer);
    runtime_each(runtime_of(ctx), write_actor, &listing);
    trp_write_array_end(&listing.writer, mark, listing.count);
    inquiry_answer(inquiry, ctx, &listing.writer);
}

static void verb_stop(inquiry_t *inquiry, trp_ctx_t *ctx, const control_request_t *request)
{
    trp_pid_t keeper = trp_whereis(ctx, KEEPER_NAME);
    if (trp_pid_is_none(keeper) || trp_send(ctx, keeper, TRP_TAG_STOP, NULL, 0) != TRP_OK) {
        inquiry_fail(inquiry, ctx, "E_UNAVAILABLE", "the node can't be told");
        return;
    }
    verb_ping(inquiry, ctx, request); /* whom to wait for */
}

/* ---- verbs that ask the router ---- */

trp_pid_t inquiry_find_router(inquiry_t *inquiry, trp_ctx_t *ctx)
{
    inquiry->asked = "router";
    trp_pid_t router = trp_whereis(ctx, TREE_ROUTER);
    if (trp_pid_is_none(router)) {
        inquiry_fail(inquiry, ctx, "E_UNAVAILABLE",
                     "this node has no router: its configuration has no pools");
    }
    return router;
}

static void verb_pools(inquiry_t *inquiry, trp_ctx_t *ctx, const control_request_t *request)
{
    (void)request;
    trp_pid_t router = inquiry_find_router(inquiry, ctx);
    if (!trp_pid_is_none(router)) {
        trp_request_t ask = {.to = router, .tag = TRP_TAG_POOLS, .timeout_ms = INQUIRY_ASK_MS};
        inquiry_ask(inquiry, ctx, &ask, TRP_TAG_POOLS_STATUS);
    }
}

trp_pid_t inquiry_find_actor(inquiry_t *inquiry, trp_ctx_t *ctx, const control_request_t *request)
{
    char text[TRP_PID_TEXT_MAX + TRP_NAME_MAX];
    trp_pid_t pid;
    if (!request->has_who) {
        inquiry_fail(inquiry, ctx, "E_BAD_REQUEST", "%.*s needs who: a pid or a name",
                     (int)request->cmd.size, request->cmd.data);
        return TRP_PID_NONE;
    }
    snprintf(text, sizeof(text), "%.*s", (int)request->who.size, request->who.data);
    if (trp_pid_parse(text, &pid) != TRP_OK) {
        pid = trp_whereis(ctx, text);
    }
    if (trp_pid_is_none(pid)) {
        inquiry_fail(inquiry, ctx, "E_NOT_FOUND", "nobody has the name `%s`", text);
    }
    return pid;
}

static void verb_call(inquiry_t *inquiry, trp_ctx_t *ctx, const control_request_t *request)
{
    if (!request->has_tool || request->body == NULL || request->body->type != MSGPACK_OBJECT_MAP) {
        inquiry_fail(inquiry, ctx, "E_BAD_REQUEST", "call needs tool (a string) and body (a map)");
        return;
    }
    trp_pid_t router = inquiry_find_router(inquiry, ctx);
    if (trp_pid_is_none(router)) {
        return;
    }

    trp_writer_t body;
    trp_writer_init(&body);
    trp_write_object(&body, request->body);
    size_t size = 0;
    const void *data = trp_writer_data(&body, &size);
    const int64_t limit_ms = request->has_timeout_ms ? request->timeout_ms : CALL_MS_DEFAULT;
    call_t call = {.tool = request->tool,
                   .body = {data, size},
                   .has_deadline_ms = true,
                   .deadline_ms = limit_ms,
                   .has_key = request->has_key,
                   .key = request->key,
                   .has_idem = request->has_idem,
                   .idem = request->idem,
                   .has_priority = request->has_priority,
                   .priority = request->priority,
                   .stream = request->has_stream && request->stream};
    zmq_msg_t message;
    trp_status_t status =
        body.failed ? TRP_NO_MEMORY : trp_schema_pack(&call_schema, &call, &message);
    trp_writer_fini(&body);
    if (status != TRP_OK) {
        inquiry_fail(inquiry, ctx, "E_BUSY", "%s", trp_status_text(status));
        return;
    }
    trp_request_t ask = {.to = router,
                         .tag = TRP_TAG_CALL,
                         .message = &message,
                         .timeout_ms = limit_ms + INQUIRY_ASK_MS};
    inquiry_ask(inquiry, ctx, &ask, TRP_TAG_CALL_RESULT);
    zmq_msg_close(&message);
}

static void verb_tree(inquiry_t *inquiry, trp_ctx_t *ctx, const control_request_t *request)
{
    (void)request;
    inquiry_tree_begin(inquiry, ctx);
}

static void verb_ledger(inquiry_t *inquiry, trp_ctx_t *ctx, const control_request_t *request)
{
    (void)request;
    inquiry_ledger(inquiry, ctx);
}

static void verb_classes(inquiry_t *inquiry, trp_ctx_t *ctx, const control_request_t *request)
{
    (void)request;
    inquiry_classes(inquiry, ctx);
}

/* ---- the table ---- */

static const struct {
    const char *name;
    void (*run)(inquiry_t *inquiry, trp_ctx_t *ctx, const control_request_t *request);
} verbs[] = {
    {"ping", verb_ping},       {"tree", verb_tree},      {"pools", verb_pools},
    {"ps", verb_ps},           {"child", inquiry_child}, {"call", verb_call},
    {"stop", verb_stop},       {"ledger", verb_ledger},  {"why", inquiry_why},
    {"state", inquiry_state},  {"roll", inquiry_roll},   {"router", inquiry_router},
    {"classes", verb_classes}, {"waits", inquiry_waits},
};

static void run_verb(inquiry_t *inquiry, trp_ctx_t *ctx, const control_request_t *request)
{
    char known[256] = "";
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        size_t size = strlen(verbs[i].name);
        if (request->cmd.size == size && memcmp(request->cmd.data, verbs[i].name, size) == 0) {
            verbs[i].run(inquiry, ctx, request);
            return;
        }
        size_t used = strlen(known);
        snprintf(known + used, sizeof(known) - used, "%s%s", i == 0 ? "" : ", ", verbs[i].name);
    }
    inquiry_fail(inquiry, ctx, "E_UNKNOWN_COMMAND", "no command `%.*s`; there are: %s",
                 (int)request->cmd.size, request->cmd.data, known);
}

/* ---- the actor ---- */

static trp_status_t init(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    inquiry_t *inquiry = state;
    size_t size = 0;
    const void *data = message == NULL ? "" : trp_message_data(message, &size);
    trp_document_t document;
    control_request_t request;
    trp_fault_t fault = {.rule = "one map, MessagePack or JSON"};

    inquiry->form = TRP_FORM_JSON;
    if (trp_form_detect(data, size, &inquiry->form) != TRP_OK) {
        inquiry->form = TRP_FORM_JSON;
        inquiry_fail(inquiry, ctx, "E_BAD_BODY", "a request is one map, MessagePack or JSON");
        return TRP_OK;
    }
    if (trp_schema_unpack(&control_request_schema, (trp_text_t){data, size}, &document, &request,
                          &fault) != TRP_OK) {
        inquiry_fail(inquiry, ctx, fault.is_body ? "E_BAD_BODY" : "E_BAD_REQUEST", "%s%s%s%s%s",
                     fault.path, fault.path[0] == '\0' ? "" : ": ", fault.rule,
                     fault.value[0] == '\0' ? "" : ", got ", fault.value);
        return TRP_OK;
    }
    run_verb(inquiry, ctx, &request);
    trp_document_fini(&document);
    return TRP_OK;
}

static void release(void *state)
{
    inquiry_t *inquiry = state;
    inquiry_tree_free(&inquiry->tree);
    inquiry_roll_free(&inquiry->roll);
    inquiry_waits_free(&inquiry->waits);
}

/* The member `pools` of the status is the result. */
static void answer_pools(inquiry_t *inquiry, trp_ctx_t *ctx, const void *data, size_t size)
{
    trp_document_t document;
    trp_fault_t fault;
    trp_writer_t result;
    if (trp_document_init(&document, data, size, &fault) != TRP_OK) {
        inquiry_fail(inquiry, ctx, "E_INTERNAL", "the router's answer: %s", fault.rule);
        return;
    }
    const msgpack_object *pools = trp_member(&document.root, "pools");
    trp_writer_init(&result);
    if (pools == NULL) {
        trp_write_array(&result, 0);
    } else {
        trp_write_object(&result, pools);
    }
    inquiry_answer(inquiry, ctx, &result);
    trp_document_fini(&document);
}

static void answer_call(inquiry_t *inquiry, trp_ctx_t *ctx, const void *data, size_t size)
{
    trp_writer_t result;
    trp_writer_init(&result);
    trp_write_raw(&result, data, size);
    inquiry_answer(inquiry, ctx, &result);
}

/* Who asked has gone: nobody waits for the task any more. The router answers as ever. */
static void cancel_call(const inquiry_t *inquiry, trp_ctx_t *ctx)
{
    const trp_pid_t router = trp_whereis(ctx, TREE_ROUTER);
    if (inquiry->request != 0 && inquiry->awaits == TRP_TAG_CALL_RESULT &&
        !trp_pid_is_none(router)) {
        (void)!trp_send(ctx, router, TRP_TAG_CALL_CANCEL, &inquiry->request,
                        sizeof(inquiry->request));
    }
}

static bool is_of_supervisor(const trp_envelope_t *message)
{
    return message->tag == TRP_TAG_CHILD_ANSWER || message->tag == TRP_TAG_CHILDREN ||
           message->tag == TRP_TAG_CHILDREN_COUNTED || message->tag == TRP_TAG_CHILD_SPEC_SHOWN;
}

static trp_status_t receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    inquiry_t *inquiry = state;
    if (message->tag == TRP_TAG_CONTROL_LEFT) {
        cancel_call(inquiry, ctx);
        return TRP_OK;
    }
    size_t size = 0;
    const void *data = trp_message_data(message, &size);
    if (message->tag == TRP_TAG_CALL_PART) {
        inquiry_part(inquiry, ctx, data, size);
        return TRP_OK;
    }
    if (inquiry->request == 0 || message->request_id != inquiry->request) {
        return TRP_OK;
    }
    if (inquiry->roll != NULL) {
        inquiry_roll_reply(inquiry, ctx, message);
    } else if (message->tag == INQUIRY_TAG_LOOK && inquiry->waits != NULL) {
        inquiry_waits_over(inquiry, ctx);
    } else if (message->tag == INQUIRY_TAG_LOOK) {
        inquiry_ledger(inquiry, ctx);
    } else if (message->tag == TRP_TAG_TIMEOUT) {
        inquiry_fail(inquiry, ctx, "E_TIMEOUT", "%s did not answer in time", inquiry->asked);
    } else if (message->tag == TRP_TAG_DOWN) {
        inquiry_fail(inquiry, ctx, "E_UNAVAILABLE", "%s ended before it answered", inquiry->asked);
    } else if (message->tag == TRP_TAG_POOLS_STATUS) {
        answer_pools(inquiry, ctx, data, size);
    } else if (inquiry->tree == NULL && is_of_supervisor(message)) {
        answer_call(inquiry, ctx, data, size);
    } else if (message->tag == TRP_TAG_CALL_RESULT || message->tag == TRP_TAG_WHY_ANSWER) {
        answer_call(inquiry, ctx, data, size);
    } else if (message->tag == TRP_TAG_SNAPSHOT || message->tag == TRP_TAG_NO_SNAPSHOT) {
        inquiry_state_reply(inquiry, ctx, message);
    } else if (message->tag == TRP_TAG_ROUTER_ANSWER) {
        inquiry_router_answer(inquiry, ctx, data, size);
    } else if (message->tag == inquiry->awaits) {
        inquiry_tree_reply(inquiry, ctx, message);
    }
    return TRP_OK;
}

const trp_class_t inquiry_class = {
    .name = "inquiry",
    .version = 1,
    .state_size = sizeof(inquiry_t),
    .init = init,
    .receive = receive,
    .release = release,
};
