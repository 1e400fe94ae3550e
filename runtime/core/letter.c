/* SPDX-License-Identifier: MIT */
#include "runtime/letter.h"

#include "runtime/core/context.h"
#include "runtime/core/lease.h"

int64_t context_inherit(const trp_ctx_t *ctx, int64_t deadline_ns)
{
    int64_t held = ctx->message == NULL ? 0 : ctx->message->deadline_ns;
    bool sooner = held != 0 && (deadline_ns == 0 || held < deadline_ns);
    return sooner ? held : deadline_ns;
}

trp_status_t trp_send_within(trp_ctx_t *ctx, const trp_letter_t *letter)
{
    LEASE_CALL(ctx, TRP_GONE)
    content_t content = {
        .tag = letter->tag, .data = letter->data, .size = letter->size, .message = letter->message};
    trp_envelope_t *envelope = NULL;
    trp_status_t status = context_fill(ctx, letter->to, &content, &envelope);
    if (status != TRP_OK) {
        return status;
    }
    if (letter->within_ms > 0) {
        envelope->deadline_ns = runtime_clock(ctx->runtime) + context_ns(letter->within_ms);
    }
    if (letter->inherit) {
        envelope->deadline_ns = context_inherit(ctx, envelope->deadline_ns);
    }
    return context_post(ctx, envelope, &content);
}

int64_t trp_time_left_ns(const trp_ctx_t *ctx, const trp_envelope_t *message)
{
    if (message->deadline_ns == 0) {
        return INT64_MAX;
    }
    int64_t left = message->deadline_ns - runtime_clock(ctx->runtime);
    return left > 0 ? left : 0;
}
