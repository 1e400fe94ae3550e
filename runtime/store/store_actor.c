/* SPDX-License-Identifier: MIT */
/* The actor of a store. A backend that doesn't block is called in the handler; for one that does,
 * what comes while a batch is on a helper thread is the next batch, so order is kept, and writes
 * that come together share a sync.
 *
 *     request -> next --nothing runs--> running -> helper -> TAG_STORE_DONE -> answers
 */
#include <stdlib.h>
#include <string.h>

#include "runtime/offload.h"
#include "runtime/store.h"
#include "runtime/store/store_batch.h"
#include "runtime/store/store_watch.h"

#define QUEUE_MAX      10000 /* requests that wait for a helper ... */
#define QUEUE_SIZE_MAX (64u * 1024 * 1024)
#define WATCHES_MAX    1000 /* that wait until it is open */

typedef struct store {
    store_port_t *port;
    store_batch_t *next, *running; /* NULL: none */
    bool is_open;
    store_watchers_t watchers;
} store_t;

/* ---- answers ---- */

/* Who has sent a plain message waits for nothing. */
static void answer(trp_ctx_t *ctx, const trp_envelope_t *request, trp_status_t status)
{
    const store_answer_t words = {.status = status};
    zmq_msg_t message;
    if (request->request_id == 0 ||
        trp_schema_pack(&store_answer_schema, &words, &message) != TRP_OK) {
        return;
    }
    (void)!trp_reply_move(ctx, request, TRP_TAG_STORE_ANSWER, &message);
    (void)zmq_msg_close(&message);
}

/* Who has no room for his answer hears of a time-out, as with any. */
static void answer_batch(trp_ctx_t *ctx, store_batch_t *batch)
{
    const int32_t no_memory = TRP_NO_MEMORY;
    for (size_t i = 0; i < batch->count; i++) {
        store_op_t *op = &batch->ops[i];
        if (op->request->request_id == 0) {
            continue;
        }
        if (op->failed) {
            (void)!trp_reply(ctx, op->request, TRP_TAG_FAILED, &no_memory, sizeof(no_memory));
        } else {
            (void)!trp_reply_move(ctx, op->request, TRP_TAG_STORE_ANSWER, &op->answer);
        }
    }
}

static void refuse_batch(trp_ctx_t *ctx, store_batch_t *batch, trp_status_t status)
{
    for (size_t i = 0; i < batch->count; i++) {
        answer(ctx, batch->ops[i].request, status);
    }
}

/* ---- on a helper: it and the actor own the batch, which holds the port ---- */

static trp_status_t run_on_helper(void *argument, zmq_msg_t *result)
{
    (void)result;
    store_batch_run(argument);
    return TRP_OK;
}

static trp_status_t open_on_helper(void *argument, zmq_msg_t *result)
{
    (void)result;
    return store_port_begin(((const store_batch_t *)argument)->port);
}

static void drop_on_helper(void *argument)
{
    store_batch_t *batch = argument;
    store_batch_drop(&batch);
}

/* What was on a helper can't be called back; its answer comes when it does. */
static trp_status_t offload(trp_ctx_t *ctx, store_t *store, store_batch_t *batch)
{
    const bool opens = !store->is_open;
    const trp_offload_t job = {.run = opens ? open_on_helper : run_on_helper,
                               .drop = drop_on_helper,
                               .argument = batch,
                               .tag = opens ? TAG_STORE_OPENED : TAG_STORE_DONE,
                               .timeout_ms = -1};
    uint64_t id;
    store_batch_hold(batch);
    const trp_status_t status = trp_offload(ctx, &job, &id);
    if (status != TRP_OK) {
        store_batch_t *refused = batch;
        store_batch_drop(&refused);
    }
    return status;
}

static void start_next(trp_ctx_t *ctx, store_t *store)
{
    store_batch_t *batch = store->next;
    if (batch == NULL || store->running != NULL) {
        return;
    }
    store->next = NULL;
    if (!store->port->backend->blocks) {
        store_batch_run(batch);
        answer_batch(ctx, batch);
        store_batch_drop(&batch);
        return;
    }
    const trp_status_t status = offload(ctx, store, batch);
    if (status == TRP_OK) {
        store->running = batch;
    } else {
        refuse_batch(ctx, batch, status);
        store_batch_drop(&batch);
    }
}

/* ---- the actor ---- */

static trp_status_t take(trp_ctx_t *ctx, store_t *store, const trp_envelope_t *request)
{
    if (store->next == NULL) {
        store->next = store_batch_make(store->port);
    }
    size_t size = 0;
    (void)trp_message_data(request, &size);
    if (store->next == NULL) {
        answer(ctx, request, TRP_NO_MEMORY);
    } else if (store->next->count >= QUEUE_MAX || store->next->bytes + size > QUEUE_SIZE_MAX) {
        answer(ctx, request, TRP_FULL);
    } else if (store_batch_add(store->next, request) != TRP_OK) {
        answer(ctx, request, TRP_NO_MEMORY);
    }
    if (store->is_open) {
        start_next(ctx, store);
    }
    return TRP_OK;
}

static trp_status_t watch(trp_ctx_t *ctx, store_t *store, const trp_envelope_t *request)
{
    store_watch_t asked;
    trp_document_t document;
    trp_fault_t fault;
    if (!store->is_open && trp_defer(ctx, request, WATCHES_MAX, QUEUE_SIZE_MAX) == TRP_OK) {
        return TRP_OK; /* until it is known whether the backend tells of changes */
    }
    trp_status_t status =
        trp_message_unpack(&store_watch_schema, request, &document, &asked, &fault);
    if (status == TRP_OK) {
        status = !store->is_open ? TRP_FULL
                 : !store->port->watches
                     ? TRP_UNSUPPORTED
                     : store_watchers_set(ctx, &store->watchers, request->from, &asked);
        trp_document_fini(&document);
    }
    answer(ctx, request, status);
    return TRP_OK;
}

/* The helper is done: open, or with a batch. */
static trp_status_t came_back(trp_ctx_t *ctx, store_t *store, const trp_envelope_t *message)
{
    if (!store->is_open) {
        int32_t status = TRP_OK;
        size_t size = 0;
        const void *data = trp_message_data(message, &size);
        if (message->tag == TRP_TAG_FAILED && size == sizeof(status)) {
            memcpy(&status, data, sizeof(status));
            return (trp_status_t)status;
        }
        store->is_open = true;
        trp_ready(ctx);
        trp_recall(ctx);
    } else {
        answer_batch(ctx, store->running);
    }
    store_batch_drop(&store->running);
    start_next(ctx, store);
    return TRP_OK;
}

trp_status_t trp_store_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    store_t *store = *(store_t **)state;
    trp_status_t status = TRP_OK;
    switch (message->tag) {
    case TRP_TAG_STORE_GET:
    case TRP_TAG_STORE_PUT:
    case TRP_TAG_STORE_DELETE:
    case TRP_TAG_STORE_SCAN:
    case TRP_TAG_STORE_SYNC:
        status = take(ctx, store, message);
        break;
    case TRP_TAG_STORE_WATCH:
        status = watch(ctx, store, message);
        break;
    case TRP_TAG_STORE_CHANGED:
        store_watchers_tell(ctx, &store->watchers, message);
        break;
    case TAG_STORE_OPENED:
    case TAG_STORE_DONE:
    case TRP_TAG_FAILED:
        status = store->running == NULL ? TRP_OK : came_back(ctx, store, message);
        break;
    case TAG_STORE_ROOM:
        store_watchers_retry(ctx, &store->watchers, message->from);
        break;
    case TRP_TAG_DOWN:
        store_watchers_drop(&store->watchers, message->request_id);
        break;
    default:
        break;
    }
    if (store->watchers.count > 0 && store_port_missed(store->port)) {
        store_watchers_missed(ctx, &store->watchers);
    }
    return status;
}

trp_status_t trp_store_open(trp_ctx_t *ctx, void *state, const trp_store_t *backend,
                            const trp_store_options_t *options)
{
    store_t *store = calloc(1, sizeof(*store));
    *(store_t **)state = store;
    if (store == NULL) {
        return TRP_NO_MEMORY;
    }
    store->port = store_port_make(ctx, backend, options);
    if (store->port == NULL) {
        return TRP_NO_MEMORY;
    }
    if (!backend->blocks) {
        store->is_open = true;
        return store_port_begin(store->port);
    }
    store->running = store_batch_make(store->port);
    if (store->running == NULL) {
        return TRP_NO_MEMORY;
    }
    const trp_status_t status = offload(ctx, store, store->running);
    return status == TRP_OK ? TRP_PENDING : status;
}

void trp_store_release(void *state)
{
    store_t *store = *(store_t **)state;
    if (store == NULL) {
        return;
    }
    store_batch_drop(&store->next);
    store_batch_drop(&store->running);
    if (store->port != NULL) {
        store_port_leave(store->port);
        store_port_drop(&store->port);
    }
    store_watchers_free(&store->watchers);
    free(store);
}

/* ---- the class of a configuration ---- */

#define STORE_OPTIONS_FIELDS(F)                                           \
    F(OPT_ENUM, backend, "memory", 0, 0,                                  \
      "what it is kept in; default memory: lost at the end of the actor") \
    F(OPT_INT, size_max, _, 1, 1e15, "bytes of all keys and values; default 256 MiB")

TRP_SCHEMA_DECLARE(store_options, STORE_OPTIONS_FIELDS)
TRP_SCHEMA_DEFINE(store_options, 0, 0, STORE_OPTIONS_FIELDS, "options of class `store`")

static const trp_store_t *const backends[] = {&trp_store_memory}; /* in the order of `backend` */

static trp_status_t init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    store_options_t options;
    trp_document_t document;
    trp_fault_t fault;
    trp_status_t status =
        trp_message_unpack(&store_options_schema, args, &document, &options, &fault);
    if (status != TRP_OK) {
        return status;
    }
    const trp_store_options_t how = {.size_max =
                                         options.has_size_max ? (size_t)options.size_max : 0};
    status = trp_store_open(ctx, state, backends[options.backend], &how);
    trp_document_fini(&document);
    return status;
}

static const trp_schema_t *const messages[] = {&store_get_schema,    &store_put_schema,
                                               &store_delete_schema, &store_scan_schema,
                                               &store_watch_schema,  NULL};
static const trp_schema_t *const answers[] = {&store_answer_schema, &store_record_schema,
                                              &store_changed_schema, NULL};

const trp_class_t trp_store_class = {.name = "store",
                                     .version = 1,
                                     .state_size = TRP_STORE_STATE_SIZE,
                                     .init = init,
                                     .receive = trp_store_receive,
                                     .release = trp_store_release,
                                     .messages = messages,
                                     .answers = answers,
                                     .options = &store_options_schema};
