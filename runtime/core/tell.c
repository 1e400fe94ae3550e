/* SPDX-License-Identifier: MIT */
/* A message that leaves although its sender's handler goes on. */
#include "messages/wire.h"
#include "runtime/core/context.h"
#include "runtime/core/runtime.h"

trp_status_t runtime_tell(trp_ctx_t *ctx, trp_pid_t to, uint16_t tag, const void *data, size_t size)
{
    const runtime_uplink_t *uplink = &ctx->runtime->uplink;
    if (size > TRP_TELL_MAX) {
        return TRP_TOO_LARGE;
    }
    if (uplink->ask != NULL) {
        runtime_question_t question = {
            .what = LINK_TELL, .name = "", .pid = to, .tag = tag, .data = data, .size = size};
        return uplink->ask(uplink->user, &question);
    }
    const content_t content = {.tag = tag, .data = data, .size = size};
    trp_envelope_t *envelope = NULL;
    const trp_status_t status = context_fill(ctx, to, &content, &envelope);
    return status == TRP_OK ? context_post(ctx, envelope, &content) : status;
}
