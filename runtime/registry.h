/* SPDX-License-Identifier: MIT */
/* Names of actors: a hash table under one mutex (a leaf). Any thread may call. */
#ifndef TRP_RUNTIME_REGISTRY_H
#define TRP_RUNTIME_REGISTRY_H

#include <pthread.h>

#include "runtime/troupe.h"

typedef struct registry {
    pthread_mutex_t lock;
    struct registry_entry **chains;
    uint32_t capacity; /* power of two */
    uint32_t count;
} registry_t;

/** errors: TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t registry_init(registry_t *registry);
void registry_fini(registry_t *registry);

/** errors: TRP_EXISTS, TRP_INVALID (empty, or TRP_NAME_MAX bytes and more), TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t registry_add(registry_t *registry, const char *name, trp_pid_t pid);

/** Removes the name if it is `pid`'s. */
void registry_remove(registry_t *registry, const char *name, trp_pid_t pid);

/** TRP_PID_NONE: nobody has it. */
trp_pid_t registry_find(registry_t *registry, const char *name);

#endif
