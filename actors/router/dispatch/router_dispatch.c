/* SPDX-License-Identifier: MIT */
#include "actors/router/dispatch/router_dispatch.h"

#include <utlist.h>

#include "actors/router/answer/router_answer.h"
#include "actors/router/base/balance.h"
#include "actors/router/base/refusal.h"
#include "actors/router/dispatch/router_foreign.h"
#include "actors/router/pool/router_breaker.h"
#include "actors/router/pool/router_scale.h"
#include "actors/router/pool/router_timer.h"
#include "actors/router/state/router_assign.h"
#include "actors/router/state/router_keys.h"
#include "actors/router/state/router_queue.h"
#include "actors/router/state/router_random.h"
#include "actors/router/state/router_tasks.h"
#include "actors/router/state/router_workers.h"
#include "runtime/log.h"

typedef enum verdict {
    VERDICT_GIVE,
    VERDICT_FULL, /* no place for what is in this queue; one more worker would help */
    VERDICT_HELD, /* by a worker without a place free */
    VERDICT_LOST,
    VERDICT_NO_CAPACITY
} verdict_t;

static worker_t *of_member(balance_member_t *member)
{
    return (worker_t *)member; /* its first member */
}

static worker_t *pick(pool_t *pool, const task_t *task)
{
    balance_task_t wish = {.key = task->key[0] != '\0' ? task->key : NULL,
                           .chance = router_random(pool->router),
                           .avoid = task->avoid};
    return of_member(balance_pick(&pool->balance, &wish));
}

/* What is in flight at a worker may make a key, too. */
static bool has_room_for_key(const worker_t *worker)
{
    uint64_t keys_max = (uint64_t)worker->pool->config->keys_max;
    return keys_max == 0 || worker->member.keys + worker->member.load < keys_max;
}

/* A worker for a new key: the strategy's if it has room for one, else whoever has the fewest. */
static verdict_t choose_for_new_key(pool_t *pool, const task_t *task, worker_t **chosen)
{
    *chosen = pick(pool, task);
    if (*chosen != NULL && has_room_for_key(*chosen)) {
        return VERDICT_GIVE;
    }
    bool someone_below = false;
    worker_t *best = NULL;
    worker_t *worker;
    DL_FOREACH(pool->workers, worker)
    {
        if (worker->leaving || worker->ejected_ns != 0 || !has_room_for_key(worker)) {
            continue;
        }
        someone_below = true;
        if (worker_has_place(worker) &&
            (best == NULL ||
             worker->member.keys + worker->member.load < best->member.keys + best->member.load)) {
            best = worker;
        }
    }
    *chosen = best;
    if (best != NULL) {
        return VERDICT_GIVE;
    }
    bool whole = pool->worker_count >= pool_max(pool); /* nobody is on the way */
    bool hopeless = !someone_below && whole && pool->running == 0;
    return hopeless ? VERDICT_NO_CAPACITY : VERDICT_FULL;
}

static verdict_t choose(pool_t *pool, const task_t *task, worker_t **chosen)
{
    if (task->service->makes_key) {
        return choose_for_new_key(pool, task, chosen);
    }
    key_entry_t *key = task->key[0] == '\0' ? NULL : router_key_find(pool->router, task->key);
    if (key != NULL && key->worker == NULL) {
        return VERDICT_LOST;
    }
    if (key != NULL && key->worker->pool == pool) {
        *chosen = key->worker;
        return worker_has_place(key->worker) ? VERDICT_GIVE : VERDICT_HELD;
    }
    *chosen = pick(pool, task);
    return *chosen != NULL ? VERDICT_GIVE : VERDICT_FULL;
}

/* A request to an actor of ours, whose limit is that of the run. It has the task's deadline, which
 * then holds for what the worker asks of others; after it, it does not begin. */
static trp_status_t send_run(router_t *router, task_t *task, const worker_t *worker)
{
    const int64_t left_ms = task_left_ms(task, runtime_now_ns(router->runtime));
    zmq_msg_t payload;
    zmq_msg_init(&payload);
    zmq_msg_copy(&payload, &task->payload);
    trp_request_t request = {.to = worker->pid,
                             .tag = TRP_TAG_TASK_RUN,
                             .message = &payload,
                             .timeout_ms = worker->pool->config->run_ms,
                             .within_ms = left_ms == INT64_MAX ? 0 : left_ms};
    trp_status_t status = trp_request(router->ctx, &request, &task->request_id);
    zmq_msg_close(&payload);
    return status;
}

/* False: it stays in the queue; a place that gets free tries again. */
static bool give(router_t *router, task_t *task, worker_t *worker)
{
    trp_status_t status = worker->foreign != NULL ? foreign_send(router, worker, task)
                                                  : send_run(router, task, worker);
    if (status == TRP_GONE && worker->foreign != NULL) {
        foreign_disconnect(router, worker->foreign, "it can't be reached");
    }
    if (status != TRP_OK) {
        return false;
    }
    if (!task_assign(task, worker)) { /* no memory; what the worker answers finds nothing */
        trp_request_cancel(router->ctx, task->request_id);
        return false;
    }
    if (log_enabled(LOG_DEBUG)) {
        log_event(LOG_DEBUG, "task_assigned", LOG_TEXT("task_id", task->waiter.id),
                  LOG_TEXT("tool", task->service->name), LOG_TEXT("worker", worker->name),
                  LOG_INT("attempt", task->attempts));
    }
    return true;
}

static void refuse_lost(router_t *router, task_t *task)
{
    key_entry_t *key = router_key_find(router, task->key);
    char reason[TRP_REASON_LINE_MAX];
    refusal_t refusal;
    trp_reason_format(&key->reason, reason);
    refusal_init(&refusal, "E_WORKER_LOST", "the worker that held \"%s\" ended: %s", task->key,
                 reason);
    refusal_int(&refusal, "attempts", task->attempts);
    refusal_text(&refusal, "reason", reason);
    task_dequeue(task, true);
    router_refuse(router, task, &refusal);
    task_free(router, task);
}

static void refuse_no_capacity(router_t *router, task_t *task)
{
    const config_pool_t *config = task->service->pool->config;
    refusal_t refusal;
    refusal_init(&refusal, "E_NO_CAPACITY", "all %lld workers of pool %s hold %lld keys each",
                 (long long)pool_max(task->service->pool), task->service->pool->name,
                 (long long)config->keys_max);
    task_dequeue(task, true);
    router_refuse(router, task, &refusal);
    task_free(router, task);
}

/* Acts on the task whose turn it is in its queue. False: that queue has to wait. */
static bool serve(pool_t *pool, task_t *task)
{
    worker_t *worker = NULL;
    worker_t *holder = task->queue == &pool->queue || task->queue == &pool->makers
                           ? NULL
                           : pool->ready; /* whose own queue this is */
    verdict_t verdict = choose(pool, task, &worker);
    bool done = true;
    switch (verdict) {
    case VERDICT_GIVE:
        done = holder == NULL || worker == holder ? give(pool->router, task, worker)
                                                  : queue_move(&pool->queue, task);
        break;
    case VERDICT_HELD:
        done = queue_move(&worker->waiting, task);
        worker_changed(worker);
        break;
    case VERDICT_LOST:
        refuse_lost(pool->router, task);
        break;
    case VERDICT_NO_CAPACITY:
        refuse_no_capacity(pool->router, task);
        break;
    case VERDICT_FULL: /* a key that its holder gave back waits with all others again */
        done = holder != NULL && queue_move(&pool->queue, task);
        pool->wants_more |= holder == NULL;
        break;
    }
    if (holder != NULL) {
        worker_changed(holder);
    }
    return done;
}

static bool goes_before(const task_t *a, const task_t *b)
{
    if (a == NULL || b == NULL) {
        return b == NULL;
    }
    return a->priority != b->priority ? a->priority > b->priority
                                      : a->accepted_ns <= b->accepted_ns;
}

/* A queue that has to wait, waits for what only another turn of the router changes. */
void pool_dispatch(pool_t *pool)
{
    bool any = true, makers = true, held = true;
    pool->wants_more = false;
    while (pool_may_start(pool)) {
        task_t *task = any ? queue_first(&pool->queue) : NULL;
        task_t *maker = makers ? queue_first(&pool->makers) : NULL;
        task_t *own = held && pool->ready != NULL ? queue_first(&pool->ready->waiting) : NULL;
        task_t *next = goes_before(task, maker) ? task : maker;
        next = goes_before(next, own) ? next : own;
        if (next == NULL) {
            break;
        }
        if (!serve(pool, next)) {
            any &= next != task;
            makers &= next != maker;
            held &= next != own;
        }
    }
    pool_send_off(pool);
    pool_scale_up(pool);
    pool_set_timer(pool);
}
