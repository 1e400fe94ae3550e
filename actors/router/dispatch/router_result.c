/* SPDX-License-Identifier: MIT */
#include "actors/router/dispatch/router_result.h"

#include <string.h>
#include <utlist.h>

#include "actors/router/answer/router_answer.h"
#include "actors/router/answer/router_forward.h"
#include "actors/router/base/frame.h"
#include "actors/router/base/histogram.h"
#include "actors/router/base/refusal.h"
#include "actors/router/dispatch/router_dispatch.h"
#include "actors/router/dispatch/router_foreign.h"
#include "actors/router/pool/router_breaker.h"
#include "actors/router/pool/router_health.h"
#include "actors/router/pool/router_scale.h"
#include "actors/router/state/router_assign.h"
#include "actors/router/state/router_keys.h"
#include "actors/router/state/router_tasks.h"
#include "actors/router/state/router_turn.h"
#include "actors/router/state/router_workers.h"
#include "runtime/log.h"

static task_t *find_running(router_t *router, uint64_t request_id)
{
    task_t *task = NULL;
    HASH_FIND(hh, router->running, &request_id, sizeof(request_id), task);
    return task;
}

/* Adds an answer to the figures of its worker and pool. */
static void note_done(const task_t *task, const task_done_t *done)
{
    worker_t *worker = task->worker;
    pool_t *pool = worker->pool;
    histogram_add(&pool->waits, (task->started_ns - task->accepted_ns) / 1000);
    histogram_add(&pool->runs, done->exec_us);
    worker->busy_us += done->exec_us;
    worker->failed += !done->success;
    if (log_enabled(LOG_DEBUG)) {
        log_event(LOG_DEBUG, "task_done", LOG_TEXT("task_id", task->waiter.id),
                  LOG_TEXT("tool", task->service->name), LOG_TEXT("worker", worker->name),
                  LOG_TEXT("outcome", done->success ? "success" : "error"),
                  LOG_INT("duration_us", done->exec_us));
    }
}

/* Ends an attempt with what its worker said. */
static void finish(router_t *router, task_t *task, const task_done_t *done)
{
    worker_t *worker = task->worker;
    worker->done++;
    pool_attempt_ended(worker->pool, false);
    worker_note_answer(worker, done);
    note_done(task, done);
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
    if (done->has_rss_bytes) {
        worker->rss_bytes = done->rss_bytes;
    }
    task_unassign(task);
    task_free(router, task);
    worker_check_age(worker);
    pool_dispatch(worker->pool);
    router_check_drained(router);
}

/* The worker answered with what is no answer: a fault of ours, told to the client and to the
 * log. */
static void finish_broken(router_t *router, task_t *task, const trp_fault_t *fault)
{
    worker_t *worker = task->worker;
    refusal_t refusal;
    log_event(LOG_ERROR, "bad_answer", LOG_TEXT("task_id", task->waiter.id),
              LOG_TEXT("worker", worker->name), LOG_TEXT("path", fault->path),
              LOG_TEXT("rule", fault->rule));
    refusal_init(&refusal, "E_INTERNAL", "the worker's answer is broken; task %s in the log",
                 task->waiter.id);
    if (task->answered) {
        trp_writer_fini(&refusal.members);
    } else {
        router_refuse(router, task, &refusal);
    }
    worker_note_broken(worker);
    task_unassign(task);
    task_free(router, task);
    worker_check_age(worker);
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

void router_on_part(router_t *router, const trp_envelope_t *message)
{
    uint64_t attempt = 0;
    size_t size = 0;
    const char *data = trp_message_data(message, &size);
    if (size < sizeof(attempt)) {
        return; /* no tool of ours sends that */
    }
    memcpy(&attempt, data, sizeof(attempt));
    size -= sizeof(attempt);
    task_t *task = find_running(router, attempt);
    if (task == NULL || task->answered || !trp_pid_equal(task->worker->pid, message->from)) {
        return; /* of a former attempt, or nobody waits any more */
    }
    zmq_msg_t frame;
    if (!frame_set(&frame, data + sizeof(attempt), size)) {
        router->unreachable++;
        return;
    }
    if (!router_forward_part(router, task, &frame, 1)) {
        router_all_answered(router, task);
    }
    zmq_msg_close(&frame);
}

void router_over_limit(router_t *router, task_t *task)
{
    worker_t *worker = task->worker;
    int64_t limit_ms = worker->pool->config->run_ms;
    log_event(LOG_WARN, "task_timeout", LOG_TEXT("task_id", task->waiter.id),
              LOG_TEXT("tool", task->service->name), LOG_TEXT("worker", worker->name),
              LOG_INT("limit_ms", limit_ms));
    if (!task->answered) {
        refusal_t refusal;
        refusal_init(&refusal, "E_TIMEOUT", "ran longer than %lld ms: its worker is replaced",
                     (long long)limit_ms);
        refusal_int(&refusal, "limit_ms", limit_ms);
        router_refuse(router, task, &refusal);
    }
    pool_attempt_ended(worker->pool, true);
    task_unassign(task);
    task_free(router, task);
    worker_leave(worker); /* its end puts its other tasks back */
    if (worker->foreign != NULL) {
        foreign_disconnect(router, worker->foreign, "its task was over the run limit");
    } else {
        trp_reason_t kill = trp_reason(TRP_REASON_KILLED, 0, "task over its run limit");
        trp_exit(router->ctx, worker->pid, &kill);
    }
    router_check_drained(router);
}

void router_on_timeout(router_t *router, uint64_t request_id)
{
    task_t *task = find_running(router, request_id);
    if (task != NULL) {
        router_over_limit(router, task);
    }
}

void router_on_expired(router_t *router, trp_pid_t from, uint64_t request_id)
{
    task_t *task = find_running(router, request_id);
    if (task == NULL || !trp_pid_equal(task->worker->pid, from)) {
        return;
    }
    worker_t *worker = task->worker;
    if (!task->answered) { /* by its deadline, most often */
        const int64_t waited_ns = runtime_now_ns(router->runtime) - task->accepted_ns;
        refusal_t refusal;
        refusal_init(&refusal, "E_EXPIRED", "the deadline passed before it was started");
        refusal_int(&refusal, "waited_ms", waited_ns / 1000000);
        router_refuse(router, task, &refusal);
    }
    task_unassign(task);
    task_free(router, task);
    pool_dispatch(worker->pool);
    router_check_drained(router);
}
