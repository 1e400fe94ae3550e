/* SPDX-License-Identifier: MIT */
/* The verb `state`: what an actor's class saves of it. */
#include <string.h>

#include "runtime/snapshot.h"
#include "supervisor/control/inquiry.h"

void inquiry_state(inquiry_t *inquiry, trp_ctx_t *ctx, const control_request_t *request)
{
    const trp_pid_t pid = inquiry_find_actor(inquiry, ctx, request);
    if (trp_pid_is_none(pid)) {
        return;
    }
    inquiry->asked = "the actor";
    const trp_status_t status = trp_snapshot_take(ctx, pid, INQUIRY_ASK_MS, &inquiry->request);
    if (status != TRP_OK) {
        inquiry_fail(inquiry, ctx, "E_UNAVAILABLE", "%s", trp_status_text(status));
    }
}

static void refuse(inquiry_t *inquiry, trp_ctx_t *ctx, const void *data, size_t size)
{
    int32_t status = TRP_PROTOCOL;
    if (size == sizeof(status)) {
        memcpy(&status, data, sizeof(status));
    }
    if (status == TRP_UNSUPPORTED) {
        inquiry_fail(inquiry, ctx, "E_UNSUPPORTED", "its class has no `save`");
    } else {
        inquiry_fail(inquiry, ctx, "E_UNAVAILABLE", "it has no state to show: %s",
                     trp_status_text((trp_status_t)status));
    }
}

void inquiry_state_reply(inquiry_t *inquiry, trp_ctx_t *ctx, const trp_envelope_t *reply)
{
    trp_document_t document;
    trp_snapshot_t snapshot;
    trp_fault_t fault;
    size_t size = 0;
    const void *data = trp_message_data(reply, &size);
    if (reply->tag == TRP_TAG_NO_SNAPSHOT) {
        refuse(inquiry, ctx, data, size);
        return;
    }
    if (trp_message_unpack(&trp_snapshot_schema, reply, &document, &snapshot, &fault) != TRP_OK) {
        inquiry_fail(inquiry, ctx, "E_INTERNAL", "the snapshot: %s", fault.rule);
        return;
    }
    char pid[TRP_PID_TEXT_MAX];
    trp_writer_t writer;
    trp_writer_init(&writer);
    trp_write_map(&writer, 4);
    trp_put_text(&writer, "pid", trp_pid_format(reply->from, pid));
    trp_write_key(&writer, "class");
    trp_write_string(&writer, snapshot.class_name.data, snapshot.class_name.size);
    trp_put_int(&writer, "version", snapshot.version);
    trp_write_key(&writer, "state");
    trp_write_raw(&writer, snapshot.state.data, snapshot.state.size);
    inquiry_answer(inquiry, ctx, &writer);
    trp_document_fini(&document);
}
