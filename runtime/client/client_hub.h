/* SPDX-License-Identifier: MIT */
/* The node's side of clients: a client is stood for by a proxy as an actor of another place is,
 * only that its carrier is there before it. One node of a process can be found by them. */
#ifndef TRP_RUNTIME_CLIENT_HUB_H
#define TRP_RUNTIME_CLIENT_HUB_H

#include "runtime/edge/edge.h"
#include "runtime/place/place_hub.h"

typedef struct client_hub client_hub_t;

/** Lets clients of this process find the node; when it has one already they find that. Edge thread.
 * errors: TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t client_hub_open(trp_runtime_t *runtime, edge_t *edge, place_hub_t *hub,
                                          client_hub_t **clients);

/** No client is opened any more. Before the runtime ends. */
void client_hub_stop(client_hub_t *clients);

/** After the runtime has ended. Clears the pointer. */
void client_hub_close(client_hub_t **clients);

/** How a client reaches the node. */
typedef struct client_way {
    const trp_transport_t *transport;
    void *medium;
    char endpoint[64];
    trp_peer_t self; /* its address at the node */
    unsigned char token[GUARDIAN_TOKEN_SIZE];
    trp_pid_t pid;
    uint32_t node, incarnation; /* of the link */
} client_way_t;

/** Has a proxy made for a client and waits for it; any thread. owns: the medium is the caller's.
 * errors: TRP_NOT_FOUND (no node), TRP_TIMEOUT, TRP_FULL, TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t client_hub_reach(client_way_t *way);

#endif
