/* SPDX-License-Identifier: MIT */
/* The callbacks' functions for groups and dead letters. */
#include "runtime/context.h"

/* ---- membership ---- */

trp_status_t trp_group_join(trp_ctx_t *ctx, const char *group)
{
    cell_life_t *life = cell_life_make(&ctx->runtime->table, ctx->cell);
    if (life == NULL) {
        return TRP_NO_MEMORY;
    }
    return group_join(&ctx->runtime->groups, group, ctx->cell->self, &life->groups);
}

void trp_group_leave(trp_ctx_t *ctx, const char *group)
{
    if (ctx->cell->life != NULL) {
        group_leave(&ctx->runtime->groups, group, &ctx->cell->life->groups);
    }
}

size_t trp_members(trp_ctx_t *ctx, const char *group, trp_pid_t *pids, size_t max)
{
    return group_members(&ctx->runtime->groups, group, pids, max);
}

trp_status_t trp_dead_letters(trp_ctx_t *ctx, bool hear)
{
    cell_life_t *life = cell_life_make(&ctx->runtime->table, ctx->cell);
    if (life == NULL) {
        return hear ? TRP_NO_MEMORY : TRP_OK;
    }
    if (!hear) {
        group_unlisten(&ctx->runtime->groups, ctx->cell->self);
        life->hears_dead = false;
        return TRP_OK;
    }
    trp_status_t status = group_listen(&ctx->runtime->groups, ctx->cell->self);
    life->hears_dead = life->hears_dead || status == TRP_OK;
    return status;
}

/* ---- publishing ---- */

/* Sends `first` to all of them: the last one gets it itself, the others copies that share its
 * payload. A copy that finds no memory is a refusal. owns: taken */
static trp_published_t send_all(const sender_t *sender, trp_envelope_t *first,
                                const group_audience_t *audience)
{
    trp_published_t counts = {0, 0};
    for (size_t i = 0; i < audience->count; i++) {
        trp_envelope_t *envelope = i + 1 < audience->count ? envelope_copy(first) : first;
        trp_status_t status = TRP_NO_MEMORY;
        if (envelope != NULL) {
            envelope->to = audience->pids[i];
            status = send_envelope(sender, envelope);
            if (status != TRP_OK) {
                envelope_free(envelope);
            }
        }
        *(status == TRP_OK ? &counts.sent : &counts.refused) += 1;
    }
    return counts;
}

static trp_status_t publish(trp_ctx_t *ctx, const trp_publication_t *publication,
                            const group_audience_t *audience, trp_published_t *counts)
{
    content_t content = {.tag = publication->tag,
                         .data = publication->data,
                         .size = publication->size,
                         .message = publication->message};
    zmq_msg_t *message = publication->message;
    if (audience->count > 0) {
        trp_envelope_t *envelope = NULL;
        trp_status_t status = context_fill(ctx, TRP_PID_NONE, &content, &envelope);
        if (status != TRP_OK) {
            return status;
        }
        *counts = send_all(&ctx->worker->sender, envelope, audience);
        ctx->worker->slice_work += counts->sent;
    }
    if (message != NULL && zmq_msg_size(message) > 0) { /* was copied, or is for nobody */
        zmq_msg_close(message);
        zmq_msg_init(message);
    }
    return TRP_OK;
}

trp_status_t trp_publish(trp_ctx_t *ctx, const trp_publication_t *publication,
                         trp_published_t *counts)
{
    trp_published_t ignored;
    counts = counts == NULL ? &ignored : counts;
    *counts = (trp_published_t){0, 0};
    group_audience_t audience;
    trp_status_t status = group_audience(&ctx->runtime->groups, publication->topic, &audience);
    if (status == TRP_OK) {
        status = publish(ctx, publication, &audience, counts);
    }
    group_audience_fini(&audience);
    return status;
}
