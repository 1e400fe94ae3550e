/* SPDX-License-Identifier: MIT */
#include "runtime/core/context.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "messages/envelope_native.h"
#include "messages/envelope_pool.h"
#include "runtime/core/life.h"
#include "runtime/core/signal.h"
#include "runtime/log.h"
#include "runtime/snapshot.h"

static const sender_t *sender_of(const trp_ctx_t *ctx)
{
    return &ctx->worker->sender;
}

/* ---- sending ---- */

trp_status_t context_fill(const trp_ctx_t *ctx, trp_pid_t to, const content_t *content,
                          trp_envelope_t **envelope)
{
    if (TRP_CHECKED) {
        lease_check(ctx, __func__);
    }
    if (ctx->is_gone) {
        return TRP_GONE;
    }
    trp_envelope_t *made = envelope_new();
    if (made == NULL) {
        return TRP_NO_MEMORY;
    }
    made->to = to;
    made->from = ctx->cell->self;
    made->tag = content->tag;
    zmq_msg_t *message = content->message;
    trp_status_t status = TRP_OK;
    if (message == NULL) {
        status = envelope_set(made, content->data, content->size);
    } else if (zmq_msg_size(message) <= TRP_INLINE_MAX) {
        status = envelope_set(made, zmq_msg_data(message), zmq_msg_size(message));
    } else {
        status = envelope_move(made, message);
    }
    if (status != TRP_OK) {
        envelope_free(made);
        return status;
    }
    *envelope = made;
    return TRP_OK;
}

/* What could not be sent. */
static void refused(trp_ctx_t *ctx, trp_envelope_t *envelope)
{
    ctx->worker->slice_work =
        ctx->worker->slice_max; /* no room there: let the receiver have its turn */
    envelope_free(envelope);
}

trp_status_t context_post(trp_ctx_t *ctx, trp_envelope_t *envelope, const content_t *content)
{
    trp_pid_t to = {envelope->to.node, envelope->to.slot, envelope->to.generation,
                    envelope->to.incarnation}; /* member by member: send_envelope says why */
    trp_status_t status = send_message(sender_of(ctx), envelope, to);
    zmq_msg_t *message = content->message;
    if (status == TRP_OK) {
        ctx->worker->slice_work++;
        if (message != NULL && zmq_msg_size(message) > 0) { /* was copied, since it is small */
            zmq_msg_close(message);
            zmq_msg_init(message);
        }
        return TRP_OK;
    }
    if (message != NULL && (envelope->flags & TRP_ENVELOPE_SHARED) != 0) {
        zmq_msg_move(message, &envelope->payload.message);
    }
    refused(ctx, envelope);
    return status;
}

static trp_status_t send_content(trp_ctx_t *ctx, trp_pid_t to, const content_t *content)
{
    trp_envelope_t *envelope = NULL;
    trp_status_t status = context_fill(ctx, to, content, &envelope);
    return status == TRP_OK ? context_post(ctx, envelope, content) : status;
}

/* `size` is at most TRP_INLINE_MAX. Most messages have a few words, and no call to copy them. */
static inline void copy_inline(trp_envelope_t *envelope, const void *data, size_t size)
{
    if (size == sizeof(uint64_t)) {
        memcpy(envelope->payload.bytes, data, sizeof(uint64_t));
    } else if (size > 0) {
        memcpy(envelope->payload.bytes, data, size);
    }
    envelope->inline_size = (uint8_t)size;
}

trp_status_t trp_send(trp_ctx_t *ctx, trp_pid_t to, uint16_t tag, const void *data, size_t size)
{
    if (TRP_CHECKED) {
        lease_check(ctx, __func__);
    }
    if (size > TRP_INLINE_MAX || ctx->is_gone) {
        content_t content = {.tag = tag, .data = data, .size = size};
        return send_content(ctx, to, &content);
    }
    trp_envelope_t *envelope = envelope_new();
    if (envelope == NULL) {
        return TRP_NO_MEMORY;
    }
    envelope->to = to;
    envelope->from = ctx->cell->self;
    envelope->tag = tag;
    copy_inline(envelope, data, size);
    trp_status_t status = send_message(sender_of(ctx), envelope, to);
    if (status != TRP_OK) {
        refused(ctx, envelope);
        return status;
    }
    ctx->worker->slice_work++;
    return TRP_OK;
}

trp_status_t trp_send_move(trp_ctx_t *ctx, trp_pid_t to, uint16_t tag, zmq_msg_t *message)
{
    content_t content = {.tag = tag, .message = message};
    return send_content(ctx, to, &content);
}

trp_status_t trp_send_struct(trp_ctx_t *ctx, trp_pid_t to, const trp_schema_t *schema,
                             const void *value)
{
    if (!schema_is_native(schema) || send_goes(ctx->runtime, to) != SEND_HERE) {
        zmq_msg_t packed;
        trp_status_t status = trp_schema_pack(schema, value, &packed);
        if (status == TRP_OK) {
            status = trp_send_move(ctx, to, schema->tag, &packed);
            zmq_msg_close(&packed);
        }
        return status;
    }
    const content_t content = {.tag = schema->tag};
    trp_envelope_t *envelope = NULL;
    trp_status_t status = context_fill(ctx, to, &content, &envelope);
    if (status != TRP_OK) {
        return status;
    }
    envelope_set_native(envelope, schema, value);
    return context_post(ctx, envelope, &content);
}

void context_signal(trp_ctx_t *ctx, trp_pid_t to, uint16_t tag, uint64_t ref)
{
    send_signal(sender_of(ctx), signal_make(ctx->cell->self, to, tag, ref));
}

/* ---- life ---- */

trp_runtime_t *runtime_of(trp_ctx_t *ctx)
{
    return ctx->runtime;
}

const char *runtime_origin(const trp_ctx_t *ctx)
{
    return ctx->cell->origin;
}

trp_status_t trp_spawn(trp_ctx_t *ctx, const trp_spawn_t *spawn, trp_pid_t *pid)
{
    LEASE_CALL(ctx, TRP_GONE)
    if (spawn->snapshot != NULL) {
        trp_status_t status = trp_snapshot_check(spawn);
        if (status != TRP_OK) {
            return status;
        }
    }
    if (spawn->place != TRP_PLACE_POOL) {
        if ((unsigned)spawn->place >= TRP_PLACE_COUNT ||
            ctx->runtime->places[spawn->place].start == NULL) {
            return TRP_UNSUPPORTED;
        }
        const trp_placement_t *place = &ctx->runtime->places[spawn->place];
        return place->start(place->user, ctx->runtime, spawn, ctx->cell->self, pid);
    }
    birth_t birth = {.spawn = spawn, .spawner = ctx->cell};
    return life_spawn(sender_of(ctx), &birth, pid);
}

trp_pid_t trp_self(const trp_ctx_t *ctx)
{
    return ctx->cell->self;
}

void trp_ready(trp_ctx_t *ctx)
{
    LEASE_CALL(ctx, )
    if (cell_phase(ctx->cell) == CELL_STARTING) {
        life_ready(ctx->worker, ctx->cell);
    }
}

void trp_stop(trp_ctx_t *ctx, const trp_reason_t *reason)
{
    ctx->after |= CTX_END;
    ctx->reason = reason == NULL ? trp_reason(TRP_REASON_NORMAL, 0, NULL) : *reason;
}

void trp_exit(trp_ctx_t *ctx, trp_pid_t pid, const trp_reason_t *reason)
{
    LEASE_CALL(ctx, )
    bool kill = reason != NULL && reason->kind == TRP_REASON_KILLED;
    trp_reason_t why = reason == NULL ? trp_reason(TRP_REASON_NORMAL, 0, NULL) : *reason;
    trp_envelope_t *signal =
        signal_make(ctx->cell->self, pid, kill ? TRP_SIGNAL_KILL : TRP_SIGNAL_EXIT, 0);
    if (signal != NULL && kill) {
        signal->flags |= TRP_ENVELOPE_URGENT;
    }
    send_signal(sender_of(ctx), signal_make_reason(signal, &why));
}

trp_status_t trp_link(trp_ctx_t *ctx, trp_pid_t pid)
{
    LEASE_CALL(ctx, TRP_GONE)
    cell_life_t *life = cell_life_make(&ctx->runtime->table, ctx->cell);
    if (life == NULL) {
        return TRP_NO_MEMORY;
    }
    if (trp_pid_equal(pid, ctx->cell->self) ||
        watch_find(&life->theirs, WATCH_LINK, pid, 0) != NULL) {
        return TRP_OK;
    }
    signal_note_remote(ctx->runtime, ctx->cell, pid);
    watch_t *unlinked = watch_find(&life->theirs, WATCH_UNLINK, pid, 0);
    if (unlinked != NULL) { /* its acknowledgement means nothing any more */
        unlinked->kind = WATCH_LINK;
        context_signal(ctx, pid, TRP_SIGNAL_LINK, 0);
        return TRP_OK;
    }
    watch_t row = {.kind = WATCH_LINK, .pid = pid};
    trp_status_t status = watch_add(&life->theirs, &row, true);
    if (status == TRP_OK) {
        context_signal(ctx, pid, TRP_SIGNAL_LINK, 0);
    }
    return status;
}

void trp_unlink(trp_ctx_t *ctx, trp_pid_t pid)
{
    LEASE_CALL(ctx, )
    cell_life_t *life = ctx->cell->life;
    watch_t *row = life == NULL ? NULL : watch_find(&life->theirs, WATCH_LINK, pid, 0);
    if (row != NULL) {
        row->kind = WATCH_UNLINK; /* a link of `pid` that crosses this on its way is void */
        row->id = ctx->cell->next_ref++;
        context_signal(ctx, pid, TRP_SIGNAL_UNLINK, row->id);
    }
}

trp_status_t trp_monitor(trp_ctx_t *ctx, trp_pid_t pid, uint64_t *ref)
{
    LEASE_CALL(ctx, TRP_GONE)
    cell_life_t *life = cell_life_make(&ctx->runtime->table, ctx->cell);
    if (life == NULL) {
        return TRP_NO_MEMORY;
    }
    signal_note_remote(ctx->runtime, ctx->cell, pid);
    watch_t row = {.kind = WATCH_MONITOR, .pid = pid, .ref = ctx->cell->next_ref++};
    trp_status_t status = watch_add(&life->mine, &row, false);
    if (status == TRP_OK) {
        *ref = row.ref;
        context_signal(ctx, pid, TRP_SIGNAL_MONITOR, row.ref);
    }
    return status;
}

/* The caller's own row of this reference and kind. */
static watch_t *own_row(const trp_ctx_t *ctx, uint64_t ref, watch_kind_t kind)
{
    watch_t *row = ctx->cell->life == NULL ? NULL : watch_mine(&ctx->cell->life->mine, ref);
    return row != NULL && row->kind == (uint8_t)kind ? row : NULL;
}

void trp_demonitor(trp_ctx_t *ctx, uint64_t ref)
{
    LEASE_CALL(ctx, )
    watch_t *row = own_row(ctx, ref, WATCH_MONITOR);
    if (row != NULL) {
        trp_pid_t pid = row->pid;
        watch_remove(&ctx->cell->life->mine, row, false);
        context_signal(ctx, pid, TRP_SIGNAL_DEMONITOR, ref);
    }
}

void trp_trap_exit(trp_ctx_t *ctx, bool trap)
{
    LEASE_CALL(ctx, )
    cell_life_t *life = cell_life_make(&ctx->runtime->table, ctx->cell);
    if (life != NULL) {
        life->trap_exit = trap;
    } else if (trap) {
        trp_reason_t reason = trp_reason(TRP_REASON_ERROR, TRP_NO_MEMORY, "trap_exit");
        trp_stop(ctx, &reason);
    }
}

/* ---- time, log ---- */

int64_t trp_now_ns(const trp_ctx_t *ctx)
{
    return runtime_clock(ctx->runtime);
}

int64_t trp_epoch_ms(const trp_ctx_t *ctx)
{
    const trp_host_t *host = ctx->runtime->host;
    return host->epoch_ms(host->user);
}

uint64_t trp_random(trp_ctx_t *ctx)
{
    return worker_chance(ctx->worker);
}

void trp_log(trp_ctx_t *ctx, int level, const char *event, const char *format, ...)
{
    if (!log_enabled(level)) {
        return;
    }
    char pid[TRP_PID_TEXT_MAX];
    char detail[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(detail, sizeof(detail), format, arguments);
    va_end(arguments);
    log_event(level, event, LOG_TEXT("actor", trp_pid_format(ctx->cell->self, pid)),
              LOG_TEXT("class", ctx->cell->class->name), LOG_TEXT("detail", detail));
}
