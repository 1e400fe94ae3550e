/* SPDX-License-Identifier: MIT */
#include "runtime/store.h"

static trp_status_t ask(trp_ctx_t *ctx, trp_request_t request, const trp_schema_t *schema,
                        const void *value, uint64_t *id)
{
    zmq_msg_t message;
    trp_status_t status = trp_schema_pack(schema, value, &message);
    if (status == TRP_OK) {
        request.tag = schema->tag;
        request.message = &message;
        status = trp_request(ctx, &request, id);
        (void)zmq_msg_close(&message);
    }
    return status;
}

#define ASK(schema, value) \
    ask(ctx, (trp_request_t){.to = store, .timeout_ms = timeout_ms}, &schema##_schema, (value), id)

trp_status_t trp_store_get(trp_ctx_t *ctx, trp_pid_t store, const store_get_t *get,
                           int64_t timeout_ms, uint64_t *id)
{
    return ASK(store_get, get);
}

trp_status_t trp_store_put(trp_ctx_t *ctx, trp_pid_t store, const store_put_t *put,
                           int64_t timeout_ms, uint64_t *id)
{
    return ASK(store_put, put);
}

trp_status_t trp_store_delete(trp_ctx_t *ctx, trp_pid_t store, const store_delete_t *del,
                              int64_t timeout_ms, uint64_t *id)
{
    return ASK(store_delete, del);
}

trp_status_t trp_store_scan(trp_ctx_t *ctx, trp_pid_t store, const store_scan_t *scan,
                            int64_t timeout_ms, uint64_t *id)
{
    return ASK(store_scan, scan);
}

trp_status_t trp_store_watch(trp_ctx_t *ctx, trp_pid_t store, const store_watch_t *watch,
                             int64_t timeout_ms, uint64_t *id)
{
    return ASK(store_watch, watch);
}

trp_status_t trp_store_sync(trp_ctx_t *ctx, trp_pid_t store, int64_t timeout_ms, uint64_t *id)
{
    const trp_request_t request = {
        .to = store, .tag = TRP_TAG_STORE_SYNC, .timeout_ms = timeout_ms};
    return trp_request(ctx, &request, id);
}
