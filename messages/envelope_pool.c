/* SPDX-License-Identifier: MIT */
#include "messages/envelope_pool.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define SLAB_BYTES ((size_t)64 << 10) /* and its alignment: an envelope's address tells its slab */
#define SLAB_COUNT (SLAB_BYTES / sizeof(trp_envelope_t) - 1) /* the first place is the slab's own */
#define DEPOT_KEPT \
    1024 /* magazines that stay without a need: 16 MiB, a mailbox at its default bound */
#define LOOK_EVERY 256 /* magazines that come in between looks at what was not needed */

#if defined(__SANITIZE_ADDRESS__)
#define POOLED \
    false /* every envelope its own block, so that the sanitizer sees each use after free */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POOLED false
#endif
#endif
#ifndef POOLED
#define POOLED true
#endif

typedef struct slab {
    struct slab *next; /* of those to be given back */
    size_t idle;       /* envelopes of it among those that are looked at */
} slab_t;

_Static_assert(sizeof(slab_t) <= sizeof(trp_envelope_t), "it has the place of one");

_Thread_local magazines_t envelope_magazines;

static struct {
    pthread_mutex_t lock; /* leaf: nothing is locked inside */
    magazine_t *full;     /* those with something in them */
    size_t full_count;
    size_t least;     /* the smallest full_count since the last look: so many were not needed */
    size_t until;     /* magazines to come in until the next look */
    magazine_t *bare; /* those with nothing in them */
    trp_envelope_t *loose; /* freed when there was no memory for a magazine to put them in */
    char *fresh;           /* the slab that new envelopes are cut from ... */
    size_t fresh_left;
    size_t slabs; /* of the process */
    pthread_once_t once;
    pthread_key_t at_exit;
} depot = {.lock = PTHREAD_MUTEX_INITIALIZER, .until = LOOK_EVERY, .once = PTHREAD_ONCE_INIT};

static pthread_mutex_t trimming = PTHREAD_MUTEX_INITIALIZER; /* the slabs' `idle`; a leaf */

static slab_t *slab_of(const trp_envelope_t *envelope)
{
    return (slab_t *)((uintptr_t)envelope & ~(SLAB_BYTES - 1));
}

/* ---- memory from the system, and back ---- */

/* NULL: no memory */
static char *slab_map(void)
{
    char *twice =
        mmap(NULL, 2 * SLAB_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (twice == MAP_FAILED) {
        return NULL;
    }
    size_t before = (SLAB_BYTES - (uintptr_t)twice % SLAB_BYTES) % SLAB_BYTES;
    if (before > 0) {
        munmap(twice, before);
    }
    munmap(twice + before + SLAB_BYTES, SLAB_BYTES - before);
    return twice + before;
}

static void put_loose(trp_envelope_t *envelope)
{
    pthread_mutex_lock(&depot.lock);
    envelope->next = depot.loose;
    depot.loose = envelope;
    pthread_mutex_unlock(&depot.lock);
}

static void take_loose(magazine_t *magazine)
{
    while (depot.loose != NULL && magazine->count < MAGAZINE_SIZE) {
        magazine->envelopes[magazine->count++] = depot.loose;
        depot.loose = depot.loose->next;
    }
}

/* Fills an empty magazine with new envelopes; under the depot's lock. */
static void cut_fresh(magazine_t *magazine)
{
    if (depot.fresh_left == 0) {
        depot.fresh = slab_map();
        if (depot.fresh == NULL) {
            return;
        }
        depot.fresh_left = SLAB_COUNT;
        depot.slabs++;
    }
    size_t count = depot.fresh_left < MAGAZINE_SIZE ? depot.fresh_left : MAGAZINE_SIZE;
    char *first = depot.fresh + depot.fresh_left * sizeof(trp_envelope_t);
    for (size_t i = 0; i < count; i++) { /* from the slab's end; taken by rising address */
        magazine->envelopes[i] = (trp_envelope_t *)(void *)(first - i * sizeof(trp_envelope_t));
    }
    magazine->count = count;
    depot.fresh_left -= count;
}

/* Sorts out what lies in slabs that are idle as a whole; those slabs are returned. */
static slab_t *sift(magazine_t *list)
{
    slab_t *whole = NULL;
    for (magazine_t *magazine = list; magazine != NULL; magazine = magazine->next) {
        for (size_t i = 0; i < magazine->count; i++) {
            slab_t *slab = slab_of(magazine->envelopes[i]);
            if (++slab->idle == SLAB_COUNT) {
                slab->next = whole;
                whole = slab;
            }
        }
    }
    for (magazine_t *magazine = list; magazine != NULL; magazine = magazine->next) {
        size_t kept = 0;
        for (size_t i = 0; i < magazine->count; i++) {
            trp_envelope_t *envelope = magazine->envelopes[i];
            if (slab_of(envelope)->idle != SLAB_COUNT) {
                magazine->envelopes[kept++] = envelope;
            }
        }
        magazine->count = kept;
    }
    for (magazine_t *magazine = list; magazine != NULL; magazine = magazine->next) {
        for (size_t i = 0; i < magazine->count; i++) {
            slab_of(magazine->envelopes[i])->idle = 0;
        }
    }
    return whole;
}

#define MARKED_COUNT 32 /* of each thread */

static _Thread_local struct {
    trp_envelope_t *envelopes[MARKED_COUNT]; /* a ring */
    size_t at;
} marked;

trp_envelope_t *envelope_pool_mark(trp_envelope_t *envelope)
{
    trp_envelope_check(envelope, "envelope_free");
    memset(envelope, TRP_ENVELOPE_FREED, sizeof(*envelope));
    trp_envelope_t *oldest = marked.envelopes[marked.at];
    marked.envelopes[marked.at] = envelope;
    marked.at = (marked.at + 1) % MARKED_COUNT;
    return oldest;
}

/* ---- the depot ---- */

/* Takes `count` full magazines out; under the depot's lock. */
static magazine_t *take_out(size_t count)
{
    magazine_t *list = NULL;
    for (size_t i = 0; i < count; i++) {
        magazine_t *magazine = depot.full;
        depot.full = magazine->next;
        magazine->next = list;
        list = magazine;
    }
    depot.full_count -= count;
    return list;
}

static void put_full(magazine_t *magazine)
{
    magazine->next = depot.full;
    depot.full = magazine;
    depot.full_count++;
}

/* Whether it is time to look, and then what was not needed since the last look; under the lock. */
static magazine_t *surplus(void)
{
    if (--depot.until > 0) {
        return NULL;
    }
    size_t count = depot.least > DEPOT_KEPT ? depot.least - DEPOT_KEPT : 0;
    depot.until = LOOK_EVERY;
    magazine_t *list = take_out(count);
    depot.least = depot.full_count;
    return list;
}

/* Gives whole slabs back to the system, the rest to the depot. */
static void trim(magazine_t *list)
{
    pthread_mutex_lock(&trimming);
    slab_t *whole = sift(list);
    pthread_mutex_unlock(&trimming);
    size_t gone = 0;
    while (whole != NULL) {
        slab_t *next = whole->next;
        munmap(whole, SLAB_BYTES);
        whole = next;
        gone++;
    }
    pthread_mutex_lock(&depot.lock);
    depot.slabs -= gone;
    magazine_t *empty = NULL;
    while (list != NULL) {
        magazine_t *next = list->next;
        if (list->count > 0) {
            put_full(list);
        } else {
            list->next = empty;
            empty = list;
        }
        list = next;
    }
    pthread_mutex_unlock(&depot.lock);
    while (empty != NULL) {
        magazine_t *next = empty->next;
        free(empty);
        empty = next;
    }
}

/* A magazine with something in it for one with nothing; the same one: no memory. */
static magazine_t *trade_empty(magazine_t *empty)
{
    pthread_mutex_lock(&depot.lock);
    magazine_t *magazine = depot.full;
    if (magazine == NULL) {
        magazine = empty;
        take_loose(magazine);
        if (magazine->count == 0) {
            cut_fresh(magazine);
        }
    } else {
        depot.full = magazine->next;
        depot.full_count--;
        empty->next = depot.bare;
        depot.bare = empty;
    }
    if (depot.full_count < depot.least) {
        depot.least = depot.full_count;
    }
    pthread_mutex_unlock(&depot.lock);
    return magazine;
}

/* One with nothing in it for a full one; NULL: no memory, and the full one is kept. */
static magazine_t *trade_full(magazine_t *full)
{
    pthread_mutex_lock(&depot.lock);
    magazine_t *magazine = depot.bare;
    if (magazine != NULL) {
        depot.bare = magazine->next;
    } else {
        magazine = calloc(1, sizeof(*magazine));
    }
    magazine_t *unneeded = NULL;
    if (magazine != NULL) {
        put_full(full);
        unneeded = surplus();
    }
    pthread_mutex_unlock(&depot.lock);
    if (unneeded != NULL) {
        trim(unneeded);
    }
    return magazine;
}

/* ---- threads ---- */

static void give_back(void *unused)
{
    (void)unused;
    magazine_t *all[] = {envelope_magazines.loaded, envelope_magazines.spare};
    envelope_magazines = (magazines_t){NULL, NULL};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (all[i] == NULL) {
            continue;
        }
        pthread_mutex_lock(&depot.lock);
        if (all[i]->count > 0) {
            put_full(all[i]);
        } else {
            all[i]->next = depot.bare;
            depot.bare = all[i];
        }
        pthread_mutex_unlock(&depot.lock);
    }
}

static void make_key(void)
{
    pthread_key_create(&depot.at_exit, give_back);
}

/* This thread's magazines, made when it has none. False: no memory */
static bool have_magazines(magazines_t *mine)
{
    if (mine->loaded != NULL) {
        return true;
    }
    mine->loaded = calloc(1, sizeof(*mine->loaded));
    mine->spare = calloc(1, sizeof(*mine->spare));
    if (mine->loaded == NULL || mine->spare == NULL) {
        free(mine->loaded);
        free(mine->spare);
        *mine = (magazines_t){NULL, NULL};
        return false;
    }
    pthread_once(&depot.once, make_key);
    pthread_setspecific(depot.at_exit, mine);
    return true;
}

static void swap(magazines_t *mine)
{
    magazine_t *spare = mine->spare;
    mine->spare = mine->loaded;
    mine->loaded = spare;
}

trp_envelope_t *envelope_pool_get_slowly(void)
{
    if (!POOLED) {
        return aligned_alloc(TRP_ENVELOPE_SIZE, sizeof(trp_envelope_t));
    }
    magazines_t *mine = &envelope_magazines;
    if (!have_magazines(mine)) {
        return NULL;
    }
    if (mine->spare->count > 0) {
        swap(mine);
    } else {
        mine->loaded = trade_empty(mine->loaded);
    }
    return mine->loaded->count > 0 ? mine->loaded->envelopes[--mine->loaded->count] : NULL;
}

void envelope_pool_put_slowly(trp_envelope_t *envelope)
{
    if (!POOLED) {
        free(envelope);
        return;
    }
    magazines_t *mine = &envelope_magazines;
    if (!have_magazines(mine)) {
        put_loose(envelope);
        return;
    }
    if (mine->spare->count == 0) {
        swap(mine);
    } else {
        magazine_t *empty = trade_full(mine->loaded);
        if (empty == NULL) {
            put_loose(envelope);
            return;
        }
        mine->loaded = empty;
    }
    mine->loaded->envelopes[mine->loaded->count++] = envelope;
}

size_t envelope_pool_memory(void)
{
    pthread_mutex_lock(&depot.lock);
    size_t bytes = depot.slabs * SLAB_BYTES;
    pthread_mutex_unlock(&depot.lock);
    return bytes;
}
