/* SPDX-License-Identifier: MIT */
/* Names of actors: a hash table. Any thread may call. Who adds or removes holds a mutex (a leaf);
 * who looks a name up holds nothing: it reads the table's version, walks, and reads the version
 * again; when that has changed meanwhile it starts anew, and after some attempts under the mutex.
 * What a reader may meet is never freed before the end: entries are used again, tables that have
 * been outgrown are kept (together as large as the last).
 * source of the order of accesses: H.-J. Boehm, "Can seqlocks get along with programming language
 * memory models?", 2012 */
#ifndef TRP_RUNTIME_REGISTRY_H
#define TRP_RUNTIME_REGISTRY_H

#include <pthread.h>
#include <stdatomic.h>

#include "runtime/troupe.h"

typedef struct registry {
    _Atomic uint64_t version; /* odd while somebody writes */
    _Atomic(struct registry_table *) table;
    pthread_mutex_t lock;
    struct registry_entry *free;
    struct registry_block *blocks; /* memory of all entries */
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
