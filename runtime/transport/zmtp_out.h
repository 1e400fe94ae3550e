/* SPDX-License-Identifier: MIT */
/* What leaves over a ZeroMQ connection: frames to bytes of a descriptor that does not block, and
 * what waits until it takes more. One thread. */
#ifndef TRP_RUNTIME_ZMTP_OUT_H
#define TRP_RUNTIME_ZMTP_OUT_H

#include "runtime/transport/zmtp.h"

typedef struct zmtp_out {
    int descriptor;
    bool is_broken; /* nobody will read it: what waited is gone */
    struct zmtp_piece *first, **last;
    size_t waiting; /* messages */
} zmtp_out_t;

/** The descriptor stays the caller's. */
void zmtp_out_init(zmtp_out_t *out, int descriptor);
void zmtp_out_fini(zmtp_out_t *out);

/** Bytes that are no message: greetings, commands. errors: TRP_GONE, TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t zmtp_out_bytes(zmtp_out_t *out, const void *bytes, size_t size);

/** One message. All frames are moved on TRP_OK, untouched otherwise. errors: TRP_GONE (nobody
 * reads), TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t zmtp_out_send(zmtp_out_t *out, zmq_msg_t *frames, size_t count);

/** Writes what waits, as far as it goes. */
void zmtp_out_flush(zmtp_out_t *out);

static inline bool zmtp_out_is_empty(const zmtp_out_t *out)
{
    return out->first == NULL;
}

#endif
