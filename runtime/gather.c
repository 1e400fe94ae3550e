/* SPDX-License-Identifier: MIT */
#include "runtime/gather.h"

#define NS_PER_MS        1000000LL
#define LIMIT_DEFAULT_MS 5000
#define LIMIT_MAX_MS     (INT64_MAX / NS_PER_MS / 4)

void trp_gather_open(trp_gather_t *gather, trp_gather_part_t *parts, uint32_t count_max,
                     trp_gather_mode_t mode, int64_t limit_ms)
{
    int64_t limit = limit_ms == 0 ? LIMIT_DEFAULT_MS : limit_ms;
    *gather = (trp_gather_t){.parts = parts,
                             .count_max = count_max,
                             .mode = mode,
                             .limit_ms = limit > LIMIT_MAX_MS ? LIMIT_MAX_MS : limit};
}

/* What is left of the limit, rounded up; negative: there is no limit. */
static trp_status_t time_left(const trp_ctx_t *ctx, trp_gather_t *gather, int64_t *left_ms)
{
    *left_ms = -1;
    if (gather->limit_ms < 0) {
        return TRP_OK;
    }
    int64_t now_ns = trp_now_ns(ctx);
    if (gather->due_ns == 0) {
        gather->due_ns = now_ns + gather->limit_ms * NS_PER_MS;
    }
    int64_t left_ns = gather->due_ns - now_ns;
    *left_ms = (left_ns + NS_PER_MS - 1) / NS_PER_MS;
    return left_ns > 0 ? TRP_OK : TRP_TIMEOUT;
}

trp_status_t trp_gather_request(trp_ctx_t *ctx, trp_gather_t *gather, const trp_request_t *request)
{
    if (gather->count == gather->count_max) {
        return TRP_FULL;
    }
    if (gather->mode == TRP_GATHER_FIRST && gather->replies != 0) {
        return TRP_STATE;
    }
    trp_request_t timed = *request;
    uint64_t id = 0;
    trp_status_t status = time_left(ctx, gather, &timed.timeout_ms);
    if (status == TRP_OK) {
        status = trp_request(ctx, &timed, &id);
    }
    if (status == TRP_OK) {
        gather->parts[gather->count++] = (trp_gather_part_t){id, TRP_PENDING};
        gather->open++;
    }
    return status;
}

static trp_gather_part_t *find(const trp_gather_t *gather, uint64_t id)
{
    for (uint32_t i = 0; i < gather->count; i++) {
        if (gather->parts[i].request_id == id && gather->parts[i].status == TRP_PENDING) {
            return &gather->parts[i];
        }
    }
    return NULL;
}

/* What a message says of the request whose id it carries; PENDING: it is no answer. */
static trp_status_t answer_of(const trp_envelope_t *message)
{
    if ((message->flags & TRP_ENVELOPE_SIGNAL) == 0) {
        return (message->flags & TRP_ENVELOPE_REPLY) != 0 ? TRP_OK : TRP_PENDING;
    }
    return message->tag == TRP_TAG_TIMEOUT ? TRP_TIMEOUT
           : message->tag == TRP_TAG_DOWN  ? TRP_GONE
                                           : TRP_PENDING;
}

trp_gathered_t trp_gather_take(trp_ctx_t *ctx, trp_gather_t *gather, const trp_envelope_t *message,
                               uint32_t *part)
{
    trp_status_t status = answer_of(message);
    trp_gather_part_t *found = status == TRP_PENDING ? NULL : find(gather, message->request_id);
    if (found == NULL) {
        return TRP_GATHER_OTHER;
    }
    found->status = status;
    gather->open--;
    if (part != NULL) {
        *part = (uint32_t)(found - gather->parts);
    }
    if (status == TRP_OK) {
        gather->replies++;
        if (gather->mode == TRP_GATHER_FIRST) {
            trp_gather_cancel(ctx, gather);
        }
    }
    return gather->open == 0 ? TRP_GATHER_DONE : TRP_GATHER_MORE;
}

void trp_gather_cancel(trp_ctx_t *ctx, trp_gather_t *gather)
{
    for (uint32_t i = 0; i < gather->count; i++) {
        if (gather->parts[i].status == TRP_PENDING) {
            trp_request_cancel(ctx, gather->parts[i].request_id);
            gather->parts[i].status = TRP_CANCELLED;
        }
    }
    gather->open = 0;
}
