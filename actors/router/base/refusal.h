/* SPDX-License-Identifier: MIT */
/* Errors that the router itself gives: an error map being built for a task, or for a request that
 * never became one. */
#ifndef TRP_ACTORS_ROUTER_REFUSAL_H
#define TRP_ACTORS_ROUTER_REFUSAL_H

#include "messages/codec.h"

typedef struct refusal {
    trp_writer_t members;
    size_t count;
    const char *code;
    char message[256];
} refusal_t;

TRP_PRINTF(3, 4)
void refusal_init(refusal_t *refusal, const char *code, const char *message, ...);
void refusal_text(refusal_t *refusal, const char *key, const char *value);
void refusal_int(refusal_t *refusal, const char *key, int64_t value);
void refusal_fault(refusal_t *refusal, const trp_fault_t *fault);
/** A member whose value the caller writes. */
trp_writer_t *refusal_member(refusal_t *refusal, const char *key);
/** The error map, packed. owns: frees the refusal. errors: TRP_NO_MEMORY */
trp_status_t refusal_take(refusal_t *refusal, zmq_msg_t *map);

#endif
