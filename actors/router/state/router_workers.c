/* SPDX-License-Identifier: MIT */
#include "actors/router/state/router_workers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "actors/router/base/balance.h"
#include "actors/router/state/router_queue.h"
#include "runtime/log.h"

#define WEIGHT_MAX 1000

worker_t *worker_find(const router_t *router, trp_pid_t pid)
{
    worker_t *worker = NULL;
    HASH_FIND(hh, router->workers, &pid, sizeof(pid), worker);
    return worker;
}

/* Worker N of the pool ("parser.3" is the third) has weight N of `weights`, else 1. */
static uint32_t weight_of(const pool_t *pool, const char *name)
{
    const char *dot = strrchr(name, '.');
    long index = dot != NULL ? strtol(dot + 1, NULL, 10) : 0;
    const char *at = pool->config->weights;
    for (long i = 1;; i++) {
        char *end = NULL;
        long weight = strtol(at, &end, 10);
        if (end == at || index < 1) {
            return 1;
        }
        if (i == index) {
            return weight < 1 ? 1 : weight > WEIGHT_MAX ? WEIGHT_MAX : (uint32_t)weight;
        }
        at = end;
    }
}

static uint32_t lesser(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

void pool_settings_changed(pool_t *pool)
{
    worker_t *worker;
    pool->kept = lesser(pool->kept > pool->worker_count ? pool->kept : pool->worker_count,
                        (uint32_t)pool->config->min); /* who is there counts, not more than min */
    DL_FOREACH(pool->workers, worker)
    {
        worker->member.weight = weight_of(pool, worker->name);
        worker_changed(worker);
    }
    balance_switch(&pool->balance, (balance_strategy_t)pool->config->strategy);
}

/* How much of its share a new worker has: from an eighth to the whole. */
static uint32_t ramp_of(const worker_t *worker)
{
    const config_pool_t *config = worker->pool->config;
    bool is_back = worker->back_ns != 0; /* slowly, also where new ones are not */
    int64_t limit_ms =
        is_back && config->slow_start_ms == 0 ? config->eject_ms : config->slow_start_ms;
    int64_t limit_ns = limit_ms * INT64_C(1000000);
    int64_t since_ns = is_back ? worker->back_ns : worker->up_ns;
    int64_t age_ns = limit_ns == 0 ? 0 : runtime_now_ns(worker->pool->router->runtime) - since_ns;
    if (age_ns >= limit_ns) {
        return BALANCE_RAMP;
    }
    return (uint32_t)(BALANCE_RAMP / 8 + age_ns * (BALANCE_RAMP - BALANCE_RAMP / 8) / limit_ns);
}

/* A worker in no list yet. NULL: no memory */
static worker_t *make(pool_t *pool, trp_text_t name)
{
    worker_t *worker = calloc(1, sizeof(*worker));
    if (worker == NULL) {
        return NULL;
    }
    worker->pool = pool;
    worker->waiting.fair = pool->queue.fair;
    worker->up_ns = runtime_now_ns(pool->router->runtime);
    snprintf(worker->name, sizeof(worker->name), "%.*s", (int)name.size, name.data);
    worker->member.weight = weight_of(pool, worker->name);
    if (!balance_join(&pool->balance, &worker->member, worker->name)) {
        free(worker);
        return NULL;
    }
    return worker;
}

/* What is above the minimum is an understudy first, as long as one is wanted. */
static void enlist(pool_t *pool, worker_t *worker)
{
    worker->is_understudy = worker->foreign == NULL &&
                            pool->worker_count >= (uint64_t)pool->config->min &&
                            pool->understudies < (uint64_t)pool->config->understudies;
    DL_APPEND(pool->workers, worker);
    *(worker->is_understudy ? &pool->understudies : &pool->worker_count) += 1;
    pool->window_ns = worker->up_ns; /* what was used before does not count against it */
    pool->used_ns = 0;
    worker_changed(worker);
}

/* One that was ready takes the place of one that is gone: at once, and its supervisor will start
 * the next understudy. */
static void promote(pool_t *pool)
{
    worker_t *worker;
    DL_FOREACH(pool->workers, worker)
    {
        if (worker->is_understudy && !worker->leaving) {
            worker->is_understudy = false;
            pool->understudies--;
            pool->worker_count++;
            worker_changed(worker);
            return;
        }
    }
}

worker_t *worker_add_foreign(pool_t *pool, foreign_t *foreign, const char *name)
{
    worker_t *worker = make(pool, (trp_text_t){name, strlen(name)});
    if (worker != NULL) {
        worker->foreign = foreign;
        enlist(pool, worker);
    }
    return worker;
}

bool worker_add(pool_t *pool, trp_pid_t pid, trp_text_t name)
{
    router_t *router = pool->router;
    worker_t *worker = make(pool, name);
    if (worker == NULL) {
        return false;
    }
    worker->pid = pid;
    HASH_ADD(hh, router->workers, pid, sizeof(worker->pid), worker);
    bool is_added = worker->hh.tbl != NULL;
    if (!is_added || trp_monitor(router->ctx, pid, &worker->monitor) != TRP_OK) {
        if (is_added) {
            HASH_DEL(router->workers, worker);
        }
        balance_leave(&pool->balance, &worker->member);
        free(worker);
        return false;
    }
    enlist(pool, worker);
    return true;
}

static void set_idle(worker_t *worker, bool is_idle)
{
    pool_t *pool = worker->pool;
    if (worker->is_idle == is_idle) {
        return;
    }
    worker->is_idle = is_idle;
    if (is_idle) {
        worker->idle_ns = runtime_now_ns(pool->router->runtime);
        DL_APPEND2(pool->idle, worker, idle_prev, idle_next);
    } else {
        DL_DELETE2(pool->idle, worker, idle_prev, idle_next);
    }
}

static void set_ready(worker_t *worker, bool is_ready)
{
    pool_t *pool = worker->pool;
    if (worker->is_ready == is_ready) {
        return;
    }
    worker->is_ready = is_ready;
    if (is_ready) {
        DL_APPEND2(pool->ready, worker, ready_prev, ready_next);
    } else {
        DL_DELETE2(pool->ready, worker, ready_prev, ready_next);
    }
}

void worker_changed(worker_t *worker)
{
    bool has_place = worker_has_place(worker);
    bool waits = worker->waiting.count > 0;
    worker->member.ramp = ramp_of(worker);
    balance_update(&worker->pool->balance, &worker->member, has_place && worker->ejected_ns == 0);
    set_ready(worker, has_place && waits);
    set_idle(worker, !worker->leaving && !worker->is_understudy && worker->member.load == 0 &&
                         worker->member.keys == 0 && !waits);
}

/* ---- those that were ejected ---- */

static void readmit(worker_t *worker, int64_t now)
{
    pool_t *pool = worker->pool;
    int64_t limit = pool->config->eject_failures;
    worker->ejected_ns = 0;
    worker->back_ns = now;
    worker->faults = limit > 1 ? (uint32_t)limit - 1 : 0; /* one more, and it is out again */
    worker->good_before = 0;
    pool->ejected--;
    worker_changed(worker);
    log_event(LOG_INFO, "worker_on_trial", LOG_TEXT("worker", worker->name));
}

int64_t pool_readmits_at(const pool_t *pool)
{
    int64_t next = INT64_MAX;
    const worker_t *worker;
    for (worker = pool->ejected > 0 ? pool->workers : NULL; worker != NULL; worker = worker->next) {
        if (worker->ejected_ns != 0 && worker->ejected_ns < next) {
            next = worker->ejected_ns;
        }
    }
    return next;
}

void pool_readmit(pool_t *pool)
{
    int64_t now = runtime_now_ns(pool->router->runtime);
    bool is_last = pool->ejected > 0 && pool->ejected >= pool_staying(pool); /* the others left */
    worker_t *worker;
    for (worker = pool->ejected > 0 ? pool->workers : NULL; worker != NULL; worker = worker->next) {
        if (worker->ejected_ns != 0 && (is_last || worker->ejected_ns <= now)) {
            readmit(worker, now);
        }
    }
}

/* ---- going ---- */

void worker_leave(worker_t *worker)
{
    if (!worker->leaving) {
        worker->leaving = true;
        worker->pool->leaving += !worker->is_understudy;
        worker->pool->ejected -= worker->ejected_ns != 0;
        worker->ejected_ns = 0;
        worker_changed(worker);
        pool_readmit(worker->pool);
    }
}

void worker_remove(worker_t *worker)
{
    pool_t *pool = worker->pool;
    worker_leave(worker);
    if (pool->outgoing == worker) {
        pool->outgoing = NULL; /* it went by itself: the one that was asked for takes its place */
    }
    balance_leave(&pool->balance, &worker->member);
    DL_DELETE(pool->workers, worker);
    pool->leaving -= !worker->is_understudy;
    *(worker->is_understudy ? &pool->understudies : &pool->worker_count) -= 1;
    if (pool->worker_count < (uint64_t)pool->config->min) {
        promote(pool);
    }
    if (worker->foreign == NULL) {
        HASH_DEL(pool->router->workers, worker);
    }
    queue_fini(&worker->waiting);
    free(worker);
}
