/* SPDX-License-Identifier: MIT */
#include "actors/router/pool/router_breaker.h"

#include "runtime/log.h"

#define MS INT64_C(1000000)

void pool_attempt_ended(pool_t *pool, bool failed)
{
    breaker_t *breaker = &pool->breaker;
    const config_pool_t *config = pool->config;
    if (!failed) {
        if (breaker->open_ns != 0) {
            log_event(LOG_INFO, "breaker_closed", LOG_TEXT("pool", pool->name));
        }
        *breaker = (breaker_t){.failures = 0};
        return;
    }
    breaker->failures++;
    if (config->breaker_failures == 0 ||
        (breaker->open_ns == 0 && breaker->failures < (uint64_t)config->breaker_failures)) {
        return;
    }
    breaker->open_ns = runtime_now_ns(pool->router->runtime) + config->breaker_ms * MS;
    log_event(LOG_WARN, "breaker_open", LOG_TEXT("pool", pool->name),
              LOG_INT("failures", breaker->failures), LOG_INT("for_ms", config->breaker_ms));
}

bool pool_may_start(const pool_t *pool)
{
    int64_t open_ns = pool->breaker.open_ns;
    return open_ns == 0 || (open_ns <= runtime_now_ns(pool->router->runtime) && pool->running == 0);
}

int64_t pool_open_until(const pool_t *pool)
{
    return pool->breaker.open_ns;
}
