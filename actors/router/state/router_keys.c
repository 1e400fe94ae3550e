/* SPDX-License-Identifier: MIT */
#include "actors/router/state/router_keys.h"

#include <stdlib.h>
#include <string.h>

#include "actors/router/state/router_workers.h"
#include "runtime/log.h"

#define LOST_MAX 10000
#define LOST_NS  (3600 * INT64_C(1000000000))

static void forget(router_t *router, key_entry_t *key)
{
    if (key->worker != NULL) {
        key->worker->member.keys--;
        worker_changed(key->worker);
    }
    HASH_DEL(router->keys, key);
    free(key);
}

key_entry_t *router_key_find(router_t *router, const char *name)
{
    key_entry_t *key = NULL;
    HASH_FIND_STR(router->keys, name, key);
    return key;
}

void router_key_bind(router_t *router, trp_text_t name, worker_t *worker)
{
    char text[TRP_TASK_KEY_MAX + 1];
    memcpy(text, name.data, name.size);
    text[name.size] = '\0';
    key_entry_t *key = router_key_find(router, text);
    if (key != NULL) {
        forget(router, key);
    }
    key = calloc(1, sizeof(*key));
    if (key == NULL) {
        return; /* the key is then not found: an error to who asks for it, no harm to others */
    }
    memcpy(key->name, text, name.size + 1);
    key->worker = worker;
    HASH_ADD_STR(router->keys, name, key);
    if (key->hh.tbl == NULL) {
        free(key);
        return;
    }
    worker->member.keys++;
    worker_changed(worker);
}

void router_key_unbind(router_t *router, trp_text_t name)
{
    key_entry_t *key = NULL;
    HASH_FIND(hh, router->keys, name.data, name.size, key);
    if (key != NULL) {
        forget(router, key);
    }
}

static void on_release(router_t *router, const trp_envelope_t *message)
{
    trp_document_t document;
    task_release_t release;
    trp_fault_t fault;
    if (trp_message_unpack(&task_release_schema, message, &document, &release, &fault) != TRP_OK) {
        return; /* it keeps the key until its worker ends */
    }
    key_entry_t *key = NULL;
    HASH_FIND(hh, router->keys, release.key.data, release.key.size, key);
    if (key != NULL && key->worker != NULL && trp_pid_equal(key->worker->pid, message->from)) {
        forget(router, key);
    }
    trp_document_fini(&document);
}

/* Marks what the list names, and binds what nobody holds. */
static void take_list(router_t *router, const task_keys_t *held, worker_t *worker)
{
    for (size_t i = 0; i < held->keys_count; i++) {
        const trp_text_t *name = &held->keys[i];
        key_entry_t *key = NULL;
        HASH_FIND(hh, router->keys, name->data, name->size, key);
        if (key == NULL && name->size > 0 && name->size <= TRP_TASK_KEY_MAX) {
            router_key_bind(router, *name, worker);
            HASH_FIND(hh, router->keys, name->data, name->size, key);
        }
        if (key != NULL) {
            key->listed = router->key_lists;
        }
    }
}

/* What comes from a worker comes in the order of its sending, so its list is what we would know of
 * it if nothing had been lost. */
static void on_list(router_t *router, const trp_envelope_t *message)
{
    trp_document_t document;
    task_keys_t held;
    trp_fault_t fault;
    worker_t *worker = worker_find(router, message->from);
    if (worker == NULL ||
        trp_message_unpack(&task_keys_schema, message, &document, &held, &fault) != TRP_OK) {
        return;
    }
    int64_t dropped = 0;
    key_entry_t *key, *next;
    router->key_lists++;
    take_list(router, &held, worker);
    HASH_ITER(hh, router->keys, key, next)
    {
        if (key->worker == worker && key->listed != router->key_lists) {
            forget(router, key);
            dropped++;
        }
    }
    if (dropped > 0) {
        log_event(LOG_INFO, "keys_corrected", LOG_TEXT("worker", worker->name),
                  LOG_INT("dropped", dropped));
    }
    trp_document_fini(&document);
}

void router_on_keys(router_t *router, const trp_envelope_t *message)
{
    if (message->tag == TRP_TAG_TASK_KEYS) {
        on_list(router, message);
    } else {
        on_release(router, message);
    }
}

/* The hash keeps the order of insertion, so the first lost keys are the oldest. */
static void trim_lost(router_t *router, int64_t now)
{
    size_t lost = 0;
    key_entry_t *key, *next;
    HASH_ITER(hh, router->keys, key, next)
    {
        lost += key->worker == NULL;
    }
    HASH_ITER(hh, router->keys, key, next)
    {
        if (key->worker == NULL && (lost > LOST_MAX || key->lost_ns < now - LOST_NS)) {
            lost--;
            forget(router, key);
        }
    }
}

void router_keys_lose(router_t *router, worker_t *worker, const trp_reason_t *reason)
{
    int64_t now = runtime_now_ns(router->runtime);
    key_entry_t *key, *next;
    HASH_ITER(hh, router->keys, key, next)
    {
        if (key->worker == worker) {
            key->worker = NULL;
            key->reason = *reason;
            key->lost_ns = now;
        }
    }
    worker->member.keys = 0;
    worker_changed(worker);
    trim_lost(router, now);
}

void router_keys_free(router_t *router)
{
    key_entry_t *key, *next;
    HASH_ITER(hh, router->keys, key, next)
    {
        HASH_DEL(router->keys, key);
        free(key);
    }
}
