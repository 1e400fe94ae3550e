/* SPDX-License-Identifier: MIT */
/* Links of closed sockets that still have something to say. One thread. */
#ifndef TRP_RUNTIME_ZMTP_LINGER_H
#define TRP_RUNTIME_ZMTP_LINGER_H

#include "runtime/transport/zmtp_link.h"

typedef struct zmtp_linger {
    zmtp_link_t *links;
} zmtp_linger_t;

/** owns: the link. One with nothing to say is closed at once. */
void zmtp_linger_add(zmtp_linger_t *linger, zmtp_link_t *link, int linger_ms);

/** Writes what goes now, and closes those that are done or late. */
void zmtp_linger_look(zmtp_linger_t *linger);

/** Waits for them, each as long as it may linger. */
void zmtp_linger_end(zmtp_linger_t *linger);

#endif
