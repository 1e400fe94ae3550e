/* SPDX-License-Identifier: MIT */
/* A node's way to who starts and ends its worker processes: the guardian, over a socket pair; in a
 * simulation the world. Edge thread only. */
#ifndef TRP_RUNTIME_GUARDIAN_PORT_H
#define TRP_RUNTIME_GUARDIAN_PORT_H

#include "runtime/edge/edge.h"
#include "runtime/guardian/guardian_proto.h"

typedef struct guardian_port {
    void *user;
    /** Hands over a request; it leaves now, or at the next flush. errors: TRP_BUSY (too many) */
    trp_status_t (*ask)(void *user, const guardian_message_t *request);
    /** What it says is told to `report` from now on, from the edge's turn; NULL ends it. errors:
     * TRP_SYSTEM, TRP_NO_MEMORY */
    trp_status_t (*hear)(void *user,
                         void (*report)(void *hearer, const guardian_message_t *message),
                         void *hearer);
    /** The end of a turn. */
    void (*flush)(void *user);
} guardian_port_t;

/** The port of a node's process over `fd`, its end of the pair. errors: TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t guardian_port_open(edge_t *edge, int fd, guardian_port_t **port);

/** After nobody listens. Clears the pointer. */
void guardian_port_close(guardian_port_t **port);

#endif
