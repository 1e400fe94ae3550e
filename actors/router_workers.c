/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "actors/router_state.h"

worker_t *worker_find(const router_t *router, trp_pid_t pid)
{
    worker_t *worker = NULL;
    HASH_FIND(hh, router->workers, &pid, sizeof(pid), worker);
    return worker;
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
    worker->member.weight = 1;
    snprintf(worker->name, sizeof(worker->name), "%.*s", (int)name.size, name.data);
    if (!balance_join(&pool->balance, &worker->member, worker->name)) {
        free(worker);
        return NULL;
    }
    return worker;
}

static void enlist(pool_t *pool, worker_t *worker)
{
    DL_APPEND(pool->workers, worker);
    pool->worker_count++;
    worker_changed(worker);
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
    balance_update(&worker->pool->balance, &worker->member, has_place);
    set_ready(worker, has_place && waits);
    set_idle(worker,
             !worker->leaving && worker->member.load == 0 && worker->member.keys == 0 && !waits);
}

void worker_leave(worker_t *worker)
{
    if (!worker->leaving) {
        worker->leaving = true;
        worker->pool->leaving++;
        worker_changed(worker);
    }
}

void worker_remove(worker_t *worker)
{
    pool_t *pool = worker->pool;
    worker_leave(worker);
    balance_leave(&pool->balance, &worker->member);
    DL_DELETE(pool->workers, worker);
    pool->worker_count--;
    pool->leaving--;
    if (worker->foreign == NULL) {
        HASH_DEL(pool->router->workers, worker);
    }
    queue_fini(&worker->waiting);
    free(worker);
}
