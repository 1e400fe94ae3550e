/* SPDX-License-Identifier: MIT */
#include "runtime/transport/transport_peers.h"

#include <stdlib.h>
#include <string.h>

typedef struct connection {
    trp_peer_t *peer; /* NULL: not tracked */
    bool open;
} connection_t;

void transport_peers_fini(transport_peers_t *peers)
{
    for (size_t i = 0; i < peers->count; i++) {
        free(peers->connections[i].peer);
    }
    for (size_t i = 0; i < peers->ended_count; i++) {
        free(peers->ended[i]);
    }
    free(peers->connections);
    free(peers->ended);
    memset(peers, 0, sizeof(*peers));
}

static trp_status_t add_ended(transport_peers_t *peers, trp_peer_t *peer)
{
    if (peers->ended_count == peers->ended_room) {
        const size_t room = peers->ended_room == 0 ? 8 : 2 * peers->ended_room;
        trp_peer_t **larger = realloc(peers->ended, room * sizeof(trp_peer_t *));
        if (larger == NULL) {
            free(peer);
            return TRP_NO_MEMORY;
        }
        peers->ended = larger;
        peers->ended_room = room;
    }
    peers->ended[peers->ended_count++] = peer;
    return TRP_OK;
}

trp_peer_t *transport_peers_next(transport_peers_t *peers)
{
    if (peers->ended_count == 0) {
        return NULL;
    }
    trp_peer_t *peer = peers->ended[0];
    peers->ended_count--;
    memmove(peers->ended, peers->ended + 1, peers->ended_count * sizeof(peers->ended[0]));
    return peer;
}

/* The row of a descriptor; NULL: none, or no memory. */
static connection_t *connection_at(transport_peers_t *peers, int descriptor)
{
    if (descriptor < 0) {
        return NULL;
    }
    const size_t index = (size_t)descriptor;
    if (index >= peers->count) {
        const size_t count = (index + 1) * 2;
        connection_t *larger = realloc(peers->connections, count * sizeof(*larger));
        if (larger == NULL) {
            return NULL;
        }
        memset(larger + peers->count, 0, (count - peers->count) * sizeof(*larger));
        peers->connections = larger;
        peers->count = count;
    }
    return &peers->connections[index];
}

static void end_connection(transport_peers_t *peers, connection_t *connection)
{
    if (connection->peer != NULL) {
        (void)!add_ended(peers, connection->peer);
        connection->peer = NULL;
    }
    connection->open = false;
}

void transport_peers_accepted(transport_peers_t *peers, int descriptor)
{
    connection_t *connection = connection_at(peers, descriptor);
    if (connection != NULL) {
        end_connection(peers, connection); /* of a former life */
        connection->open = true;
    }
}

void transport_peers_ended(transport_peers_t *peers, int descriptor)
{
    connection_t *connection = connection_at(peers, descriptor);
    if (connection != NULL) {
        end_connection(peers, connection);
    }
}

trp_status_t transport_peers_track(transport_peers_t *peers, int descriptor, const trp_peer_t *peer)
{
    connection_t *connection = connection_at(peers, descriptor);
    const bool is_tracked = connection != NULL && connection->peer != NULL &&
                            connection->peer->size == peer->size &&
                            memcmp(connection->peer->id, peer->id, peer->size) == 0;
    if (is_tracked) {
        return TRP_OK;
    }
    trp_peer_t *copy = malloc(sizeof(*copy));
    if (connection == NULL || copy == NULL) {
        free(copy);
        return TRP_NO_MEMORY;
    }
    *copy = *peer;
    if (!connection->open) {
        return add_ended(peers, copy); /* it ended before its message was read */
    }
    end_connection(peers, connection); /* another peer's, of which the end was not seen */
    connection->open = true;
    connection->peer = copy;
    return TRP_OK;
}
