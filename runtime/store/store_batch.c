/* SPDX-License-Identifier: MIT */
#include "runtime/store/store_batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/host.h"

/* ---- the port ---- */

store_port_t *store_port_make(trp_ctx_t *ctx, const trp_store_t *backend,
                              const trp_store_options_t *options)
{
    store_port_t *port = calloc(1, sizeof(*port));
    if (port == NULL) {
        return NULL;
    }
    pthread_mutex_init(&port->lock, NULL);
    port->runtime = runtime_of(ctx);
    port->owners = 1;
    port->actor = trp_self(ctx);
    port->backend = backend;
    port->options = *options;
    port->options.epoch_ms = runtime_host(port->runtime)->epoch_ms;
    port->options.user = runtime_host(port->runtime)->user;
    port->where = options->where == NULL ? NULL : strdup(options->where);
    port->options.where = port->where;
    if (options->where != NULL && port->where == NULL) {
        store_port_drop(&port);
    }
    return port;
}

void store_port_hold(store_port_t *port)
{
    pthread_mutex_lock(&port->lock);
    port->owners++;
    pthread_mutex_unlock(&port->lock);
}

void store_port_drop(store_port_t **pointer)
{
    store_port_t *port = *pointer;
    *pointer = NULL;
    pthread_mutex_lock(&port->lock);
    const bool is_last = --port->owners == 0;
    pthread_mutex_unlock(&port->lock);
    if (!is_last) {
        return;
    }
    if (port->handle != NULL) {
        port->backend->close(&port->handle);
    }
    pthread_mutex_destroy(&port->lock);
    free(port->where);
    free(port);
}

void store_port_leave(store_port_t *port)
{
    pthread_mutex_lock(&port->lock);
    port->runtime = NULL;
    pthread_mutex_unlock(&port->lock);
}

bool store_port_missed(store_port_t *port)
{
    pthread_mutex_lock(&port->lock);
    const bool missed = port->missed;
    port->missed = false;
    pthread_mutex_unlock(&port->lock);
    return missed;
}

static trp_envelope_t *make_notice(const store_port_t *port, const store_changed_t *changed)
{
    zmq_msg_t packed;
    trp_envelope_t *notice = envelope_alloc();
    if (notice == NULL || trp_schema_pack(&store_changed_schema, changed, &packed) != TRP_OK) {
        goto failed;
    }
    notice->to = notice->from = port->actor;
    notice->tag = TRP_TAG_STORE_CHANGED;
    const trp_status_t status = envelope_move(notice, &packed);
    (void)zmq_msg_close(&packed);
    if (status == TRP_OK) {
        return notice;
    }
failed:
    if (notice != NULL) {
        envelope_free(notice);
    }
    return NULL;
}

/* Any thread. What can't be sent is not lost in silence: who watches is told to read again. */
static void tell(void *user, trp_text_t key, int64_t version, bool is_deleted)
{
    store_port_t *port = user;
    const store_changed_t changed = {
        .key = key, .version = version, .deleted = is_deleted, .missed = key.size == 0};
    pthread_mutex_lock(&port->lock);
    trp_envelope_t *notice = port->runtime == NULL ? NULL : make_notice(port, &changed);
    if (notice == NULL || runtime_send(port->runtime, notice) != TRP_OK) {
        port->missed = true;
        if (notice != NULL) {
            envelope_free(notice);
        }
    }
    pthread_mutex_unlock(&port->lock);
}

trp_status_t store_port_begin(store_port_t *port)
{
    const trp_store_watch_t watch = {.changed = tell, .user = port};
    trp_status_t status = port->backend->open(&port->options, &port->handle);
    if (status == TRP_OK) {
        status = port->backend->watch(port->handle, &watch);
        port->watches = status == TRP_OK;
        status = status == TRP_UNSUPPORTED ? TRP_OK : status;
    }
    return status;
}

/* ---- what is asked; each fills the answer, and packs it when it points into the backend ---- */

typedef struct call {
    const store_port_t *port;
    const void *body;
    store_op_t *op;
    store_answer_t *answer;
} call_t;

static trp_status_t pack(store_op_t *op, const store_answer_t *answer)
{
    op->failed = trp_schema_pack(&store_answer_schema, answer, &op->answer) != TRP_OK;
    if (op->failed) {
        zmq_msg_init(&op->answer);
    }
    op->is_packed = true;
    return TRP_OK;
}

static trp_status_t serve_get(call_t *call)
{
    const store_get_t *get = call->body;
    trp_store_record_t record;
    const trp_status_t status = call->port->backend->get(call->port->handle, get->key, &record);
    if (status != TRP_OK) {
        return status;
    }
    const store_answer_t answer = {.status = TRP_OK,
                                   .has_version = true,
                                   .version = record.version,
                                   .has_value = true,
                                   .value = record.value,
                                   .has_ttl_ms = true,
                                   .ttl_ms = record.ttl_ms};
    return pack(call->op, &answer);
}

static trp_status_t wrote(call_t *call, trp_status_t status, int64_t version, bool sync)
{
    call->answer->has_version = status == TRP_OK || status == TRP_CONFLICT;
    call->answer->version = version;
    call->op->wants_sync = sync && status == TRP_OK;
    return status;
}

static trp_status_t serve_put(call_t *call)
{
    const store_put_t *put = call->body;
    const store_port_t *port = call->port;
    const trp_store_write_t write = {.key = put->key,
                                     .value = put->value,
                                     .expect = put->has_expect ? put->expect : TRP_STORE_ANY,
                                     .ttl_ms = put->has_ttl_ms ? put->ttl_ms : 0};
    int64_t version = 0;
    const trp_status_t status = port->backend->put(port->handle, &write, &version);
    return wrote(call, status, version, put->sync);
}

static trp_status_t serve_delete(call_t *call)
{
    const store_delete_t *del = call->body;
    const store_port_t *port = call->port;
    const trp_store_write_t write = {.key = del->key,
                                     .expect = del->has_expect ? del->expect : TRP_STORE_ANY};
    int64_t version = 0;
    const trp_status_t status = port->backend->delete (port->handle, &write, &version);
    return wrote(call, status, version, del->sync);
}

static trp_status_t serve_sync(call_t *call)
{
    call->op->wants_sync = true;
    return TRP_OK;
}

typedef struct scan {
    trp_writer_t writer;
    size_t count, size, limit;
    bool more;
} scan_t;

static bool write_record(void *user, const trp_store_record_t *record)
{
    scan_t *scan = user;
    const size_t size = record->key.size + record->value.size;
    if (scan->count == scan->limit ||
        (scan->count > 0 && scan->size + size > TRP_STORE_SCAN_SIZE)) {
        scan->more = true;
        return false;
    }
    const store_record_t row = {.key = record->key,
                                .value = record->value,
                                .version = record->version,
                                .ttl_ms = record->ttl_ms};
    trp_schema_write(&store_record_schema, &row, &scan->writer);
    scan->count++;
    scan->size += size;
    return true;
}

static trp_status_t serve_scan(call_t *call)
{
    const store_scan_t *asked = call->body;
    const trp_store_range_t range = {.prefix = asked->prefix, .after = asked->after};
    scan_t scan = {.limit = asked->has_limit ? (size_t)asked->limit : TRP_STORE_SCAN_MAX};
    trp_writer_init(&scan.writer);
    trp_write_map(&scan.writer, 3);
    trp_put_int(&scan.writer, "status", TRP_OK);
    trp_write_key(&scan.writer, "records");
    const size_t mark = trp_write_array_begin(&scan.writer);
    trp_status_t status =
        call->port->backend->scan(call->port->handle, &range, &scan, write_record);
    trp_write_array_end(&scan.writer, mark, scan.count);
    trp_put_bool(&scan.writer, "more", scan.more);
    if (status == TRP_OK) {
        status = trp_writer_take(&scan.writer, &call->op->answer);
        call->op->is_packed = status == TRP_OK;
    }
    trp_writer_fini(&scan.writer);
    return status;
}

static const struct row {
    uint16_t tag;
    const trp_schema_t *schema; /* NULL: nothing in it */
    trp_status_t (*serve)(call_t *call);
} rows[] = {
    {TRP_TAG_STORE_GET, &store_get_schema, serve_get},
    {TRP_TAG_STORE_PUT, &store_put_schema, serve_put},
    {TRP_TAG_STORE_DELETE, &store_delete_schema, serve_delete},
    {TRP_TAG_STORE_SCAN, &store_scan_schema, serve_scan},
    {TRP_TAG_STORE_SYNC, NULL, serve_sync},
};

/* ---- a batch ---- */

static void fail(store_op_t *op, const trp_fault_t *fault, trp_status_t status)
{
    char text[sizeof(fault->path) + sizeof(fault->rule) + 8];
    const int size = snprintf(text, sizeof(text), "%s%s%s", fault->path,
                              fault->path[0] == '\0' ? "" : ": ", fault->rule);
    const store_answer_t answer = {
        .status = status, .has_error = size > 0, .error = {text, (size_t)size}};
    (void)pack(op, &answer);
}

static void serve(store_op_t *op, const store_port_t *port, const struct row *row)
{
    union {
        store_get_t get;
        store_put_t put;
        store_delete_t del;
        store_scan_t scan;
    } body;
    trp_document_t document;
    trp_fault_t fault;
    call_t call = {.port = port, .body = &body, .op = op, .answer = &op->brief};
    if (row->schema != NULL) {
        const trp_status_t status =
            trp_message_unpack(row->schema, op->request, &document, &body, &fault);
        if (status != TRP_OK) {
            fail(op, &fault, status);
            return;
        }
    }
    const trp_status_t status = row->serve(&call);
    op->brief.status = status;
    if (row->schema != NULL) {
        trp_document_fini(&document);
    }
}

void store_batch_run(store_batch_t *batch)
{
    const store_port_t *port = batch->port;
    bool wants_sync = false;
    for (size_t i = 0; i < batch->count; i++) {
        store_op_t *op = &batch->ops[i];
        for (size_t at = 0; at < sizeof(rows) / sizeof(rows[0]); at++) {
            if (rows[at].tag == op->request->tag) {
                serve(op, port, &rows[at]);
            }
        }
        wants_sync |= op->wants_sync;
    }
    const trp_status_t synced = wants_sync ? port->backend->sync(port->handle) : TRP_OK;
    for (size_t i = 0; i < batch->count; i++) {
        store_op_t *op = &batch->ops[i];
        if (op->wants_sync && synced != TRP_OK) {
            op->brief.status = synced; /* written, and not known to be durable */
        }
        if (!op->is_packed) {
            (void)pack(op, &op->brief);
        }
    }
}

store_batch_t *store_batch_make(store_port_t *port)
{
    store_batch_t *batch = calloc(1, sizeof(*batch));
    if (batch != NULL) {
        store_port_hold(port);
        batch->port = port;
        batch->owners = 1;
    }
    return batch;
}

void store_batch_hold(store_batch_t *batch)
{
    pthread_mutex_lock(&batch->port->lock);
    batch->owners++;
    pthread_mutex_unlock(&batch->port->lock);
}

trp_status_t store_batch_add(store_batch_t *batch, const trp_envelope_t *request)
{
    if (batch->count == batch->room) {
        const size_t room = batch->room == 0 ? 4 : batch->room * 2;
        store_op_t *ops = realloc(batch->ops, room * sizeof(*ops));
        if (ops == NULL) {
            return TRP_NO_MEMORY;
        }
        batch->ops = ops;
        batch->room = room;
    }
    trp_envelope_t *copy = envelope_copy(request);
    if (copy == NULL) {
        return TRP_NO_MEMORY;
    }
    size_t size = 0;
    (void)trp_message_data(copy, &size);
    store_op_t *op = &batch->ops[batch->count++];
    *op = (store_op_t){.request = copy};
    batch->bytes += size;
    return TRP_OK;
}

void store_batch_drop(store_batch_t **pointer)
{
    store_batch_t *batch = *pointer;
    *pointer = NULL;
    if (batch == NULL) {
        return;
    }
    store_port_t *port = batch->port;
    pthread_mutex_lock(&port->lock);
    const bool is_last = --batch->owners == 0;
    pthread_mutex_unlock(&port->lock);
    if (!is_last) {
        return;
    }
    for (size_t i = 0; i < batch->count; i++) {
        envelope_free(batch->ops[i].request);
        if (batch->ops[i].is_packed) {
            (void)zmq_msg_close(&batch->ops[i].answer);
        }
    }
    free(batch->ops);
    free(batch);
    store_port_drop(&port);
}
