/* SPDX-License-Identifier: MIT */
#include "messages/wire.h"

trp_status_t wire_envelope(const wire_item_t *item, trp_envelope_t *envelope)
{
    envelope->to = item->to;
    envelope->from = item->from;
    envelope->request_id = item->request_id;
    envelope->deadline_ns = item->deadline_ns;
    envelope->trace_id = item->trace_id & ~TRP_TRACE_STAMP;
    envelope->tag = item->tag;
    trp_status_t status = item->frame != NULL ? envelope_move(envelope, item->frame)
                                              : envelope_set(envelope, item->data, item->size);
    if (status == TRP_OK) {
        envelope->flags |= item->flags; /* after the payload, which says SHARED or not */
    }
    return status;
}
