/* SPDX-License-Identifier: MIT */
/* Where a node listens, with the ports that were picked: noted by the actors that bind, printed by
 * `run` when the node is ready. Kept with the runtime; edge thread only. */
#ifndef TRP_SUPERVISOR_ENDPOINTS_H
#define TRP_SUPERVISOR_ENDPOINTS_H

#include "runtime/core/runtime.h"

#define ENDPOINT_COUNT_MAX 8

typedef struct endpoint {
    char name[TRP_NAME_MAX]; /* "majordomo" */
    char text[256];          /* "tcp://127.0.0.1:5555" */
} endpoint_t;

/** Notes an endpoint before the actor that bound it is ready; the same name again replaces it. */
void endpoint_note(trp_runtime_t *runtime, const char *name, const char *text);

/** The endpoints in the order in which they were noted; valid on the edge thread until the next
 * note. */
const endpoint_t *endpoint_list(trp_runtime_t *runtime, size_t *count);

#endif
