/* SPDX-License-Identifier: MIT */
/* What time alone ends: tasks that waited too long, deadlines of running tasks, workers above the
 * minimum that idle. One timer for each pool, set only while something can expire: an idle node
 * wakes for nothing. */
#include <stddef.h>
#include <utlist.h>

#include "actors/router/router_parts.h"

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

static int64_t idle_end(const pool_t *pool)
{
    bool above = pool->idle != NULL && pool_staying(pool) > (uint64_t)pool->config->min;
    return above && pool->config->foreign == 0 ? pool->idle->idle_ns + pool->config->idle_ms * MS
                                               : INT64_MAX;
}

static void end_idle(pool_t *pool, int64_t now)
{
    while (idle_end(pool) <= now) {
        if (!pool_shrink(pool, pool->idle)) {
            pool->idle->idle_ns = now; /* nobody to ask just now: as if it had become idle */
            return;
        }
    }
}

static int64_t task_ends(const pool_t *pool)
{
    const heap_node_t *first = heap_first(&pool->ends);
    return first != NULL ? (int64_t)first->score : INT64_MAX;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The next moment at which pool_on_timer has something to do; INT64_MAX: none. */
static int64_t next_end(const pool_t *pool, int64_t now)
{
    int64_t open_ns = pool_open_until(pool);
    bool pauses = pool->wants_more && pool->grow_at_ns > now;
    int64_t breaker = pool->queued > 0 && open_ns > now ? open_ns : INT64_MAX;
    int64_t grow = pauses ? pool->grow_at_ns : INT64_MAX;
    int64_t size = smaller(pool_scale_down_at(pool), pool_readmits_at(pool));
    return smaller(smaller(task_ends(pool), idle_end(pool)), smaller(smaller(breaker, grow), size));
}

void pool_on_timer(pool_t *pool)
{
    int64_t now = runtime_now_ns(pool->router->runtime);
    pool->timer = 0;
    while (task_ends(pool) <= now) {
        end_task(pool->router, task_of_end(heap_first(&pool->ends)), now);
    }
    if (idle_end(pool) <= now) {
        end_idle(pool, now);
    }
    pool_scale_down(pool);
    pool_readmit(pool);
    pool_dispatch(pool); /* the pause after a refused growth may be over */
    router_check_drained(pool->router);
}

void pool_set_timer(pool_t *pool)
{
    int64_t now = runtime_now_ns(pool->router->runtime);
    int64_t end = next_end(pool, now);
    if (end == INT64_MAX || (pool->timer != 0 && pool->timer_ns <= end)) {
        return;
    }
    if (pool->timer != 0) {
        trp_timer_cancel(pool->router->ctx, pool->timer);
    }
    int64_t delay_ms = end <= now ? 1 : (end - now + MS - 1) / MS;
    pool->timer_ns = now + delay_ms * MS;
    if (trp_timer_start(pool->router->ctx, delay_ms, 0, ROUTER_TAG_TIMER, &pool->timer) != TRP_OK) {
        pool->timer = 0; /* no memory: the next dispatch tries again */
    }
}
