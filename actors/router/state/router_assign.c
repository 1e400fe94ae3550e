/* SPDX-License-Identifier: MIT */
#include "actors/router/state/router_assign.h"

#include <utlist.h>

#include "actors/router/base/balance.h"
#include "actors/router/state/router_partial.h"
#include "actors/router/state/router_task_end.h"
#include "actors/router/state/router_tasks.h"
#include "actors/router/state/router_workers.h"

void pool_note_use(pool_t *pool)
{
    int64_t now = runtime_now_ns(pool->router->runtime);
    int64_t used_ns = (now - pool->use_ns) * (int64_t)pool->running;
    pool->used_ns += used_ns;
    pool->total_ns += used_ns;
    pool->use_ns = now;
}

bool task_assign(task_t *task, worker_t *worker)
{
    pool_t *pool = worker->pool;
    router_t *router = pool->router;
    HASH_ADD(hh, router->running, request_id, sizeof(task->request_id), task);
    if (task->hh.tbl == NULL) {
        return false;
    }
    task_dequeue(task, true);
    task->state = TASK_RUNNING;
    task->started_ns = runtime_now_ns(router->runtime);
    task->run_end_ns =
        worker->foreign != NULL ? task->started_ns + pool->config->run_ms * 1000000 : INT64_MAX;
    task->attempts++;
    router_forget_parts(task);
    task->worker = worker;
    task_note_end(task);
    DL_APPEND(worker->tasks, task);
    pool_note_use(pool);
    pool->running++;
    balance_given(&pool->balance, &worker->member);
    worker_changed(worker);
    return true;
}

void task_unassign(task_t *task)
{
    worker_t *worker = task->worker;
    pool_t *pool = worker->pool;
    HASH_DEL(pool->router->running, task);
    DL_DELETE(worker->tasks, task);
    pool_note_use(pool);
    pool->running--;
    balance_returned(&pool->balance, &worker->member);
    worker_changed(worker);
}
