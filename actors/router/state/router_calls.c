/* SPDX-License-Identifier: MIT */
#include "actors/router/state/router_calls.h"

#include <stdlib.h>
#include <string.h>

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

static void call_remove(router_t *router, const origin_t *origin)
{
    call_entry_t *call = find(router, origin);
    if (call != NULL) {
        HASH_DEL(router->calls, call);
        free(call);
    }
}

void router_call_add(router_t *router, task_t *task, const origin_t *origin)
{
    unsigned char key[KEY_MAX];
    size_t size = make_key(origin, key);
    if (size == 0) {
        return;
    }
    call_remove(router, origin); /* one id, one call: the last one */
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
    call_remove(router, &waiter->origin);
    free(waiter->origin.peer);
    waiter->origin.peer = NULL;
}

task_t *router_call_find(const router_t *router, const origin_t *origin)
{
    const call_entry_t *call = find(router, origin);
    return call != NULL ? call->task : NULL;
}
