/* SPDX-License-Identifier: MIT */
/* Envelopes: made empty, filled, copied, freed. Where their memory comes from: envelope_pool.h. */
#include "messages/envelope.h"

#include <string.h>

#include "messages/envelope_pool.h"

static _Thread_local envelope_meter_t meter;

trp_envelope_t *envelope_alloc(void)
{
    return envelope_new();
}

size_t envelope_memory(void)
{
    return envelope_pool_memory();
}

envelope_meter_t envelope_meter(void)
{
    return meter;
}

void envelope_meter_set(envelope_meter_t from)
{
    meter = from;
}

void envelope_free(trp_envelope_t *envelope)
{
    trp_envelope_check(envelope, __func__);
    if ((envelope->flags & TRP_ENVELOPE_METERED) != 0) {
        size_t size = 0;
        (void)trp_message_data(envelope, &size);
        meter.messages++;
        meter.bytes += size;
    }
    if ((envelope->flags & TRP_ENVELOPE_SHARED) != 0) {
        zmq_msg_close(&envelope->payload.message);
    }
    envelope_pool_put(envelope);
}

trp_status_t envelope_set(trp_envelope_t *envelope, const void *data, size_t size)
{
    if (size > TRP_INLINE_MAX) {
        if (zmq_msg_init_size(&envelope->payload.message, size) != 0) {
            return TRP_NO_MEMORY;
        }
        memcpy(zmq_msg_data(&envelope->payload.message), data, size);
        envelope->flags |= TRP_ENVELOPE_SHARED;
        return TRP_OK;
    }
    if (size > 0) {
        memcpy(envelope->payload.bytes, data, size);
    }
    envelope->inline_size = (uint8_t)size;
    return TRP_OK;
}

trp_status_t envelope_move(trp_envelope_t *envelope, zmq_msg_t *message)
{
    size_t size = zmq_msg_size(message);
    if (size <= TRP_INLINE_MAX) {
        if (size > 0) {
            memcpy(envelope->payload.bytes, zmq_msg_data(message), size);
        }
        envelope->inline_size = (uint8_t)size;
        zmq_msg_close(message);
        zmq_msg_init(message);
        return TRP_OK;
    }
    zmq_msg_init(&envelope->payload.message);
    if (zmq_msg_move(&envelope->payload.message, message) != 0) {
        return TRP_INVALID;
    }
    envelope->flags |= TRP_ENVELOPE_SHARED;
    return TRP_OK;
}

trp_envelope_t *envelope_copy(const trp_envelope_t *envelope)
{
    trp_envelope_check(envelope, __func__);
    trp_envelope_t *copy = envelope_alloc();
    if (copy == NULL) {
        return NULL;
    }
    memcpy(copy, envelope, offsetof(trp_envelope_t, payload));
    copy->next = NULL;
    copy->flags &= (uint8_t) ~(TRP_ENVELOPE_METERED | TRP_ENVELOPE_CHARGED);
    if ((envelope->flags & TRP_ENVELOPE_SHARED) == 0) {
        const bool is_struct = (envelope->flags & TRP_ENVELOPE_STRUCT) != 0;
        memcpy(copy->payload.bytes, envelope->payload.bytes,
               is_struct ? TRP_INLINE_MAX : envelope->inline_size);
        return copy;
    }
    zmq_msg_init(&copy->payload.message);
    /* libzmq takes no const source; copying only raises its reference count, atomically */
    if (zmq_msg_copy(&copy->payload.message, (zmq_msg_t *)(uintptr_t)&envelope->payload.message) !=
        0) {
        copy->flags &= (uint8_t)~TRP_ENVELOPE_SHARED;
        envelope_free(copy);
        return NULL;
    }
    return copy;
}
