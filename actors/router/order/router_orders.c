/* SPDX-License-Identifier: MIT */
#include "actors/router/order/router_orders.h"

#include <stdio.h>
#include <string.h>

#include "actors/router/base/cache.h"
#include "actors/router/dispatch/router_dispatch.h"
#include "actors/router/order/router_figures.h"
#include "actors/router/order/router_order.h"
#include "actors/router/order/router_poison_order.h"
#include "actors/router/order/router_rollout_order.h"
#include "actors/router/pool/router_rollout.h"
#include "actors/router/state/router_workers.h"
#include "messages/control.h"
#include "runtime/config/config_change.h"
#include "runtime/log.h"

/* ---- caches ---- */

static void write_figures(trp_writer_t *writer, const char *key, const cache_t *cache)
{
    cache_figures_t figures;
    cache_figures(cache, &figures);
    uint64_t asked = figures.hits + figures.misses;
    trp_write_key(writer, key);
    trp_write_map(writer, 7);
    trp_put_int(writer, "entries", (int64_t)figures.entries);
    trp_put_int(writer, "bytes", (int64_t)figures.bytes);
    trp_put_int(writer, "hits", (int64_t)figures.hits);
    trp_put_int(writer, "misses", (int64_t)figures.misses);
    trp_put_int(writer, "evictions", (int64_t)figures.evictions);
    trp_put_int(writer, "expirations", (int64_t)figures.expirations);
    trp_write_key(writer, "hit_ratio");
    trp_write_real(writer, asked == 0 ? 0.0 : (double)figures.hits / (double)asked);
}

static void show_cache(order_t *order)
{
    trp_write_map(&order->result, 3);
    write_figures(&order->result, "results", order->router->cache);
    write_figures(&order->result, "replays", order->router->replays);
    trp_put_int(&order->result, "joined", (int64_t)order->router->shared);
}

static void clear_cache(order_t *order)
{
    cache_clear(order->router->cache);
    cache_clear(order->router->replays);
    show_cache(order);
}

static void show_port(order_t *order)
{
    const router_t *router = order->router;
    trp_writer_t *result = &order->result;
    trp_write_map(result, 7);
    trp_put_int(result, "tasks", (int64_t)router->tasks);
    trp_put_int(result, "workers", HASH_COUNT(router->foreign.workers));
    trp_put_int(result, "junk", (int64_t)router->junk);
    trp_put_int(result, "oversized",
                router->socket == NULL ? 0 : (int64_t)edge_dropped(router->socket));
    trp_put_int(result, "sent_away", (int64_t)router->foreign.sent_away);
    trp_put_int(result, "locked_out", (int64_t)router->rights.locked_out);
    trp_put_int(result, "unreachable", (int64_t)router->unreachable);
}

/* ---- pools ---- */

/* False: what is wrong was said. */
static bool set_in_pool(order_t *order, pool_t *pool, const char *option, const char *value)
{
    char rule[160] = "";
    if (config_pool_set(&pool->settings, option, value, rule) != TRP_OK) {
        order_fail(order, "E_BAD_REQUEST", "%s: expected %s, not \"%s\"", option, rule, value);
        return false;
    }
    pool_settings_changed(pool);
    pool_dispatch(pool);
    if (strcmp(option, "rollout_share") == 0 || strcmp(option, "rollout_mode") == 0) {
        router_rollout_settings(pool); /* of all its tools; `rollout` is of one */
    }
    log_event(LOG_INFO, "pool_option_set", LOG_TEXT("pool", pool->name), LOG_TEXT("option", option),
              LOG_TEXT("value", value));
    return true;
}

static void set_option(order_t *order)
{
    char option[64], value[256];
    const trp_text_t *name = &order->wish->pool;
    size_t at = 0;
    snprintf(option, sizeof(option), "%.*s", (int)order->wish->option.size,
             order->wish->option.data);
    snprintf(value, sizeof(value), "%.*s", (int)order->wish->value.size, order->wish->value.data);
    pool_t *pool = order_next_pool(order->router, name, &at);
    if (pool == NULL) {
        order_fail(order, "E_NOT_FOUND", "no pool of that name; `troupe pools` lists them");
        return;
    }
    if (!config_pool_may_change(option)) {
        order_fail(order, "E_BAD_REQUEST",
                   "%s can't be changed while the node runs: change the file and start it again",
                   option);
        return;
    }
    for (; pool != NULL; pool = order_next_pool(order->router, name, &at)) {
        if (!set_in_pool(order, pool, option, value)) {
            return;
        }
    }
    trp_write_bool(&order->result, true);
}

/* ---- debugging ---- */

/* Its tables belong to the edge, so the router that is started next finds them. */
static void crash_router(order_t *order)
{
    order->crashes = true;
    trp_write_bool(&order->result, true);
}

/* ---- the table ---- */

typedef struct action {
    const char *name;
    unsigned needs;
    void (*run)(order_t *order);
} action_t;

enum { NEEDS_ID = 1, NEEDS_OPTION = 2, NEEDS_TOOL = 4, NEEDS_POOL = 8 };

static const action_t actions[] = {
    {"set", NEEDS_OPTION, set_option},
    {"cache", 0, show_cache},
    {"cache_clear", 0, clear_cache},
    {"port", 0, show_port},
    {"poison", 0, order_list_poison},
    {"poison_show", NEEDS_ID, order_show_poison},
    {"poison_replay", NEEDS_ID, order_replay_poison},
    {"poison_drop", NEEDS_ID, order_drop_poison},
    {"crash", 0, crash_router},
    {"snapshot", 0, order_snapshot},
    {"balance", 0, order_balance},
    {"select", NEEDS_POOL, order_select},
    {"rollout", 0, order_list_rollouts},
    {"rollout_show", NEEDS_TOOL, order_show_rollout},
    {"rollout_set", NEEDS_TOOL, order_set_rollout},
};

static void run(order_t *order)
{
    const router_order_t *wish = order->wish;
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        const action_t *action = &actions[i];
        if (wish->action.size != strlen(action->name) ||
            memcmp(wish->action.data, action->name, wish->action.size) != 0) {
            continue;
        }
        if ((action->needs & NEEDS_ID) != 0 && !wish->has_id) {
            order_fail(order, "E_BAD_REQUEST", "%s needs id", action->name);
        } else if ((action->needs & NEEDS_POOL) != 0 && !wish->has_pool) {
            order_fail(order, "E_BAD_REQUEST", "%s needs pool", action->name);
        } else if ((action->needs & NEEDS_TOOL) != 0 && !wish->has_tool) {
            order_fail(order, "E_BAD_REQUEST", "%s needs tool", action->name);
        } else if ((action->needs & NEEDS_OPTION) != 0 &&
                   (!wish->has_pool || !wish->has_option || !wish->has_value)) {
            order_fail(order, "E_BAD_REQUEST", "%s needs pool, option and value", action->name);
        } else {
            action->run(order);
        }
        return;
    }
    order_fail(order, "E_BAD_REQUEST", "no such action");
}

trp_status_t router_on_order(router_t *router, const trp_envelope_t *message)
{
    trp_document_t document;
    router_order_t wish = {0};
    trp_fault_t fault = {0};
    order_t order = {.router = router, .wish = &wish, .reply = trp_reply_address(message)};
    trp_writer_init(&order.result);
    bool is_whole =
        trp_message_unpack(&router_order_schema, message, &document, &wish, &fault) == TRP_OK;
    if (is_whole) {
        run(&order);
    } else {
        order_fail(&order, "E_BAD_REQUEST", "%s: %s", fault.path, fault.rule);
    }
    if (!order.is_later && message->request_id != 0) {
        order_answer(&order);
    }
    trp_writer_fini(&order.result);
    if (is_whole) {
        trp_document_fini(&document);
    }
    return order.crashes ? TRP_FAILED : TRP_OK;
}
