/* SPDX-License-Identifier: MIT */
#include "runtime/core/registry.h"

#include <stdlib.h>
#include <string.h>

#define CAPACITY_MIN 64
#define BLOCK_COUNT  64
#define ATTEMPTS     8 /* of a look-up, before it takes the lock */
#define NAME_WORDS   (TRP_NAME_MAX / sizeof(uint64_t))
#define PID_WORDS    (sizeof(trp_pid_t) / sizeof(uint64_t))

_Static_assert(TRP_NAME_MAX % sizeof(uint64_t) == 0, "a name is so many words");
_Static_assert(sizeof(trp_pid_t) % sizeof(uint64_t) == 0, "a pid is so many words");

/* A name as words, zeros behind it. */
typedef struct padded {
    uint64_t words[NAME_WORDS];
    uint64_t hash;
} padded_t;

/* All members, and the links that lead to them, are written with release and read with acquire: a
 * reader that meets what a writer has just written also sees that the version is another one. */
typedef struct registry_entry {
    _Atomic(struct registry_entry *) next; /* of its chain, or of the free list */
    _Atomic uint64_t hash;
    _Atomic uint64_t pid[PID_WORDS];
    _Atomic uint64_t name[NAME_WORDS];
} registry_entry_t;

typedef struct registry_block {
    struct registry_block *next;
    registry_entry_t entries[BLOCK_COUNT];
} registry_block_t;

typedef struct registry_table {
    struct registry_table *outgrown; /* the one before */
    uint32_t capacity;               /* power of two */
    _Atomic(registry_entry_t *) chains[];
} registry_table_t;

/* False: no name, or one that is too long. */
static bool pad(const char *name, padded_t *padded)
{
    const size_t size = strnlen(name, TRP_NAME_MAX);
    if (size == 0 || size == TRP_NAME_MAX) {
        return false;
    }
    memset(padded->words, 0, sizeof(padded->words));
    memcpy(padded->words, name, size);
    uint64_t hash = size;
    for (size_t i = 0; i <= (size - 1) / sizeof(uint64_t); i++) {
        hash = (hash ^ padded->words[i]) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 32;
    }
    hash *= 0xff51afd7ed558ccdu; /* the last byte reaches the lowest bits only now */
    padded->hash = hash ^ hash >> 32;
    return true;
}

static bool is_named(const registry_entry_t *entry, const padded_t *name)
{
    /* Acquire, both: of a write under way, the version that it raised before. */
    if (atomic_load_explicit(&entry->hash, memory_order_acquire) != name->hash) {
        return false;
    }
    uint64_t differs = 0;
    for (size_t i = 0; i < NAME_WORDS; i++) {
        differs |= atomic_load_explicit(&entry->name[i], memory_order_acquire) ^ name->words[i];
    }
    return differs == 0;
}

static trp_pid_t pid_of(const registry_entry_t *entry)
{
    uint64_t words[PID_WORDS];
    trp_pid_t pid;
    for (size_t i = 0; i < PID_WORDS; i++) {
        /* Acquire: as in is_named. */
        words[i] = atomic_load_explicit(&entry->pid[i], memory_order_acquire);
    }
    memcpy(&pid, words, sizeof(pid));
    return pid;
}

static registry_table_t *table_of(const registry_t *registry)
{
    /* Acquire: its capacity. */
    return atomic_load_explicit(&registry->table, memory_order_acquire);
}

static _Atomic(registry_entry_t *) *chain_of(registry_table_t *table, uint64_t hash)
{
    return &table->chains[hash & (table->capacity - 1)];
}

/* ---- memory ---- */

/* NULL: no memory */
static registry_table_t *make_table(uint32_t capacity)
{
    registry_table_t *table =
        calloc(1, sizeof(*table) + capacity * sizeof(_Atomic(registry_entry_t *)));
    if (table != NULL) {
        table->capacity = capacity;
    }
    return table;
}

trp_status_t registry_init(registry_t *registry)
{
    memset(registry, 0, sizeof(*registry));
    registry_table_t *table = make_table(CAPACITY_MIN);
    if (table == NULL) {
        return TRP_NO_MEMORY;
    }
    /* Relaxed: before any other thread. */
    atomic_store_explicit(&registry->table, table, memory_order_relaxed);
    pthread_mutex_init(&registry->lock, NULL);
    return TRP_OK;
}

void registry_fini(registry_t *registry)
{
    for (registry_table_t *table = table_of(registry); table != NULL;) {
        registry_table_t *before = table->outgrown;
        free(table);
        table = before;
    }
    while (registry->blocks != NULL) {
        registry_block_t *block = registry->blocks;
        registry->blocks = block->next;
        free(block);
    }
    pthread_mutex_destroy(&registry->lock);
}

static void release(registry_t *registry, registry_entry_t *entry)
{
    /* Release: that the version is another one, to who is led from its chain to the free list. */
    atomic_store_explicit(&entry->next, registry->free, memory_order_release);
    registry->free = entry;
}

/* NULL: no memory */
static registry_entry_t *take(registry_t *registry)
{
    if (registry->free == NULL) {
        registry_block_t *block = calloc(1, sizeof(*block));
        if (block == NULL) {
            return NULL;
        }
        block->next = registry->blocks;
        registry->blocks = block;
        for (size_t i = 0; i < BLOCK_COUNT; i++) {
            release(registry, &block->entries[i]);
        }
    }
    registry_entry_t *entry = registry->free;
    registry->free = atomic_load_explicit(&entry->next, memory_order_relaxed); /* under the lock */
    return entry;
}

/* ---- writing: under the lock ---- */

static void begin_write(registry_t *registry)
{
    /* Relaxed, both: what is written next is so with release, which keeps this before it. */
    uint64_t version = atomic_load_explicit(&registry->version, memory_order_relaxed);
    atomic_store_explicit(&registry->version, version + 1, memory_order_relaxed);
}

static void end_write(registry_t *registry)
{
    uint64_t version = atomic_load_explicit(&registry->version, memory_order_relaxed);
    /* Release: all that was written, to a reader that begins with this version. */
    atomic_store_explicit(&registry->version, version + 1, memory_order_release);
}

/* The link that leads to the entry of a name, or the end of its chain. */
static _Atomic(registry_entry_t *) *place_of(registry_t *registry, const padded_t *name)
{
    /* Relaxed, both: under the lock, as all that is read in this part. */
    _Atomic(registry_entry_t *) *place = chain_of(table_of(registry), name->hash);
    registry_entry_t *entry = atomic_load_explicit(place, memory_order_relaxed);
    while (entry != NULL && !is_named(entry, name)) {
        place = &entry->next;
        entry = atomic_load_explicit(place, memory_order_relaxed);
    }
    return place;
}

/* Twice the chains; without memory the old ones stay and get longer. */
static void grow(registry_t *registry)
{
    registry_table_t *old = table_of(registry);
    registry_table_t *table = make_table(old->capacity * 2);
    if (table == NULL) {
        return;
    }
    table->outgrown = old;
    begin_write(registry);
    /* Relaxed: under the lock. Release, all: the version, as at the entry's type. */
    for (uint32_t i = 0; i < old->capacity; i++) {
        registry_entry_t *entry = atomic_load_explicit(&old->chains[i], memory_order_relaxed);
        while (entry != NULL) {
            registry_entry_t *next = atomic_load_explicit(&entry->next, memory_order_relaxed);
            uint64_t hash = atomic_load_explicit(&entry->hash, memory_order_relaxed);
            _Atomic(registry_entry_t *) *chain = chain_of(table, hash);
            registry_entry_t *first = atomic_load_explicit(chain, memory_order_relaxed);
            atomic_store_explicit(&entry->next, first, memory_order_release);
            atomic_store_explicit(chain, entry, memory_order_release);
            entry = next;
        }
    }
    atomic_store_explicit(&registry->table, table, memory_order_release);
    end_write(registry);
}

static void fill(registry_entry_t *entry, const padded_t *name, trp_pid_t pid)
{
    uint64_t words[PID_WORDS];
    memcpy(words, &pid, sizeof(pid));
    /* Release, all: the version, as at the entry's type. */
    atomic_store_explicit(&entry->next, NULL, memory_order_release);
    atomic_store_explicit(&entry->hash, name->hash, memory_order_release);
    for (size_t i = 0; i < PID_WORDS; i++) {
        atomic_store_explicit(&entry->pid[i], words[i], memory_order_release);
    }
    for (size_t i = 0; i < NAME_WORDS; i++) {
        atomic_store_explicit(&entry->name[i], name->words[i], memory_order_release);
    }
}

static trp_status_t add_locked(registry_t *registry, const padded_t *name, trp_pid_t pid)
{
    if (registry->count >= table_of(registry)->capacity) {
        grow(registry);
    }
    /* Relaxed: under the lock. Release: the version, and the entry. */
    _Atomic(registry_entry_t *) *place = place_of(registry, name);
    if (atomic_load_explicit(place, memory_order_relaxed) != NULL) { /* relaxed: under the lock */
        return TRP_EXISTS;
    }
    registry_entry_t *entry = take(registry);
    if (entry == NULL) {
        return TRP_NO_MEMORY;
    }
    begin_write(registry);
    fill(entry, name, pid);
    atomic_store_explicit(place, entry, memory_order_release);
    end_write(registry);
    registry->count++;
    return TRP_OK;
}

trp_status_t registry_add(registry_t *registry, const char *name, trp_pid_t pid)
{
    padded_t padded;
    if (!pad(name, &padded)) {
        return TRP_INVALID;
    }
    pthread_mutex_lock(&registry->lock);
    trp_status_t status = add_locked(registry, &padded, pid);
    pthread_mutex_unlock(&registry->lock);
    return status;
}

void registry_remove(registry_t *registry, const char *name, trp_pid_t pid)
{
    padded_t padded;
    if (!pad(name, &padded)) {
        return;
    }
    pthread_mutex_lock(&registry->lock);
    /* Relaxed: under the lock. Release: the version. */
    _Atomic(registry_entry_t *) *place = place_of(registry, &padded);
    /* Relaxed, here and below: under the lock. */
    registry_entry_t *entry = atomic_load_explicit(place, memory_order_relaxed);
    if (entry != NULL && trp_pid_equal(pid_of(entry), pid)) {
        begin_write(registry);
        registry_entry_t *next = atomic_load_explicit(&entry->next, memory_order_relaxed);
        atomic_store_explicit(place, next, memory_order_release);
        release(registry, entry);
        end_write(registry);
        registry->count--;
    }
    pthread_mutex_unlock(&registry->lock);
}

/* ---- looking up ---- */

static bool is_still(const registry_t *registry, uint64_t version)
{
    /* Relaxed: all that was read before was so with acquire, which keeps this behind it. */
    return atomic_load_explicit(&registry->version, memory_order_relaxed) == version;
}

/* False: somebody wrote meanwhile. An entry may have been moved to another chain under our feet,
 * and that may go on for ever, so each step looks. */
static bool try_find(const registry_t *registry, const padded_t *name, trp_pid_t *pid)
{
    /* Acquire: the table as of this version. */
    const uint64_t version = atomic_load_explicit(&registry->version, memory_order_acquire);
    if (version % 2 != 0) {
        return false;
    }
    const registry_entry_t *entry =
        atomic_load_explicit(chain_of(table_of(registry), name->hash), memory_order_acquire);
    while (entry != NULL && !is_named(entry, name)) {
        entry = atomic_load_explicit(&entry->next, memory_order_acquire);
        if (!is_still(registry, version)) {
            return false;
        }
    }
    *pid = entry == NULL ? TRP_PID_NONE : pid_of(entry);
    return is_still(registry, version);
}

trp_pid_t registry_find(registry_t *registry, const char *name)
{
    padded_t padded;
    trp_pid_t pid = TRP_PID_NONE;
    if (!pad(name, &padded)) {
        return pid;
    }
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        if (try_find(registry, &padded, &pid)) {
            return pid;
        }
    }
    pthread_mutex_lock(&registry->lock);
    /* Relaxed: under the lock. */
    const registry_entry_t *entry =
        atomic_load_explicit(place_of(registry, &padded), memory_order_relaxed);
    pid = entry == NULL ? TRP_PID_NONE : pid_of(entry);
    pthread_mutex_unlock(&registry->lock);
    return pid;
}
