/* SPDX-License-Identifier: MIT */
#include "runtime/core/lease.h"

/* Whether a kill of this very actor waits. Only senders add, and only the runner takes: we are on
 * its thread. */
static bool kill_waits(const cell_t *cell)
{
    const trp_envelope_t *envelope = mailbox_peek_urgent(&cell->mailbox);
    while (envelope != NULL &&
           !(envelope->tag == TRP_SIGNAL_KILL && trp_pid_equal(envelope->to, cell->self))) {
        envelope = envelope->next;
    }
    return envelope != NULL;
}

void lease_check(const trp_ctx_t *ctx, const char *function)
{
    if (scheduler_current(ctx->runtime) != ctx->worker) {
        trp_misuse(function, "a context is used on another thread than its callback's");
    }
    if (!ctx->in_callback) {
        trp_misuse(function, "a context is used after its callback has returned");
    }
}

bool lease_revoke(trp_ctx_t *ctx, const cell_t *cell, lease_lost_t *lost)
{
    if (!ctx->in_callback || ctx->calls != 0 || ctx->is_gone || ctx->cell != cell ||
        cell_is_proxy(cell) || !kill_waits(cell)) {
        return false;
    }
    const trp_envelope_t *message = ctx->message;
    *lost = (lease_lost_t){.asker = TRP_PID_NONE};
    if (message != NULL && (message->flags & TRP_ENVELOPE_SIGNAL) == 0) {
        lost->has_message = true;
        if (message->request_id != 0 && !ctx->answered &&
            (message->flags & TRP_ENVELOPE_REPLY) == 0) {
            lost->asker = message->from;
            lost->request_id = message->request_id;
        }
    }
    ctx->is_gone = true;
    return true;
}
