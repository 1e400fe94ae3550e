/* SPDX-License-Identifier: MIT */
#include "runtime/snapshot.h"

#include <string.h>

#include "runtime/core/context.h"
#include "runtime/core/lease.h"
#include "runtime/core/snapshot_core.h"

trp_status_t trp_snapshot_take(trp_ctx_t *ctx, trp_pid_t of, int64_t timeout_ms,
                               uint64_t *request_id)
{
    const trp_request_t request = {.to = of, .tag = TRP_SIGNAL_SAVE, .timeout_ms = timeout_ms};
    return context_ask(ctx, &request, TRP_ENVELOPE_SIGNAL, request_id);
}

/* ---- taking ---- */

/* What `save` wrote, in the form in which it travels. */
static trp_status_t pack(const trp_class_t *class, trp_writer_t *writer, zmq_msg_t *message)
{
    trp_document_t document;
    trp_fault_t fault;
    size_t size = 0;
    const void *data = trp_writer_data(writer, &size);
    if (writer->failed) {
        return TRP_NO_MEMORY;
    }
    if (trp_document_init(&document, data, size, &fault) != TRP_OK) {
        return TRP_PROTOCOL;
    }
    trp_document_fini(&document);
    const trp_snapshot_t snapshot = {.class_name = {class->name, strlen(class->name)},
                                     .version = class->version,
                                     .state = {data, size}};
    return trp_schema_pack(&trp_snapshot_schema, &snapshot, message);
}

static trp_status_t save(trp_ctx_t *ctx, const cell_t *cell, zmq_msg_t *message)
{
    if (cell_phase(cell) != CELL_LIVE) {
        return TRP_STATE;
    }
    if (cell->class->save == NULL) {
        return TRP_UNSUPPORTED;
    }
    trp_writer_t writer;
    trp_writer_init(&writer);
    lease_open(ctx);
    trp_status_t status = cell->class->save(ctx, cell->state, &writer);
    if (!lease_close(ctx)) {
        status = TRP_GONE;
    } else if (status == TRP_OK) {
        status = pack(cell->class, &writer, message);
    }
    trp_writer_fini(&writer);
    return status;
}

bool snapshot_answer(worker_t *worker, cell_t *cell, const trp_envelope_t *request)
{
    zmq_msg_t message;
    zmq_msg_init(&message);
    const int32_t refusal = (int32_t)save(&worker->ctx, cell, &message);
    if (worker->ctx.is_gone) {
        life_abandon(worker, cell);
        return false;
    }
    trp_envelope_t *answer = envelope_alloc();
    if (answer != NULL) {
        answer->to = request->from;
        answer->from = cell->self;
        answer->request_id = request->request_id;
        answer->tag = refusal == TRP_OK ? TRP_TAG_SNAPSHOT : TRP_TAG_NO_SNAPSHOT;
        answer->flags = TRP_ENVELOPE_REPLY;
        trp_status_t status = refusal == TRP_OK ? envelope_move(answer, &message)
                                                : envelope_set(answer, &refusal, sizeof(refusal));
        if (status != TRP_OK || send_envelope(&worker->sender, answer) != TRP_OK) {
            envelope_free(answer); /* refused: who asked sees its time limit */
        }
    }
    zmq_msg_close(&message);
    return true;
}

/* ---- beginning with one ---- */

static trp_status_t read_snapshot(const void *data, size_t size, trp_document_t *document,
                                  trp_snapshot_t *snapshot)
{
    trp_fault_t fault;
    const trp_status_t status = trp_schema_unpack(&trp_snapshot_schema, (trp_text_t){data, size},
                                                  document, snapshot, &fault);
    return status == TRP_OK || status == TRP_NO_MEMORY ? status : TRP_INVALID;
}

static bool is_of_class(const trp_snapshot_t *snapshot, const trp_class_t *class)
{
    return snapshot->class_name.size == strlen(class->name) &&
           memcmp(snapshot->class_name.data, class->name, snapshot->class_name.size) == 0;
}

trp_status_t trp_snapshot_check(const trp_spawn_t *spawn)
{
    trp_document_t document;
    trp_snapshot_t snapshot;
    if (spawn->class == NULL || spawn->class->restore == NULL) {
        return TRP_UNSUPPORTED;
    }
    trp_status_t status =
        read_snapshot(spawn->snapshot, spawn->snapshot_size, &document, &snapshot);
    if (status == TRP_OK) {
        status = is_of_class(&snapshot, spawn->class) ? TRP_OK : TRP_INVALID;
        trp_document_fini(&document);
    }
    return status;
}

trp_status_t snapshot_keep(cell_table_t *table, cell_t *cell, const trp_spawn_t *spawn)
{
    cell_life_t *life = cell_life_make(table, cell);
    if (life == NULL) {
        return TRP_NO_MEMORY;
    }
    life->snapshot = envelope_alloc();
    return life->snapshot == NULL
               ? TRP_NO_MEMORY
               : envelope_set(life->snapshot, spawn->snapshot, spawn->snapshot_size);
}

trp_status_t snapshot_restore(trp_ctx_t *ctx, cell_t *cell)
{
    trp_document_t document;
    trp_snapshot_t snapshot;
    size_t size = 0;
    trp_envelope_t *kept = cell->life->snapshot;
    const void *data = trp_message_data(kept, &size);
    if (cell->class->restore == NULL) {
        return TRP_UNSUPPORTED; /* another program, with a class of this name */
    }
    trp_status_t status = read_snapshot(data, size, &document, &snapshot);
    if (status != TRP_OK) {
        return status;
    }
    status = is_of_class(&snapshot, cell->class)
                 ? cell->class->restore(ctx, cell->state, cell->args, &snapshot)
                 : TRP_INVALID;
    trp_document_fini(&document);
    cell->life->snapshot = NULL;
    envelope_free(kept);
    return status;
}
