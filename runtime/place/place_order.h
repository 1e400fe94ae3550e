/* SPDX-License-Identifier: MIT */
/* What passes from a place, which takes the spawn on the spawner's thread, to its proxies, which
 * run on the edge. */
#ifndef TRP_RUNTIME_PLACE_ORDER_H
#define TRP_RUNTIME_PLACE_ORDER_H

#include "runtime/place/place_proxy.h"

/* What the spawn says, on its way to the proxy's init; the bytes for the actor follow. */
typedef struct place_order {
    place_proxies_t *place;
    const trp_class_t *class;
    uint32_t depth_max, restarts;
    trp_overflow_t overflow;
    size_t size_max, memory_quota;
    size_t args_size, snapshot_size; /* those bytes follow */
    uint16_t args_tag;
    bool has_args;
    char name[TRP_NAME_MAX];
    char program[GUARDIAN_PROGRAM_MAX];
    trp_limits_t limits;
} place_order_t;

struct place_proxies {
    place_proxies_options_t options;
    trp_class_t *proxies; /* a proxy class for each of its classes, which has its name */
    size_t count;
};

/** The class of the proxies of actors of the class `of`. */
void place_proxy_class(const trp_class_t *of, trp_class_t *class);

#endif
