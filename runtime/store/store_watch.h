/* SPDX-License-Identifier: MIT */
/* Who watches a store: the actor's list. One who has no room for a change hears, when he has, that
 * he missed some. */
#ifndef TRP_RUNTIME_STORE_WATCH_H
#define TRP_RUNTIME_STORE_WATCH_H

#include "messages/store.h"
#include "runtime/troupe.h"

#define TAG_STORE_ROOM (TRP_TAG_STORE_CHANGED + 3)

typedef struct store_watcher {
    trp_pid_t pid;
    uint64_t monitor;
    bool missed;
    uint16_t size;
    char prefix[TRP_STORE_KEY_MAX];
} store_watcher_t;

typedef struct store_watchers {
    store_watcher_t *list;
    size_t count, room;
} store_watchers_t;

/** As the message says. errors: TRP_FULL, TRP_NO_MEMORY */
trp_status_t store_watchers_set(trp_ctx_t *ctx, store_watchers_t *watchers, trp_pid_t pid,
                                const store_watch_t *asked);
/** A store_changed for those whom it concerns. */
void store_watchers_tell(trp_ctx_t *ctx, store_watchers_t *watchers, const trp_envelope_t *changed);
/** All of them have missed something. */
void store_watchers_missed(trp_ctx_t *ctx, store_watchers_t *watchers);
/** That one has room again. */
void store_watchers_retry(trp_ctx_t *ctx, store_watchers_t *watchers, trp_pid_t pid);
/** That one has ended. */
void store_watchers_drop(store_watchers_t *watchers, uint64_t monitor);
void store_watchers_free(store_watchers_t *watchers);

#endif
