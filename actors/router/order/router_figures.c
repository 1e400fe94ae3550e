/* SPDX-License-Identifier: MIT */
#include "actors/router/order/router_figures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "actors/router/base/advice.h"
#include "actors/router/base/balance.h"
#include "actors/router/base/cache.h"
#include "actors/router/base/histogram.h"
#include "actors/router/order/router_order.h"
#include "actors/router/pool/router_breaker.h"
#include "actors/router/pool/router_rollout.h"
#include "actors/router/state/router_assign.h"
#include "actors/router/state/router_keys.h"
#include "actors/router/state/router_random.h"
#include "actors/router/state/router_workers.h"
#include "runtime/log.h"

#define NS_PER_S    INT64_C(1000000000)
#define RECENTLY_NS (60 * NS_PER_S)

/* ---- one pool ---- */

static bool is_healthy(const worker_t *worker)
{
    return !worker->leaving && worker->ejected_ns == 0;
}

uint32_t pool_count_healthy(const pool_t *pool)
{
    uint32_t healthy = 0;
    const worker_t *worker;
    DL_FOREACH(pool->workers, worker)
    {
        healthy += !worker->is_understudy && is_healthy(worker);
    }
    return healthy;
}

/* Those that there should be: one that died and is not back yet is missing from the healthy. */
static uint32_t count_total(const pool_t *pool)
{
    uint64_t min = pool->config->foreign ? 0 : (uint64_t)pool->config->min;
    return pool->worker_count > min ? pool->worker_count : (uint32_t)min;
}

/* Places in use since the last look, if that is a second ago, else now. */
static double use_of(const pool_t *pool)
{
    int64_t places = (int64_t)pool_staying(pool) * pool->config->inflight_max;
    int64_t span = runtime_now_ns(pool->router->runtime) - pool->looked_ns;
    if (places <= 0) {
        return 0;
    }
    if (pool->looked_ns == 0 || span < NS_PER_S) {
        return (double)pool->running / (double)places;
    }
    return (double)(pool->total_ns - pool->looked_total_ns) / (double)span / (double)places;
}

static void look(pool_t *pool)
{
    int64_t now = runtime_now_ns(pool->router->runtime);
    if (now - pool->looked_ns >= NS_PER_S) {
        pool->looked_ns = now;
        pool->looked_total_ns = pool->total_ns;
    }
}

/* What each worker got of all, and what it should have: by weight or the same. */
typedef struct spread {
    double *shares, *wanted;
    size_t count;
    double efficiency;
    uint64_t done;
} spread_t;

static double weight_of(const worker_t *worker)
{
    bool is_weighted = worker->pool->config->strategy == BALANCE_WEIGHTED;
    return is_weighted ? (double)worker->member.weight : 1.0;
}

/* Tasks in a second of its life, so that one that came later is judged by the same measure. */
static double rate_of(const worker_t *worker, int64_t now)
{
    int64_t age_ns = now - worker->up_ns;
    return (double)worker->done / (double)(age_ns > NS_PER_S ? age_ns : NS_PER_S);
}

/* False: no memory. owns: spread_free */
static bool measure(const pool_t *pool, spread_t *spread)
{
    double rates = 0, weights = 0;
    int64_t now = runtime_now_ns(pool->router->runtime);
    *spread = (spread_t){.efficiency = 1};
    spread->shares = calloc(pool->worker_count + pool->understudies + 1, 2 * sizeof(double));
    if (spread->shares == NULL) {
        return false;
    }
    spread->wanted = spread->shares + pool->worker_count + pool->understudies + 1;
    const worker_t *worker;
    DL_FOREACH(pool->workers, worker)
    {
        bool counts = !worker->is_understudy;
        spread->shares[spread->count] = counts ? rate_of(worker, now) : 0;
        spread->wanted[spread->count] = counts ? weight_of(worker) : 0;
        rates += spread->shares[spread->count];
        weights += spread->wanted[spread->count++];
        spread->done += worker->done;
    }
    for (size_t i = 0; i < spread->count; i++) {
        spread->shares[i] = rates > 0 ? spread->shares[i] / rates : 0;
        spread->wanted[i] = weights > 0 ? spread->wanted[i] / weights : 0;
    }
    spread->efficiency = advice_efficiency(spread->shares, spread->wanted, spread->count);
    return true;
}

static advice_figures_t figures_of(const pool_t *pool, const spread_t *spread)
{
    const config_pool_t *config = pool->config;
    int64_t now = runtime_now_ns(pool->router->runtime);
    uint64_t keys = 0, room = (uint64_t)config->keys_max * pool->worker_count;
    const worker_t *worker;
    DL_FOREACH(pool->workers, worker)
    {
        keys += worker->member.keys;
    }
    return (advice_figures_t){
        .workers = pool->worker_count,
        .min = (uint32_t)config->min,
        .max = pool_max(pool),
        .ejected = pool->ejected,
        .use = use_of(pool),
        .efficiency = spread->efficiency,
        .done = spread->done,
        .queued = pool->queued,
        .queue_max = (uint64_t)config->queue_max,
        .was_full = pool->refused_ns != 0 && now - pool->refused_ns < RECENTLY_NS,
        .keys_used = room == 0 ? 0 : (double)keys / (double)room,
        .is_broken = pool_open_until(pool) > now,
    };
}

/* ---- balance ---- */

static void write_worker(trp_writer_t *writer, const worker_t *worker, double share, double wanted)
{
    int64_t age_us = (runtime_now_ns(worker->pool->router->runtime) - worker->up_ns) / 1000;
    const char *state = worker->leaving           ? "leaving"
                        : worker->is_understudy   ? "understudy"
                        : worker->ejected_ns != 0 ? "ejected"
                        : worker->member.load > 0 ? "busy"
                                                  : "idle";
    trp_write_map(writer, 12);
    trp_put_text(writer, "id", worker->name);
    trp_put_text(writer, "state", state);
    trp_put_int(writer, "running", worker->member.load);
    trp_put_int(writer, "keys", worker->member.keys);
    trp_put_int(writer, "weight", worker->member.weight);
    trp_put_int(writer, "done", (int64_t)worker->done);
    trp_put_int(writer, "failed", (int64_t)worker->failed);
    trp_put_real(writer, "share", share);
    trp_put_real(writer, "wanted", wanted);
    trp_put_real(writer, "use", age_us > 0 ? (double)worker->busy_us / (double)age_us : 0);
    trp_put_int(writer, "rss_bytes", worker->rss_bytes);
    trp_put_int(writer, "up_ms", age_us / 1000);
}

static const char *const strategy_names[BALANCE_STRATEGIES] = {
    "least_loaded", "round_robin", "least_matches", "weighted", "two_choices", "hash"};

static void write_balance(trp_writer_t *writer, const pool_t *pool, const spread_t *spread)
{
    const advice_figures_t figures = figures_of(pool, spread);
    const advice_t *given[ADVICE_MAX];
    size_t count = advice_give(&figures, given), i = 0;
    trp_write_map(writer, 8);
    trp_put_text(writer, "pool", pool->name);
    trp_put_text(writer, "strategy", strategy_names[pool->config->strategy]);
    trp_put_real(writer, "use", figures.use);
    trp_put_real(writer, "efficiency", figures.efficiency);
    trp_put_int(writer, "queued", pool->queued);
    trp_put_text(writer, "breaker", figures.is_broken ? "open" : "closed");
    trp_write_key(writer, "workers");
    trp_write_array(writer, spread->count);
    const worker_t *worker;
    DL_FOREACH(pool->workers, worker)
    {
        write_worker(writer, worker, spread->shares[i], spread->wanted[i]);
        i++;
    }
    trp_write_key(writer, "recommendations");
    trp_write_array(writer, count);
    for (i = 0; i < count; i++) {
        trp_write_map(writer, 2);
        trp_put_text(writer, "code", given[i]->code);
        trp_put_text(writer, "text", given[i]->text);
    }
}

void order_balance(order_t *order)
{
    router_t *router = order->router;
    size_t count = 0;
    size_t mark = trp_write_array_begin(&order->result);
    for (size_t i = 0; i < router->pool_count; i++) {
        spread_t spread;
        pool_note_use(router->pools[i]);
        if (measure(router->pools[i], &spread)) {
            write_balance(&order->result, router->pools[i], &spread);
            free(spread.shares);
            count++;
        }
        look(router->pools[i]);
    }
    trp_write_array_end(&order->result, mark, count);
}

/* ---- select ---- */

static bool find_strategy(const order_t *order, balance_strategy_t *strategy)
{
    const trp_text_t *name = &order->wish->option;
    for (size_t i = 0; i < BALANCE_STRATEGIES; i++) {
        if (strlen(strategy_names[i]) == name->size &&
            memcmp(strategy_names[i], name->data, name->size) == 0) {
            *strategy = (balance_strategy_t)i;
            return true;
        }
    }
    return false;
}

/* Who would get the next task; nothing is given. */
void order_select(order_t *order)
{
    pool_t *pool = order_find_pool(order);
    char key[TRP_TASK_KEY_MAX + 1] = "";
    if (pool == NULL) {
        return;
    }
    balance_strategy_t strategy = pool->balance.strategy, wanted = strategy;
    if (order->wish->has_option && !find_strategy(order, &wanted)) {
        order_fail(order, "E_BAD_REQUEST", "option: a strategy, as `troupe config` lists them");
        return;
    }
    snprintf(key, sizeof(key), "%.*s", order->wish->has_value ? (int)order->wish->value.size : 0,
             order->wish->has_value ? order->wish->value.data : "");
    const balance_task_t wish = {.key = key[0] != '\0' ? key : NULL,
                                 .chance = router_random(order->router)};
    const key_entry_t *entry = key[0] != '\0' ? router_key_find(order->router, key) : NULL;
    const worker_t *worker = entry != NULL && entry->worker != NULL && entry->worker->pool == pool
                                 ? entry->worker
                                 : NULL;
    if (worker == NULL) {
        balance_view(&pool->balance, wanted);
        worker = (const worker_t *)balance_pick(&pool->balance, &wish); /* its first member */
        balance_view(&pool->balance, strategy);
    }
    trp_write_map(&order->result, 2);
    trp_put_text(&order->result, "strategy", strategy_names[wanted]);
    trp_write_key(&order->result, "worker");
    if (worker != NULL) {
        trp_write_text(&order->result, worker->name);
    } else {
        trp_write_nil(&order->result); /* nobody has a place free */
    }
}

/* ---- snapshot ---- */

typedef struct sums {
    uint64_t total, healthy, accepted, answered, failed, retried, refused, queued, running;
    histogram_t waits, runs;
} sums_t;

static void add_histogram(histogram_t *to, const histogram_t *from)
{
    to->count += from->count;
    to->sum_us += from->sum_us;
    for (size_t i = 0; i < HISTOGRAM_SPANS; i++) {
        to->spans[i] += from->spans[i];
    }
}

static void add_service(sums_t *sums, const service_t *service)
{
    sums->accepted += service->sent;
    sums->answered += service->answered;
    sums->failed += service->failed;
    sums->retried += service->retried;
}

static void add_all(const router_t *router, sums_t *sums)
{
    for (size_t i = 0; i < router->pool_count; i++) {
        const pool_t *pool = router->pools[i];
        sums->total += count_total(pool);
        sums->healthy += pool_count_healthy(pool);
        sums->refused += pool->refused;
        sums->queued += pool->queued;
        sums->running += pool->running;
        add_histogram(&sums->waits, &pool->waits);
        add_histogram(&sums->runs, &pool->runs);
    }
    for (const service_t *service = router->services; service != NULL; service = service->hh.next) {
        const service_t *second = router_rollout_second(service);
        add_service(sums, service);
        if (second != NULL) {
            add_service(sums, second);
        }
    }
}

static double ms(double us)
{
    return us / 1000;
}

static void write_performance(trp_writer_t *writer, const sums_t *sums)
{
    uint64_t ended = sums->answered + sums->failed;
    trp_write_map(writer, 6);
    trp_put_real(writer, "success_rate", ended == 0 ? 1.0 : (double)sums->answered / (double)ended);
    trp_put_real(writer, "avg_queue_time_ms", ms(histogram_mean(&sums->waits)));
    trp_put_real(writer, "avg_execution_time_ms", ms(histogram_mean(&sums->runs)));
    trp_put_real(writer, "p50_ms", ms((double)histogram_percentile(&sums->runs, 50)));
    trp_put_real(writer, "p95_ms", ms((double)histogram_percentile(&sums->runs, 95)));
    trp_put_real(writer, "p99_ms", ms((double)histogram_percentile(&sums->runs, 99)));
}

static void write_cache(trp_writer_t *writer, const cache_t *cache)
{
    cache_figures_t figures;
    cache_figures(cache, &figures);
    uint64_t asked = figures.hits + figures.misses;
    trp_write_map(writer, 6);
    trp_put_int(writer, "hits", (int64_t)figures.hits);
    trp_put_int(writer, "misses", (int64_t)figures.misses);
    trp_put_int(writer, "evictions", (int64_t)figures.evictions);
    trp_put_int(writer, "bytes", (int64_t)figures.bytes);
    trp_put_int(writer, "entries", (int64_t)figures.entries);
    trp_put_real(writer, "hit_ratio", asked == 0 ? 0.0 : (double)figures.hits / (double)asked);
}

void order_snapshot(order_t *order)
{
    const router_t *router = order->router;
    trp_writer_t *writer = &order->result;
    sums_t *sums = calloc(1, sizeof(*sums));
    if (sums == NULL) {
        order_fail(order, "E_BUSY", "no memory");
        return;
    }
    add_all(router, sums);
    trp_write_map(writer, 5);
    trp_put_int(writer, "timestamp", trp_epoch_ms(router->ctx));
    trp_write_key(writer, "workers");
    trp_write_map(writer, 2);
    trp_put_int(writer, "total", (int64_t)sums->total);
    trp_put_int(writer, "healthy", (int64_t)sums->healthy);
    trp_write_key(writer, "tasks");
    trp_write_map(writer, 8);
    trp_put_int(writer, "total", (int64_t)sums->accepted);
    trp_put_int(writer, "completed", (int64_t)sums->answered);
    trp_put_int(writer, "failed", (int64_t)sums->failed);
    trp_put_int(writer, "queued", (int64_t)sums->queued);
    trp_put_int(writer, "running", (int64_t)sums->running);
    trp_put_int(writer, "pending",
                (int64_t)(router->tasks - router->pairs.shadows + router->held.count));
    trp_put_int(writer, "retried", (int64_t)sums->retried);
    trp_put_int(writer, "refused", (int64_t)sums->refused);
    trp_write_key(writer, "performance");
    write_performance(writer, sums);
    trp_write_key(writer, "cache");
    write_cache(writer, router->cache);
    free(sums);
}
