/* SPDX-License-Identifier: MIT */
/* Calls by the id that their client gave them, so that it can cancel one: only its own. Whoever
 * waits for the same work goes on waiting; when nobody does, a queued task is dropped and a running
 * one has `cancel_ms` to end by itself before its worker is replaced. */
#include <stdlib.h>
#include <string.h>

#include "actors/router/router_parts.h"

/* The key: one byte of the peer's size, the peer, the id; of an actor no peer, but its pid and the
 * number of its request. */
struct call {
    task_t *task;
    UT_hash_handle hh;
    size_t size;
    unsigned char key[];
};

#define KEY_MAX (1 + 255 + TRP_TASK_ID_MAX)

/* Returns its size; 0: the call has no name. */
static size_t make_key(const origin_t *origin, unsigned char key[KEY_MAX])
{
    const edge_peer_t *peer = origin->peer;
    const trp_reply_address_t *actor = &origin->actor;
    const size_t id_size = strlen(origin->id);
    if (peer == NULL) {
        key[0] = 0;
        memcpy(key + 1, &actor->to, sizeof(actor->to));
        memcpy(key + 1 + sizeof(actor->to), &actor->request_id, sizeof(actor->request_id));
        return trp_pid_is_none(actor->to) ? 0 : 1 + sizeof(actor->to) + sizeof(actor->request_id);
    }
    key[0] = peer->size;
    memcpy(key + 1, peer->id, peer->size);
    memcpy(key + 1 + peer->size, origin->id, id_size);
    return id_size == 0 ? 0 : 1 + (size_t)peer->size + id_size;
}

static call_entry_t *find(const router_t *router, const origin_t *origin)
{
    unsigned char key[KEY_MAX];
    call_entry_t *call = NULL;
    size_t size = make_key(origin, key);
    if (size > 0) {
        HASH_FIND(hh, router->calls, key, size, call);
    }
    return call;
}

void router_call_add(router_t *router, task_t *task, const origin_t *origin)
{
    unsigned char key[KEY_MAX];
    size_t size = make_key(origin, key);
    if (size == 0) {
        return;
    }
    router_call_remove(router, origin); /* one id, one call: the last one */
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
    call_entry_t *call = find(router, origin);
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

bool router_cancel(router_t *router, const origin_t *origin)
{
    call_entry_t *call = find(router, origin);
    if (call == NULL) {
        return false;
    }
    task_t *task = call->task;
    waiter_t gone;
    refusal_t refusal;
    bool is_left = task_take_waiter(task, origin, &gone);
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
