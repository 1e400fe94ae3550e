/* SPDX-License-Identifier: MIT */
/* Whose link is which, by the peer's id; and peers whose end is still to be told. One thread. */
#ifndef TRP_RUNTIME_ZMTP_PEERS_H
#define TRP_RUNTIME_ZMTP_PEERS_H

#include "runtime/transport/zmtp_link.h"

#define ZMTP_BUCKETS 256

typedef struct zmtp_peers {
    zmtp_link_t *buckets[ZMTP_BUCKETS];
    struct zmtp_late *late;
} zmtp_peers_t;

void zmtp_peers_fini(zmtp_peers_t *peers);

/** Under the id of `link->in.peer`, which nobody has. */
void zmtp_peers_add(zmtp_peers_t *peers, zmtp_link_t *link);
void zmtp_peers_remove(zmtp_peers_t *peers, const zmtp_link_t *link);
/** NULL: nobody. */
zmtp_link_t *zmtp_peers_find(const zmtp_peers_t *peers, const trp_peer_t *peer);

/** One that was gone before somebody asked to be told. errors: TRP_NO_MEMORY */
trp_status_t zmtp_peers_late(zmtp_peers_t *peers, const trp_peer_t *peer);
/** Takes one of them. False: there is none. */
bool zmtp_peers_next_late(zmtp_peers_t *peers, trp_peer_t *peer);

#endif
