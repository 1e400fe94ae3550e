/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <utlist.h>

#include "actors/router_state.h"

/* splitmix64 (Steele, Lea, Flood): ids must differ, not be secret. */
static uint64_t next_random(router_t *router)
{
    uint64_t z = (router->random += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* UUID version 4. */
void router_make_id(router_t *router, char id[37])
{
    uint64_t a = (next_random(router) & 0xffffffffffff0fffu) | 0x4000u;
    uint64_t b = (next_random(router) & 0x3fffffffffffffffu) | 0x8000000000000000u;
    snprintf(id, 37, "%08x-%04x-%04x-%04x-%012llx", (unsigned)(a >> 32),
             (unsigned)(a >> 16) & 0xffffu, (unsigned)a & 0xffffu, (unsigned)(b >> 48),
             (unsigned long long)(b & 0xffffffffffffu));
}

task_t *task_new(router_t *router, service_t *service)
{
    task_t *task = calloc(1, sizeof(*task));
    if (task == NULL) {
        return NULL;
    }
    router_make_id(router, task->id);
    task->service = service;
    task->accepted_ns = runtime_now_ns(router->runtime);
    task->deadline_ns = INT64_MAX;
    zmq_msg_init(&task->payload);
    router->tasks++;
    return task;
}

void task_free(router_t *router, task_t *task)
{
    router->tasks--;
    router->bytes -= zmq_msg_size(&task->payload);
    zmq_msg_close(&task->payload);
    free(task->origin.peer);
    free(task);
}

void pool_note_end(pool_t *pool, int64_t end_ns)
{
    if (end_ns < pool->earliest_ns) {
        pool->earliest_ns = end_ns;
    }
}

void task_enqueue(task_t *task, bool in_front)
{
    pool_t *pool = task->service->pool;
    task->state = TASK_QUEUED;
    if (in_front) {
        DL_PREPEND(pool->queue, task);
    } else {
        DL_APPEND(pool->queue, task);
    }
    pool->queued++;
    pool_note_end(pool,
                  task->expires_ns < task->deadline_ns ? task->expires_ns : task->deadline_ns);
}

void task_dequeue(task_t *task)
{
    pool_t *pool = task->service->pool;
    DL_DELETE(pool->queue, task);
    pool->queued--;
}
