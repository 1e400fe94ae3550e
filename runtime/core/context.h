/* SPDX-License-Identifier: MIT */
/* How the callbacks' functions (trp_*) send. Internal to the core; inside of callbacks only. */
#ifndef TRP_RUNTIME_CONTEXT_H
#define TRP_RUNTIME_CONTEXT_H

#include "runtime/core/lease.h"
#include "runtime/core/send.h"

/** What goes into an envelope: bytes that are copied, or a message that is moved. */
typedef struct content {
    uint16_t tag;
    const void *data;
    size_t size;
    zmq_msg_t *message; /* NULL: data */
} content_t;

/** A filled envelope from the caller to `to`; the message is still the caller's. errors:
 * TRP_NO_MEMORY, TRP_INVALID */
TRP_MUST_USE trp_status_t context_fill(const trp_ctx_t *ctx, trp_pid_t to, const content_t *content,
                                       trp_envelope_t **envelope);

/** Sends it. On TRP_OK the content's message is empty, on an error it is as it was; the envelope is
 * gone in both cases. errors: TRP_FULL */
TRP_MUST_USE trp_status_t context_post(trp_ctx_t *ctx, trp_envelope_t *envelope,
                                       const content_t *content);

/** trp_request with more flags: a signal that is answered. */
TRP_MUST_USE trp_status_t context_ask(trp_ctx_t *ctx, const trp_request_t *request, uint8_t flags,
                                      uint64_t *request_id);

/** Milliseconds as nanoseconds, cut to what a clock can be added to. */
int64_t context_ns(int64_t ms);

/** `deadline_ns` (0: none), or that of the message that is handled now if that is sooner. */
int64_t context_inherit(const trp_ctx_t *ctx, int64_t deadline_ns);

/** The caller waits for an answer with this id, as trp_request does, but nothing is sent. errors:
 * TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t context_await(trp_ctx_t *ctx, const trp_request_t *request, uint64_t *id);

/** A runtime's way back for results of trp_offload. errors: TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t offload_port_open(trp_runtime_t *runtime);
void offload_port_close(trp_runtime_t *runtime);

/** Sends a signal of the caller. */
void context_signal(trp_ctx_t *ctx, trp_pid_t to, uint16_t tag, uint64_t ref);

#endif
