/* SPDX-License-Identifier: MIT */
#include "actors/router/state/router_sequence.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "actors/router/state/router_queue.h"
#include "actors/router/state/router_task_end.h"

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

/* The next one's turn. Without memory for the queue it rests for a moment, as one that is tried
 * again. */
static void pass_on(pool_t *pool, sequence_t *sequence)
{
    task_t *next = sequence->waiting;
    if (next == NULL) {
        HASH_DEL(pool->sequences, sequence);
        free(sequence);
        return;
    }
    sequence_take(next);
    sequence->head = next;
    if (!queue_put(&pool->queue, next, false)) {
        next->state = TASK_RESTING;
        next->again_ns = runtime_now_ns(pool->router->runtime);
        pool->queued--;
        task_note_end(next);
    }
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
