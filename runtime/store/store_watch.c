/* SPDX-License-Identifier: MIT */
#include "runtime/store/store_watch.h"

#include <stdlib.h>
#include <string.h>

#define WATCHERS_MAX 1024

/* ---- telling ---- */

static void say(trp_ctx_t *ctx, store_watcher_t *watcher, const store_changed_t *changed)
{
    trp_status_t status = watcher->missed && !changed->missed
                              ? TRP_FULL /* what comes first is that something is missing */
                              : trp_send_struct(ctx, watcher->pid, &store_changed_schema, changed);
    const bool refused = status == TRP_FULL || status == TRP_BUSY;
    if (refused && !watcher->missed) {
        /* Without memory for the wish the next change is the next chance. */
        status = trp_when_room(ctx, watcher->pid, TAG_STORE_ROOM);
    }
    watcher->missed = refused || status != TRP_OK;
}

void store_watchers_missed(trp_ctx_t *ctx, store_watchers_t *watchers)
{
    for (size_t i = 0; i < watchers->count; i++) {
        say(ctx, &watchers->list[i], &(store_changed_t){.missed = true});
    }
}

void store_watchers_tell(trp_ctx_t *ctx, store_watchers_t *watchers, const trp_envelope_t *message)
{
    store_changed_t changed;
    trp_document_t document;
    trp_fault_t fault;
    if (trp_message_unpack(&store_changed_schema, message, &document, &changed, &fault) != TRP_OK) {
        return;
    }
    for (size_t i = 0; i < watchers->count; i++) {
        store_watcher_t *watcher = &watchers->list[i];
        const bool concerns =
            changed.missed ||
            (changed.key.size >= watcher->size &&
             (watcher->size == 0 || memcmp(changed.key.data, watcher->prefix, watcher->size) == 0));
        if (concerns) {
            say(ctx, watcher, &changed);
        }
    }
    trp_document_fini(&document);
}

void store_watchers_retry(trp_ctx_t *ctx, store_watchers_t *watchers, trp_pid_t pid)
{
    for (size_t i = 0; i < watchers->count; i++) {
        store_watcher_t *watcher = &watchers->list[i];
        if (watcher->missed && trp_pid_equal(watcher->pid, pid)) {
            watcher->missed = false;
            say(ctx, watcher, &(store_changed_t){.missed = true});
        }
    }
}

/* ---- the list ---- */

static void stop(trp_ctx_t *ctx, store_watchers_t *watchers, trp_pid_t pid)
{
    for (size_t i = 0; i < watchers->count;) {
        if (trp_pid_equal(watchers->list[i].pid, pid)) {
            trp_demonitor(ctx, watchers->list[i].monitor);
            watchers->list[i] = watchers->list[--watchers->count];
        } else {
            i++;
        }
    }
}

static bool is_known(const store_watchers_t *watchers, trp_pid_t pid, trp_text_t prefix)
{
    for (size_t i = 0; i < watchers->count; i++) {
        const store_watcher_t *watcher = &watchers->list[i];
        if (trp_pid_equal(watcher->pid, pid) && watcher->size == prefix.size &&
            (prefix.size == 0 || memcmp(watcher->prefix, prefix.data, prefix.size) == 0)) {
            return true;
        }
    }
    return false;
}

static bool grow(store_watchers_t *watchers)
{
    const size_t room = watchers->room == 0 ? 4 : watchers->room * 2;
    store_watcher_t *list = watchers->count < watchers->room
                                ? watchers->list
                                : realloc(watchers->list, room * sizeof(*list));
    if (list == NULL) {
        return false;
    }
    watchers->room = watchers->count < watchers->room ? watchers->room : room;
    watchers->list = list;
    return true;
}

trp_status_t store_watchers_set(trp_ctx_t *ctx, store_watchers_t *watchers, trp_pid_t pid,
                                const store_watch_t *asked)
{
    if (asked->stop) {
        stop(ctx, watchers, pid);
        return TRP_OK;
    }
    if (is_known(watchers, pid, asked->prefix)) {
        return TRP_OK;
    }
    if (watchers->count == WATCHERS_MAX) {
        return TRP_FULL;
    }
    store_watcher_t watcher = {.pid = pid, .size = (uint16_t)asked->prefix.size};
    if (asked->prefix.size > 0) {
        memcpy(watcher.prefix, asked->prefix.data, asked->prefix.size);
    }
    if (!grow(watchers) || trp_monitor(ctx, pid, &watcher.monitor) != TRP_OK) {
        return TRP_NO_MEMORY;
    }
    watchers->list[watchers->count++] = watcher;
    return TRP_OK;
}

void store_watchers_drop(store_watchers_t *watchers, uint64_t monitor)
{
    for (size_t i = 0; i < watchers->count; i++) {
        if (watchers->list[i].monitor == monitor) {
            watchers->list[i] = watchers->list[--watchers->count];
            return;
        }
    }
}

void store_watchers_free(store_watchers_t *watchers)
{
    free(watchers->list);
    *watchers = (store_watchers_t){.list = NULL};
}
