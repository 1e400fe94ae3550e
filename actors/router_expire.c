/* SPDX-License-Identifier: MIT */
/* What time alone ends: tasks that waited too long, deadlines of running tasks, workers above the
 * minimum that idle. One timer for each pool, set only while something can expire: an idle node
 * wakes for nothing. */
#include <utlist.h>

#include "actors/router_state.h"

#define MS INT64_C(1000000)

static int64_t task_end(const task_t *task)
{
    return task->expires_ns < task->deadline_ns ? task->expires_ns : task->deadline_ns;
}

static void refuse_expired(router_t *router, task_t *task, int64_t now)
{
    bool deadline = task->deadline_ns <= now;
    refusal_t refusal;
    refusal_init(&refusal, deadline ? "E_EXPIRED" : "E_NO_WORKER",
                 deadline ? "the deadline passed before it was started"
                          : "no worker was free within the limit for waiting");
    refusal_int(&refusal, "waited_ms", (now - task->accepted_ns) / MS);
    task_dequeue(task);
    router_refuse(router, task, &refusal);
    task_free(router, task);
}

/* Answers a running task whose client waits no longer; it goes on holding its worker's place. */
static void refuse_running(router_t *router, task_t *task)
{
    int64_t limit_ms = (task->deadline_ns - task->accepted_ns) / MS;
    refusal_t refusal;
    refusal_init(&refusal, "E_TIMEOUT", "not done within its deadline of %lld ms",
                 (long long)limit_ms);
    refusal_int(&refusal, "limit_ms", limit_ms);
    router_refuse(router, task, &refusal);
    task->answered = true;
    task->deadline_ns = INT64_MAX;
}

/* Workers that nobody has asked to leave. */
static int64_t staying(const pool_t *pool)
{
    int64_t count = 0;
    const worker_t *worker;
    DL_FOREACH(pool->workers, worker)
    {
        count += !worker->leaving;
    }
    return count;
}

static void cancel(router_t *router, task_t *task)
{
    if (!task->answered) {
        refusal_t refusal;
        refusal_init(&refusal, "E_CANCELLED", "the node stopped before it was done");
        router_refuse(router, task, &refusal);
    }
    task_free(router, task);
}

void router_cancel_all(router_t *router)
{
    for (size_t i = 0; i < router->pool_count; i++) {
        task_t *task, *next;
        worker_t *worker;
        DL_FOREACH_SAFE(router->pools[i].queue, task, next)
        {
            task_dequeue(task);
            cancel(router, task);
        }
        DL_FOREACH(router->pools[i].workers, worker)
        {
            DL_FOREACH_SAFE(worker->tasks, task, next)
            {
                task_unassign(task);
                cancel(router, task);
            }
        }
    }
}

static bool may_leave(const worker_t *worker)
{
    return worker->inflight == 0 && worker->keys == 0 && !worker->leaving;
}

static void expire_workers(pool_t *pool, int64_t now)
{
    worker_t *worker, *next;
    DL_FOREACH_SAFE(pool->workers, worker, next)
    {
        if (staying(pool) > pool->config->min && may_leave(worker) &&
            worker->idle_ns + pool->config->idle_ms * MS <= now) {
            pool_shrink(pool, worker);
        }
    }
}

/* The next moment at which pool_on_timer has something to do; INT64_MAX: none. */
static int64_t next_end(const pool_t *pool)
{
    int64_t end = INT64_MAX;
    const task_t *task;
    DL_FOREACH(pool->queue, task)
    {
        int64_t own = task_end(task);
        end = own < end ? own : end;
    }
    bool above_min = staying(pool) > pool->config->min;
    const worker_t *worker;
    DL_FOREACH(pool->workers, worker)
    {
        if (above_min && may_leave(worker)) {
            int64_t own = worker->idle_ns + pool->config->idle_ms * MS;
            end = own < end ? own : end;
        }
        DL_FOREACH(worker->tasks, task)
        {
            end = task->deadline_ns < end ? task->deadline_ns : end;
        }
    }
    return end;
}

void pool_on_timer(pool_t *pool)
{
    int64_t now = runtime_now_ns(pool->router->runtime);
    pool->timer = 0;
    task_t *task, *next;
    DL_FOREACH_SAFE(pool->queue, task, next)
    {
        if (task_end(task) <= now) {
            refuse_expired(pool->router, task, now);
        }
    }
    worker_t *worker;
    DL_FOREACH(pool->workers, worker)
    {
        DL_FOREACH(worker->tasks, task)
        {
            if (task->deadline_ns <= now) {
                refuse_running(pool->router, task);
            }
        }
    }
    expire_workers(pool, now);
    pool->earliest_ns = next_end(pool);
    pool_dispatch(pool); /* the pause after a refused growth may be over */
    router_check_drained(pool->router);
}

void pool_set_timer(pool_t *pool)
{
    int64_t now = runtime_now_ns(pool->router->runtime);
    if (pool->earliest_ns == INT64_MAX ||
        (pool->timer != 0 && pool->timer_ns <= pool->earliest_ns)) {
        return;
    }
    if (pool->timer != 0) {
        trp_timer_cancel(pool->router->ctx, pool->timer);
    }
    int64_t delay_ms = pool->earliest_ns <= now ? 0 : (pool->earliest_ns - now + MS - 1) / MS;
    pool->timer_ns = now + delay_ms * MS;
    if (trp_timer_start(pool->router->ctx, delay_ms, 0, ROUTER_TAG_TIMER, &pool->timer) != TRP_OK) {
        pool->timer = 0; /* no memory: the next dispatch tries again */
    }
}
