/* SPDX-License-Identifier: MIT */
/* Pools, and who works in them: learnt from the supervisors, which the router observes. A worker's
 * DOWN and its supervisor's news may come in any order; each is enough. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "actors/router_state.h"
#include "messages/supervisor.h"
#include "runtime/log.h"

#define BLANKS        " \t"
#define MS            INT64_C(1000000)
#define RETRY_MAX_MS  1000
#define GROW_PAUSE_NS INT64_C(1000000000) /* after a refusal */

/* ---- from the configuration ---- */

static bool has_word(const char *words, const char *word, size_t size)
{
    for (const char *at = words; *(at += strspn(at, BLANKS)) != '\0';) {
        size_t length = strcspn(at, BLANKS);
        if (length == size && memcmp(at, word, size) == 0) {
            return true;
        }
        at += length;
    }
    return false;
}

/* NULL: no memory */
static service_t *add_service(router_t *router, pool_t *pool, trp_text_t name)
{
    service_t *service = calloc(1, sizeof(*service));
    if (service == NULL) {
        return NULL;
    }
    memcpy(service->name, name.data, name.size);
    service->pool = pool;
    service->makes_key = has_word(pool->config->key_tools_new, name.data, name.size);
    HASH_ADD_STR(router->services, name, service);
    if (service->hh.tbl == NULL) {
        free(service);
        return NULL;
    }
    return service;
}

/* A pool without tools. NULL: no memory */
static pool_t *add_pool(router_t *router, const config_pool_t *config, trp_text_t name)
{
    pool_t **pools = realloc(router->pools, (router->pool_count + 1) * sizeof(*pools));
    pool_t *pool = pools != NULL ? calloc(1, sizeof(*pool)) : NULL;
    router->pools = pools != NULL ? pools : router->pools;
    if (pool == NULL) {
        return NULL;
    }
    pool->router = router;
    pool->settings = *config;
    pool->config = &pool->settings;
    snprintf(pool->name, sizeof(pool->name), "%.*s", (int)name.size, name.data);
    pool->balance.strategy = (balance_strategy_t)config->strategy;
    pool->queue.fair = config->fair != 0;
    pool->makers.fair = pool->queue.fair;
    router->pools[router->pool_count++] = pool;
    return pool;
}

/* errors: TRP_CONFIG (another pool has that tool), TRP_NO_MEMORY */
static trp_status_t add_tool(router_t *router, pool_t *pool, trp_text_t name)
{
    service_t *service = NULL;
    HASH_FIND(hh, router->services, name.data, name.size, service);
    if (service != NULL) {
        log_event(LOG_ERROR, "tool_in_two_pools", LOG_TEXT("tool", service->name),
                  LOG_TEXT("pool", service->pool->name), LOG_TEXT("other", pool->name));
        return TRP_CONFIG;
    }
    return add_service(router, pool, name) != NULL ? TRP_OK : TRP_NO_MEMORY;
}

/* A foreign worker serves one tool, so each has a pool of its own. */
static trp_status_t add_tools(router_t *router, const config_pool_t *config)
{
    pool_t *pool = NULL;
    trp_status_t status = TRP_OK;
    for (const char *at = config->tools; *(at += strspn(at, BLANKS)) != '\0';) {
        trp_text_t name = {at, strcspn(at, BLANKS)};
        if (pool == NULL || config->foreign) {
            pool =
                add_pool(router, config,
                         config->foreign ? name : (trp_text_t){config->name, strlen(config->name)});
        }
        status = pool != NULL ? add_tool(router, pool, name) : TRP_NO_MEMORY;
        if (status != TRP_OK) {
            return status;
        }
        at += name.size;
    }
    return TRP_OK;
}

trp_status_t router_make_pools(router_t *router)
{
    const config_t *config = router->config;
    for (size_t i = 0; i < config->pool_count; i++) {
        trp_status_t status = add_tools(router, &config->pools[i]);
        if (status != TRP_OK) {
            return status;
        }
    }
    return TRP_OK;
}

service_t *router_add_foreign_service(router_t *router, trp_text_t name)
{
    config_pool_t config;
    if (router->unlisted >= (size_t)router->config->majordomo.services_max) {
        return NULL;
    }
    config_pool_foreign(&config);
    pool_t *pool = add_pool(router, &config, name);
    if (pool == NULL) {
        return NULL;
    }
    pool->is_unlisted = true;
    router->unlisted++;
    return add_service(router, pool, name); /* without memory a pool without a tool is left */
}

static void free_queue(router_t *router, queue_t *queue)
{
    for (task_t *task; (task = queue_first(queue)) != NULL;) {
        task_dequeue(task, false);
        task_free(router, task);
    }
    queue_fini(queue);
}

static void free_worker(router_t *router, worker_t *worker)
{
    while (worker->tasks != NULL) {
        task_t *task = worker->tasks;
        task_unassign(task);
        task_free(router, task);
    }
    free_queue(router, &worker->waiting);
    worker_remove(worker);
}

static void free_pool(router_t *router, pool_t *pool)
{
    worker_t *worker, *next_worker;
    DL_FOREACH_SAFE(pool->workers, worker, next_worker)
    {
        free_worker(router, worker);
    }
    free_queue(router, &pool->queue);
    free_queue(router, &pool->makers);
    balance_fini(&pool->balance);
    heap_fini(&pool->ends);
}

void router_free_pools(router_t *router)
{
    for (size_t i = 0; i < router->pool_count; i++) {
        free_pool(router, router->pools[i]);
    }
    service_t *service, *next;
    HASH_ITER(hh, router->services, service, next)
    {
        HASH_DEL(router->services, service);
        free(service);
    }
    for (size_t i = 0; i < router->pool_count; i++) {
        free(router->pools[i]);
    }
    free(router->pools);
}

/* ---- workers ---- */

static void refuse_worker_lost(router_t *router, task_t *task, const trp_reason_t *reason)
{
    char line[TRP_REASON_LINE_MAX];
    refusal_t refusal;
    trp_reason_format(reason, line);
    refusal_init(&refusal, "E_WORKER_LOST", "its worker ended %u times, the last time: %s",
                 task->attempts, line);
    refusal_int(&refusal, "attempts", task->attempts);
    refusal_text(&refusal, "reason", line);
    router_refuse(router, task, &refusal);
    task_free(router, task);
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
    refusal_int(&refusal, "attempts", task->attempts);
    refusal_text(&refusal, "reason", line);
    router_refuse(router, task, &refusal);
    task_free(router, task);
}

/* What becomes of a task whose worker ended: answered already, tried again, set aside, refused. */
static void retry(router_t *router, task_t *task, const trp_reason_t *reason)
{
    bool is_over = task->attempts >= (uint64_t)task->service->pool->config->attempts_max;
    task_unassign(task);
    router_drop_parts(router, task);
    router_note_death(task, reason);
    if (task->answered) {
        task_free(router, task);
    } else if (is_over && task->crashes == task->attempts &&
               !task->service->pool->config->foreign) {
        set_aside(router, task, reason);
    } else if (is_over || task->has_parts) {
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
    while (worker->tasks != NULL) {
        task_t *task = worker->tasks->prev; /* the last first: the oldest ends in front */
        task_unassign(task);
        if (task->answered) {
            task_free(router, task);
        } else {
            task_try_again(router, task);
        }
    }
}

void router_resume(router_t *router)
{
    trp_reason_t reason = trp_reason(TRP_REASON_ERROR, TRP_NO_MEMORY, "it could not be watched");
    for (size_t i = 0; i < router->pool_count; i++) {
        pool_t *pool = router->pools[i];
        worker_t *worker, *next;
        DL_FOREACH_SAFE(pool->workers, worker, next)
        {
            if (worker->foreign != NULL) {
                continue; /* it answers to the port, which has outlived the actor */
            }
            take_back_tasks(worker);
            if (trp_monitor(router->ctx, worker->pid, &worker->monitor) != TRP_OK) {
                router_worker_down(worker, &reason);
            }
        }
        pool->supervisor = TRP_PID_NONE;
        pool->growing = false;
        pool->grow_at_ns = 0;
        pool->timer = 0; /* it ended with the former actor */
        pool_set_timer(pool);
    }
    router->beat_timer = 0; /* as well */
}

void router_on_down(router_t *router, const trp_envelope_t *message)
{
    size_t size = 0;
    const void *data = trp_message_data(message, &size);
    trp_reason_t reason = trp_reason(TRP_REASON_NO_PROCESS, 0, NULL);
    if (size == sizeof(reason)) {
        memcpy(&reason, data, sizeof(reason));
    }
    worker_t *worker = worker_find(router, message->from);
    if (worker != NULL) {
        pool_t *pool = worker->pool;
        router_worker_down(worker, &reason);
        pool_dispatch(pool);
        router_check_drained(router);
    }
}

/* ---- supervisors ---- */

void router_observe(router_t *router)
{
    trp_pid_t root = trp_whereis(router->ctx, "root");
    if (trp_pid_is_none(root) || trp_send(router->ctx, root, TRP_TAG_OBSERVE, NULL, 0) != TRP_OK) {
        log_event(LOG_ERROR, "no_root", LOG_TEXT("effect", "the router learns no workers"));
    }
}

static bool text_is(const trp_text_t *text, const char *prefix, const char *name)
{
    size_t size = strlen(prefix);
    return text->size == size + strlen(name) && memcmp(text->data, prefix, size) == 0 &&
           memcmp(text->data + size, name, text->size - size) == 0;
}

/* A pool's supervisor came or went. */
static void supervisor_event(router_t *router, const child_event_t *event, trp_pid_t pid)
{
    for (size_t i = 0; i < router->pool_count; i++) {
        pool_t *pool = router->pools[i];
        if (!text_is(&event->id, "pool.", pool->name)) {
            continue;
        }
        pool->growing = false;
        pool->grow_at_ns = 0;
        pool->supervisor = event->change == CHILD_UP ? pid : TRP_PID_NONE;
        if (event->change == CHILD_UP &&
            trp_send(router->ctx, pid, TRP_TAG_OBSERVE, NULL, 0) != TRP_OK) {
            log_event(LOG_ERROR, "pool_not_observed", LOG_TEXT("pool", pool->name));
        }
    }
}

/* A worker is up, is asked to leave, or is dead. */
static void worker_event(router_t *router, const child_event_t *event, trp_pid_t pid)
{
    worker_t *worker = worker_find(router, pid);
    if (event->change == CHILD_LEAVING && worker != NULL) {
        worker_leave(worker);
    }
    for (size_t i = 0; i < router->pool_count; i++) {
        pool_t *pool = router->pools[i];
        if (!text_is(&event->supervisor, "pool.", pool->name)) {
            continue;
        }
        pool->grow_at_ns = 0;
        if (event->change == CHILD_UP) {
            if (worker == NULL && worker_add(pool, pid, event->id)) {
                pool_dispatch(pool);
            }
        } else if (event->change == CHILD_DOWN) {
            pool_dispatch(pool); /* there may be room for another one now */
        }
    }
}

void router_on_child(router_t *router, const trp_envelope_t *message)
{
    trp_document_t document;
    child_event_t event;
    trp_fault_t fault;
    char text[TRP_PID_TEXT_MAX];
    trp_pid_t pid;
    if (trp_message_unpack(&child_event_schema, message, &document, &event, &fault) != TRP_OK) {
        return;
    }
    snprintf(text, sizeof(text), "%.*s", (int)event.pid.size, event.pid.data);
    if (trp_pid_parse(text, &pid) == TRP_OK) {
        if (text_is(&event.supervisor, "root", "")) {
            supervisor_event(router, &event, pid);
        } else {
            worker_event(router, &event, pid);
        }
    }
    trp_document_fini(&document);
}

void pool_grow(pool_t *pool)
{
    router_t *router = pool->router;
    if (pool->growing || router->draining || trp_pid_is_none(pool->supervisor)) {
        return;
    }
    if (pool->grow_at_ns > runtime_now_ns(router->runtime)) {
        return; /* the pool's timer tries again */
    }
    child_start_t start = {.has_id = false};
    zmq_msg_t body;
    if (trp_schema_pack(&child_start_schema, &start, &body) != TRP_OK) {
        return;
    }
    trp_request_t request = {.to = pool->supervisor,
                             .tag = TRP_TAG_CHILD_START,
                             .message = &body,
                             .timeout_ms = pool->config->child.start_ms + 1000};
    pool->growing = trp_request(router->ctx, &request, &pool->grow_request) == TRP_OK;
    zmq_msg_close(&body);
}

bool pool_shrink(pool_t *pool, worker_t *worker)
{
    router_t *router = pool->router;
    child_id_t child = {.id = {worker->name, strlen(worker->name)}};
    zmq_msg_t body;
    if (trp_pid_is_none(pool->supervisor) ||
        trp_schema_pack(&child_id_schema, &child, &body) != TRP_OK) {
        return false;
    }
    bool asked =
        trp_send_move(router->ctx, pool->supervisor, TRP_TAG_CHILD_TERMINATE, &body) == TRP_OK;
    zmq_msg_close(&body);
    if (asked) {
        worker_leave(worker);
        log_event(LOG_INFO, "pool_shrinks", LOG_TEXT("pool", pool->name),
                  LOG_TEXT("worker", worker->name), LOG_INT("workers", pool->worker_count));
    }
    return asked;
}

static child_outcome_t outcome_of(const trp_envelope_t *message)
{
    trp_document_t document;
    child_answer_t answer;
    trp_fault_t fault;
    if (message->tag != TRP_TAG_CHILD_ANSWER ||
        trp_message_unpack(&child_answer_schema, message, &document, &answer, &fault) != TRP_OK) {
        return CHILD_FAILED; /* no answer in time */
    }
    child_outcome_t outcome = (child_outcome_t)answer.outcome;
    trp_document_fini(&document);
    return outcome;
}

/* A new worker was told of by its event before this answer. */
void router_on_child_answer(router_t *router, const trp_envelope_t *message)
{
    for (size_t i = 0; i < router->pool_count; i++) {
        pool_t *pool = router->pools[i];
        if (pool->grow_request == 0 || pool->grow_request != message->request_id) {
            continue;
        }
        pool->growing = false;
        pool->grow_request = 0;
        if (outcome_of(message) == CHILD_OK) {
            log_event(LOG_INFO, "pool_grows", LOG_TEXT("pool", pool->name),
                      LOG_INT("workers", pool->worker_count), LOG_INT("queued", pool->queued));
        } else {
            pool->grow_at_ns = runtime_now_ns(router->runtime) + GROW_PAUSE_NS;
        }
        pool_dispatch(pool);
    }
}

void router_check_drained(router_t *router)
{
    if (!router->draining || router->tasks > 0 || trp_pid_is_none(router->drain_to.to)) {
        return;
    }
    zmq_msg_t empty;
    zmq_msg_init(&empty);
    if (trp_reply_to(router->ctx, router->drain_to, TRP_TAG_DRAINED, &empty) == TRP_OK) {
        router->drain_to.to = TRP_PID_NONE;
    }
    zmq_msg_close(&empty);
    log_event(LOG_INFO, "drained", LOG_INT("unreachable", router->unreachable));
}
