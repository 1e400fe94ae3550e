/* SPDX-License-Identifier: MIT */
#include "actors/router/base/balance.h"

#include <stdlib.h>
#include <string.h>

#include "actors/router/base/heap.h"

#define POINTS      64 /* of each member on the ring: spread within about an eighth */
#define STRIDE      (UINT64_C(1) << 20)
#define LOAD_SHIFT  40 /* above the turn of the last task */
#define TURN_MASK   ((UINT64_C(1) << LOAD_SHIFT) - 1)
#define BOUND_PARTS 4 /* bounded load: the mean and a fourth of it */

struct balance_point {
    uint64_t at;
    balance_member_t *member;
};

/* FNV-1a, then splitmix64's finish: few similar names, to be spread over a ring. */
static uint64_t hash(const char *text, uint64_t salt)
{
    uint64_t value = UINT64_C(0xcbf29ce484222325) ^ salt;
    for (; *text != '\0'; text++) {
        value = (value ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    }
    value = (value ^ (value >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94D049BB133111EB);
    return value ^ (value >> 31);
}

/* ---- scores ---- */

static uint64_t by_turn(const balance_member_t *member)
{
    return member->last;
}

/* The part of its share that a member has, from 1 to BALANCE_RAMP. */
static uint64_t ramp_of(const balance_member_t *member)
{
    return member->ramp == 0 || member->ramp > BALANCE_RAMP ? BALANCE_RAMP : member->ramp;
}

/* One that starts slowly counts as more loaded than it is; where nobody is, it lets turns pass. */
static uint64_t with_ramp(const balance_member_t *member, uint64_t load)
{
    return load * BALANCE_RAMP / ramp_of(member) << LOAD_SHIFT | (member->last & TURN_MASK);
}

static uint64_t by_load(const balance_member_t *member)
{
    return with_ramp(member, member->load);
}

static uint64_t by_keys(const balance_member_t *member)
{
    return with_ramp(member, (uint64_t)member->load + member->keys);
}

static uint64_t by_pass(const balance_member_t *member)
{
    return member->pass;
}

/* ---- choices ---- */

static balance_member_t *of_node(heap_node_t *node)
{
    return (balance_member_t *)node; /* its first member */
}

static balance_member_t *first(balance_t *balance, const balance_task_t *task)
{
    heap_node_t *node = heap_first(&balance->free);
    if (node == NULL || of_node(node)->name != task->avoid) {
        return of_node(node);
    }
    heap_node_t *other = heap_first_but(&balance->free, node);
    return of_node(other != NULL ? other : node);
}

static balance_member_t *less_loaded_of_two(balance_t *balance, const balance_task_t *task)
{
    size_t count = balance->free.count;
    if (count < 2) {
        return first(balance, task);
    }
    size_t a = (size_t)(task->chance % count);
    size_t b = (a + 1 + (size_t)((task->chance >> 32) % (count - 1))) % count;
    balance_member_t *one = of_node(balance->free.nodes[a]);
    balance_member_t *other = of_node(balance->free.nodes[b]);
    if (one->name == task->avoid || other->name == task->avoid) {
        return one->name == task->avoid ? other : one;
    }
    return by_load(other) < by_load(one) ? other : one;
}

static int compare_points(const void *a, const void *b)
{
    uint64_t one = ((const balance_point_t *)a)->at;
    uint64_t other = ((const balance_point_t *)b)->at;
    return one < other ? -1 : one > other;
}

/* False: no memory; the ring is empty then. */
static bool make_ring(balance_t *balance)
{
    free(balance->ring);
    balance->ring_count = 0;
    balance->ring = calloc(balance->member_count * POINTS, sizeof(*balance->ring));
    if (balance->ring == NULL) {
        return false;
    }
    for (size_t i = 0; i < balance->member_count; i++) {
        for (uint64_t point = 0; point < POINTS; point++) {
            balance->ring[balance->ring_count++] =
                (balance_point_t){hash("", balance->members[i]->name + point), balance->members[i]};
        }
    }
    qsort(balance->ring, balance->ring_count, sizeof(*balance->ring), compare_points);
    balance->ring_stale = false;
    return true;
}

/* The first point at or after `at`; the ring has no end. */
static size_t find_point(const balance_t *balance, uint64_t at)
{
    size_t low = 0, high = balance->ring_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (balance->ring[middle].at < at) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low == balance->ring_count ? 0 : low;
}

static balance_member_t *by_ring(balance_t *balance, const balance_task_t *task)
{
    if (task->key == NULL || balance->free.count == 0 ||
        (balance->ring_stale && !make_ring(balance))) {
        return first(balance, task);
    }
    uint64_t parts = (uint64_t)balance->member_count * BOUND_PARTS;
    uint64_t bound = ((balance->load + 1) * (BOUND_PARTS + 1) + parts - 1) / parts;
    size_t start = find_point(balance, hash(task->key, 0));
    for (size_t i = 0; i < balance->ring_count; i++) {
        balance_member_t *member = balance->ring[(start + i) % balance->ring_count].member;
        if (heap_holds(&member->node) && member->load < bound && member->name != task->avoid) {
            return member;
        }
    }
    return first(balance, task);
}

typedef struct strategy {
    uint64_t (*score)(const balance_member_t *member);
    balance_member_t *(*pick)(balance_t *balance, const balance_task_t *task);
} strategy_t;

static const strategy_t strategies[] = {
    [BALANCE_LEAST_LOADED] = {by_load, first},
    [BALANCE_ROUND_ROBIN] = {by_turn, first},
    [BALANCE_LEAST_MATCHES] = {by_keys, first},
    [BALANCE_WEIGHTED] = {by_pass, first},
    [BALANCE_TWO_CHOICES] = {by_load, less_loaded_of_two},
    [BALANCE_HASH] = {by_load, by_ring},
};

_Static_assert(sizeof(strategies) / sizeof(strategies[0]) == BALANCE_STRATEGIES,
               "a row for each strategy");

/* ---- members ---- */

void balance_fini(balance_t *balance)
{
    heap_fini(&balance->free);
    free(balance->members);
    free(balance->ring);
    *balance = (balance_t){0};
}

void balance_switch(balance_t *balance, balance_strategy_t strategy)
{
    balance->strategy = strategy;
    for (size_t i = 0; i < balance->member_count; i++) {
        balance_member_t *member = balance->members[i];
        member->pass = balance->time;
        balance_update(balance, member, heap_holds(&member->node));
    }
}

void balance_view(balance_t *balance, balance_strategy_t strategy)
{
    balance->strategy = strategy;
    for (size_t i = 0; i < balance->member_count; i++) {
        balance_member_t *member = balance->members[i];
        balance_update(balance, member, heap_holds(&member->node));
    }
}

bool balance_join(balance_t *balance, balance_member_t *member, const char *name)
{
    if (balance->member_count == balance->member_room) {
        size_t room = balance->member_room == 0 ? 8 : balance->member_room * 2;
        balance_member_t **members = realloc(balance->members, room * sizeof(*members));
        if (members == NULL) {
            return false;
        }
        balance->members = members;
        balance->member_room = room;
    }
    balance->members[balance->member_count++] = member;
    balance->ring_stale = true;
    member->name = hash(name, 0) | 1; /* 0 is nobody */
    member->pass = balance->time;     /* no credit for the time before it came */
    member->is_member = true;
    return true;
}

void balance_leave(balance_t *balance, balance_member_t *member)
{
    heap_remove(&balance->free, &member->node);
    for (size_t i = 0; i < balance->member_count; i++) {
        if (balance->members[i] == member) {
            balance->members[i] = balance->members[--balance->member_count];
            balance->load -= member->load;
            balance->ring_stale = true;
            member->is_member = false;
            return;
        }
    }
}

void balance_update(balance_t *balance, balance_member_t *member, bool has_room)
{
    if (!has_room || !member->is_member) {
        heap_remove(&balance->free, &member->node);
        return;
    }
    if (member->pass < balance->time) {
        member->pass = balance->time; /* nor for the time when it had no room */
    }
    uint64_t score = strategies[balance->strategy].score(member);
    if (!heap_holds(&member->node) || member->node.score != score) {
        /* Without memory it gets nothing until the next update. */
        (void)heap_put(&balance->free, &member->node, score);
    }
}

balance_member_t *balance_pick(balance_t *balance, const balance_task_t *task)
{
    return strategies[balance->strategy].pick(balance, task);
}

void balance_given(balance_t *balance, balance_member_t *member)
{
    member->load++;
    balance->load++;
    const uint64_t others = balance->member_count > 0 ? balance->member_count - 1 : 0;
    member->last = ++balance->turns + (BALANCE_RAMP / ramp_of(member) - 1) * others;
    balance->time = member->pass > balance->time ? member->pass : balance->time;
    member->pass += STRIDE / (member->weight == 0 ? 1 : member->weight);
}

void balance_returned(balance_t *balance, balance_member_t *member)
{
    member->load--;
    if (member->is_member) {
        balance->load--;
    }
}
