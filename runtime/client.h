/* SPDX-License-Identifier: MIT */
/* Clients: how threads that are no actors talk to actors. A thread of any library, or one that a
 * program made itself, opens a client, which then has a pid like an actor: it sends, asks, is
 * answered, is in groups, watches and is watched.
 *
 *     trp_client_t *client;
 *     if (trp_client_open("inproc://node", &client) == TRP_OK) {
 *         const trp_envelope_t *reply;
 *         trp_pid_t counter;
 *         if (trp_client_whereis(client, "counter", &counter) == TRP_OK &&
 *             trp_client_call(client, &(trp_request_t){.to = counter, .tag = TAG_ADD}, &reply) ==
 *                 TRP_OK) {
 *             show(reply); // valid until the next call
 *         }
 *         trp_client_close(&client);
 *     }
 *
 * An endpoint says which actors: `inproc://node` are those of the node in this process. Others are
 * TRP_UNSUPPORTED.
 *
 * threads: a client for each thread; it may be handed over, but two calls at a time on one client
 * are refused with TRP_STATE. Nothing polls: who waits sleeps in its descriptor.
 * bounds: a client keeps 10,000 messages or 16 MiB that it has not received; what more is sent to
 * it waits in the node, up to 100,000 messages and 64 MiB, and is refused to its sender then. So a
 * client that is sent to must receive, or even its calls are not answered some time. */
#ifndef TRP_RUNTIME_CLIENT_H
#define TRP_RUNTIME_CLIENT_H

#include "runtime/troupe.h"

typedef struct trp_client trp_client_t;

/** Opens a client; waits for the node, at most 5 s. errors: TRP_UNSUPPORTED (endpoint),
 * TRP_NOT_FOUND (there is no node in this process), TRP_FULL (16,384 clients and threads),
 * TRP_TIMEOUT, TRP_NO_MEMORY, TRP_SYSTEM */
TRP_API TRP_MUST_USE trp_status_t trp_client_open(const char *endpoint, trp_client_t **client);

/** Ends it: whoever watches its pid hears that it ended normally. Clears the pointer. */
TRP_API void trp_client_close(trp_client_t **client);

/** Its pid. */
TRP_API trp_pid_t trp_client_self(const trp_client_t *client);

/* All calls below: errors: TRP_GONE (the node has ended, or somebody killed the client: close it),
 * TRP_STATE (another thread is in a call), TRP_NO_MEMORY; and those that they name. */

/** As trp_send. errors: TRP_BUSY (no credit: receive, or wait a little). That the receiver has no
 * room is seen only by requests. */
TRP_API TRP_MUST_USE trp_status_t trp_client_send(trp_client_t *client, trp_pid_t to, uint16_t tag,
                                                  const void *data, size_t size);

/** Sends a request and waits for its answer, which is valid until the next call. What comes
 * meanwhile is kept for trp_client_receive. An answer that is late is never seen. errors:
 * TRP_TIMEOUT, TRP_BUSY, TRP_NOT_FOUND (nobody has that pid, or it ended first), TRP_FULL (its
 * mailbox) */
TRP_API TRP_MUST_USE trp_status_t trp_client_call(trp_client_t *client,
                                                  const trp_request_t *request,
                                                  const trp_envelope_t **reply);

/** Sends a request; the answer comes by trp_client_receive, with TRP_ENVELOPE_REPLY and this
 * request_id, or instead of it TRP_TAG_TIMEOUT or TRP_TAG_DOWN. errors: TRP_BUSY */
TRP_API TRP_MUST_USE trp_status_t trp_client_request(trp_client_t *client,
                                                     const trp_request_t *request,
                                                     uint64_t *request_id);

/** The next message, valid until the next call; waits up to `timeout_ms`, negative: for ever. Exit
 * signals to the client come as TRP_TAG_EXIT, and don't end it; a kill does. errors: TRP_TIMEOUT */
TRP_API TRP_MUST_USE trp_status_t trp_client_receive(trp_client_t *client, int64_t timeout_ms,
                                                     const trp_envelope_t **message);

/** Answers a request that was received. errors: TRP_BUSY */
TRP_API TRP_MUST_USE trp_status_t trp_client_reply(trp_client_t *client,
                                                   const trp_envelope_t *request, uint16_t tag,
                                                   const void *data, size_t size);

/** As trp_whereis. errors: TRP_NOT_FOUND, TRP_TIMEOUT */
TRP_API TRP_MUST_USE trp_status_t trp_client_whereis(trp_client_t *client, const char *name,
                                                     trp_pid_t *pid);

/** As trp_group_join. errors: TRP_INVALID (name), TRP_TIMEOUT */
TRP_API TRP_MUST_USE trp_status_t trp_client_join(trp_client_t *client, const char *group);

/** As trp_group_leave. */
TRP_API TRP_MUST_USE trp_status_t trp_client_leave(trp_client_t *client, const char *group);

/** As trp_publish; how many got it is not known here. errors: TRP_INVALID (topic), TRP_BUSY */
TRP_API TRP_MUST_USE trp_status_t trp_client_publish(trp_client_t *client,
                                                     const trp_publication_t *publication);

/** As trp_monitor: TRP_TAG_DOWN with request_id `*ref` comes once, when `pid` has ended. */
TRP_API TRP_MUST_USE trp_status_t trp_client_monitor(trp_client_t *client, trp_pid_t pid,
                                                     uint64_t *ref);

/** Readable when something may have come: for a program that waits for other things too. Then
 * receive with no time limit of its own (0) until TRP_TIMEOUT, each time before it waits: it is
 * edge-triggered. */
TRP_API int trp_client_fd(const trp_client_t *client);

#endif
