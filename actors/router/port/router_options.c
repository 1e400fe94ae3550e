/* SPDX-License-Identifier: MIT */
#include "actors/router/port/router_options.h"

#include <stdio.h>
#include <string.h>

#include "actors/router/answer/router_answer.h"
#include "actors/router/base/refusal.h"

#define OPTIONS_MAX 4096 /* bytes: as JSON with escapes they have less */

void router_set_stream(request_t *request)
{
    if (request->options.has_stream) {
        request->origin.stream = request->options.stream ? STREAM_EACH : STREAM_LAST;
    }
}

static void set_id(request_t *request, const char *data, size_t size)
{
    memcpy(request->origin.id, data, size);
    request->origin.id[size] = '\0';
}

/* Of bad options the id alone, if that is sound: the refusal is to find its call. */
static void find_id(request_t *request, const majordomo_request_t *message)
{
    trp_document_t document;
    trp_fault_t fault;
    if (trp_document_init(&document, message->options, message->options_size, &fault) != TRP_OK) {
        return;
    }
    const msgpack_object *id = trp_member(&document.root, "id");
    const bool is_text = id != NULL && id->type == MSGPACK_OBJECT_STR;
    if (is_text && id->via.str.size <= TRP_TASK_ID_MAX &&
        memchr(id->via.str.ptr, '\0', id->via.str.size) == NULL) {
        set_id(request, id->via.str.ptr, id->via.str.size);
    }
    trp_document_fini(&document);
}

static trp_status_t unpack(request_t *request, const majordomo_request_t *message,
                           trp_document_t *document, trp_fault_t *fault)
{
    const trp_text_t map = {message->options, message->options_size};
    if (map.size > OPTIONS_MAX) {
        snprintf(fault->rule, sizeof(fault->rule), "at most %d bytes", OPTIONS_MAX);
        return TRP_PAYLOAD;
    }
    trp_status_t status =
        trp_schema_unpack(&task_options_schema, map, document, &request->options, fault);
    if (status == TRP_OK && request->options.has_id) {
        set_id(request, request->options.id.data, request->options.id.size);
    } else if (status != TRP_OK) {
        find_id(request, message);
    }
    return status;
}

bool router_read_options(router_t *router, request_t *request, const majordomo_request_t *message,
                         trp_document_t *document)
{
    trp_fault_t fault = {0};
    request->origin.has_options = true;
    if (unpack(request, message, document, &fault) == TRP_OK) {
        router_set_stream(request);
        return true;
    }
    refusal_t refusal;
    char path[sizeof(fault.path) + 8];
    snprintf(path, sizeof(path), "options%s%s", fault.path[0] != '\0' ? "." : "", fault.path);
    refusal_init(&refusal, "E_BAD_PAYLOAD", "%s: %s", path, fault.rule);
    snprintf(fault.path, sizeof(fault.path), "%.*s", (int)sizeof(fault.path) - 1, path);
    refusal_fault(&refusal, &fault);
    router_refuse_origin(router, &request->origin, request->service, request->form, &refusal);
    return false;
}
