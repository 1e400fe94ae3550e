/* SPDX-License-Identifier: MIT */
/* A client's end of its channel: frames come in while its thread is in a call, and wait in the
 * inbox, in order, until they are received. Beyond its bound the node holds back what the client
 * does not take. One thread at a time. */
#ifndef TRP_RUNTIME_CLIENT_LINK_H
#define TRP_RUNTIME_CLIENT_LINK_H

#include <stdatomic.h>

#include "runtime/base/host.h"
#include "runtime/client.h"
#include "runtime/client/client_hub.h"
#include "runtime/client/client_pending.h"
#include "runtime/edge/channel.h"

struct trp_client {
    client_way_t way;
    void *socket;
    int descriptor;
    channel_t channel;
    bool gone;                    /* the other end has said goodbye, or the channel can't go on */
    trp_envelope_t *first, *last; /* the inbox */
    size_t kept;                  /* messages in it ... */
    size_t paid, paid_bytes;      /* ... and of them those that count as handled */
    trp_envelope_t *shown;        /* what the last call returned */
    client_pending_t pending;     /* requests that wait for their answers */
    uint64_t last_id;
    uint64_t awaited; /* the request of a call; 0: none */
    trp_envelope_t *answer;
    int64_t asked; /* the question that waits; its answer: */
    bool answered;
    trp_status_t question_status;
    size_t question_count;
    trp_pid_t question_pid;
    _Atomic bool busy; /* a call is running: a second one is refused */
};

/** Monotonic. units: nanoseconds */
int64_t client_now_ns(void);

/** When a time limit ends; 0 = 5 s, negative = HOST_FOREVER. */
int64_t client_due_ns(int64_t timeout_ms);

/** Begins a call: what the last one returned is done with. False: another thread is in one. */
bool client_enter(trp_client_t *client);

/** Ends it with `status`; TRP_GONE instead of another error when the node is gone. */
trp_status_t client_leave(trp_client_t *client, trp_status_t status);

/** Handles what comes, at most until `until_ns`; may return early. */
void client_wait(trp_client_t *client, int64_t until_ns);

/** A new envelope of the client; NULL: no memory. */
trp_envelope_t *client_envelope(const trp_client_t *client, trp_pid_t to, uint16_t tag);

/** Sends it. owns: taken. errors: TRP_GONE, TRP_BUSY (no credit) */
TRP_MUST_USE trp_status_t client_post(trp_client_t *client, trp_envelope_t *envelope);

/** The same with a payload, which is copied; NULL is TRP_NO_MEMORY. */
TRP_MUST_USE trp_status_t client_post_bytes(trp_client_t *client, trp_envelope_t *envelope,
                                            const void *data, size_t size);

/** Takes the oldest of the inbox; NULL: it is empty. owns: the caller's */
trp_envelope_t *client_take(trp_client_t *client);

#endif
