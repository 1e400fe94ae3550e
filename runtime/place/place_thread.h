/* SPDX-License-Identifier: MIT */
/* The place `thread`: an actor in a thread of its own, where it may block. The thread has a runtime
 * for itself (worker_root.h) and speaks to its proxy over inproc with the frames of a worker
 * process. Edge thread only. */
#ifndef TRP_RUNTIME_PLACE_THREAD_H
#define TRP_RUNTIME_PLACE_THREAD_H

#include "runtime/place/place_proxy.h"

typedef struct place_threads place_threads_t;

/** For place_proxies_open; its user is a place_threads_t. */
extern const place_carrier_t place_thread;

/** errors: TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t place_threads_open(trp_runtime_t *runtime, edge_t *edge, place_hub_t *hub,
                                             place_threads_t **threads);

/** Has actors of place `thread` run in the pool, where there are no threads: in a simulation. */
void place_threads_in_pool(trp_runtime_t *runtime);

/** Ends all threads, by force, and waits for them as long as a kill does. Before the runtime ends.
 * Returns how many are left behind, since their handlers don't return. */
uint32_t place_threads_stop(place_threads_t *threads);

/** After the runtime has ended. Clears the pointer. */
void place_threads_close(place_threads_t **threads);

#endif
