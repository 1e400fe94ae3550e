/* SPDX-License-Identifier: MIT */
#include "actors/router/state/router_queue.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

/* What tells lanes apart: one byte of priority, then the client's routing id or pid. */
typedef struct lane_key {
    uint8_t priority;
    uint8_t size;
    uint8_t client[255];
} lane_key_t;

struct lane {
    lane_key_t key;
    task_t *tasks;
    struct lane *prev, *next; /* in its ring */
    UT_hash_handle hh;
};

static void make_key(const queue_t *queue, const task_t *task, lane_key_t *key)
{
    const origin_t *origin = &task->waiter.origin;
    key->priority = task->priority;
    key->size = 0;
    if (queue->fair && origin->peer != NULL) {
        key->size = origin->peer->size;
        memcpy(key->client, origin->peer->id, origin->peer->size);
    } else if (queue->fair) {
        key->size = sizeof(origin->actor.to);
        memcpy(key->client, &origin->actor.to, sizeof(origin->actor.to));
    }
}

static size_t key_size(const lane_key_t *key)
{
    return offsetof(lane_key_t, client) + key->size;
}

static lane_t *find_lane(queue_t *queue, const task_t *task)
{
    lane_key_t key = {0};
    lane_t *lane = NULL;
    make_key(queue, task, &key);
    /* The analyzer takes the bytes of a pid for never written. */
    HASH_FIND(hh, queue->lanes, &key, key_size(&key), lane); // NOLINT(clang-analyzer-core.*)
    if (lane != NULL) {
        return lane;
    }
    lane = queue->spare != NULL ? queue->spare : malloc(sizeof(*lane));
    if (lane == NULL) {
        return NULL;
    }
    queue->spare = NULL;
    memset(lane, 0, sizeof(*lane));
    lane->key = key;
    HASH_ADD(hh, queue->lanes, key, key_size(&lane->key), lane);
    if (lane->hh.tbl == NULL) {
        free(lane);
        return NULL;
    }
    DL_APPEND(queue->rings[key.priority], lane);
    return lane;
}

void queue_fini(queue_t *queue)
{
    lane_t *lane, *next;
    HASH_ITER(hh, queue->lanes, lane, next)
    {
        HASH_DEL(queue->lanes, lane);
        free(lane);
    }
    free(queue->spare);
    *queue = (queue_t){.fair = queue->fair};
}

static void note(queue_t *queue, lane_t *lane, task_t *task)
{
    task->lane = lane;
    task->queue = queue;
    queue->count++;
}

bool queue_put(queue_t *queue, task_t *task, bool in_front)
{
    lane_t *lane = find_lane(queue, task);
    if (lane == NULL) {
        return false;
    }
    if (in_front) {
        lane_t **ring = &queue->rings[lane->key.priority];
        DL_PREPEND(lane->tasks, task);
        DL_DELETE(*ring, lane);
        DL_PREPEND(*ring, lane);
    } else {
        DL_APPEND(lane->tasks, task);
    }
    note(queue, lane, task);
    return true;
}

bool queue_move(queue_t *to, task_t *task)
{
    lane_t *lane = find_lane(to, task);
    if (lane == NULL) {
        return false;
    }
    queue_remove(task->queue, task);
    DL_APPEND(lane->tasks, task);
    note(to, lane, task);
    return true;
}

void queue_remove(queue_t *queue, task_t *task)
{
    lane_t *lane = task->lane;
    /* The analyzer does not see that only the last one has no next. */
    DL_DELETE(lane->tasks, task); // NOLINT(clang-analyzer-core.*)
    task->lane = NULL;
    task->queue = NULL;
    queue->count--;
    if (lane->tasks != NULL) {
        return;
    }
    DL_DELETE(queue->rings[lane->key.priority], lane); // NOLINT(clang-analyzer-core.*): the same
    HASH_DEL(queue->lanes, lane);
    free(queue->spare);
    queue->spare = lane;
}

task_t *queue_first(const queue_t *queue)
{
    for (int priority = QUEUE_PRIORITIES - 1; priority >= 0; priority--) {
        if (queue->rings[priority] != NULL) {
            return queue->rings[priority]->tasks;
        }
    }
    return NULL;
}

void queue_took(queue_t *queue, task_t *task)
{
    lane_t *lane = task->lane;
    lane_t **ring = &queue->rings[lane->key.priority];
    DL_DELETE(*ring, lane);
    DL_APPEND(*ring, lane);
    queue_remove(queue, task);
}
