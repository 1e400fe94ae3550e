/* SPDX-License-Identifier: MIT */
#include "actors/router/dispatch/router_expire.h"

#include <stddef.h>
#include <utlist.h>

#include "actors/router/answer/router_answer.h"
#include "actors/router/base/heap.h"
#include "actors/router/base/refusal.h"
#include "actors/router/dispatch/router_dispatch.h"
#include "actors/router/dispatch/router_result.h"
#include "actors/router/dispatch/router_retry.h"
#include "actors/router/pool/router_scale.h"
#include "actors/router/pool/router_timer.h"
#include "actors/router/state/router_assign.h"
#include "actors/router/state/router_calls.h"
#include "actors/router/state/router_queue.h"
#include "actors/router/state/router_task_end.h"
#include "actors/router/state/router_tasks.h"
#include "actors/router/state/router_turn.h"
#include "actors/router/state/router_workers.h"

#define MS INT64_C(1000000)

static void refuse_expired(router_t *router, const task_t *task, const waiter_t *waiter,
                           int64_t now)
{
    bool deadline = waiter->deadline_ns <= now;
    const pool_t *pool = task->service->pool;
    bool is_unknown = pool->is_unlisted && !pool->was_served;
    refusal_t refusal;
    if (is_unknown && !deadline) {
        refusal_init(&refusal, "E_UNKNOWN_TOOL", "no tool is called \"%.63s\"",
                     task->service->name);
    } else {
        refusal_init(&refusal, deadline ? "E_EXPIRED" : "E_NO_WORKER",
                     deadline ? "the deadline passed before it was started"
                              : "no worker was free within the limit for waiting");
    }
    refusal_int(&refusal, "waited_ms", (now - task->accepted_ns) / MS);
    router_refuse_waiter(router, task, waiter, &refusal);
}

static void refuse_running(router_t *router, const task_t *task, const waiter_t *waiter)
{
    int64_t limit_ms = (waiter->deadline_ns - task->accepted_ns) / MS;
    refusal_t refusal;
    refusal_init(&refusal, "E_TIMEOUT", "not done within its deadline of %lld ms",
                 (long long)limit_ms);
    refusal_int(&refusal, "limit_ms", limit_ms);
    router_refuse_waiter(router, task, waiter, &refusal);
}

/* Refuses the waiter whose time has come. False: it was the last one. */
static bool end_waiter(router_t *router, task_t *task, int64_t now)
{
    waiter_t gone;
    bool is_left = task_next_waiter(task, &gone);
    const waiter_t *waiter = is_left ? &gone : &task->waiter;
    if (task->state != TASK_RUNNING) {
        refuse_expired(router, task, waiter, now);
    } else {
        refuse_running(router, task, waiter);
    }
    if (is_left) {
        router_waiter_gone(router, &gone);
    }
    return is_left;
}

/* Time has come for the task: one who waits for it, or all. */
static void end_task(router_t *router, task_t *task, int64_t now)
{
    if (task->state == TASK_RUNNING && task->run_end_ns <= now) {
        router_over_limit(router, task);
        return;
    }
    if (task->state == TASK_RESTING && task->waiter.deadline_ns > now) {
        task_try_again(router, task);
        return;
    }
    bool is_left = end_waiter(router, task, now);
    while (is_left && task->state == TASK_QUEUED && task->expires_ns <= now) {
        is_left = end_waiter(router, task, now);
    }
    if (is_left) {
        task_note_end(task);
    } else if (task->state == TASK_RUNNING) {
        router_all_answered(router, task);
        task_note_end(task);
    } else {
        if (task->state == TASK_QUEUED) {
            task_dequeue(task, false);
        }
        task_free(router, task);
    }
}

/* ---- the end of the node ---- */

static void cancel(router_t *router, task_t *task)
{
    if (!task->answered) {
        refusal_t refusal;
        refusal_init(&refusal, "E_CANCELLED", "the node stopped before it was done");
        router_refuse(router, task, &refusal);
    }
    task_free(router, task);
}

static void cancel_queue(router_t *router, queue_t *queue)
{
    for (task_t *task; (task = queue_first(queue)) != NULL;) {
        task_dequeue(task, false);
        cancel(router, task);
    }
}

void router_cancel_all(router_t *router)
{
    for (size_t i = 0; i < router->pool_count; i++) {
        pool_t *pool = router->pools[i];
        worker_t *worker;
        cancel_queue(router, &pool->queue);
        cancel_queue(router, &pool->makers);
        DL_FOREACH(pool->workers, worker)
        {
            cancel_queue(router, &worker->waiting);
            while (worker->tasks != NULL) {
                task_t *task = worker->tasks;
                task_unassign(task);
                cancel(router, task);
            }
        }
        for (heap_node_t *end; (end = heap_first(&pool->ends)) != NULL;) {
            cancel(router, task_of_end(end)); /* those that rest */
        }
    }
}

/* ---- the timer ---- */

void pool_on_timer(pool_t *pool)
{
    int64_t now = runtime_now_ns(pool->router->runtime);
    pool->timer = 0;
    while (pool_tasks_end_at(pool) <= now) {
        end_task(pool->router, task_of_end(heap_first(&pool->ends)), now);
    }
    pool_end_idle(pool, now);
    pool_scale_down(pool);
    pool_readmit(pool);
    pool_dispatch(pool); /* the pause after a refused growth may be over */
    router_check_drained(pool->router);
}
