/* SPDX-License-Identifier: MIT */
/* Where pids lead that are not of this runtime: (node, incarnation) -> proxy cell. Few writes, one
 * mutex (a leaf). Any thread may look up. */
#ifndef TRP_RUNTIME_ROUTE_H
#define TRP_RUNTIME_ROUTE_H

#include <pthread.h>

#include "messages/pid.h"

typedef struct route_table {
    pthread_mutex_t lock;
    struct route *routes; /* sorted by node */
    uint32_t count, capacity;
    trp_pid_t fallback; /* a worker process: the link to the parent */
    trp_pid_t known;    /* a worker process: what all others know its root actor by ... */
    trp_pid_t root;     /* ... and the cell that it is here */
} route_table_t;

void route_table_init(route_table_t *table);
void route_table_fini(route_table_t *table);

/** NONE ends the route. errors: TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t route_set(route_table_t *table, uint32_t node, uint32_t incarnation,
                                    trp_pid_t proxy);
void route_set_fallback(route_table_t *table, trp_pid_t proxy);
void route_set_known(route_table_t *table, trp_pid_t known, trp_pid_t root);

/** The local cell that takes what is sent to `to`: a proxy, or the root actor itself. NONE:
 * none. */
trp_pid_t route_find(route_table_t *table, trp_pid_t to);

/** The node and incarnation whose route leads to `proxy`, as a pid of slot 0; NONE: there is no
 * such route. */
trp_pid_t route_behind(route_table_t *table, trp_pid_t proxy);

/** Whether `proxy` is a worker process's link to its parent. */
bool route_is_fallback(route_table_t *table, trp_pid_t proxy);

#endif
