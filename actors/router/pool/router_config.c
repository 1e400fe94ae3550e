/* SPDX-License-Identifier: MIT */
#include "actors/router/pool/router_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "actors/router/base/balance.h"
#include "actors/router/base/heap.h"
#include "actors/router/base/words.h"
#include "actors/router/pool/router_rollout.h"
#include "actors/router/state/router_assign.h"
#include "actors/router/state/router_pair.h"
#include "actors/router/state/router_queue.h"
#include "actors/router/state/router_services.h"
#include "actors/router/state/router_task_end.h"
#include "actors/router/state/router_tasks.h"
#include "actors/router/state/router_workers.h"
#include "runtime/log.h"

/* NULL: no memory */
static service_t *add_service(router_t *router, pool_t *pool, trp_text_t name)
{
    service_t *service = calloc(1, sizeof(*service));
    if (service == NULL) {
        return NULL;
    }
    memcpy(service->name, name.data, name.size);
    service->pool = pool;
    service->makes_key = words_have(pool->config->key_tools_new, name);
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
    pool->kept = pool->begun = (uint32_t)config->min;
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
    const service_t *service = service_find(router, name);
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
    const trp_text_t its_name = {config->name, strlen(config->name)};
    pool_t *pool = config->foreign ? NULL : add_pool(router, config, its_name);
    if (pool == NULL && !config->foreign) {
        return TRP_NO_MEMORY;
    }
    trp_text_t name;
    for (const char *at = config->tools; words_next(&at, &name);) {
        pool = config->foreign ? add_pool(router, config, name) : pool;
        trp_status_t status = pool != NULL ? add_tool(router, pool, name) : TRP_NO_MEMORY;
        if (status != TRP_OK) {
            return status;
        }
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
    for (size_t i = 0; i < router->pool_count; i++) {
        trp_status_t status = router_make_rollouts(router, router->pools[i]);
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
    for (heap_node_t *end; (end = heap_first(&pool->ends)) != NULL;) {
        task_free(router, task_of_end(end)); /* those that rest, and who waits for their keys */
    }
    balance_fini(&pool->balance);
    heap_fini(&pool->ends);
}

void router_free_pools(router_t *router)
{
    for (size_t i = 0; i < router->pool_count; i++) {
        free_pool(router, router->pools[i]);
    }
    router_drop_pairs(router, true);
    router_free_rollouts(router);
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
