/* SPDX-License-Identifier: MIT */
#include "actors/router/base/cache.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

typedef struct entry {
    cache_key_t key;
    int64_t expires_ns;
    cache_value_t value; /* its data follows the entry */
    struct entry *prev, *next;
    UT_hash_handle hh;
} entry_t;

struct cache {
    cache_limits_t limits;
    cache_figures_t figures;
    entry_t *entries;
    entry_t *used; /* the least recently used first */
};

static size_t bytes_of(const entry_t *entry)
{
    return sizeof(*entry) + entry->value.size; // NOLINT(clang-analyzer-core.*): see find
}

static void drop(cache_t *cache, entry_t *entry)
{
    cache->figures.entries--;
    cache->figures.bytes -= bytes_of(entry);
    HASH_DEL(cache->entries, entry); // NOLINT(clang-analyzer-core.*): the same
    DL_DELETE(cache->used, entry);
    free(entry);
}

static entry_t *find(const cache_t *cache, const cache_key_t *key)
{
    entry_t *entry = NULL;
    /* The analyzer does not see that an entry that was deleted is in no list of the table. */
    HASH_FIND(hh, cache->entries, key, sizeof(*key), entry); // NOLINT(clang-analyzer-core.*)
    return entry;
}

cache_t *cache_new(const cache_limits_t *limits)
{
    cache_t *cache = calloc(1, sizeof(*cache));
    if (cache != NULL) {
        cache->limits = *limits;
    }
    return cache;
}

void cache_free(cache_t **cache)
{
    if (*cache != NULL) {
        cache_clear(*cache);
        free(*cache);
        *cache = NULL;
    }
}

void cache_clear(cache_t *cache)
{
    while (cache->used != NULL) {
        drop(cache, cache->used);
    }
}

bool cache_get(cache_t *cache, const cache_key_t *key, int64_t now_ns, cache_value_t *value)
{
    entry_t *entry = find(cache, key);
    if (entry != NULL && entry->expires_ns <= now_ns) {
        cache->figures.expirations++;
        drop(cache, entry);
        entry = NULL;
    }
    if (entry == NULL) {
        cache->figures.misses++;
        return false;
    }
    cache->figures.hits++;
    DL_DELETE(cache->used, entry);
    DL_APPEND(cache->used, entry);
    *value = entry->value;
    return true;
}

/* False: the value is larger than all that may be kept. */
static bool make_room(cache_t *cache, size_t bytes)
{
    if (bytes > cache->limits.bytes_max || cache->limits.entries_max == 0) {
        return false;
    }
    while (cache->figures.bytes + bytes > cache->limits.bytes_max ||
           cache->figures.entries >= cache->limits.entries_max) {
        cache->figures.evictions++;
        drop(cache, cache->used);
    }
    return true;
}

void cache_put(cache_t *cache, const cache_key_t *key, const cache_value_t *value,
               int64_t expires_ns)
{
    entry_t *entry = find(cache, key);
    if (entry != NULL) {
        drop(cache, entry);
    }
    if (value->size > cache->limits.value_max || !make_room(cache, sizeof(*entry) + value->size)) {
        return;
    }
    entry = malloc(sizeof(*entry) + value->size);
    if (entry == NULL) {
        return;
    }
    memset(entry, 0, sizeof(*entry));
    entry->key = *key;
    entry->expires_ns = expires_ns;
    entry->value = *value;
    entry->value.data = entry + 1;
    if (value->size > 0) {
        memcpy(entry + 1, value->data, value->size);
    }
    HASH_ADD(hh, cache->entries, key, sizeof(entry->key), entry);
    if (entry->hh.tbl == NULL) {
        free(entry);
        return;
    }
    DL_APPEND(cache->used, entry);
    cache->figures.entries++;
    cache->figures.bytes += bytes_of(entry);
}

void cache_figures(const cache_t *cache, cache_figures_t *figures)
{
    *figures = cache->figures;
}
