/* SPDX-License-Identifier: MIT */
#include "actors/router/pool/router_timer.h"

#include "actors/router/base/heap.h"
#include "actors/router/pool/router_breaker.h"
#include "actors/router/pool/router_scale.h"
#include "actors/router/state/router_workers.h"

#define MS INT64_C(1000000)

int64_t pool_tasks_end_at(const pool_t *pool)
{
    const heap_node_t *first = heap_first(&pool->ends);
    return first != NULL ? (int64_t)first->score : INT64_MAX;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The next moment at which pool_on_timer has something to do; INT64_MAX: none. */
static int64_t next_end(const pool_t *pool, int64_t now)
{
    int64_t open_ns = pool_open_until(pool);
    bool pauses = pool->wants_more && pool->grow_at_ns > now;
    int64_t breaker = pool->queued > 0 && open_ns > now ? open_ns : INT64_MAX;
    int64_t grow = pauses ? pool->grow_at_ns : INT64_MAX;
    int64_t size = smaller(pool_scale_down_at(pool), pool_readmits_at(pool));
    return smaller(smaller(pool_tasks_end_at(pool), pool_idle_ends_at(pool)),
                   smaller(smaller(breaker, grow), size));
}

void pool_set_timer(pool_t *pool)
{
    int64_t now = runtime_now_ns(pool->router->runtime);
    int64_t end = next_end(pool, now);
    if (end == INT64_MAX || (pool->timer != 0 && pool->timer_ns <= end)) {
        return;
    }
    if (pool->timer != 0) {
        trp_timer_cancel(pool->router->ctx, pool->timer);
    }
    int64_t delay_ms = end <= now ? 1 : (end - now + MS - 1) / MS;
    pool->timer_ns = now + delay_ms * MS;
    if (trp_timer_start(pool->router->ctx, delay_ms, 0, ROUTER_TAG_TIMER, &pool->timer) != TRP_OK) {
        pool->timer = 0; /* no memory: the next dispatch tries again */
    }
}
