/* SPDX-License-Identifier: MIT */
/* The verb `waits`: how long the messages of one actor wait, noted for some seconds. */
#include <stdlib.h>

#include "supervisor/control/inquiry.h"

#define SECONDS_DEFAULT 5

struct inquiry_waits {
    trp_runtime_t *runtime;
    uint32_t wait;
    int64_t seconds;
    actor_info_t before; /* what it had done when the time began */
};

static void refuse(inquiry_t *inquiry, trp_ctx_t *ctx, trp_status_t status)
{
    if (status == TRP_NOT_FOUND) {
        inquiry_fail(inquiry, ctx, "E_NOT_FOUND", "it does not live on this node");
    } else if (status == TRP_UNSUPPORTED) {
        inquiry_fail(inquiry, ctx, "E_UNSUPPORTED",
                     "it runs in a process or thread of its own, where its messages wait; `pools` "
                     "shows the tasks that wait for it");
    } else if (status == TRP_FULL) {
        inquiry_fail(inquiry, ctx, "E_BUSY", "others ask for as many actors as there may be");
    } else {
        inquiry_fail(inquiry, ctx, "E_BUSY", "%s", trp_status_text(status));
    }
}

static trp_status_t begin(inquiry_t *inquiry, trp_ctx_t *ctx, trp_pid_t pid)
{
    inquiry_waits_t *waits = inquiry->waits;
    trp_runtime_t *runtime = runtime_of(ctx);
    if (waits == NULL) {
        return TRP_NO_MEMORY;
    }
    if (!runtime_look(runtime, pid, &waits->before)) {
        return TRP_NOT_FOUND;
    }
    const trp_status_t status = runtime_waits_begin(runtime, pid, &waits->wait);
    if (status != TRP_OK) {
        return status;
    }
    waits->runtime = runtime;
    return trp_timer_start(ctx, waits->seconds * 1000, 0, INQUIRY_TAG_LOOK, &inquiry->request);
}

void inquiry_waits(inquiry_t *inquiry, trp_ctx_t *ctx, const control_request_t *request)
{
    const trp_pid_t pid = inquiry_find_actor(inquiry, ctx, request);
    if (trp_pid_is_none(pid)) {
        return;
    }
    inquiry->waits = calloc(1, sizeof(*inquiry->waits));
    if (inquiry->waits != NULL) {
        inquiry->waits->seconds = request->has_seconds ? request->seconds : SECONDS_DEFAULT;
    }
    const trp_status_t status = begin(inquiry, ctx, pid);
    if (status != TRP_OK) {
        refuse(inquiry, ctx, status);
    }
}

static void write_rows(trp_writer_t *writer, const runtime_waits_t *waits)
{
    trp_write_key(writer, "histogram");
    trp_write_array(writer, (uint32_t)waits->rows);
    for (size_t i = 0; i < waits->rows; i++) {
        trp_write_map(writer, 2);
        trp_put_int(writer, "below_ns", (int64_t)waits->row[i].below_ns);
        trp_put_int(writer, "count", (int64_t)waits->row[i].count);
    }
}

void inquiry_waits_over(inquiry_t *inquiry, trp_ctx_t *ctx)
{
    const inquiry_waits_t *asked = inquiry->waits;
    const actor_info_t *before = &asked->before;
    char pid[TRP_PID_TEXT_MAX];
    actor_info_t now;
    runtime_waits_t waits;
    trp_writer_t writer;
    const bool lives = runtime_look(asked->runtime, before->pid, &now);
    runtime_waits_read(asked->runtime, asked->wait, &waits);
    trp_writer_init(&writer);
    trp_write_map(&writer, 13);
    trp_put_text(&writer, "pid", trp_pid_format(before->pid, pid));
    trp_put_text(&writer, "name", before->name);
    trp_put_text(&writer, "class", before->class_name);
    trp_put_int(&writer, "seconds", asked->seconds);
    trp_put_bool(&writer, "ended", !lives);
    trp_put_int(&writer, "handled", lives ? (int64_t)(now.handled - before->handled) : 0);
    trp_put_int(&writer, "busy_ns", lives ? (int64_t)(now.busy_ns - before->busy_ns) : 0);
    trp_put_int(&writer, "noted", (int64_t)waits.count);
    trp_put_int(&writer, "p50_ns", (int64_t)waits.p50_ns);
    trp_put_int(&writer, "p90_ns", (int64_t)waits.p90_ns);
    trp_put_int(&writer, "p99_ns", (int64_t)waits.p99_ns);
    trp_put_int(&writer, "max_ns", (int64_t)waits.max_ns);
    write_rows(&writer, &waits);
    inquiry_answer(inquiry, ctx, &writer);
}

void inquiry_waits_free(inquiry_waits_t **waits)
{
    if (*waits != NULL && (*waits)->runtime != NULL) {
        runtime_waits_end((*waits)->runtime, (*waits)->wait);
    }
    free(*waits);
    *waits = NULL;
}
