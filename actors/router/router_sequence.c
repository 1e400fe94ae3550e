/* SPDX-License-Identifier: MIT */
/* Pools with `order = key`: tasks of one key run one after another, in the order of their arrival,
 * those of different keys at the same time. The first one of a key is in the pool's queue, rests,
 * or runs; the others wait here, and the next one takes its turn behind what is in the queue when
 * the first one ends: with its answer, or because it was refused. A first one that is tried again
 * stays the first.
 *
 *     sequences["k"]:  head [running] -> [waits] -> [waits]
 */
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "actors/router/router_parts.h"

struct sequence {
    char key[TRP_TASK_KEY_MAX + 1];
    task_t *head;
    task_t *waiting; /* by their prev and next */
    UT_hash_handle hh;
};

static sequence_t *find(const pool_t *pool, const char *key)
{
    sequence_t *sequence = NULL;
    HASH_FIND_STR(pool->sequences, key, sequence);
    return sequence;
}

static bool begin(pool_t *pool, task_t *task)
{
    sequence_t *sequence = calloc(1, sizeof(*sequence));
    if (sequence == NULL) {
        return false;
    }
    memcpy(sequence->key, task->key, sizeof(sequence->key));
    sequence->head = task;
    HASH_ADD_STR(pool->sequences, key, sequence);
    if (sequence->hh.tbl == NULL) {
        free(sequence);
        return false;
    }
    return true;
}

bool sequence_join(task_t *task)
{
    pool_t *pool = task->service->pool;
    sequence_t *sequence = task->key[0] != '\0' ? find(pool, task->key) : NULL;
    if (sequence == NULL) {
        return pool->config->order == 0 || task->key[0] == '\0' || begin(pool, task);
    }
    if (sequence->head != task && pool->config->order != 0) {
        DL_APPEND(sequence->waiting, task);
        task->is_held = true;
    }
    return true;
}

void sequence_take(task_t *task)
{
    sequence_t *sequence = find(task->service->pool, task->key);
    DL_DELETE(sequence->waiting, task);
    task->is_held = false;
}

/* The next one's turn. Without memory for the queue it can't have it: the one behind it may. */
static void pass_on(pool_t *pool, sequence_t *sequence)
{
    while (sequence->waiting != NULL) {
        task_t *next = sequence->waiting;
        sequence_take(next);
        sequence->head = next;
        if (queue_put(&pool->queue, next, false)) {
            return;
        }
        refusal_t refusal;
        refusal_init(&refusal, "E_INTERNAL", "no memory for its turn");
        router_refuse(pool->router, next, &refusal);
        sequence->head = NULL; /* so that its end is not its turn's */
        pool->queued--;
        task_free(pool->router, next);
    }
    HASH_DEL(pool->sequences, sequence);
    free(sequence);
}

void sequence_leave(task_t *task)
{
    pool_t *pool = task->service->pool;
    if (task->is_held) {
        sequence_take(task);
        pool->queued--;
        return;
    }
    sequence_t *sequence = task->key[0] != '\0' ? find(pool, task->key) : NULL;
    if (sequence != NULL && sequence->head == task) {
        pass_on(pool, sequence);
    }
}
