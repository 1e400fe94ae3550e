/* SPDX-License-Identifier: MIT */
#include "actors/router/state/router_pair.h"

#include <stdlib.h>
#include <string.h>

pair_t *pair_find(const router_t *router, const task_t *task)
{
    size_t side = task->service->is_second;
    pair_t *pair = NULL;
    HASH_FIND(hh[side], router->pairs.of_task[side], &task, sizeof(task), pair);
    return pair;
}

/* Takes it out of the table of one side. */
void pair_leave(router_t *router, pair_t *pair, size_t side)
{
    if (pair->tasks[side] != NULL) {
        HASH_DELETE(hh[side], router->pairs.of_task[side], pair);
        pair->tasks[side] = NULL;
    }
}

void pair_free(router_t *router, pair_t *pair)
{
    pair_leave(router, pair, 0);
    pair_leave(router, pair, 1);
    if (pair->request_id != 0) {
        HASH_DELETE(hh_id, router->pairs.compared, pair);
    }
    zmq_msg_close(&pair->results[0]);
    zmq_msg_close(&pair->results[1]);
    zmq_msg_close(&pair->input);
    free(pair);
    router->pairs.count--;
}

void pair_give_up(router_t *router, pair_t *pair)
{
    pair->rollout->incomplete++;
    pair_free(router, pair);
}

/* NULL: no memory */
pair_t *pair_new(router_t *router, const task_t *task, const task_t *shadow)
{
    pair_t *pair = calloc(1, sizeof(*pair));
    if (pair == NULL) {
        return NULL;
    }
    pair->rollout = task->service->rollout;
    memcpy(pair->task_id, task->waiter.id, sizeof(pair->task_id));
    zmq_msg_init(&pair->results[0]);
    zmq_msg_init(&pair->results[1]);
    zmq_msg_init(&pair->input);
    zmq_msg_copy(&pair->input, (zmq_msg_t *)(uintptr_t)&task->payload);
    const task_t *tasks[2] = {task, shadow};
    router->pairs.count++;
    for (size_t side = 0; side < 2; side++) {
        pair->tasks[side] = tasks[side];
        HASH_ADD(hh[side], router->pairs.of_task[side], tasks[side], sizeof(tasks[side]), pair);
        if (pair->hh[side].tbl == NULL) {
            pair->tasks[side] = NULL;
            pair_free(router, pair);
            return NULL;
        }
    }
    return pair;
}

void pair_end(router_t *router, const task_t *task)
{
    pair_t *pair = pair_find(router, task);
    router->pairs.shadows -= task_is_shadow(task);
    if (pair != NULL) {
        pair_give_up(router, pair); /* it had no result */
    }
}

void router_drop_pairs(router_t *router, bool all)
{
    pair_t *pair, *next;
    HASH_ITER(hh_id, router->pairs.compared, pair, next)
    {
        pair_give_up(router, pair);
    }
    for (size_t side = 0; all && side < 2; side++) {
        HASH_ITER(hh[side], router->pairs.of_task[side], pair, next)
        {
            pair_free(router, pair);
        }
    }
}
