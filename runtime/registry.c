/* SPDX-License-Identifier: MIT */
#include "runtime/registry.h"

#include <stdlib.h>
#include <string.h>

#define CAPACITY_MIN 64

typedef struct registry_entry {
    struct registry_entry *next;
    uint64_t hash;
    trp_pid_t pid;
    char name[];
} registry_entry_t;

/* FNV-1a. */
static uint64_t hash_of(const char *name)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (const char *at = name; *at != '\0'; at++) {
        hash = (hash ^ (unsigned char)*at) * 0x100000001b3u;
    }
    return hash;
}

trp_status_t registry_init(registry_t *registry)
{
    *registry = (registry_t){.capacity = CAPACITY_MIN};
    registry->chains = calloc(CAPACITY_MIN, sizeof(registry_entry_t *));
    if (registry->chains == NULL) {
        return TRP_NO_MEMORY;
    }
    pthread_mutex_init(&registry->lock, NULL);
    return TRP_OK;
}

void registry_fini(registry_t *registry)
{
    for (uint32_t i = 0; i < registry->capacity; i++) {
        for (registry_entry_t *entry = registry->chains[i]; entry != NULL;) {
            registry_entry_t *next = entry->next;
            free(entry);
            entry = next;
        }
    }
    free(registry->chains);
    pthread_mutex_destroy(&registry->lock);
}

/* Where the entry hangs, or the end of its chain. */
static registry_entry_t **place_of(registry_t *registry, const char *name, uint64_t hash)
{
    registry_entry_t **place = &registry->chains[hash & (registry->capacity - 1)];
    while (*place != NULL && ((*place)->hash != hash || strcmp((*place)->name, name) != 0)) {
        place = &(*place)->next;
    }
    return place;
}

/* Twice the chains; without memory the old ones stay and get longer. */
static void grow(registry_t *registry)
{
    uint32_t capacity = registry->capacity * 2;
    registry_entry_t **chains = calloc(capacity, sizeof(*chains));
    if (chains == NULL) {
        return;
    }
    for (uint32_t i = 0; i < registry->capacity; i++) {
        for (registry_entry_t *entry = registry->chains[i]; entry != NULL;) {
            registry_entry_t *next = entry->next;
            registry_entry_t **chain = &chains[entry->hash & (capacity - 1)];
            entry->next = *chain;
            *chain = entry;
            entry = next;
        }
    }
    free(registry->chains);
    registry->chains = chains;
    registry->capacity = capacity;
}

static trp_status_t add_locked(registry_t *registry, const char *name, trp_pid_t pid)
{
    uint64_t hash = hash_of(name);
    if (registry->count >= registry->capacity) {
        grow(registry);
    }
    registry_entry_t **place = place_of(registry, name, hash);
    if (*place != NULL) {
        return TRP_EXISTS;
    }
    size_t size = strlen(name) + 1;
    registry_entry_t *entry = malloc(sizeof(*entry) + size);
    if (entry == NULL) {
        return TRP_NO_MEMORY;
    }
    *entry = (registry_entry_t){.next = NULL, .hash = hash, .pid = pid};
    memcpy(entry->name, name, size);
    *place = entry;
    registry->count++;
    return TRP_OK;
}

trp_status_t registry_add(registry_t *registry, const char *name, trp_pid_t pid)
{
    if (name[0] == '\0' || strnlen(name, TRP_NAME_MAX) == TRP_NAME_MAX) {
        return TRP_INVALID;
    }
    pthread_mutex_lock(&registry->lock);
    trp_status_t status = add_locked(registry, name, pid);
    pthread_mutex_unlock(&registry->lock);
    return status;
}

void registry_remove(registry_t *registry, const char *name, trp_pid_t pid)
{
    pthread_mutex_lock(&registry->lock);
    registry_entry_t **place = place_of(registry, name, hash_of(name));
    registry_entry_t *entry = *place;
    if (entry != NULL && trp_pid_equal(entry->pid, pid)) {
        *place = entry->next;
        registry->count--;
        free(entry);
    }
    pthread_mutex_unlock(&registry->lock);
}

trp_pid_t registry_find(registry_t *registry, const char *name)
{
    pthread_mutex_lock(&registry->lock);
    registry_entry_t *entry = *place_of(registry, name, hash_of(name));
    trp_pid_t pid = entry == NULL ? TRP_PID_NONE : entry->pid;
    pthread_mutex_unlock(&registry->lock);
    return pid;
}
