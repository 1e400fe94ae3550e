/* SPDX-License-Identifier: MIT */
#include "runtime/client/client_pending.h"

#include <stdlib.h>
#include <string.h>

#define CAPACITY_MIN 16

typedef struct client_wait {
    uint64_t id;
    int64_t due_ns;
    trp_pid_t to;
} client_wait_t;

trp_status_t client_pending_add(client_pending_t *pending, uint64_t id, int64_t due_ns,
                                trp_pid_t to)
{
    if (pending->count == pending->capacity) {
        const size_t capacity = pending->capacity == 0 ? CAPACITY_MIN : pending->capacity * 2;
        client_wait_t *waits = realloc(pending->waits, capacity * sizeof(*waits));
        if (waits == NULL) {
            return TRP_NO_MEMORY;
        }
        pending->waits = waits;
        pending->capacity = capacity;
    }
    pending->waits[pending->count++] = (client_wait_t){id, due_ns, to};
    return TRP_OK;
}

void client_pending_fini(client_pending_t *pending)
{
    free(pending->waits);
    *pending = (client_pending_t){.waits = NULL};
}

static int compare(const void *a, const void *b)
{
    const uint64_t left = ((const client_wait_t *)a)->id;
    const uint64_t right = ((const client_wait_t *)b)->id;
    return (left > right) - (left < right);
}

bool client_pending_take(client_pending_t *pending, uint64_t id)
{
    const client_wait_t key = {.id = id};
    client_wait_t *wait = pending->count == 0 ? NULL
                                              : bsearch(&key, pending->waits, pending->count,
                                                        sizeof(*pending->waits), compare);
    if (wait == NULL) {
        return false;
    }
    const size_t behind = pending->count - (size_t)(wait - pending->waits) - 1;
    memmove(wait, wait + 1, behind * sizeof(*wait));
    pending->count--;
    return true;
}

uint64_t client_pending_overdue(const client_pending_t *pending, int64_t now_ns, trp_pid_t *to)
{
    for (size_t i = 0; i < pending->count; i++) {
        if (pending->waits[i].due_ns <= now_ns) {
            *to = pending->waits[i].to;
            return pending->waits[i].id;
        }
    }
    return 0;
}

int64_t client_pending_next_ns(const client_pending_t *pending)
{
    int64_t next_ns = INT64_MAX;
    for (size_t i = 0; i < pending->count; i++) {
        if (pending->waits[i].due_ns < next_ns) {
            next_ns = pending->waits[i].due_ns;
        }
    }
    return next_ns;
}
