/* SPDX-License-Identifier: MIT */
/* Groups of actors, and who hears of dead letters: one mutex (a leaf), taken by any thread. A group
 * lives while it has members.
 *
 *     table --tree by name--> group --seats--> member <--list of the actor, in its cell_life--
 *
 * An actor's own list is touched by its runner alone; what a group holds is under the lock. */
#ifndef TRP_RUNTIME_GROUP_H
#define TRP_RUNTIME_GROUP_H

#include <pthread.h>
#include <stdatomic.h>

#include "runtime/troupe.h"

#define GROUP_LISTENERS_MAX 16 /* actors that hear of dead letters */

typedef struct group_table {
    pthread_mutex_t lock;
    void *tree;                      /* of <search.h>: all groups by name */
    uint32_t prefixes[TRP_NAME_MAX]; /* groups that are a prefix of this many bytes */
    uint32_t prefix_count;           /* their sum */
    trp_pid_t listeners[GROUP_LISTENERS_MAX];
    _Atomic uint32_t listener_count; /* written under the lock */
    _Atomic uint32_t far_count;      /* seats of actors behind proxies; the same */
} group_table_t;

/** One actor's place in one group; the actor's list begins in its cell_life, or, when it is behind
 * a proxy, with the proxy's link. */
typedef struct group_member group_member_t;

/** Who gets one message. */
typedef struct group_audience {
    trp_pid_t *pids; /* `few`, or malloc'd */
    size_t count, capacity;
    trp_pid_t few[64];
} group_audience_t;

void group_table_init(group_table_t *table);
void group_table_fini(group_table_t *table);

/** Adds `pid`, whose memberships are `*mine`. Twice is once. errors: TRP_INVALID (name),
 * TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t group_join(group_table_t *table, const char *name, trp_pid_t pid,
                                     group_member_t **mine);

/** The same for an actor of another runtime, to be reached through a proxy. */
TRP_MUST_USE trp_status_t group_join_far(group_table_t *table, const char *name, trp_pid_t pid,
                                         group_member_t **mine);

/** Ends a membership; none is no error. */
void group_leave(group_table_t *table, const char *name, group_member_t **mine);

/** Ends all memberships of an actor. */
void group_leave_all(group_table_t *table, group_member_t **mine);

/** All that are to get what is published under `topic`, each once. owns: the caller's, ended by
 * group_audience_fini, also after an error. errors: TRP_INVALID (topic), TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t group_audience(group_table_t *table, const char *topic,
                                         group_audience_t *audience);
void group_audience_fini(group_audience_t *audience);

/** Copies up to `max` members of a group; returns how many there are. */
size_t group_members(group_table_t *table, const char *name, trp_pid_t *pids, size_t max);

/** Adds to, and removes from, who hears of dead letters. Twice is once. errors: TRP_FULL */
TRP_MUST_USE trp_status_t group_listen(group_table_t *table, trp_pid_t pid);
void group_unlisten(group_table_t *table, trp_pid_t pid);

/** Copies who hears of dead letters; returns how many. */
uint32_t group_listeners(group_table_t *table, trp_pid_t pids[GROUP_LISTENERS_MAX]);

#endif
