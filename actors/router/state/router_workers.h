/* SPDX-License-Identifier: MIT */
/* The workers of a pool: who is there, who has a place free, who idles, who is ejected. */
#ifndef TRP_ACTORS_ROUTER_WORKERS_H
#define TRP_ACTORS_ROUTER_WORKERS_H

#include "actors/router/state/router_state.h"

/** A worker is ready, an actor. False: no memory, or it could not be watched. */
bool worker_add(pool_t *pool, trp_pid_t pid, trp_text_t name);
/** A worker without a pid, which the caller gives tasks. NULL: no memory */
worker_t *worker_add_foreign(pool_t *pool, foreign_t *foreign, const char *name);
/** Takes it out of all and frees it; it must have no task. */
void worker_remove(worker_t *worker);
worker_t *worker_find(const router_t *router, trp_pid_t pid);

static inline bool worker_has_place(const worker_t *worker)
{
    return !worker->leaving && !worker->is_understudy &&
           worker->member.load < (uint64_t)worker->pool->config->inflight_max;
}

/** To be called when a worker's tasks, keys or queue changed: keeps the lists of those that have
 * room, are idle, or have tasks of their own waiting. */
void worker_changed(worker_t *worker);
/** It gets nothing more. */
void worker_leave(worker_t *worker);

/** When the next one that was ejected comes back; INT64_MAX: there is none. */
int64_t pool_readmits_at(const pool_t *pool);
/** Lets those come back whose time is over, or all when there is nobody else. */
void pool_readmit(pool_t *pool);
/** After a change of its settings; its tasks are to be dispatched anew. */
void pool_settings_changed(pool_t *pool);

/** Workers that nobody has asked to leave. */
static inline uint32_t pool_staying(const pool_t *pool)
{
    return pool->worker_count - pool->leaving;
}

/** How many tasks more they can be given. */
static inline uint64_t pool_free_places(const pool_t *pool)
{
    uint64_t places = (uint64_t)pool->worker_count * (uint64_t)pool->config->inflight_max;
    return places > pool->running ? places - pool->running : 0;
}

/** Workers at most; `max` below `min` is as `min`, also when one of them was changed. */
static inline uint32_t pool_max(const pool_t *pool)
{
    int64_t max = pool->config->max > pool->config->min ? pool->config->max : pool->config->min;
    return max > 0 ? (uint32_t)max : 1;
}

#endif
