/* SPDX-License-Identifier: MIT */
#include "runtime/core/name.h"

#include <stdio.h>

#include "runtime/core/context.h"
#include "runtime/core/registry.h"

static trp_status_t tell_node(trp_runtime_t *runtime, link_question_t what, const char *name,
                              trp_pid_t pid)
{
    runtime_question_t question = {.what = what, .name = name, .pid = pid};
    return runtime->uplink.ask == NULL ? TRP_OK
                                       : runtime->uplink.ask(runtime->uplink.user, &question);
}

trp_status_t name_take(trp_runtime_t *runtime, cell_t *cell, const char *name, name_scope_t scope)
{
    cell_life_t *life = cell_life_make(&runtime->table, cell);
    if (life == NULL) {
        return TRP_NO_MEMORY;
    }
    trp_status_t status = registry_add(&runtime->names, name, cell->self);
    if (status == TRP_OK && scope == NAME_ALL) {
        status = tell_node(runtime, LINK_REGISTER, name, cell->self);
        if (status != TRP_OK) {
            registry_remove(&runtime->names, name, cell->self);
        }
    }
    if (status == TRP_OK) {
        pthread_mutex_t *lock = cell_inspect_lock(&runtime->table, cell);
        pthread_mutex_lock(lock);
        snprintf(life->name, sizeof(life->name), "%s", name);
        pthread_mutex_unlock(lock);
    }
    return status;
}

void name_drop(trp_runtime_t *runtime, const cell_t *cell)
{
    if (cell->life != NULL && cell->life->name[0] != '\0') {
        registry_remove(&runtime->names, cell->life->name, cell->self);
        (void)!tell_node(runtime, LINK_UNREGISTER, cell->life->name, cell->self);
    }
}

trp_status_t trp_register(trp_ctx_t *ctx, const char *name)
{
    LEASE_CALL(ctx, TRP_GONE)
    const cell_life_t *life = ctx->cell->life;
    if (life != NULL && life->name[0] != '\0') {
        return TRP_EXISTS;
    }
    return name_take(ctx->runtime, ctx->cell, name, NAME_ALL);
}

trp_pid_t trp_whereis(trp_ctx_t *ctx, const char *name)
{
    trp_runtime_t *runtime = ctx->runtime;
    trp_pid_t pid = registry_find(&runtime->names, name);
    if (trp_pid_is_none(pid) && runtime->uplink.ask != NULL && name[0] != '\0') {
        runtime_question_t question = {.what = LINK_WHEREIS, .name = name, .pids = &pid, .max = 1};
        (void)!runtime->uplink.ask(runtime->uplink.user, &question);
    }
    return pid;
}
