/* SPDX-License-Identifier: MIT */
/* The callbacks' functions for groups and dead letters. */
#include "runtime/core/context.h"

/* ---- membership ---- */

/* Asks the node, when this is not it. */
static trp_status_t ask(trp_runtime_t *runtime, runtime_question_t *question)
{
    return runtime->uplink.ask == NULL ? TRP_OK
                                       : runtime->uplink.ask(runtime->uplink.user, question);
}

trp_status_t trp_group_join(trp_ctx_t *ctx, const char *group)
{
    LEASE_CALL(ctx, TRP_GONE)
    trp_runtime_t *runtime = ctx->runtime;
    cell_life_t *life = cell_life_make(&runtime->table, ctx->cell);
    if (life == NULL) {
        return TRP_NO_MEMORY;
    }
    trp_status_t status = group_join(&runtime->groups, group, ctx->cell->self, &life->groups);
    if (status != TRP_OK) {
        return status;
    }
    runtime_question_t question = {.what = LINK_JOIN, .name = group, .pid = ctx->cell->self};
    status = ask(runtime, &question);
    if (status != TRP_OK) {
        group_leave(&runtime->groups, group, &life->groups);
    }
    return status;
}

void trp_group_leave(trp_ctx_t *ctx, const char *group)
{
    LEASE_CALL(ctx, )
    trp_runtime_t *runtime = ctx->runtime;
    cell_life_t *life = ctx->cell->life;
    if (life == NULL || life->groups == NULL || group[0] == '\0') {
        return;
    }
    group_leave(&runtime->groups, group, &life->groups);
    runtime_question_t question = {.what = LINK_LEAVE, .name = group, .pid = ctx->cell->self};
    (void)!ask(runtime, &question);
}

size_t trp_members(trp_ctx_t *ctx, const char *group, trp_pid_t *pids, size_t max)
{
    trp_runtime_t *runtime = ctx->runtime;
    runtime_question_t question = {.what = LINK_MEMBERS, .name = group, .pids = pids, .max = max};
    if (runtime->uplink.ask == NULL || ask(runtime, &question) != TRP_OK) {
        return group_members(&runtime->groups, group, pids, max);
    }
    return question.count;
}

trp_status_t trp_dead_letters(trp_ctx_t *ctx, bool hear)
{
    LEASE_CALL(ctx, TRP_GONE)
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
