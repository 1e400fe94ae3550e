/* SPDX-License-Identifier: MIT */
#include "actors/tool_frame.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/core/runtime.h"

#define NS_PER_US 1000

int64_t tool_now_ns(const tool_call_t *call)
{
    const trp_host_t *host = call->ctx == NULL ? &host_os : runtime_host(runtime_of(call->ctx));
    return host->now_ns(host->user);
}

/* ---- errors ---- */

trp_writer_t *tool_error_member(tool_call_t *call, const char *key)
{
    call->error_member_count++;
    trp_write_key(&call->error_members, key);
    return &call->error_members;
}

trp_status_t tool_fail(tool_call_t *call, const char *code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(call->error_message, sizeof(call->error_message), format, arguments);
    va_end(arguments);
    snprintf(call->error_code, sizeof(call->error_code), "%s", code);
    return TRP_FAILED;
}

trp_status_t tool_fail_fault(tool_call_t *call, const trp_fault_t *fault)
{
    trp_write_text(tool_error_member(call, "path"), fault->path);
    trp_write_text(tool_error_member(call, "rule"), fault->rule);
    trp_write_text(tool_error_member(call, "value"), fault->value);
    if (fault->has_offset) {
        trp_write_int(tool_error_member(call, "offset"), (int64_t)fault->offset);
    }
    const char *code = fault->is_body ? "E_BAD_BODY" : "E_BAD_PAYLOAD";
    const char *path = fault->path[0] != '\0' ? fault->path : "the body";
    char where[96] = "";
    if (fault->message != NULL && fault->message[0] != '\0') {
        snprintf(where, sizeof(where), " (%s)", fault->message);
    }
    if (strcmp(fault->value, "missing") == 0) {
        return tool_fail(call, code, "%s: missing; expected %s%s", path, fault->rule, where);
    }
    if (fault->value[0] == '\0') {
        return tool_fail(call, code, "%s: expected %s%s", path, fault->rule, where);
    }
    return tool_fail(call, code, "%s: expected %s, got %s%s", path, fault->rule, fault->value,
                     where);
}

/* The writer's text stays well-formed although the message may have been cut inside a character. */
static void write_message(const char *message, trp_writer_t *writer)
{
    size_t size = strlen(message);
    trp_write_string(writer, message, trp_utf8_check(message, size));
}

static void write_error(tool_call_t *call, trp_writer_t *writer)
{
    size_t size;
    const void *members = trp_writer_data(&call->error_members, &size);
    trp_write_map(writer, 2 + call->error_member_count);
    trp_put_text(writer, "code", call->error_code);
    trp_write_key(writer, "message");
    write_message(call->error_message, writer);
    trp_write_raw(writer, members, size);
}

/* ---- the run ---- */

static trp_status_t fail_unknown(tool_call_t *call)
{
    const tool_table_t *table = call->table;
    trp_writer_t *names = tool_error_member(call, "tools");
    trp_write_array(names, table->count);
    for (size_t i = 0; i < table->count; i++) {
        trp_write_text(names, table->tools[i].name);
    }
    return tool_fail(call, "E_UNKNOWN_TOOL", "this worker has no tool '%.*s'",
                     (int)call->task.tool.size, call->task.tool.data);
}

static const tool_t *find_tool(const tool_table_t *table, trp_text_t name)
{
    for (size_t i = 0; i < table->count; i++) {
        const char *candidate = table->tools[i].name;
        if (strlen(candidate) == name.size && memcmp(candidate, name.data, name.size) == 0) {
            return &table->tools[i];
        }
    }
    return NULL;
}

static trp_status_t run_decoded(tool_call_t *call, trp_document_t *document)
{
    const trp_schema_t *schema = call->tool->request;
    void *request = msgpack_zone_malloc(&document->zone, schema->size + 1);
    trp_fault_t fault;
    if (request == NULL) {
        return TRP_NO_MEMORY;
    }
    call->document = document;
    call->zone = &document->zone;
    trp_status_t status =
        call->table->lenient
            ? trp_schema_read_lenient(schema, &document->root, call->zone, request, &fault)
            : trp_schema_read(schema, &document->root, call->zone, request, &fault);
    if (status == TRP_PAYLOAD) {
        return tool_fail_fault(call, &fault);
    }
    return status == TRP_OK ? call->tool->run(call, request) : status;
}

static trp_status_t run_tool(tool_call_t *call)
{
    trp_document_t document;
    trp_fault_t fault;
    call->tool = find_tool(call->table, call->task.tool);
    if (call->tool == NULL) {
        return fail_unknown(call);
    }
    trp_status_t status =
        trp_document_init(&document, call->task.body.data, call->task.body.size, &fault);
    if (status == TRP_PAYLOAD) {
        fault.message = call->tool->request->name;
        return tool_fail_fault(call, &fault);
    }
    if (status != TRP_OK) {
        return status;
    }
    status = run_decoded(call, &document);
    call->document = NULL;
    call->zone = NULL;
    trp_document_fini(&document);
    return status;
}

/* ---- the reply ---- */

static void set_fault(tool_outcome_t *outcome, trp_status_t status, const char *detail)
{
    outcome->fault = status;
    snprintf(outcome->detail, sizeof(outcome->detail), "%s", detail);
}

trp_status_t tool_encode(const tool_call_t *call, trp_writer_t *value, char **json,
                         trp_text_t *body)
{
    trp_form_t form;
    *json = NULL;
    body->data = trp_writer_data(value, &body->size);
    if (value->failed) {
        return TRP_NO_MEMORY;
    }
    bool is_json = trp_form_detect(call->task.body.data, call->task.body.size, &form) != TRP_OK ||
                   form == TRP_FORM_JSON;
    trp_status_t status = TRP_OK;
    if (is_json) {
        status = trp_json_from_msgpack(body->data, body->size, json, &body->size);
        body->data = *json;
    } else if (!trp_msgpack_is_value(body->data, body->size)) {
        status = TRP_PAYLOAD;
    }
    return status == TRP_OK && body->size > TRP_BODY_MAX ? TRP_TOO_LARGE : status;
}

static trp_text_t key_text(const char *key)
{
    return (trp_text_t){key, strlen(key)};
}

static trp_status_t pack_reply(tool_call_t *call, bool success, trp_writer_t *value,
                               zmq_msg_t *reply)
{
    char *json = NULL;
    task_done_t done = {
        .success = success,
        .exec_us = (tool_now_ns(call) - call->started_ns) / NS_PER_US,
        .has_code = !success && call->error_code[0] != '\0',
        .code = key_text(call->error_code),
        .has_bind = call->bind[0] != '\0',
        .bind = key_text(call->bind),
        .has_unbind = call->unbind[0] != '\0',
        .unbind = key_text(call->unbind),
        .has_rss_bytes = call->rss_bytes > 0,
        .rss_bytes = call->rss_bytes,
    };
    trp_status_t status = tool_encode(call, value, &json, &done.body);
    if (status == TRP_OK) {
        zmq_msg_close(reply);
        status = trp_schema_pack(&task_done_schema, &done, reply);
    }
    free(json);
    return status;
}

static trp_status_t reply_error(tool_call_t *call, tool_outcome_t *outcome)
{
    trp_writer_t error;
    trp_writer_init(&error);
    write_error(call, &error);
    trp_status_t status = pack_reply(call, false, &error, &outcome->reply);
    trp_writer_fini(&error);
    outcome->has_reply = status == TRP_OK;
    return status;
}

static trp_status_t reply_internal(tool_call_t *call, tool_outcome_t *outcome)
{
    trp_writer_fini(&call->error_members);
    trp_writer_init(&call->error_members);
    call->error_member_count = 0;
    tool_fail(call, "E_INTERNAL", "a fault of ours in %.*s, logged with task %.*s",
              (int)call->task.tool.size, call->task.tool.data, (int)call->task.task_id.size,
              call->task.task_id.data);
    return reply_error(call, outcome);
}

/* What can't be encoded is the tool's mistake with this one input: told and logged, but no reason
 * to end an actor that holds other work. */
static trp_status_t reply(tool_call_t *call, trp_status_t status, tool_outcome_t *outcome)
{
    if (status == TRP_OK) {
        status = pack_reply(call, true, &call->result, &outcome->reply);
        outcome->has_reply = status == TRP_OK;
    } else if (status == TRP_FAILED && call->error_code[0] != '\0') {
        status = reply_error(call, outcome);
    } else {
        set_fault(outcome, status, trp_status_text(status));
        return reply_internal(call, outcome);
    }
    if (status == TRP_TOO_LARGE) {
        trp_write_int(tool_error_member(call, "limit"), TRP_BODY_MAX);
        tool_fail(call, "E_TOO_LARGE", "the result is over its limit");
        return reply_error(call, outcome);
    }
    if (status == TRP_PAYLOAD) {
        snprintf(outcome->detail, sizeof(outcome->detail), "the result is not one sound value");
        return reply_internal(call, outcome);
    }
    return status;
}

trp_status_t tool_execute(tool_call_t *call, trp_text_t body, tool_outcome_t *outcome)
{
    trp_document_t document;
    trp_fault_t fault;
    *outcome = (tool_outcome_t){.has_reply = false};
    zmq_msg_init(&outcome->reply);
    trp_status_t status = trp_schema_unpack(&task_run_schema, body, &document, &call->task, &fault);
    if (status != TRP_OK) {
        return status;
    }
    trp_writer_init(&call->result);
    trp_writer_init(&call->error_members);
    call->started_ns = tool_now_ns(call);
    status = run_tool(call);
    if (status == TRP_PENDING) {
        status = TRP_OK;
    } else {
        status = reply(call, status, outcome);
    }
    trp_writer_fini(&call->result);
    trp_writer_fini(&call->error_members);
    trp_document_fini(&document);
    return status;
}
