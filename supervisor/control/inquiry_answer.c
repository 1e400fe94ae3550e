/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/log.h"
#include "supervisor/control/inquiry.h"

/* What was written, in the asker's form. Ends the writer. */
static trp_status_t encode(trp_form_t form, trp_writer_t *writer, zmq_msg_t *body)
{
    if (form == TRP_FORM_MSGPACK) {
        return trp_writer_take(writer, body);
    }
    size_t size = 0;
    size_t json_size = 0;
    char *json = NULL;
    const void *data = trp_writer_data(writer, &size);
    trp_status_t status =
        writer->failed ? TRP_NO_MEMORY : trp_json_from_msgpack(data, size, &json, &json_size);
    trp_writer_fini(writer);
    if (status != TRP_OK) {
        return status;
    }
    if (zmq_msg_init_size(body, json_size) != 0) {
        free(json);
        return TRP_NO_MEMORY;
    }
    memcpy(zmq_msg_data(body), json, json_size);
    free(json);
    return TRP_OK;
}

trp_status_t inquiry_encode_error(trp_form_t form, const char *code, const char *message,
                                  zmq_msg_t *body)
{
    trp_writer_t writer;
    trp_writer_init(&writer);
    trp_write_map(&writer, 2);
    trp_put_bool(&writer, "ok", false);
    trp_write_key(&writer, "error");
    trp_write_map(&writer, 2);
    trp_put_text(&writer, "code", code);
    trp_put_text(&writer, "message", message);
    return encode(form, &writer, body);
}

/* Sends the answer, or ends with an error, which the control tells the asker. */
static void finish(trp_ctx_t *ctx, trp_status_t status, zmq_msg_t *body)
{
    if (status == TRP_OK) {
        trp_pid_t control = trp_whereis(ctx, "control");
        status = trp_send_move(ctx, control, TRP_TAG_CONTROL_ANSWER, body);
        zmq_msg_close(body);
    }
    trp_reason_t reason =
        trp_reason(status == TRP_OK ? TRP_REASON_NORMAL : TRP_REASON_ERROR, (int32_t)status, NULL);
    trp_stop(ctx, &reason);
}

void inquiry_answer(inquiry_t *inquiry, trp_ctx_t *ctx, trp_writer_t *result)
{
    trp_writer_t writer;
    zmq_msg_t body;
    size_t size = 0;
    const void *data = trp_writer_data(result, &size);

    trp_writer_init(&writer);
    trp_write_map(&writer, 2);
    trp_put_bool(&writer, "ok", true);
    trp_write_key(&writer, "result");
    trp_write_raw(&writer, data, size);
    writer.failed |= result->failed;
    trp_writer_fini(result);
    inquiry->request = 0;
    trp_status_t status = encode(inquiry->form, &writer, &body);
    finish(ctx, status, &body);
}

void inquiry_part(const inquiry_t *inquiry, trp_ctx_t *ctx, const void *data, size_t size)
{
    trp_document_t document;
    trp_fault_t fault;
    trp_writer_t writer;
    zmq_msg_t body;
    if (trp_document_init(&document, data, size, &fault) != TRP_OK) {
        return;
    }
    const msgpack_object *part = trp_member(&document.root, "part");
    const msgpack_object *attempt = trp_member(&document.root, "attempt");
    const msgpack_object *of = trp_member(&document.root, "call");
    if (part == NULL || attempt == NULL || of == NULL || inquiry->request == 0 ||
        of->type != MSGPACK_OBJECT_POSITIVE_INTEGER || of->via.u64 != inquiry->request) {
        trp_document_fini(&document);
        return;
    }
    trp_writer_init(&writer);
    trp_write_map(&writer, 3);
    trp_put_bool(&writer, "ok", true);
    trp_write_key(&writer, "attempt");
    trp_write_object(&writer, attempt);
    trp_write_key(&writer, "part");
    trp_write_object(&writer, part);
    if (encode(inquiry->form, &writer, &body) == TRP_OK) {
        const trp_pid_t control = trp_whereis(ctx, "control");
        (void)!trp_send_move(ctx, control, TRP_TAG_CONTROL_PART, &body);
        zmq_msg_close(&body);
    }
    trp_document_fini(&document);
}

void inquiry_fail(inquiry_t *inquiry, trp_ctx_t *ctx, const char *code, const char *format, ...)
{
    char message[512];
    zmq_msg_t body;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);

    inquiry->request = 0;
    trp_status_t status = inquiry_encode_error(inquiry->form, code, message, &body);
    finish(ctx, status, &body);
}

void inquiry_ask(inquiry_t *inquiry, trp_ctx_t *ctx, const trp_request_t *request, uint16_t awaits)
{
    inquiry->awaits = awaits;
    trp_status_t status =
        trp_pid_is_none(request->to) ? TRP_NOT_FOUND : trp_request(ctx, request, &inquiry->request);
    if (status != TRP_OK) {
        inquiry_fail(inquiry, ctx, "E_UNAVAILABLE", "%s: %s", inquiry->asked,
                     trp_status_text(status));
    }
}
