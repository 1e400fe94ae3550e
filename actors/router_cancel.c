/* SPDX-License-Identifier: MIT */
/* Calls by the id that their client gave them, so that it can cancel one: only its own. Whoever
 * waits for the same work goes on waiting; when nobody does, a queued task is dropped and a running
 * one has `cancel_ms` to end by itself before its worker is replaced. */
#include <stdlib.h>
#include <string.h>

#include "actors/router_parts.h"

/* The key: one byte of the peer's size, the peer, the id. */
struct call {
    task_t *task;
    UT_hash_handle hh;
    size_t size;
    unsigned char key[];
};

#define KEY_MAX (1 + 255 + TRP_TASK_ID_MAX)

static size_t make_key(const edge_peer_t *peer, trp_text_t id, unsigned char key[KEY_MAX])
{
    key[0] = peer->size;
    memcpy(key + 1, peer->id, peer->size);
    memcpy(key + 1 + peer->size, id.data, id.size);
    return 1 + (size_t)peer->size + id.size;
}

static call_entry_t *find(const router_t *router, const edge_peer_t *peer, trp_text_t id)
{
    unsigned char key[KEY_MAX];
    call_entry_t *call = NULL;
    size_t size = make_key(peer, id, key);
    HASH_FIND(hh, router->calls, key, size, call);
    return call;
}

void router_call_add(router_t *router, task_t *task, const origin_t *origin)
{
    unsigned char key[KEY_MAX];
    trp_text_t id = {origin->id, strlen(origin->id)};
    if (origin->peer == NULL || id.size == 0) {
        return;
    }
    router_call_remove(router, origin); /* one id, one call: the last one */
    size_t size = make_key(origin->peer, id, key);
    call_entry_t *call = malloc(sizeof(*call) + size);
    if (call == NULL) {
        return; /* it can't be cancelled then */
    }
    memcpy(call->key, key, size);
    call->size = size;
    call->task = task;
    HASH_ADD_KEYPTR(hh, router->calls, call->key, size, call);
    if (call->hh.tbl == NULL) {
        free(call);
    }
}

void router_waiter_gone(router_t *router, waiter_t *waiter)
{
    router_call_remove(router, &waiter->origin);
    waiter_fini(waiter);
}

void router_all_answered(router_t *router, task_t *task)
{
    router_waiter_gone(router, &task->waiter);
    router_flight_end(router, task, NULL); /* who asks from now on begins anew */
    task->answered = true;
}

void router_call_remove(router_t *router, const origin_t *origin)
{
    if (origin->peer == NULL || origin->id[0] == '\0') {
        return;
    }
    call_entry_t *call = find(router, origin->peer, (trp_text_t){origin->id, strlen(origin->id)});
    if (call != NULL) {
        HASH_DEL(router->calls, call);
        free(call);
    }
}

/* Nobody waits for the task any more. */
static void abandon(router_t *router, task_t *task)
{
    if (task->state != TASK_RUNNING) {
        if (task->state == TASK_QUEUED) {
            task_dequeue(task, false);
        }
        task_free(router, task);
        router_nudge(router);
        return;
    }
    router_all_answered(router, task);
    task->run_end_ns =
        runtime_now_ns(router->runtime) + task->service->pool->config->cancel_ms * INT64_C(1000000);
    task_note_end(task);
    router_nudge(router); /* its pool's timer may be late for that */
}

bool router_cancel(router_t *router, const edge_peer_t *peer, trp_text_t id)
{
    if (id.size < 1 || id.size > TRP_TASK_ID_MAX) {
        return false;
    }
    call_entry_t *call = find(router, peer, id);
    if (call == NULL) {
        return false;
    }
    task_t *task = call->task;
    waiter_t gone;
    refusal_t refusal;
    bool is_left = task_take_waiter(task, peer, id, &gone);
    refusal_init(&refusal, "E_CANCELLED", "cancelled by its client");
    router_refuse_waiter(router, task, is_left ? &gone : &task->waiter, &refusal);
    if (is_left) {
        router_waiter_gone(router, &gone);
        task_note_end(task);
    } else {
        abandon(router, task);
    }
    return true;
}
