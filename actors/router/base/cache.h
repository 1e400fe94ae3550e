/* SPDX-License-Identifier: MIT */
/* A cache of answers: bounded by entries and bytes, least recently used out first, each with a time
 * to live. What an answer says does not matter: an empty or false one is a hit like any other. Edge
 * thread only.
 *
 * source: least recently used by a list and a hash, as in any textbook. */
#ifndef TRP_ACTORS_CACHE_H
#define TRP_ACTORS_CACHE_H

#include "actors/router/base/cache_key.h"

typedef struct cache_limits {
    size_t entries_max;
    size_t bytes_max; /* of keys, values and what it takes to keep them */
    size_t value_max; /* a larger value is not kept: it would push out all others */
} cache_limits_t;

typedef struct cache_figures {
    uint64_t hits, misses, evictions, expirations;
    size_t entries, bytes;
} cache_figures_t;

typedef struct cache cache_t;

/** NULL: no memory */
cache_t *cache_new(const cache_limits_t *limits);
void cache_free(cache_t **cache);

/** What is kept of an answer. */
typedef struct cache_value {
    bool success;
    trp_form_t form; /* in which `data` is encoded */
    const void *data;
    size_t size;
    uint32_t frame_count; /* of a foreign tool: `data` is so many frames, each after its size (u32,
                           * this machine's order); 0: one value */
} cache_value_t;

/** False: a miss. owns: `value` points into the cache until its next change */
bool cache_get(cache_t *cache, const cache_key_t *key, int64_t now_ns, cache_value_t *value);

/** Keeps a copy, in the place of what was there. What is too large is not kept, nor without
 * memory. */
void cache_put(cache_t *cache, const cache_key_t *key, const cache_value_t *value,
               int64_t expires_ns);

/** Drops all; the figures of hits and misses stay. */
void cache_clear(cache_t *cache);

void cache_figures(const cache_t *cache, cache_figures_t *figures);

#endif
