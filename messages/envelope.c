/* SPDX-License-Identifier: MIT */
/* The pool of envelopes. Each thread keeps a cache; a cache that overflows hands one batch to the
 * shared depot, one that is empty takes a batch from there. So a thread that only sends and one
 * that only receives trade whole batches, and neither calls malloc for each message.
 *
 *     thread cache:  active (0..BATCH) + spare (0 or BATCH)   --batch-->   depot   --batch-->   ...
 */
#include "messages/envelope.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 128 /* envelopes: 16 KiB, one trip to the depot for each */

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

typedef struct cache {
    trp_envelope_t *active, *spare;
    size_t active_count, spare_count; /* spare: 0 or BATCH */
    bool watched;                     /* the thread's end gives the cache back */
} cache_t;

/* A list of envelopes; the first one's payload links the batches. */
typedef struct batch_head {
    trp_envelope_t *next_batch;
    size_t count;
} batch_head_t;

static _Thread_local cache_t cache;
static _Thread_local envelope_meter_t meter;

static struct {
    pthread_mutex_t lock; /* leaf: nothing is locked inside */
    trp_envelope_t *batches;
    pthread_once_t once;
    pthread_key_t at_exit;
} depot = {.lock = PTHREAD_MUTEX_INITIALIZER, .once = PTHREAD_ONCE_INIT};

static batch_head_t *batch_head(trp_envelope_t *first)
{
    return (batch_head_t *)(void *)first->payload.bytes;
}

static void depot_put(trp_envelope_t *first, size_t count)
{
    if (first == NULL) {
        return;
    }
    batch_head_t *head = batch_head(first);
    head->count = count;
    pthread_mutex_lock(&depot.lock);
    head->next_batch = depot.batches;
    depot.batches = first;
    pthread_mutex_unlock(&depot.lock);
}

static trp_envelope_t *depot_get(size_t *count)
{
    pthread_mutex_lock(&depot.lock);
    trp_envelope_t *first = depot.batches;
    if (first != NULL) {
        depot.batches = batch_head(first)->next_batch;
        *count = batch_head(first)->count;
    }
    pthread_mutex_unlock(&depot.lock);
    return first;
}

static void cache_give_back(void *unused)
{
    (void)unused;
    depot_put(cache.active, cache.active_count);
    depot_put(cache.spare, cache.spare_count);
    cache = (cache_t){0};
}

static void make_key(void)
{
    pthread_key_create(&depot.at_exit, cache_give_back);
}

static void cache_watch(void)
{
    pthread_once(&depot.once, make_key);
    pthread_setspecific(depot.at_exit, &cache);
    cache.watched = true;
}

/* A batch of new envelopes. Their memory stays with the process: it goes round for ever. */
static trp_envelope_t *batch_make(void)
{
    trp_envelope_t *all = aligned_alloc(64, BATCH * sizeof(*all));
    if (all == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < BATCH; i++) {
        all[i].next = i + 1 < BATCH ? &all[i + 1] : NULL;
    }
    return all;
}

static bool cache_refill(void)
{
    if (!cache.watched) {
        cache_watch();
    }
    if (cache.spare != NULL) {
        cache.active = cache.spare;
        cache.active_count = cache.spare_count;
        cache.spare = NULL;
        cache.spare_count = 0;
        return true;
    }
    size_t count = BATCH;
    trp_envelope_t *first = depot_get(&count);
    if (first == NULL) {
        first = batch_make();
    }
    if (first == NULL) {
        return false;
    }
    cache.active = first;
    cache.active_count = count;
    return true;
}

trp_envelope_t *envelope_alloc(void)
{
    trp_envelope_t *envelope = NULL;
    if (!POOLED) {
        envelope = aligned_alloc(64, sizeof(*envelope));
        if (envelope == NULL) {
            return NULL;
        }
    } else {
        if (cache.active == NULL && !cache_refill()) {
            return NULL;
        }
        envelope = cache.active;
        cache.active = envelope->next;
        cache.active_count--;
    }
    memset(envelope, 0, offsetof(trp_envelope_t, payload));
    return envelope;
}

static void cache_overflow(void)
{
    if (!cache.watched) {
        cache_watch();
    }
    depot_put(cache.spare, cache.spare_count);
    cache.spare = cache.active;
    cache.spare_count = cache.active_count;
    cache.active = NULL;
    cache.active_count = 0;
}

envelope_meter_t envelope_meter(void)
{
    return meter;
}

void envelope_meter_set(envelope_meter_t from)
{
    meter = from;
}

void envelope_free(trp_envelope_t *envelope)
{
    if ((envelope->flags & TRP_ENVELOPE_METERED) != 0) {
        size_t size = 0;
        (void)trp_message_data(envelope, &size);
        meter.messages++;
        meter.bytes += size;
    }
    if ((envelope->flags & TRP_ENVELOPE_SHARED) != 0) {
        zmq_msg_close(&envelope->payload.message);
    }
    if (!POOLED) {
        free(envelope);
        return;
    }
    if (cache.active_count >= BATCH) {
        cache_overflow();
    }
    envelope->next = cache.active;
    cache.active = envelope;
    cache.active_count++;
}

trp_status_t envelope_set(trp_envelope_t *envelope, const void *data, size_t size)
{
    if (size > TRP_INLINE_MAX) {
        if (zmq_msg_init_size(&envelope->payload.message, size) != 0) {
            return TRP_NO_MEMORY;
        }
        memcpy(zmq_msg_data(&envelope->payload.message), data, size);
        envelope->flags |= TRP_ENVELOPE_SHARED;
        return TRP_OK;
    }
    if (size > 0) {
        memcpy(envelope->payload.bytes, data, size);
    }
    envelope->inline_size = (uint8_t)size;
    return TRP_OK;
}

trp_status_t envelope_move(trp_envelope_t *envelope, zmq_msg_t *message)
{
    size_t size = zmq_msg_size(message);
    if (size <= TRP_INLINE_MAX) {
        if (size > 0) {
            memcpy(envelope->payload.bytes, zmq_msg_data(message), size);
        }
        envelope->inline_size = (uint8_t)size;
        zmq_msg_close(message);
        zmq_msg_init(message);
        return TRP_OK;
    }
    zmq_msg_init(&envelope->payload.message);
    if (zmq_msg_move(&envelope->payload.message, message) != 0) {
        return TRP_INVALID;
    }
    envelope->flags |= TRP_ENVELOPE_SHARED;
    return TRP_OK;
}

trp_envelope_t *envelope_copy(const trp_envelope_t *envelope)
{
    trp_envelope_t *copy = envelope_alloc();
    if (copy == NULL) {
        return NULL;
    }
    memcpy(copy, envelope, offsetof(trp_envelope_t, payload));
    copy->next = NULL;
    copy->flags &= (uint8_t)~TRP_ENVELOPE_METERED;
    if ((envelope->flags & TRP_ENVELOPE_SHARED) == 0) {
        memcpy(copy->payload.bytes, envelope->payload.bytes, envelope->inline_size);
        return copy;
    }
    zmq_msg_init(&copy->payload.message);
    /* libzmq takes no const source; copying only raises its reference count, atomically */
    if (zmq_msg_copy(&copy->payload.message, (zmq_msg_t *)(uintptr_t)&envelope->payload.message) !=
        0) {
        copy->flags &= (uint8_t)~TRP_ENVELOPE_SHARED;
        envelope_free(copy);
        return NULL;
    }
    return copy;
}
