/* SPDX-License-Identifier: MIT */
#include "messages/envelope_native.h"

trp_status_t envelope_pack(trp_envelope_t *envelope)
{
    zmq_msg_t packed;
    trp_status_t status =
        trp_schema_pack(envelope->payload.native.schema, envelope->payload.native.bytes, &packed);
    if (status != TRP_OK) {
        return status;
    }
    envelope->flags &= (uint8_t)~TRP_ENVELOPE_STRUCT;
    envelope->inline_size = 0;
    status = envelope_move(envelope, &packed); /* of a sound message: never refused */
    zmq_msg_close(&packed);
    return status;
}
