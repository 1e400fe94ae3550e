/* SPDX-License-Identifier: MIT */
/* Who of a pool's workers gets the next task: the strategies. Knows no task and no pid. Each
 * strategy is a row of a table: a score by which those with room are kept in order, or a choice of
 * its own. Edge thread only.
 *
 *     round_robin     the one whose last task is longest ago
 *     least_loaded    the fewest tasks in hand (least connections); of equal ones as round_robin
 *     least_matches   the fewest keys held and tasks in hand
 *     weighted        in proportion to its weight (stride scheduling)
 *     two_choices     the less loaded of two that chance names
 *     hash            by the task's key on a ring; one that has over 1.25 times the mean is passed
 *                     over; without a key as least_loaded
 *
 * source: stride scheduling, Waldspurger and Weihl 1995; two choices, Mitzenmacher 1996; consistent
 * hashing with bounded loads, Mirrokni, Thorup and Zadimoghaddam 2018. */
#ifndef TRP_ACTORS_BALANCE_H
#define TRP_ACTORS_BALANCE_H

#include "actors/router/base/heap.h"

/** In the order of the choices of the option `strategy` (runtime/config/config_tables.c). */
typedef enum balance_strategy {
    BALANCE_LEAST_LOADED,
    BALANCE_ROUND_ROBIN,
    BALANCE_LEAST_MATCHES,
    BALANCE_WEIGHTED,
    BALANCE_TWO_CHOICES,
    BALANCE_HASH,
    BALANCE_STRATEGIES
} balance_strategy_t;

/** A worker as the strategies see it; lives inside of the worker. Zeroed, then `weight`. */
typedef struct balance_member {
    heap_node_t node; /* while it has room */
    uint32_t load;    /* tasks in hand */
    uint32_t keys;
    uint32_t weight; /* 1 to 1000 */
    uint32_t ramp;   /* slow start: 1 (just begun) to BALANCE_RAMP (full share); 0 counts as full */
    uint64_t last;   /* turn of its last task */
    uint64_t pass;   /* weighted: virtual time of its next task */
    uint64_t name;   /* hash of its name, for the ring */
    bool is_member;
} balance_member_t;

#define BALANCE_RAMP 256

typedef struct balance_point balance_point_t;

/** Zeroed, then `strategy`. */
typedef struct balance {
    balance_strategy_t strategy;
    heap_t free; /* those with room */
    balance_member_t **members;
    size_t member_count, member_room;
    uint64_t load;  /* of all members */
    uint64_t turns; /* tasks given */
    uint64_t time;  /* weighted: virtual time */
    balance_point_t *ring;
    size_t ring_count;
    bool ring_stale;
} balance_t;

void balance_fini(balance_t *balance);

/** Changes the strategy; the members stay. */
void balance_switch(balance_t *balance, balance_strategy_t strategy);

/** Has the next balance_pick choose as another strategy would, and back; nothing else changes. */
void balance_view(balance_t *balance, balance_strategy_t strategy);

/** False: no memory. `name` is for the ring: equal after a restart, so that keys come back. */
bool balance_join(balance_t *balance, balance_member_t *member, const char *name);
void balance_leave(balance_t *balance, balance_member_t *member);

/** To be called when a member's room, keys or ramp changed. */
void balance_update(balance_t *balance, balance_member_t *member, bool has_room);

/** What the choice for one task may look at. */
typedef struct balance_task {
    const char *key; /* NULL: none */
    uint64_t chance; /* a random number */
    uint64_t avoid;  /* name of one that is taken only when nobody else has room; 0: none */
} balance_task_t;

/** NULL: nobody has room. */
balance_member_t *balance_pick(balance_t *balance, const balance_task_t *task);

/** A task was given to `member`, or has left it; then balance_update. */
void balance_given(balance_t *balance, balance_member_t *member);
void balance_returned(balance_t *balance, balance_member_t *member);

#endif
