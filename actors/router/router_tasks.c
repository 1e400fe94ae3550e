/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <utlist.h>

#include "actors/router/router_parts.h"

/* splitmix64 (Steele, Lea, Flood): ids must differ, not be secret. */
uint64_t router_random(router_t *router)
{
    uint64_t z = (router->random += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static char *write_hex(char *at, uint64_t value, unsigned digits)
{
    for (unsigned shift = 4 * digits; shift > 0; shift -= 4) {
        *at++ = "0123456789abcdef"[value >> (shift - 4) & 15];
    }
    return at;
}

/* UUID version 4. By hand: printf took a tenth of a task's time. */
void router_make_id(router_t *router, char id[37])
{
    const uint64_t a = (router_random(router) & 0xffffffffffff0fffu) | 0x4000u;
    const uint64_t b = (router_random(router) & 0x3fffffffffffffffu) | 0x8000000000000000u;
    char *at = write_hex(id, a >> 32, 8);
    *at++ = '-';
    at = write_hex(at, a >> 16, 4);
    *at++ = '-';
    at = write_hex(at, a, 4);
    *at++ = '-';
    at = write_hex(at, b >> 48, 4);
    *at++ = '-';
    *write_hex(at, b, 12) = '\0';
}

task_t *task_new(router_t *router, service_t *service)
{
    task_t *task = calloc(1, sizeof(*task));
    if (task == NULL) {
        return NULL;
    }
    router_make_id(router, task->waiter.id);
    task->service = service;
    task->accepted_ns = runtime_now_ns(router->runtime);
    task->waiter.deadline_ns = INT64_MAX;
    task->expires_ns = INT64_MAX;
    task->run_end_ns = INT64_MAX;
    task->priority = QUEUE_PRIORITY_DEFAULT;
    zmq_msg_init(&task->payload);
    router->tasks++;
    return task;
}

size_t task_bytes(task_t *task)
{
    size_t size = zmq_msg_size(&task->payload);
    for (uint32_t i = 0; i < task->more_count; i++) {
        size += zmq_msg_size(&task->more[i]);
    }
    return size;
}

void task_free(router_t *router, task_t *task)
{
    router->tasks--;
    router->bytes -= task_bytes(task);
    heap_remove(&task->service->pool->ends, &task->end);
    if (task->service->rollout != NULL) {
        router_rollout_ended(router, task);
    }
    if (task->service->pool->sequences != NULL) {
        sequence_leave(task);
    }
    router_flight_end(router, task, NULL);
    zmq_msg_close(&task->payload);
    for (uint32_t i = 0; i < task->more_count; i++) {
        zmq_msg_close(&task->more[i]);
    }
    free(task->more);
    free(task->reasons);
    router_drop_parts(router, task);
    waiter_t gone;
    while (task_next_waiter(task, &gone)) {
        router_waiter_gone(router, &gone);
    }
    router_waiter_gone(router, &task->waiter);
    free(task);
}

/* ---- who waits ---- */

void waiter_fini(waiter_t *waiter)
{
    free(waiter->origin.peer);
    waiter->origin.peer = NULL;
}

bool task_next_waiter(task_t *task, waiter_t *gone)
{
    waiter_t *next = task->joined;
    if (next == NULL) {
        return false;
    }
    *gone = task->waiter;
    task->waiter = *next;
    task->joined = next->next;
    task->service->pool->joined--;
    free(next);
    return true;
}

bool task_join(task_t *task, const waiter_t *waiter)
{
    waiter_t *joined = malloc(sizeof(*joined));
    if (joined == NULL) {
        return false;
    }
    *joined = *waiter;
    if (joined->deadline_ns < task->waiter.deadline_ns) {
        waiter_t first = task->waiter;
        task->waiter = *joined;
        *joined = first;
    }
    waiter_t **link = &task->joined;
    while (*link != NULL && (*link)->deadline_ns <= joined->deadline_ns) {
        link = &(*link)->next;
    }
    joined->next = *link;
    *link = joined;
    task->service->pool->joined++;
    task_note_end(task);
    return true;
}

static bool is_of(const waiter_t *waiter, const origin_t *origin)
{
    const origin_t *own = &waiter->origin;
    if (own->peer == NULL || origin->peer == NULL) {
        return own->peer == origin->peer && trp_pid_equal(own->actor.to, origin->actor.to) &&
               own->actor.request_id == origin->actor.request_id;
    }
    return own->peer->size == origin->peer->size &&
           memcmp(own->peer->id, origin->peer->id, own->peer->size) == 0 &&
           strcmp(own->id, origin->id) == 0;
}

bool task_take_waiter(task_t *task, const origin_t *origin, waiter_t *gone)
{
    if (is_of(&task->waiter, origin)) {
        return task_next_waiter(task, gone);
    }
    for (waiter_t **link = &task->joined; *link != NULL; link = &(*link)->next) {
        if (is_of(*link, origin)) {
            waiter_t *found = *link;
            *gone = *found;
            *link = found->next;
            task->service->pool->joined--;
            free(found);
            return true;
        }
    }
    return false;
}

/* ---- queues ---- */

int64_t task_end(const task_t *task)
{
    int64_t limit = task->state == TASK_QUEUED    ? task->expires_ns
                    : task->state == TASK_RESTING ? task->again_ns
                                                  : task->run_end_ns;
    int64_t deadline = task->answered ? INT64_MAX : task->waiter.deadline_ns;
    return limit < deadline ? limit : deadline;
}

void task_note_end(task_t *task)
{
    uint64_t end = (uint64_t)task_end(task);
    if (heap_holds(&task->end) && task->end.score != end) {
        (void)heap_put(&task->service->pool->ends, &task->end, end); /* moved: takes no memory */
    }
}

bool task_enqueue(task_t *task, bool in_front)
{
    pool_t *pool = task->service->pool;
    queue_t *queue = task->service->makes_key ? &pool->makers : &pool->queue;
    task->state = TASK_QUEUED;
    if (!heap_put(&pool->ends, &task->end, (uint64_t)task_end(task)) ||
        ((pool->config->order != 0 || pool->sequences != NULL) && !sequence_join(task)) ||
        (!task->is_held && !queue_put(queue, task, in_front))) {
        return false;
    }
    pool->queued++;
    return true;
}

bool task_hold(task_t *task, worker_t *worker)
{
    return queue_move(&worker->waiting, task);
}

void task_dequeue(task_t *task, bool served)
{
    if (task->is_held) {
        sequence_take(task);
    } else if (served) {
        queue_took(task->queue, task);
    } else {
        queue_remove(task->queue, task);
    }
    task->service->pool->queued--;
}
