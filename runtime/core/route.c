/* SPDX-License-Identifier: MIT */
#include "runtime/core/route.h"

#include <stdlib.h>
#include <string.h>

typedef struct route {
    uint32_t node, incarnation;
    trp_pid_t proxy;
} route_t;

void route_table_init(route_table_t *table)
{
    memset(table, 0, sizeof(*table));
    pthread_mutex_init(&table->lock, NULL);
}

void route_table_fini(route_table_t *table)
{
    free(table->routes);
    pthread_mutex_destroy(&table->lock);
}

/* The first row whose node is not below `node`. */
static uint32_t lower_bound(const route_table_t *table, uint32_t node)
{
    uint32_t low = 0;
    uint32_t high = table->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (table->routes[middle].node < node) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static trp_status_t insert(route_table_t *table, uint32_t at, route_t route)
{
    if (table->count == table->capacity) {
        uint32_t capacity = table->capacity == 0 ? 8 : table->capacity * 2;
        route_t *routes = realloc(table->routes, capacity * sizeof(*routes));
        if (routes == NULL) {
            return TRP_NO_MEMORY;
        }
        table->routes = routes;
        table->capacity = capacity;
    }
    memmove(&table->routes[at + 1], &table->routes[at], (table->count - at) * sizeof(route));
    table->routes[at] = route;
    table->count++;
    return TRP_OK;
}

trp_status_t route_set(route_table_t *table, uint32_t node, uint32_t incarnation, trp_pid_t proxy)
{
    trp_status_t status = TRP_OK;
    pthread_mutex_lock(&table->lock);
    uint32_t at = lower_bound(table, node);
    bool found = at < table->count && table->routes[at].node == node;
    if (!trp_pid_is_none(proxy)) {
        route_t route = {node, incarnation, proxy};
        if (found) {
            table->routes[at] = route;
        } else {
            status = insert(table, at, route);
        }
    } else if (found && table->routes[at].incarnation == incarnation) {
        table->count--;
        memmove(&table->routes[at], &table->routes[at + 1],
                (table->count - at) * sizeof(table->routes[at]));
    }
    pthread_mutex_unlock(&table->lock);
    return status;
}

void route_set_fallback(route_table_t *table, trp_pid_t proxy)
{
    pthread_mutex_lock(&table->lock);
    table->fallback = proxy;
    pthread_mutex_unlock(&table->lock);
}

void route_set_known(route_table_t *table, trp_pid_t known, trp_pid_t root)
{
    pthread_mutex_lock(&table->lock);
    table->known = known;
    table->root = root;
    pthread_mutex_unlock(&table->lock);
}

trp_pid_t route_find(route_table_t *table, trp_pid_t to)
{
    pthread_mutex_lock(&table->lock);
    trp_pid_t found = table->fallback;
    uint32_t at = lower_bound(table, to.node);
    if (!trp_pid_is_none(table->known) && trp_pid_equal(to, table->known)) {
        found = table->root;
    } else if (at < table->count && table->routes[at].node == to.node) {
        const route_t *route = &table->routes[at];
        found = route->incarnation == to.incarnation ? route->proxy : TRP_PID_NONE;
    }
    pthread_mutex_unlock(&table->lock);
    return found;
}

trp_pid_t route_behind(route_table_t *table, trp_pid_t proxy)
{
    trp_pid_t behind = TRP_PID_NONE;
    pthread_mutex_lock(&table->lock);
    for (uint32_t i = 0; i < table->count; i++) {
        if (trp_pid_equal(table->routes[i].proxy, proxy)) {
            behind.node = table->routes[i].node;
            behind.incarnation = table->routes[i].incarnation;
            break;
        }
    }
    pthread_mutex_unlock(&table->lock);
    return behind;
}

bool route_is_fallback(route_table_t *table, trp_pid_t proxy)
{
    pthread_mutex_lock(&table->lock);
    const bool is_fallback =
        !trp_pid_is_none(table->fallback) && trp_pid_equal(table->fallback, proxy);
    pthread_mutex_unlock(&table->lock);
    return is_fallback;
}
