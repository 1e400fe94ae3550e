/* SPDX-License-Identifier: MIT */
/* A place: from a spawn to its proxy. */
#include "runtime/place/place_order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const trp_class_t *proxy_class(const place_proxies_t *place, const trp_class_t *class)
{
    for (size_t i = 0; i < place->count; i++) {
        if (place->options.classes[i] == class) {
            return &place->proxies[i];
        }
    }
    return NULL;
}

static trp_status_t start(void *user, trp_runtime_t *runtime, const trp_spawn_t *spawn,
                          trp_pid_t spawner, trp_pid_t *pid)
{
    place_proxies_t *place = user;
    const trp_class_t *class = proxy_class(place, spawn->class);
    if (class == NULL) {
        return TRP_UNSUPPORTED; /* a worker process would not know it either */
    }
    const size_t args_size = spawn->args == NULL ? 0 : spawn->args_size;
    const size_t snapshot_size = spawn->snapshot == NULL ? 0 : spawn->snapshot_size;
    if (args_size > TRP_LINK_ARGS_MAX || snapshot_size > TRP_LINK_SNAPSHOT_MAX) {
        return TRP_TOO_LARGE;
    }
    const size_t size = sizeof(place_order_t) + args_size + snapshot_size;
    place_order_t *order = calloc(1, size);
    if (order == NULL) {
        return TRP_NO_MEMORY;
    }
    *order = (place_order_t){.place = place,
                             .class = spawn->class,
                             .depth_max = spawn->depth_max,
                             .overflow = spawn->overflow,
                             .restarts = spawn->restarts,
                             .size_max = spawn->size_max,
                             .memory_quota = spawn->memory_quota,
                             .snapshot_size = snapshot_size,
                             .args_size = args_size,
                             .args_tag = spawn->args_tag,
                             .has_args = spawn->args != NULL};
    snprintf(order->name, sizeof(order->name), "%s", spawn->name == NULL ? "" : spawn->name);
    snprintf(order->program, sizeof(order->program), "%s",
             spawn->program == NULL ? "" : spawn->program);
    if (spawn->limits != NULL) {
        order->limits = *spawn->limits;
    }
    if (args_size > 0) {
        memcpy(order + 1, spawn->args, args_size);
    }
    if (snapshot_size > 0) {
        memcpy((unsigned char *)(order + 1) + args_size, spawn->snapshot, snapshot_size);
    }
    trp_spawn_t proxy = *spawn;
    proxy.class = class;
    proxy.args = order;
    proxy.args_size = size;
    proxy.memory_quota = 0;
    proxy.snapshot = NULL;
    const trp_status_t status = runtime_spawn_for(runtime, &proxy, spawner, pid);
    free(order);
    return status;
}

trp_status_t place_proxies_spawn(place_proxies_t *place, trp_runtime_t *runtime,
                                 const trp_spawn_t *spawn, trp_pid_t *pid)
{
    return start(place, runtime, spawn, TRP_PID_NONE, pid);
}

void place_proxies_install(place_proxies_t *place, trp_runtime_t *runtime)
{
    const place_carrier_t *carrier = place->options.carrier;
    const trp_placement_t row = {.name = carrier->name, .start = start, .user = place};
    runtime_place(runtime, carrier->place, &row);
}

trp_status_t place_proxies_open(const place_proxies_options_t *options, place_proxies_t **result)
{
    place_proxies_t *place = calloc(1, sizeof(*place));
    if (place == NULL) {
        return TRP_NO_MEMORY;
    }
    place->options = *options;
    while (options->classes[place->count] != NULL) {
        place->count++;
    }
    place->proxies = calloc(place->count + 1, sizeof(*place->proxies));
    if (place->proxies == NULL) {
        free(place);
        return TRP_NO_MEMORY;
    }
    for (size_t i = 0; i < place->count; i++) {
        place_proxy_class(options->classes[i], &place->proxies[i]);
    }
    *result = place;
    return TRP_OK;
}

void place_proxies_close(place_proxies_t **pointer)
{
    place_proxies_t *place = *pointer;
    *pointer = NULL;
    if (place != NULL) {
        free(place->proxies);
        free(place);
    }
}
