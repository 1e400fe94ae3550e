/* SPDX-License-Identifier: MIT */
#include "actors/router/order/router_status.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "actors/router/base/histogram.h"
#include "actors/router/order/router_figures.h"
#include "actors/router/pool/router_rollout.h"
#include "messages/control.h"

/* Texts of the rows, one block for each pool. */
typedef struct pool_rows {
    pool_worker_t *workers;
    char (*pids)[TRP_PID_TEXT_MAX];
    trp_text_t *tools;
} pool_rows_t;

static trp_text_t text(const char *string)
{
    return (trp_text_t){string, strlen(string)};
}

static void fill_workers(const pool_t *pool, pool_rows_t *rows)
{
    size_t i = 0;
    const worker_t *worker;
    DL_FOREACH(pool->workers, worker)
    {
        trp_pid_format(worker->pid, rows->pids[i]);
        rows->workers[i] = (pool_worker_t){
            .id = text(worker->name),
            .pid = text(rows->pids[i]),
            .state = worker->leaving           ? 2
                     : worker->is_understudy   ? 3
                     : worker->ejected_ns != 0 ? 4
                                               : worker->member.load > 0,
            .running = worker->member.load,
            .keys = worker->member.keys,
            .done = (int64_t)worker->done,
            .failed = (int64_t)worker->failed,
        };
        i++;
    }
}

static void add_service(const service_t *service, pool_rows_t *rows, pool_status_t *status)
{
    rows->tools[status->tools_count++] = text(service->name);
    status->accepted += (int64_t)service->sent;
    status->answered += (int64_t)(service->answered + service->failed);
    status->failed += (int64_t)service->failed;
    status->retried += (int64_t)service->retried;
}

static void fill_services(const router_t *router, const pool_t *pool, pool_rows_t *rows,
                          pool_status_t *status)
{
    for (service_t *service = router->services; service != NULL; service = service->hh.next) {
        const service_t *second = router_rollout_second(service);
        if (service->pool == pool) {
            add_service(service, rows, status);
        } else if (second != NULL && second->pool == pool) {
            add_service(second, rows, status);
        }
    }
}

static bool fill_pool(const router_t *router, const pool_t *pool, pool_rows_t *rows,
                      pool_status_t *status)
{
    const size_t all = pool->worker_count + pool->understudies;
    rows->workers = calloc(all + 1, sizeof(*rows->workers));
    rows->pids = calloc(all + 1, sizeof(*rows->pids));
    rows->tools = calloc(HASH_COUNT(router->services) + 1, sizeof(*rows->tools));
    if (rows->workers == NULL || rows->pids == NULL || rows->tools == NULL) {
        return false;
    }
    *status = (pool_status_t){
        .name = text(pool->name),
        .tools = rows->tools,
        .min = pool->config->min,
        .max = pool->config->max,
        .queued = pool->queued,
        .running = pool->running,
        .refused = (int64_t)pool->refused,
        .late = (int64_t)pool->late,
        .healthy = pool_count_healthy(pool),
        .queue_avg_us = (int64_t)histogram_mean(&pool->waits),
        .exec_avg_us = (int64_t)histogram_mean(&pool->runs),
        .exec_p99_us = histogram_percentile(&pool->runs, 99),
        .workers = rows->workers,
        .workers_count = all,
    };
    fill_workers(pool, rows);
    fill_services(router, pool, rows, status);
    return true;
}

trp_status_t router_status(router_t *router, zmq_msg_t *message)
{
    pool_rows_t *rows = calloc(router->pool_count + 1, sizeof(*rows));
    pool_status_t *pools = calloc(router->pool_count + 1, sizeof(*pools));
    bool filled = rows != NULL && pools != NULL;
    for (size_t i = 0; filled && i < router->pool_count; i++) {
        filled = fill_pool(router, router->pools[i], &rows[i], &pools[i]);
    }
    pools_status_t status = {.pools = pools, .pools_count = router->pool_count};
    trp_status_t result =
        filled ? trp_schema_pack(&pools_status_schema, &status, message) : TRP_NO_MEMORY;
    for (size_t i = 0; rows != NULL && i < router->pool_count; i++) {
        free(rows[i].workers);
        free(rows[i].pids);
        free(rows[i].tools);
    }
    free(rows);
    free(pools);
    return result;
}
