/* SPDX-License-Identifier: MIT */
/* Who does what, and what becomes of it.
 *
 *     the task has a key     held by a worker: that one, or wait for it;  lost: refused;  unknown:
 * the least loaded its tool makes a key   the worker with the fewest keys, below keys_max;  none
 * left: grow the pool, or refuse else                   the least loaded worker with a place free;
 * none: grow the pool, wait
 */
#include <utlist.h>

#include "actors/router_state.h"
#include "runtime/log.h"

typedef enum verdict {
    VERDICT_GIVE,
    VERDICT_WAIT, /* for a place; one more worker would help */
    VERDICT_HELD, /* for the worker that holds its key */
    VERDICT_FULL,
    VERDICT_LOST,
    VERDICT_NO_CAPACITY
} verdict_t;

static bool has_place(const worker_t *worker)
{
    return !worker->leaving && worker->inflight < (uint64_t)worker->pool->config->inflight_max;
}

/* The least loaded worker with a place free; of equal ones the one that was given fewer tasks. */
static worker_t *least_loaded(pool_t *pool)
{
    worker_t *best = NULL;
    worker_t *worker;
    DL_FOREACH(pool->workers, worker)
    {
        if (has_place(worker) &&
            (best == NULL || worker->inflight < best->inflight ||
             (worker->inflight == best->inflight && worker->done < best->done))) {
            best = worker;
        }
    }
    return best;
}

/* Below its minimum a pool waits for its supervisor, which starts what is missing by itself. */
static bool can_grow(const pool_t *pool)
{
    return pool->worker_count >= (uint64_t)pool->config->min &&
           pool->worker_count < (uint64_t)pool->config->max;
}

/* A worker for a new key. What is in flight there may make one too. */
static verdict_t choose_for_new_key(pool_t *pool, worker_t **chosen)
{
    uint64_t keys_max = pool->config->keys_max == 0 ? UINT32_MAX : (uint64_t)pool->config->keys_max;
    bool someone_below = false;
    worker_t *best = NULL;
    worker_t *worker;
    DL_FOREACH(pool->workers, worker)
    {
        if (worker->leaving || worker->keys + worker->inflight >= keys_max) {
            continue;
        }
        someone_below = true;
        if (has_place(worker) &&
            (best == NULL || worker->keys + worker->inflight < best->keys + best->inflight)) {
            best = worker;
        }
    }
    *chosen = best;
    if (best != NULL) {
        return VERDICT_GIVE;
    }
    bool whole = pool->worker_count >= (uint64_t)pool->config->max; /* nobody is on the way */
    bool hopeless = !someone_below && whole && pool->running == 0;
    return hopeless ? VERDICT_NO_CAPACITY : VERDICT_WAIT;
}

static verdict_t choose(pool_t *pool, const task_t *task, worker_t **chosen)
{
    if (task->service->makes_key) {
        return choose_for_new_key(pool, chosen);
    }
    key_entry_t *key = task->key[0] == '\0' ? NULL : router_key_find(pool->router, task->key);
    if (key != NULL && key->worker == NULL) {
        return VERDICT_LOST;
    }
    if (key != NULL && key->worker->pool == pool) {
        *chosen = key->worker;
        return has_place(key->worker) ? VERDICT_GIVE : VERDICT_HELD;
    }
    *chosen = least_loaded(pool);
    return *chosen != NULL ? VERDICT_GIVE : VERDICT_FULL;
}

static bool give(router_t *router, task_t *task, worker_t *worker)
{
    zmq_msg_t payload;
    zmq_msg_init(&payload);
    zmq_msg_copy(&payload, &task->payload);
    trp_request_t request = {.to = worker->pid,
                             .tag = TRP_TAG_TASK_RUN,
                             .message = &payload,
                             .timeout_ms = worker->pool->config->run_ms};
    trp_status_t status = trp_request(router->ctx, &request, &task->request_id);
    zmq_msg_close(&payload);
    if (status != TRP_OK) {
        return false; /* it stays in the queue; a place that gets free tries again */
    }
    HASH_ADD(hh, router->running, request_id, sizeof(task->request_id), task);
    if (task->hh.tbl == NULL) {
        trp_request_cancel(router->ctx, task->request_id);
        return false; /* no memory: as above; what the worker answers finds nothing */
    }
    task_dequeue(task);
    task->state = TASK_RUNNING;
    task->started_ns = runtime_now_ns(router->runtime);
    task->attempts++;
    task->worker = worker;
    DL_APPEND(worker->tasks, task);
    worker->inflight++;
    worker->pool->running++;
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
    task_dequeue(task);
    router_refuse(router, task, &refusal);
    task_free(router, task);
}

static void refuse_no_capacity(router_t *router, task_t *task)
{
    const config_pool_t *config = task->service->pool->config;
    refusal_t refusal;
    refusal_init(&refusal, "E_NO_CAPACITY", "all %lld workers of pool %s hold %lld keys each",
                 (long long)config->max, config->name, (long long)config->keys_max);
    task_dequeue(task);
    router_refuse(router, task, &refusal);
    task_free(router, task);
}

void pool_dispatch(pool_t *pool)
{
    router_t *router = pool->router;
    bool wants_more = false;
    bool full = false;
    task_t *task, *next;
    DL_FOREACH_SAFE(pool->queue, task, next)
    {
        worker_t *worker = NULL;
        verdict_t verdict = choose(pool, task, &worker);
        if (verdict == VERDICT_LOST) {
            refuse_lost(router, task);
        } else if (verdict == VERDICT_NO_CAPACITY) {
            refuse_no_capacity(router, task);
        } else if (verdict == VERDICT_GIVE) {
            full = !give(router, task, worker);
        } else if (verdict != VERDICT_HELD) {
            wants_more = true;
            full = verdict == VERDICT_FULL;
        }
        if (full) {
            break; /* the tasks behind wait as well: first in, first out */
        }
    }
    if (wants_more && can_grow(pool)) {
        pool_grow(pool);
    }
    pool_set_timer(pool);
}

void task_unassign(task_t *task)
{
    worker_t *worker = task->worker;
    pool_t *pool = worker->pool;
    HASH_DEL(pool->router->running, task);
    DL_DELETE(worker->tasks, task);
    worker->inflight--;
    pool->running--;
    worker->idle_ns = runtime_now_ns(pool->router->runtime);
    if (pool->worker_count > (uint64_t)pool->config->min) {
        pool_note_end(pool, worker->idle_ns + pool->config->idle_ms * 1000000);
    }
}

static task_t *find_running(router_t *router, uint64_t request_id)
{
    task_t *task = NULL;
    HASH_FIND(hh, router->running, &request_id, sizeof(request_id), task);
    return task;
}

/* Ends an attempt with what its worker said. */
static void finish(router_t *router, task_t *task, const task_done_t *done)
{
    worker_t *worker = task->worker;
    worker->done++;
    if (done->has_bind) {
        router_key_bind(router, done->bind, worker);
    }
    if (done->has_unbind) {
        router_key_unbind(router, done->unbind);
    }
    if (task->answered) {
        worker->pool->late++;
    } else {
        router_answer(router, task, done);
    }
    task_unassign(task);
    task_free(router, task);
    pool_dispatch(worker->pool);
    router_check_drained(router);
}

/* The worker answered with what is no answer: a fault of ours, told to the client and to the
 * log. */
static void finish_broken(router_t *router, task_t *task, const trp_fault_t *fault)
{
    worker_t *worker = task->worker;
    refusal_t refusal;
    log_event(LOG_ERROR, "bad_answer", LOG_TEXT("task_id", task->id),
              LOG_TEXT("worker", worker->name), LOG_TEXT("path", fault->path),
              LOG_TEXT("rule", fault->rule));
    refusal_init(&refusal, "E_INTERNAL", "the worker's answer is broken; task %s in the log",
                 task->id);
    if (task->answered) {
        trp_writer_fini(&refusal.members);
    } else {
        router_refuse(router, task, &refusal);
    }
    task_unassign(task);
    task_free(router, task);
    pool_dispatch(worker->pool);
    router_check_drained(router);
}

void router_on_done(router_t *router, const trp_envelope_t *message)
{
    task_t *task = find_running(router, message->request_id);
    if (task == NULL) {
        return;
    }
    trp_document_t document;
    task_done_t done;
    trp_fault_t fault = {0};
    if (trp_message_unpack(&task_done_schema, message, &document, &done, &fault) != TRP_OK) {
        finish_broken(router, task, &fault);
        return;
    }
    finish(router, task, &done);
    trp_document_fini(&document);
}

void router_on_timeout(router_t *router, uint64_t request_id)
{
    task_t *task = find_running(router, request_id);
    if (task == NULL) {
        return;
    }
    worker_t *worker = task->worker;
    int64_t limit_ms = worker->pool->config->run_ms;
    log_event(LOG_WARN, "task_timeout", LOG_TEXT("task_id", task->id),
              LOG_TEXT("tool", task->service->name), LOG_TEXT("worker", worker->name),
              LOG_INT("limit_ms", limit_ms));
    if (!task->answered) {
        refusal_t refusal;
        refusal_init(&refusal, "E_TIMEOUT", "ran longer than %lld ms: its worker is replaced",
                     (long long)limit_ms);
        refusal_int(&refusal, "limit_ms", limit_ms);
        router_refuse(router, task, &refusal);
    }
    task_unassign(task);
    task_free(router, task);
    worker->leaving = true; /* it gets nothing more; its end puts its other tasks back */
    trp_reason_t kill = trp_reason(TRP_REASON_KILLED, 0, "task over its run limit");
    trp_exit(router->ctx, worker->pid, &kill);
    router_check_drained(router);
}
