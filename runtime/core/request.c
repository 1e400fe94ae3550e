/* SPDX-License-Identifier: MIT */
/* Requests, their answers, and timers: what an actor awaits by a reference. A request costs no
 * monitor: its receiver remembers who asked when the handler returns without an answer, and tells
 * them when it ends. Only a proxy, which never sees the end of what it passes on, is monitored. */
#include "messages/envelope_native.h"
#include "runtime/core/context.h"
#include "runtime/core/signal.h"
#include "runtime/core/timeout.h"

#define NS_PER_MS          1000000LL
#define TIMEOUT_DEFAULT_MS 5000
#define DELAY_MAX_MS       (INT64_MAX / NS_PER_MS / 4)

int64_t context_ns(int64_t ms)
{
    return (ms < 0 ? 0 : ms > DELAY_MAX_MS ? DELAY_MAX_MS : ms) * NS_PER_MS;
}

static trp_status_t start_timer(const trp_ctx_t *ctx, watch_t *row)
{
    row->timer.worker = ctx->worker->index;
    return timer_start(&ctx->worker->wheel, row->due_ns, ctx->cell->self, row->ref, &row->timer);
}

/* The row of a request, its timer started. */
static trp_status_t open_request(trp_ctx_t *ctx, const trp_request_t *request, watch_t *row)
{
    cell_t *cell = ctx->cell;
    cell_life_t *life = cell_life_make(&ctx->runtime->table, cell);
    if (life == NULL) {
        return TRP_NO_MEMORY;
    }
    *row = (watch_t){.kind = WATCH_REQUEST, .pid = request->to, .ref = cell->next_ref++};
    row->monitored = send_goes(ctx->runtime, request->to) == SEND_BY_PROXY;
    if (request->timeout_ms >= 0) {
        int64_t ms = request->timeout_ms == 0 ? TIMEOUT_DEFAULT_MS : request->timeout_ms;
        row->due_ns = runtime_clock(ctx->runtime) + context_ns(ms);
    }
    if (request->inherit) {
        row->due_ns = context_inherit(ctx, row->due_ns);
    }
    if (row->due_ns != 0 && timeout_start(ctx->worker, cell, row) != TRP_OK) {
        return TRP_NO_MEMORY;
    }
    signal_note_remote(ctx->runtime, cell, request->to);
    trp_status_t status = watch_add(&life->mine, row, false);
    if (status != TRP_OK) {
        timeout_end(ctx->runtime, cell, row);
    }
    return status;
}

trp_status_t context_await(trp_ctx_t *ctx, const trp_request_t *request, uint64_t *id)
{
    watch_t row = {0};
    const trp_status_t status = open_request(ctx, request, &row);
    *id = row.ref;
    return status;
}

trp_status_t trp_request(trp_ctx_t *ctx, const trp_request_t *request, uint64_t *request_id)
{
    return context_ask(ctx, request, 0, request_id);
}

/* The message's: that of the request, or a sooner one of its own. */
static int64_t deadline_of(const trp_ctx_t *ctx, const trp_request_t *request, const watch_t *row)
{
    if (request->within_ms <= 0) {
        return row->due_ns;
    }
    const int64_t own_ns = runtime_clock(ctx->runtime) + context_ns(request->within_ms);
    return row->due_ns == 0 || own_ns < row->due_ns ? own_ns : row->due_ns;
}

trp_status_t context_ask(trp_ctx_t *ctx, const trp_request_t *request, uint8_t flags,
                         uint64_t *request_id)
{
    LEASE_CALL(ctx, TRP_GONE)
    content_t content = {.tag = request->tag,
                         .data = request->data,
                         .size = request->size,
                         .message = request->message};
    watch_t row;
    trp_status_t status = open_request(ctx, request, &row);
    if (status != TRP_OK) {
        return status;
    }
    trp_envelope_t *envelope = NULL;
    status = context_fill(ctx, request->to, &content, &envelope);
    if (status == TRP_OK) {
        envelope->request_id = row.ref;
        envelope->deadline_ns = deadline_of(ctx, request, &row);
        envelope->flags |= flags;
        if (row.monitored) {
            context_signal(ctx, request->to, TRP_SIGNAL_MONITOR, row.ref);
        }
        status = (flags & TRP_ENVELOPE_SIGNAL) != 0 ? send_envelope(&ctx->worker->sender, envelope)
                                                    : context_post(ctx, envelope, &content);
    }
    if (status != TRP_OK) {
        trp_request_cancel(ctx, row.ref);
        return status;
    }
    *request_id = row.ref;
    return TRP_OK;
}

void trp_request_cancel(trp_ctx_t *ctx, uint64_t request_id)
{
    LEASE_CALL(ctx, )
    cell_t *cell = ctx->cell;
    watch_t *row = cell->life == NULL ? NULL : watch_mine(&cell->life->mine, request_id);
    if (row != NULL && row->kind == WATCH_REQUEST) {
        signal_request_done(ctx->worker, cell, row);
    }
}

/* The request of `address` has its answer, or somebody else owes it now. */
static void answered(trp_ctx_t *ctx, trp_reply_address_t address)
{
    const trp_envelope_t *message = ctx->message;
    if (message != NULL && message->request_id == address.request_id &&
        trp_pid_equal(message->from, address.to)) {
        ctx->answered = true;
        return;
    }
    cell_life_t *life = ctx->cell->life;
    watch_t *row = life == NULL
                       ? NULL
                       : watch_find(&life->theirs, WATCH_ASKER, address.to, address.request_id);
    if (row != NULL) {
        watch_remove(&life->theirs, row, true);
    }
}

static trp_status_t reply(trp_ctx_t *ctx, trp_reply_address_t address, const content_t *content)
{
    LEASE_CALL(ctx, TRP_GONE)
    trp_envelope_t *envelope = NULL;
    trp_status_t status = context_fill(ctx, address.to, content, &envelope);
    if (status != TRP_OK) {
        return status;
    }
    if (address.request_id != 0) {
        envelope->request_id = address.request_id;
        envelope->flags |= TRP_ENVELOPE_REPLY;
    }
    status = context_post(ctx, envelope, content);
    if (status == TRP_OK && address.request_id != 0) {
        answered(ctx, address);
    }
    return status;
}

trp_status_t trp_reply(trp_ctx_t *ctx, const trp_envelope_t *request, uint16_t tag,
                       const void *data, size_t size)
{
    content_t content = {.tag = tag, .data = data, .size = size};
    return reply(ctx, trp_reply_address(request), &content);
}

trp_status_t trp_reply_move(trp_ctx_t *ctx, const trp_envelope_t *request, uint16_t tag,
                            zmq_msg_t *message)
{
    content_t content = {.tag = tag, .message = message};
    return reply(ctx, trp_reply_address(request), &content);
}

trp_status_t trp_reply_to(trp_ctx_t *ctx, trp_reply_address_t address, uint16_t tag,
                          zmq_msg_t *message)
{
    content_t content = {.tag = tag, .message = message};
    return reply(ctx, address, &content);
}

trp_status_t trp_forward(trp_ctx_t *ctx, const trp_envelope_t *message, trp_pid_t to)
{
    LEASE_CALL(ctx, TRP_GONE)
    trp_envelope_t *copy = envelope_copy(message);
    if (copy == NULL) {
        return TRP_NO_MEMORY;
    }
    const uint8_t awaited = TRP_ENVELOPE_SIGNAL | TRP_ENVELOPE_URGENT | TRP_ENVELOPE_REPLY;
    if ((copy->flags & awaited) != 0) { /* by us: to anybody else it is a plain message */
        copy->flags &= (uint8_t)~awaited;
        copy->request_id = 0;
    }
    if (envelope_is_native(copy) && send_goes(ctx->runtime, to) != SEND_HERE) {
        const trp_status_t packed = envelope_pack(copy);
        if (packed != TRP_OK) {
            envelope_free(copy);
            return packed;
        }
    }
    copy->to = to;
    content_t content = {.tag = message->tag};
    trp_status_t status = context_post(ctx, copy, &content);
    if (status == TRP_OK && message->request_id != 0) {
        answered(ctx, trp_reply_address(message)); /* the receiver owes the answer now */
    }
    return status;
}

trp_status_t trp_timer_start(trp_ctx_t *ctx, int64_t delay_ms, int64_t period_ms, uint16_t tag,
                             uint64_t *timer)
{
    LEASE_CALL(ctx, TRP_GONE)
    cell_life_t *life = cell_life_make(&ctx->runtime->table, ctx->cell);
    if (life == NULL) {
        return TRP_NO_MEMORY;
    }
    watch_t row = {.kind = WATCH_TIMER, .ref = ctx->cell->next_ref++, .tag = tag};
    row.due_ns = runtime_clock(ctx->runtime) + context_ns(delay_ms);
    row.period_ns = context_ns(period_ms);
    trp_status_t status = start_timer(ctx, &row);
    if (status != TRP_OK) {
        return status;
    }
    status = watch_add(&life->mine, &row, false);
    if (status != TRP_OK) {
        timer_cancel(&ctx->worker->wheel, &row.timer);
        return status;
    }
    *timer = row.ref;
    return TRP_OK;
}

void trp_timer_cancel(trp_ctx_t *ctx, uint64_t timer)
{
    LEASE_CALL(ctx, )
    cell_t *cell = ctx->cell;
    watch_t *row = cell->life == NULL ? NULL : watch_mine(&cell->life->mine, timer);
    if (row == NULL || row->kind != WATCH_TIMER) {
        return;
    }
    if (row->timer.timer != NULL) {
        timer_cancel(&ctx->runtime->workers[row->timer.worker].wheel, &row->timer);
    }
    watch_remove(&cell->life->mine, row, false);
}
