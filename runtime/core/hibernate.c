/* SPDX-License-Identifier: MIT */
/* An actor that hibernates has another state and another class: its state is what `save` wrote, and
 * the class stands in for its own with callbacks that wake it first. So who sends to it, runs it or
 * shows it does as always, and an actor that never hibernates pays nothing. */
#include "runtime/hibernate.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/core/hibernate_core.h"
#include "runtime/core/lease.h"
#include "runtime/log.h"

typedef struct hibernation {
    trp_class_t stand_in;
    const trp_class_t *class;
    size_t size;
    unsigned char bytes[]; /* one MessagePack map */
} hibernation_t;

/* ---- waking ---- */

static void set_used(cell_t *cell, size_t used)
{
    /* Relaxed: the runner's own; others show it. */
    atomic_store_explicit(&cell->life->quota.used, used, memory_order_relaxed);
}

/* A state that is nobody's, and the blocks that `restore` has asked for. */
static void drop_state(cell_t *cell, const trp_class_t *class, void *state)
{
    quota_fini(&cell->life->quota);
    if (state != NULL && class->release != NULL) {
        class->release(state);
    }
    free(state);
}

static void change(trp_runtime_t *runtime, cell_t *cell, const trp_class_t *class, void *state)
{
    pthread_mutex_t *lock = cell_inspect_lock(&runtime->table, cell);
    pthread_mutex_lock(lock);
    cell->class = class;
    cell->state = state;
    pthread_mutex_unlock(lock);
}

/* Puts the state in the place of what was kept. */
static trp_status_t take_up(trp_ctx_t *ctx, hibernation_t *kept, void *state)
{
    LEASE_CALL(ctx, TRP_GONE)
    change(ctx->runtime, ctx->cell, kept->class, state);
    free(kept);
    return TRP_OK;
}

static trp_status_t restore(trp_ctx_t *ctx, const hibernation_t *kept, void *state)
{
    const trp_class_t *class = kept->class;
    const trp_snapshot_t snapshot = {.class_name = {class->name, strlen(class->name)},
                                     .version = class->version,
                                     .state = {(const char *)kept->bytes, kept->size}};
    ctx->is_waking = true;
    const trp_status_t status = class->restore(ctx, state, NULL, &snapshot);
    ctx->is_waking = false;
    return status == TRP_PENDING ? TRP_OK : status; /* it is ready since long */
}

static trp_status_t wake(trp_ctx_t *ctx)
{
    cell_t *cell = ctx->cell;
    hibernation_t *kept = cell->state;
    const trp_class_t *class = kept->class;
    void *state = class->state_size > 0 ? calloc(1, class->state_size) : NULL;
    if (state == NULL && class->state_size > 0) {
        return TRP_NO_MEMORY;
    }
    set_used(cell, class->state_size);
    trp_status_t status = restore(ctx, kept, state);
    if (status == TRP_OK) {
        status = take_up(ctx, kept, state);
    }
    if (status != TRP_OK && ctx->is_gone) { /* killed in `restore`: the cell is not ours */
        if (state != NULL && class->release != NULL) {
            class->release(state);
        }
        free(state);
    } else if (status != TRP_OK) {
        drop_state(cell, class, state);
        set_used(cell, sizeof(*kept) + kept->size);
    }
    return status;
}

/* ---- the class that stands in ---- */

static trp_status_t receive_first(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    const trp_status_t status = wake(ctx);
    return status == TRP_OK ? ctx->cell->class->receive(ctx, ctx->cell->state, message) : status;
}

static void terminate(trp_ctx_t *ctx, void *state, const trp_reason_t *reason)
{
    (void)state;
    if (wake(ctx) == TRP_OK) {
        ctx->cell->class->terminate(ctx, ctx->cell->state, reason);
    }
}

static trp_status_t save_kept(trp_ctx_t *ctx, const void *state, trp_writer_t *writer)
{
    (void)ctx;
    const hibernation_t *kept = state;
    trp_write_raw(writer, kept->bytes, kept->size);
    return TRP_OK;
}

bool hibernate_is_asleep(const cell_t *cell)
{
    return cell->class->receive == receive_first;
}

/* ---- falling asleep ---- */

static void free_rows(watch_table_t *table)
{
    if (table->count == 0) {
        watch_free(table);
    }
}

static trp_status_t lay_down(trp_runtime_t *runtime, cell_t *cell, const void *data, size_t size)
{
    const trp_class_t *class = cell->class;
    void *state = cell->state;
    hibernation_t *kept = malloc(sizeof(*kept) + size);
    if (kept == NULL) {
        return TRP_NO_MEMORY;
    }
    kept->stand_in = *class;
    kept->stand_in.receive = receive_first;
    kept->stand_in.terminate = class->terminate == NULL ? NULL : terminate;
    kept->stand_in.save = save_kept;
    kept->stand_in.release = NULL;
    kept->class = class;
    kept->size = size;
    memcpy(kept->bytes, data, size);
    change(runtime, cell, &kept->stand_in, kept);
    drop_state(cell, class, state);
    set_used(cell, sizeof(*kept) + size);
    free_rows(&cell->life->mine);
    free_rows(&cell->life->theirs);
    return TRP_OK;
}

static bool has_messages(const cell_t *cell)
{
    /* Relaxed: a message that comes right after wakes it. */
    return cell->first != NULL ||
           atomic_load_explicit(&cell->mailbox.word, memory_order_relaxed) != MAILBOX_RUNNING;
}

bool hibernate_begin(worker_t *worker, cell_t *cell)
{
    trp_ctx_t *ctx = &worker->ctx;
    trp_writer_t writer;
    size_t size = 0;
    if (has_messages(cell) || hibernate_is_asleep(cell)) {
        return true;
    }
    trp_writer_init(&writer);
    lease_open(ctx);
    trp_status_t status = cell->class->save(ctx, cell->state, &writer);
    if (!lease_close(ctx)) {
        trp_writer_fini(&writer);
        life_abandon(worker, cell);
        return false;
    }
    life_take_scratch(worker, cell);
    const void *data = trp_writer_data(&writer, &size);
    if (status == TRP_OK && (ctx->after & CTX_END) == 0) {
        status = data == NULL ? TRP_NO_MEMORY : lay_down(worker->runtime, cell, data, size);
    }
    if (status != TRP_OK) {
        log_event(LOG_WARN, "hibernate_failed", LOG_TEXT("class", cell->class->name),
                  LOG_TEXT("error", trp_status_text(status)));
    }
    trp_writer_fini(&writer);
    return true;
}

/* ---- in the actor ---- */

trp_status_t trp_hibernate(trp_ctx_t *ctx)
{
    LEASE_CALL(ctx, TRP_GONE)
    cell_t *cell = ctx->cell;
    if (cell->class->save == NULL || cell->class->restore == NULL) {
        return TRP_UNSUPPORTED;
    }
    if (cell_phase(cell) != CELL_LIVE) {
        return TRP_STATE;
    }
    if (cell_life_make(&ctx->runtime->table, cell) == NULL) {
        return TRP_NO_MEMORY;
    }
    ctx->after |= CTX_HIBERNATE;
    return TRP_OK;
}

bool trp_is_waking(const trp_ctx_t *ctx)
{
    return ctx->is_waking;
}
