/* SPDX-License-Identifier: MIT */
/* Calls that block, made elsewhere: an actor of any place hands a function to helper threads and
 * goes on; the result comes as a message.
 *
 *     static trp_status_t measure(void *path, zmq_msg_t *result) // on a helper thread
 *     {
 *         struct stat about;
 *         if (stat(path, &about) != 0 || zmq_msg_init_size(result, sizeof(about.st_size)) != 0) {
 *             return TRP_SYSTEM;
 *         }
 *         memcpy(zmq_msg_data(result), &about.st_size, sizeof(about.st_size));
 *         return TRP_OK;
 *     }
 *
 *     static trp_status_t ask_size(trp_ctx_t *ctx, const char *path, uint64_t *id)
 *     {
 *         const trp_offload_t job = {
 *             .run = measure, .argument = strdup(path), .drop = free, .tag = TAG_SIZE};
 *         return trp_offload(ctx, &job, id);
 *     }
 *
 * bounds: helpers come as they are needed, up to 32 for the process, and end after 5 s without
 * work; 1024 jobs wait for them. Order: none, jobs run side by side. For an actor that blocks all
 * the time there is the place `thread`. */
#ifndef TRP_RUNTIME_OFFLOAD_H
#define TRP_RUNTIME_OFFLOAD_H

#include "runtime/troupe.h"

typedef struct trp_offload {
    /** Runs on a helper thread, with no context: it calls nothing of trp_*(ctx). `result` is an
     * empty message, to be made into another or left. */
    trp_status_t (*run)(void *argument, zmq_msg_t *result);
    /** Ends the argument, on any thread, once: after `run`, or instead of it. May be NULL. */
    void (*drop)(void *argument);
    void *argument;
    uint16_t tag;       /* of the message with the result */
    int64_t timeout_ms; /* 0 = 5000; negative = none. `run` is not ended by it */
} trp_offload_t;

/** Has a job run. The caller gets `tag` with TRP_ENVELOPE_REPLY, request_id = id and the result;
 * when `run` fails TRP_TAG_FAILED with its status; TRP_TAG_TIMEOUT when the limit passes. One of
 * them, and none after trp_offload_cancel. Jobs that have not begun when their actor ends never
 * run. owns: the argument is taken on TRP_OK. errors: TRP_BUSY (too many wait), TRP_UNSUPPORTED
 * (this host has no helpers), TRP_NO_MEMORY */
TRP_API TRP_MUST_USE trp_status_t trp_offload(trp_ctx_t *ctx, const trp_offload_t *job,
                                              uint64_t *id);

/** The result is not wanted any more: a job that has not begun does not run. */
TRP_API void trp_offload_cancel(trp_ctx_t *ctx, uint64_t id);

#endif
