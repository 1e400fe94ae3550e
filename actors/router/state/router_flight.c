/* SPDX-License-Identifier: MIT */
#include "actors/router/state/router_flight.h"

#include <stdlib.h>

#include "actors/router/base/cache.h"

#define MS INT64_C(1000000)

task_t *router_flight_find(const router_t *router, const cache_key_t *key)
{
    flight_t *flight = NULL;
    HASH_FIND(hh, router->flights, key, sizeof(*key), flight);
    return flight != NULL ? flight->task : NULL;
}

void router_flight_start(router_t *router, flight_t *flight, task_t *task)
{
    flight->task = task;
    HASH_ADD(hh, router->flights, key, sizeof(flight->key), flight);
    if (flight->hh.tbl == NULL) {
        free(flight); /* no memory: nobody joins, nothing is kept */
        return;
    }
    task->flight = flight;
}

void router_flight_end(router_t *router, task_t *task, const cache_value_t *value)
{
    flight_t *flight = task->flight;
    if (flight == NULL) {
        return;
    }
    HASH_DEL(router->flights, flight);
    task->flight = NULL;
    if (value != NULL && (flight->is_replay || value->success)) {
        int64_t keep_ms =
            flight->is_replay ? router->config->cache.idem_ms : router->config->cache.ttl_ms;
        cache_put(flight->is_replay ? router->replays : router->cache, &flight->key, value,
                  runtime_now_ns(router->runtime) + keep_ms * MS);
    }
    free(flight);
}
