/* SPDX-License-Identifier: MIT */
#include "runtime/edge/edge_unread.h"

/* Out of memory is an element whose hh.tbl is NULL after HASH_ADD, not the end of the process. */
#define HASH_NONFATAL_OOM 1
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#define SWEEP_MIN 64 /* accounts before those with nothing unread are looked for */

/* One peer's. Held by the table, and by each frame that is on its way. */
typedef struct account {
    UT_hash_handle hh;
    atomic_size_t bytes; /* relaxed: a bound, nothing is published with it */
    atomic_size_t holds; /* who lets go last frees it: acquire-release, as of any reference */
    uint8_t size;
    uint8_t id[];
} account_t;

struct edge_unread {
    size_t max, counted;
    account_t *accounts;
    size_t sweep_at;
};

/* What a counted frame stands on. */
typedef struct hold {
    /* Release, when the rest is written; acquire, by the thread that frees it: libzmq's own
     * hand-over orders this already, which the race detector can't see. */
    _Atomic(account_t *) account;
    size_t bytes;
    zmq_msg_t frame;
} hold_t;

edge_unread_t *edge_unread_new(size_t max, size_t counted)
{
    edge_unread_t *unread = calloc(1, sizeof(*unread));
    if (unread != NULL) {
        unread->max = max;
        unread->counted = counted;
        unread->sweep_at = SWEEP_MIN;
    }
    return unread;
}

/* Acquire-release: all that others did with it comes before it is freed. */
static void let_go(account_t *account)
{
    if (atomic_fetch_sub_explicit(&account->holds, 1, memory_order_acq_rel) == 1) {
        free(account);
    }
}

/* Relaxed: a bound; nothing is published with it. */
static size_t bytes_of(account_t *account)
{
    return atomic_load_explicit(&account->bytes, memory_order_relaxed);
}

/* Forgets the accounts of those who have read all, or of all. */
static void sweep(edge_unread_t *unread, bool all)
{
    account_t *account, *next;
    HASH_ITER(hh, unread->accounts, account, next)
    {
        if (all || bytes_of(account) == 0) {
            HASH_DEL(unread->accounts, account); // NOLINT(clang-analyzer-core.*): uthash keeps it
            let_go(account);
        }
    }
    const size_t twice = 2 * (size_t)HASH_COUNT(unread->accounts);
    unread->sweep_at = twice > SWEEP_MIN ? twice : SWEEP_MIN;
}

void edge_unread_free(edge_unread_t **pointer)
{
    edge_unread_t *unread = *pointer;
    *pointer = NULL;
    if (unread != NULL) {
        sweep(unread, true);
        free(unread);
    }
}

/* NULL: it has none, and nothing unread */
static account_t *find(const edge_unread_t *unread, const trp_peer_t *peer)
{
    account_t *account = NULL;
    HASH_FIND(hh, unread->accounts, peer->id, peer->size, account);
    return account;
}

size_t edge_unread_bytes(const edge_unread_t *unread, const trp_peer_t *peer)
{
    account_t *account = find(unread, peer);
    return account == NULL ? 0 : bytes_of(account);
}

/* NULL: no memory */
static account_t *account_of(edge_unread_t *unread, const trp_peer_t *peer)
{
    account_t *account = find(unread, peer);
    if (account != NULL) {
        return account;
    }
    if (HASH_COUNT(unread->accounts) >= unread->sweep_at) {
        sweep(unread, false);
    }
    account = calloc(1, sizeof(*account) + peer->size);
    if (account == NULL) {
        return NULL;
    }
    account->size = peer->size;
    memcpy(account->id, peer->id, peer->size);
    atomic_init(&account->holds, 1);
    HASH_ADD_KEYPTR(hh, unread->accounts, account->id, account->size, account);
    if (account->hh.tbl == NULL) {
        free(account);
        return NULL;
    }
    return account;
}

/* Acquire: the frame as the edge left it. Relaxed: the bound, as above. */
static void on_free(void *data, void *hint)
{
    (void)data;
    hold_t *hold = hint;
    account_t *account = atomic_load_explicit(&hold->account, memory_order_acquire);
    atomic_fetch_sub_explicit(&account->bytes, hold->bytes, memory_order_relaxed);
    (void)zmq_msg_close(&hold->frame);
    free(hold);
    let_go(account);
}

/* What a frame takes of the bound; 0: it is not counted. */
static size_t charge_of(const edge_unread_t *unread, zmq_msg_t *frame)
{
    const size_t size = zmq_msg_size(frame);
    return size < unread->counted ? 0 : size < UNREAD_LEAST ? UNREAD_LEAST : size;
}

/* Puts a frame in the place of another one, with the same bytes, that tells when it is freed.
 * Without memory for that it goes uncounted. */
static void count_frame(account_t *account, zmq_msg_t *frame, size_t charge)
{
    hold_t *hold = malloc(sizeof(*hold));
    zmq_msg_t counted;
    if (hold == NULL) {
        return;
    }
    (void)zmq_msg_init(&hold->frame);
    (void)zmq_msg_move(&hold->frame, frame);
    hold->bytes = charge;
    if (zmq_msg_init_data(&counted, zmq_msg_data(&hold->frame), zmq_msg_size(&hold->frame), on_free,
                          hold) != 0) {
        (void)zmq_msg_move(frame, &hold->frame);
        free(hold);
        return;
    }
    atomic_fetch_add_explicit(&account->holds, 1, memory_order_relaxed); /* we have one already */
    atomic_fetch_add_explicit(&account->bytes, hold->bytes, memory_order_relaxed);
    atomic_store_explicit(&hold->account, account, memory_order_release);
    (void)zmq_msg_move(frame, &counted);
    (void)zmq_msg_close(&counted);
}

trp_status_t edge_unread_count(edge_unread_t *unread, const trp_peer_t *peer, zmq_msg_t *frames,
                               size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        bytes += charge_of(unread, &frames[i]);
    }
    account_t *account = bytes == 0 ? NULL : account_of(unread, peer);
    if (account == NULL) {
        return TRP_OK;
    }
    const size_t before = bytes_of(account);
    if (before > 0 && before + bytes > unread->max) {
        return TRP_BUSY;
    }
    for (size_t i = 0; i < count; i++) {
        const size_t charge = charge_of(unread, &frames[i]);
        if (charge > 0) {
            count_frame(account, &frames[i], charge);
        }
    }
    return TRP_OK;
}
