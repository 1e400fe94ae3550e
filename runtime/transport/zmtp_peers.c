/* SPDX-License-Identifier: MIT */
#include "runtime/transport/zmtp_peers.h"

#include <stdlib.h>
#include <string.h>

typedef struct zmtp_late {
    struct zmtp_late *next;
    trp_peer_t peer;
} zmtp_late_t;

/* FNV-1a */
static unsigned bucket_of(const trp_peer_t *peer)
{
    uint32_t hash = 2166136261u;
    for (unsigned i = 0; i < peer->size; i++) {
        hash = (hash ^ peer->id[i]) * 16777619u;
    }
    return (hash ^ hash >> 16) % ZMTP_BUCKETS;
}

void zmtp_peers_fini(zmtp_peers_t *peers)
{
    trp_peer_t peer;
    while (zmtp_peers_next_late(peers, &peer)) {
    }
}

void zmtp_peers_add(zmtp_peers_t *peers, zmtp_link_t *link)
{
    zmtp_link_t **bucket = &peers->buckets[bucket_of(&link->in.peer)];
    link->same = *bucket;
    *bucket = link;
}

void zmtp_peers_remove(zmtp_peers_t *peers, const zmtp_link_t *link)
{
    for (zmtp_link_t **at = &peers->buckets[bucket_of(&link->in.peer)]; *at != NULL;
         at = &(*at)->same) {
        if (*at == link) {
            *at = link->same;
            return;
        }
    }
}

zmtp_link_t *zmtp_peers_find(const zmtp_peers_t *peers, const trp_peer_t *peer)
{
    zmtp_link_t *link = peers->buckets[bucket_of(peer)];
    while (link != NULL && (link->in.peer.size != peer->size ||
                            memcmp(link->in.peer.id, peer->id, peer->size) != 0)) {
        link = link->same;
    }
    return link;
}

trp_status_t zmtp_peers_late(zmtp_peers_t *peers, const trp_peer_t *peer)
{
    zmtp_late_t *late = malloc(sizeof(*late));
    if (late == NULL) {
        return TRP_NO_MEMORY;
    }
    late->peer = *peer;
    late->next = peers->late;
    peers->late = late;
    return TRP_OK;
}

bool zmtp_peers_next_late(zmtp_peers_t *peers, trp_peer_t *peer)
{
    zmtp_late_t *late = peers->late;
    if (late == NULL) {
        return false;
    }
    *peer = late->peer;
    peers->late = late->next;
    free(late);
    return true;
}
