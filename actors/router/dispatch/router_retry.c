/* SPDX-License-Identifier: MIT */
#include "actors/router/dispatch/router_retry.h"

#include <string.h>
#include <utlist.h>

#include "actors/router/answer/router_answer.h"
#include "actors/router/base/refusal.h"
#include "actors/router/dispatch/router_poison.h"
#include "actors/router/pool/router_breaker.h"
#include "actors/router/pool/router_rollout.h"
#include "actors/router/pool/router_timer.h"
#include "actors/router/state/router_assign.h"
#include "actors/router/state/router_keys.h"
#include "actors/router/state/router_pair.h"
#include "actors/router/state/router_partial.h"
#include "actors/router/state/router_queue.h"
#include "actors/router/state/router_random.h"
#include "actors/router/state/router_task_end.h"
#include "actors/router/state/router_tasks.h"
#include "actors/router/state/router_workers.h"
#include "runtime/log.h"

#define MS           INT64_C(1000000)
#define RETRY_MAX_MS 1000

/* Refuses a task, with what its last worker ended of, which the message names already. */
static void refuse_for(router_t *router, task_t *task, refusal_t *refusal, const char *line)
{
    refusal_int(refusal, "attempts", task->attempts);
    refusal_text(refusal, "reason", line);
    router_refuse(router, task, refusal);
    task_free(router, task);
}

static void refuse_worker_lost(router_t *router, task_t *task, const trp_reason_t *reason)
{
    char line[TRP_REASON_LINE_MAX];
    refusal_t refusal;
    trp_reason_format(reason, line);
    refusal_init(&refusal, "E_WORKER_LOST", "its worker ended %u times, the last time: %s",
                 task->attempts, line);
    refuse_for(router, task, &refusal, line);
}

static void refuse_no_memory(router_t *router, task_t *task)
{
    refusal_t refusal;
    refusal_init(&refusal, "E_INTERNAL", "no memory to try it again");
    router_refuse(router, task, &refusal);
    task_free(router, task);
}

/* A rest before the next attempt: none before the second, then up to `retry_ms`, doubled each
 * time, at most RETRY_MAX_MS, by chance. */
static int64_t rest_ns(router_t *router, const task_t *task)
{
    int64_t limit_ms = task->service->pool->config->retry_ms;
    if (task->attempts < 2 || limit_ms == 0) {
        return 0;
    }
    uint32_t doublings = task->attempts - 2 < 20 ? task->attempts - 2 : 20;
    limit_ms = limit_ms << doublings < RETRY_MAX_MS ? limit_ms << doublings : RETRY_MAX_MS;
    return (int64_t)(router_random(router) % (uint64_t)(limit_ms * MS));
}

/* Back in front of its queue, where its limit for waiting starts anew: it has run meanwhile. */
static void wait_again(router_t *router, task_t *task)
{
    task->expires_ns = runtime_now_ns(router->runtime) + task->service->pool->config->queue_ms * MS;
    if (!task_enqueue(task, true)) {
        refuse_no_memory(router, task);
    }
}

void task_try_again(router_t *router, task_t *task)
{
    int64_t rest = task->worker != NULL ? rest_ns(router, task) : 0;
    if (task->worker != NULL) {
        task->service->retried++;
        task->avoid = task->worker->member.name;
        task->worker = NULL;
        task->started_ns = 0;
    }
    if (rest == 0) {
        wait_again(router, task);
        return;
    }
    task->state = TASK_RESTING;
    task->again_ns = runtime_now_ns(router->runtime) + rest;
    task_note_end(task);
}

static void set_aside(router_t *router, task_t *task, const trp_reason_t *reason)
{
    char line[TRP_REASON_LINE_MAX];
    refusal_t refusal;
    trp_reason_format(reason, line);
    router_set_aside(router, task);
    refusal_init(&refusal, "E_POISON", "set aside: %u workers died of it, the last one of: %s",
                 task->crashes, line);
    refuse_for(router, task, &refusal, line);
}

/* What becomes of a task whose worker ended: answered already, tried again, set aside, refused. */
static void retry(router_t *router, task_t *task, const trp_reason_t *reason)
{
    bool is_over = task->attempts >= (uint64_t)task->service->pool->config->attempts_max;
    task_unassign(task);
    router_drop_parts(router, task);
    router_note_death(task, reason);
    if (task->service->rollout != NULL) {
        router_rollout_crashed(task);
    }
    if (task_is_shadow(task)) {
        refuse_worker_lost(router, task, reason); /* to nobody */
    } else if (task->answered) {
        task_free(router, task);
    } else if (is_over && task->crashes == task->attempts &&
               !task->service->pool->config->foreign) {
        set_aside(router, task, reason);
    } else if (is_over || task->is_pinned) {
        refuse_worker_lost(router, task, reason);
    } else {
        task_try_again(router, task);
    }
}

/* Those that waited for its keys wait for whoever comes next, or hear that the key is lost. */
static void release_waiting(worker_t *worker)
{
    for (task_t *task; (task = queue_first(&worker->waiting)) != NULL;) {
        if (!queue_move(&worker->pool->queue, task)) {
            task_dequeue(task, false);
            refuse_no_memory(worker->pool->router, task);
        }
    }
}

void router_worker_down(worker_t *worker, const trp_reason_t *reason)
{
    router_t *router = worker->pool->router;
    uint64_t monitor = worker->monitor;
    router_keys_lose(router, worker, reason);
    worker_leave(worker);
    if (worker->tasks != NULL) {
        char line[TRP_REASON_LINE_MAX];
        trp_reason_format(reason, line);
        log_event(LOG_WARN, "worker_died_at_work", LOG_TEXT("worker", worker->name),
                  LOG_TEXT("task_id", worker->tasks->waiter.id),
                  LOG_INT("tasks", worker->member.load), LOG_TEXT("reason", line));
        pool_attempt_ended(worker->pool, true);
    }
    while (worker->tasks != NULL) {
        retry(router, worker->tasks->prev, reason); /* the last first: the oldest ends in front */
    }
    release_waiting(worker);
    worker_remove(worker);
    if (router->ctx != NULL && monitor != 0) {
        trp_demonitor(router->ctx, monitor);
    }
}

/* The former router actor's attempts are over: their answers would come to nobody. The worker may
 * still be at one of them. */
static void take_back_tasks(worker_t *worker)
{
    router_t *router = worker->pool->router;
    const trp_reason_t crashed = trp_reason(TRP_REASON_ERROR, TRP_FAILED, "the router crashed");
    while (worker->tasks != NULL) {
        task_t *task = worker->tasks->prev; /* the last first: the oldest ends in front */
        task_unassign(task);
        router_drop_parts(router, task);
        if (task->answered) {
            task_free(router, task);
        } else if (task->is_pinned) {
            refuse_worker_lost(router, task, &crashed);
        } else {
            task_try_again(router, task);
        }
    }
}

/* Tasks of a key run one after another, so one that may still run can't be given to another worker
 * beside: this worker's end puts them back. */
static bool holds_up_a_key(const worker_t *worker)
{
    for (const task_t *task = worker->tasks; task != NULL; task = task->next) {
        if (worker->pool->config->order != 0 && task->key[0] != '\0') {
            return true;
        }
    }
    return false;
}

static void resume_worker(router_t *router, worker_t *worker)
{
    const trp_reason_t unwatched =
        trp_reason(TRP_REASON_ERROR, TRP_NO_MEMORY, "it could not be watched");
    const bool is_to_end = holds_up_a_key(worker);
    if (!is_to_end) {
        take_back_tasks(worker);
    }
    if (trp_monitor(router->ctx, worker->pid, &worker->monitor) != TRP_OK) {
        router_worker_down(worker, &unwatched);
    } else if (is_to_end) {
        const trp_reason_t kill = trp_reason(TRP_REASON_KILLED, 0, "the router crashed");
        worker_leave(worker);
        trp_exit(router->ctx, worker->pid, &kill);
    }
}

void router_resume(router_t *router)
{
    for (size_t i = 0; i < router->pool_count; i++) {
        pool_t *pool = router->pools[i];
        worker_t *worker, *next;
        DL_FOREACH_SAFE(pool->workers, worker, next)
        {
            if (worker->foreign == NULL) { /* else it answers to the port, which has outlived us */
                resume_worker(router, worker);
            }
        }
        pool->supervisor = TRP_PID_NONE;
        pool->growing = false;
        pool->grow_at_ns = 0;
        pool->timer = 0; /* it ended with the former actor */
        pool_set_timer(pool);
    }
    router->foreign.beat_timer = 0; /* as well */
    router_drop_pairs(router, false);
}
