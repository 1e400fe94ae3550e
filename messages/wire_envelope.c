/* SPDX-License-Identifier: MIT */
#include "messages/wire.h"

/* The time left was counted on the other machine's clock; it goes on from now on ours. */
static int64_t deadline(int64_t left_ns, int64_t now_ns)
{
    if (left_ns == 0) {
        return 0;
    }
    return left_ns < INT64_MAX - now_ns ? now_ns + left_ns : INT64_MAX;
}

trp_status_t wire_envelope(const wire_item_t *item, int64_t now_ns, trp_envelope_t *envelope)
{
    envelope->to = item->to;
    envelope->from = item->from;
    envelope->request_id = item->request_id;
    envelope->deadline_ns = deadline(item->left_ns, now_ns);
    envelope->trace_id = item->trace_id & ~TRP_TRACE_STAMP;
    envelope->tag = item->tag;
    trp_status_t status = item->frame != NULL ? envelope_move(envelope, item->frame)
                                              : envelope_set(envelope, item->data, item->size);
    if (status == TRP_OK) {
        envelope->flags |= item->flags; /* after the payload, which says SHARED or not */
    }
    return status;
}
