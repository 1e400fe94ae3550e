/* SPDX-License-Identifier: MIT */
/* The place `process`: an actor in an OS process of its own, stood for in the node by a proxy, a
 * cell of the same pid that forwards what it is sent. */
#ifndef TRP_RUNTIME_PLACE_PROCESS_H
#define TRP_RUNTIME_PLACE_PROCESS_H

#include "runtime/place_hub.h"

typedef struct place_process place_process_t;

/** Sets the place of `runtime`. `classes`: NULL-terminated, those that a worker process knows;
 * `start_ms`: until it must be ready. Before any actor is spawned. errors: TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t place_process_open(trp_runtime_t *runtime, place_hub_t *hub,
                                             const trp_class_t *const *classes, uint32_t start_ms,
                                             place_process_t **place);

/** After the runtime has ended. Clears the pointer. */
void place_process_close(place_process_t **place);

#endif
