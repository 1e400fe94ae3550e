/* SPDX-License-Identifier: MIT */
#include "actors/router/state/router_tasks.h"

#include <stdlib.h>
#include <utlist.h>

#include "actors/router/base/frame.h"
#include "actors/router/base/heap.h"
#include "actors/router/state/router_calls.h"
#include "actors/router/state/router_flight.h"
#include "actors/router/state/router_pair.h"
#include "actors/router/state/router_partial.h"
#include "actors/router/state/router_queue.h"
#include "actors/router/state/router_random.h"
#include "actors/router/state/router_sequence.h"
#include "actors/router/state/router_task_end.h"

#define MS INT64_C(1000000)

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
        pair_end(router, task);
    }
    if (task->service->pool->sequences != NULL) {
        sequence_leave(task);
    }
    router_flight_end(router, task, NULL);
    zmq_msg_close(&task->payload);
    frames_close(task->more, task->more_count);
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

void router_all_answered(router_t *router, task_t *task)
{
    router_waiter_gone(router, &task->waiter);
    router_flight_end(router, task, NULL); /* who asks from now on begins anew */
    task->answered = true;
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

int64_t task_left_ms(const task_t *task, int64_t now_ns)
{
    const waiter_t *last = &task->waiter; /* whose time is up last */
    if (task->flight != NULL) {
        return INT64_MAX; /* more may join */
    }
    while (waiter_next(task, last) != NULL) {
        last = waiter_next(task, last);
    }
    if (last->deadline_ns == INT64_MAX) {
        return INT64_MAX;
    }
    const int64_t left_ns = last->deadline_ns - now_ns;
    return left_ns > MS ? left_ns / MS : 1;
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
