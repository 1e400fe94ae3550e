/* SPDX-License-Identifier: MIT */
/* Which peer a connection belongs to, by the connection's descriptor, and whose connections have
 * ended. Kept by a transport; one thread.
 *
 * A message carries the descriptor that it came from, a monitor reports descriptors that were
 * accepted and that ended. Both are written before the descriptor is closed, so all reports of its
 * former life come before any message of its next one: a message's descriptor is looked up after
 * all reports that are there have been taken in. */
#ifndef TRP_RUNTIME_TRANSPORT_PEERS_H
#define TRP_RUNTIME_TRANSPORT_PEERS_H

#include "runtime/plugin.h"

typedef struct transport_peers {
    struct connection *connections; /* by descriptor */
    size_t count;
    trp_peer_t **ended; /* oldest first */
    size_t ended_count, ended_room;
} transport_peers_t;

void transport_peers_fini(transport_peers_t *peers);

/** A connection was accepted; it ended. Without memory for it its end will not be known. */
void transport_peers_accepted(transport_peers_t *peers, int descriptor);
void transport_peers_ended(transport_peers_t *peers, int descriptor);

/** The peer is told by transport_peers_next when the connection has ended, also when it has
 * already. errors: TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t transport_peers_track(transport_peers_t *peers, int descriptor,
                                                const trp_peer_t *peer);

/** Takes the next tracked peer whose connection has ended; NULL: none. owns: the caller frees it */
trp_peer_t *transport_peers_next(transport_peers_t *peers);

#endif
