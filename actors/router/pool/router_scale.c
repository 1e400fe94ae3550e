/* SPDX-License-Identifier: MIT */
#include "actors/router/pool/router_scale.h"

#include <string.h>

#include "actors/router/pool/router_health.h"
#include "actors/router/state/router_assign.h"
#include "actors/router/state/router_workers.h"
#include "messages/supervisor.h"
#include "runtime/log.h"

#define MS            INT64_C(1000000)
#define GROW_PAUSE_NS INT64_C(1000000000) /* after a refusal */

static uint64_t places(const pool_t *pool)
{
    return (uint64_t)pool_staying(pool) * (uint64_t)pool->config->inflight_max;
}

/* ---- asking for a worker ---- */

/* Its supervisor starts by itself what is missing of those that the tree began with; what a changed
 * minimum adds to them is asked for. */
static bool can_grow(const pool_t *pool)
{
    return pool->worker_count >= pool->kept && pool->worker_count < pool_max(pool);
}

static bool may_ask(const pool_t *pool)
{
    router_t *router = pool->router;
    return !pool->growing && !router->draining && !trp_pid_is_none(pool->supervisor) &&
           pool->grow_at_ns <= runtime_now_ns(router->runtime); /* else its timer tries again */
}

static void ask_for_one(pool_t *pool, bool over_max)
{
    child_start_t start = {.over_max = over_max,
                           .has_over_max = over_max,
                           .max = pool_max(pool) + (int64_t)pool->config->understudies,
                           .has_max = true};
    zmq_msg_t body;
    if (trp_schema_pack(&child_start_schema, &start, &body) != TRP_OK) {
        return;
    }
    trp_request_t request = {.to = pool->supervisor,
                             .tag = TRP_TAG_CHILD_START,
                             .message = &body,
                             .timeout_ms = pool->config->child.start_ms + 1000};
    pool->growing = trp_request(pool->router->ctx, &request, &pool->grow_request) == TRP_OK;
    zmq_msg_close(&body);
}

void pool_scale_up(pool_t *pool)
{
    uint64_t limit = pool->config->scale_up == 0 ? 100 : (uint64_t)pool->config->scale_up;
    bool is_used = (uint64_t)pool->running * 100 > limit * places(pool);
    bool is_short = pool->kept < (uint64_t)pool->config->min; /* it was raised */
    if ((pool->wants_more || is_used || is_short) && can_grow(pool) && may_ask(pool)) {
        ask_for_one(pool, false);
    }
}

/* ---- recycling ---- */

/* A limit of its own for each worker, up to an eighth above: never all at once. */
static int64_t staggered(const worker_t *worker, int64_t limit)
{
    return limit + (int64_t)(worker->member.name % (uint64_t)(limit / 8 + 1));
}

/* Why a worker has served long enough; NULL: it has not. One that holds keys goes on. */
static const char *why_due(const worker_t *worker)
{
    const config_pool_t *config = worker->pool->config;
    int64_t age_ns = runtime_now_ns(worker->pool->router->runtime) - worker->up_ns;
    if (worker->leaving || worker->foreign != NULL || worker->member.keys > 0) {
        return NULL;
    }
    if (worker_is_hopeless(worker)) {
        return "errors";
    }
    if (config->recycle_tasks > 0 &&
        worker->done >= (uint64_t)staggered(worker, config->recycle_tasks)) {
        return "tasks";
    }
    if (config->recycle_ms > 0 && age_ns >= staggered(worker, config->recycle_ms) * MS) {
        return "age";
    }
    return config->recycle_bytes > 0 && worker->rss_bytes > config->recycle_bytes ? "memory" : NULL;
}

void worker_check_age(worker_t *worker)
{
    pool_t *pool = worker->pool;
    const char *why = pool->outgoing == NULL && may_ask(pool) ? why_due(worker) : NULL;
    if (why == NULL) {
        return;
    }
    ask_for_one(pool, true);
    if (pool->growing) {
        pool->outgoing = worker;
        log_event(LOG_INFO, "worker_recycled", LOG_TEXT("worker", worker->name),
                  LOG_TEXT("why", why), LOG_INT("done", worker->done));
    }
}

/* Asks the supervisor to end a worker. False: nobody to ask, or no memory. */
static bool shrink(pool_t *pool, worker_t *worker)
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

/* It was exchanged, and is told to stop when it has nothing left to finish. */
void pool_send_off(pool_t *pool)
{
    const worker_t *worker = pool->outgoing;
    bool may_go = worker != NULL && worker->leaving && worker->member.load == 0 &&
                  worker->member.keys == 0 && worker->waiting.count == 0;
    if (may_go && shrink(pool, pool->outgoing)) {
        pool->outgoing = NULL;
    }
}

/* ---- the answer ---- */

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

static void on_answer(pool_t *pool, const trp_envelope_t *message)
{
    bool done = outcome_of(message) == CHILD_OK;
    worker_t *outgoing = pool->outgoing != NULL && !pool->outgoing->leaving ? pool->outgoing : NULL;
    pool->growing = false;
    pool->grow_request = 0;
    pool->kept += done && outgoing == NULL && pool->kept < (uint64_t)pool->config->min;
    if (!done) {
        pool->grow_at_ns = runtime_now_ns(pool->router->runtime) + GROW_PAUSE_NS;
        pool->outgoing = outgoing != NULL ? NULL : pool->outgoing;
    } else if (outgoing != NULL) {
        worker_leave(outgoing);
    } else {
        log_event(LOG_INFO, "pool_grows", LOG_TEXT("pool", pool->name),
                  LOG_INT("workers", pool->worker_count), LOG_INT("queued", pool->queued));
    }
}

/* A new worker was told of by its event before this answer. */
pool_t *router_on_child_answer(router_t *router, const trp_envelope_t *message)
{
    for (size_t i = 0; i < router->pool_count; i++) {
        pool_t *pool = router->pools[i];
        if (pool->grow_request != 0 && pool->grow_request == message->request_id) {
            on_answer(pool, message);
            return pool;
        }
    }
    return NULL;
}

/* ---- down ---- */

int64_t pool_idle_ends_at(const pool_t *pool)
{
    bool above = pool->idle != NULL && pool_staying(pool) > (uint64_t)pool->config->min;
    return above && pool->config->foreign == 0 ? pool->idle->idle_ns + pool->config->idle_ms * MS
                                               : INT64_MAX;
}

void pool_end_idle(pool_t *pool, int64_t now)
{
    while (pool->idle != NULL && pool_idle_ends_at(pool) <= now) {
        if (!shrink(pool, pool->idle)) {
            pool->idle->idle_ns = now; /* nobody to ask just now: as if it had become idle */
            return;
        }
    }
}

int64_t pool_scale_down_at(const pool_t *pool)
{
    const config_pool_t *config = pool->config;
    bool may =
        config->scale_down > 0 && !config->foreign && pool_staying(pool) > (uint64_t)config->min;
    return may ? pool->window_ns + config->scale_ms * MS : INT64_MAX;
}

void pool_scale_down(pool_t *pool)
{
    pool_note_use(pool);
    double could_ns = (double)places(pool) * (double)(pool->use_ns - pool->window_ns);
    bool is_low = (double)pool->used_ns * 100 < (double)pool->config->scale_down * could_ns;
    bool is_over = pool_scale_down_at(pool) <= pool->use_ns;
    if (!is_over) {
        return;
    }
    if (is_low && pool->idle != NULL) {
        (void)shrink(pool, pool->idle);
    }
    pool->window_ns = pool->use_ns;
    pool->used_ns = 0;
}
