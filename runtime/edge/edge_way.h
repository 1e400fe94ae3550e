/* SPDX-License-Identifier: MIT */
/* The transports that an edge has: one for links to worker processes, one for all else. Each is
 * opened for the first socket that needs it, so that a worker process, which has a link only, has
 * no thread of libzmq's. Edge thread only. */
#ifndef TRP_RUNTIME_EDGE_WAY_H
#define TRP_RUNTIME_EDGE_WAY_H

#include "runtime/edge/edge.h"

typedef struct edge_way {
    const trp_transport_t *transport; /* NULL: there is none */
    const void *how;
    void *medium; /* NULL: not opened yet */
} edge_way_t;

typedef struct edge_ways {
    edge_way_t common, links; /* links: without a transport they take the common way */
} edge_ways_t;

void edge_ways_init(edge_ways_t *ways, const edge_options_t *options);
/** Shuts what was opened: every socket must be closed before. */
void edge_ways_fini(edge_ways_t *ways);

/** A socket of a transport. */
typedef struct edge_end {
    const trp_transport_t *transport;
    void *socket;
} edge_end_t;

/** Binds; or, for `self`, connects. errors: as edge_bind */
TRP_MUST_USE trp_status_t edge_way_open(edge_ways_t *ways, const edge_socket_options_t *options,
                                        const edge_peer_t *self, edge_end_t *end, char error[256]);

/** errors: as edge_join */
TRP_MUST_USE trp_status_t edge_way_join(edge_ways_t *ways, void **medium);

#endif
