/* SPDX-License-Identifier: MIT */
/* The verb `router`: passes the order on and its answer back. The router reads the order. */
#include <stdio.h>

#include "supervisor/control/inquiry.h"

#define ORDER_MS 60000 /* a task that is tried again may run for a while */

void inquiry_router(inquiry_t *inquiry, trp_ctx_t *ctx, const control_request_t *request)
{
    if (request->body == NULL || request->body->type != MSGPACK_OBJECT_MAP) {
        inquiry_fail(inquiry, ctx, "E_BAD_REQUEST", "router needs body, a map with an action");
        return;
    }
    trp_pid_t router = inquiry_find_router(inquiry, ctx);
    if (trp_pid_is_none(router)) {
        return;
    }
    trp_writer_t order;
    zmq_msg_t message;
    trp_writer_init(&order);
    trp_write_object(&order, request->body);
    trp_status_t status = trp_writer_take(&order, &message);
    trp_writer_fini(&order);
    if (status != TRP_OK) {
        inquiry_fail(inquiry, ctx, "E_BUSY", "%s", trp_status_text(status));
        return;
    }
    trp_request_t ask = {
        .to = router, .tag = TRP_TAG_ROUTER_ORDER, .message = &message, .timeout_ms = ORDER_MS};
    inquiry_ask(inquiry, ctx, &ask, TRP_TAG_ROUTER_ANSWER);
    zmq_msg_close(&message);
}

static trp_text_t text_of(const msgpack_object *object)
{
    bool is_text = object != NULL && object->type == MSGPACK_OBJECT_STR;
    return is_text ? (trp_text_t){object->via.str.ptr, object->via.str.size} : (trp_text_t){"", 0};
}

void inquiry_router_answer(inquiry_t *inquiry, trp_ctx_t *ctx, const void *data, size_t size)
{
    trp_document_t document;
    trp_fault_t fault;
    if (trp_document_init(&document, data, size, &fault) != TRP_OK) {
        inquiry_fail(inquiry, ctx, "E_INTERNAL", "the router's answer: %s", fault.rule);
        return;
    }
    trp_text_t code = text_of(trp_member(&document.root, "code"));
    trp_text_t message = text_of(trp_member(&document.root, "message"));
    const msgpack_object *value = trp_member(&document.root, "result");
    if (value == NULL) {
        char name[64];
        snprintf(name, sizeof(name), "%.*s", (int)code.size, code.data);
        inquiry_fail(inquiry, ctx, name, "%.*s", (int)message.size, message.data);
    } else {
        trp_writer_t result;
        trp_writer_init(&result);
        trp_write_object(&result, value);
        inquiry_answer(inquiry, ctx, &result);
    }
    trp_document_fini(&document);
}
