/* SPDX-License-Identifier: MIT */
/* What a client waits for by its id: answers, with their time limits, and ends of actors. One
 * thread at a time. */
#ifndef TRP_RUNTIME_CLIENT_PENDING_H
#define TRP_RUNTIME_CLIENT_PENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "messages/pid.h"

typedef struct client_pending {
    struct client_wait *waits; /* sorted by id, since ids only grow */
    size_t count, capacity;
} client_pending_t;

/** `id` is above all before it. errors: TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t client_pending_add(client_pending_t *pending, uint64_t id, int64_t due_ns,
                                             trp_pid_t to);
void client_pending_fini(client_pending_t *pending);

/** Ends a wait; false: nobody waits for that id. */
bool client_pending_take(client_pending_t *pending, uint64_t id);

/** A wait whose time has passed, which stays, and whom it was for; 0: none. */
uint64_t client_pending_overdue(const client_pending_t *pending, int64_t now_ns, trp_pid_t *to);

/** When the first one is due; INT64_MAX: none is. */
int64_t client_pending_next_ns(const client_pending_t *pending);

#endif
