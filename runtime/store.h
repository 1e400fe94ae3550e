/* SPDX-License-Identifier: MIT */
/* State that outlives its actor. A store is an actor of class `store` (trp_store_class) that any
 * actor of any place asks; what it keeps its keys in is a backend (runtime/plugin.h), chosen in the
 * configuration. Whoever has read a value writes it back with the version that he read: then a
 * write of somebody else in between is a conflict and not lost, and an owner that was taken for
 * dead can do no harm.
 *
 *     static trp_status_t load(trp_ctx_t *ctx, counter_t *counter)
 *     {
 *         const store_get_t get = {.key = counter->key};
 *         return trp_store_get(ctx, counter->store, &get, 0, &counter->asked);
 *     }
 *
 *     static trp_status_t save(trp_ctx_t *ctx, counter_t *counter)
 *     {
 *         const store_put_t put = {.key = counter->key,
 *                                  .value = {(const char *)&counter->count, sizeof(uint64_t)},
 *                                  .has_expect = true,
 *                                  .expect = counter->version,
 *                                  .sync = true}; // answered when it is durable
 *         return trp_store_put(ctx, counter->store, &put, 0, &counter->asked);
 *     }
 *
 *     // A TRP_TAG_STORE_ANSWER. `status` says what came of it.
 *     static trp_status_t hear(const trp_envelope_t *message, counter_t *counter,
 *                              trp_status_t *status)
 *     {
 *         store_answer_t answer;
 *         trp_document_t document;
 *         trp_fault_t fault;
 *         trp_status_t read =
 *             trp_message_unpack(&store_answer_schema, message, &document, &answer, &fault);
 *         if (read != TRP_OK) {
 *             return read;
 *         }
 *         *status = (trp_status_t)answer.status;
 *         counter->version = answer.has_version ? answer.version : 0; // also of a conflict
 *         if (answer.has_value && answer.value.size == sizeof(uint64_t)) {
 *             memcpy(&counter->count, answer.value.data, sizeof(uint64_t));
 *         }
 *         trp_document_fini(&document);
 *         return TRP_OK;
 *     }
 *
 * In a configuration:
 *
 *     tree
 *         children
 *             store
 *                 class = store
 *
 * and its pid is that of the name `store`. Bytes are bytes: who reads what another program wrote
 * looks at their size. docs/store.md tells about leases, watches and failures. */
#ifndef TRP_RUNTIME_STORE_H
#define TRP_RUNTIME_STORE_H

#include "messages/store.h"
#include "runtime/plugin.h"
#include "runtime/troupe.h"

/* Each of these is a request: one TRP_TAG_STORE_ANSWER [store_answer] comes with its id, or as for
 * any request TRP_TAG_TIMEOUT or TRP_TAG_DOWN, after which a write may or may not have been done;
 * TRP_TAG_FAILED [int32: a trp_status_t] when there is no memory for an answer. What one actor asks
 * of one store is done in that order. `timeout_ms`: 0 = 5000; negative = none. The bytes are
 * copied.
 *
 * The answer's status: TRP_OK; TRP_NOT_FOUND; TRP_CONFLICT (another version: nothing was written);
 * TRP_FULL (the store, or its queue); TRP_TOO_LARGE; TRP_PAYLOAD (see `error`); TRP_SYSTEM (it
 * failed: nothing was written, or it is written and not synced); TRP_TIMEOUT (the backend does not
 * know whether it was written); TRP_BUSY.
 *
 * errors, of all: those of trp_request */
TRP_API TRP_MUST_USE trp_status_t trp_store_get(trp_ctx_t *ctx, trp_pid_t store,
                                                const store_get_t *get, int64_t timeout_ms,
                                                uint64_t *id);
TRP_API TRP_MUST_USE trp_status_t trp_store_put(trp_ctx_t *ctx, trp_pid_t store,
                                                const store_put_t *put, int64_t timeout_ms,
                                                uint64_t *id);
TRP_API TRP_MUST_USE trp_status_t trp_store_delete(trp_ctx_t *ctx, trp_pid_t store,
                                                   const store_delete_t *del, int64_t timeout_ms,
                                                   uint64_t *id);
TRP_API TRP_MUST_USE trp_status_t trp_store_scan(trp_ctx_t *ctx, trp_pid_t store,
                                                 const store_scan_t *scan, int64_t timeout_ms,
                                                 uint64_t *id);
TRP_API TRP_MUST_USE trp_status_t trp_store_sync(trp_ctx_t *ctx, trp_pid_t store,
                                                 int64_t timeout_ms, uint64_t *id);

/** From its answer on a TRP_TAG_STORE_CHANGED [store_changed] comes for each change of a key with
 * that prefix, by whomever, until the caller or the store ends; ask again for another prefix as
 * well, with `stop` for none. It is a hint: what a key has, a read says. status: TRP_OK,
 * TRP_FULL, TRP_UNSUPPORTED (this backend tells of none) */
TRP_API TRP_MUST_USE trp_status_t trp_store_watch(trp_ctx_t *ctx, trp_pid_t store,
                                                  const store_watch_t *watch, int64_t timeout_ms,
                                                  uint64_t *id);

/** The store of a configuration: option `backend`. */
extern TRP_API const trp_class_t trp_store_class;

/* ---- a class of yours for a backend of yours ----
 *
 *     static trp_status_t open_mine(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
 *     {
 *         const trp_store_options_t options = {.where = "mine"};
 *         return trp_store_open(ctx, state, &my_backend, &options);
 *     }
 *
 *     static const trp_class_t my_store_class = {.name = "store",
 *                                                .state_size = TRP_STORE_STATE_SIZE,
 *                                                .init = open_mine,
 *                                                .receive = trp_store_receive,
 *                                                .release = trp_store_release};
 */
#define TRP_STORE_STATE_SIZE sizeof(void *)

/** What `init` returns; the clock of `options` is filled in. */
TRP_API TRP_MUST_USE trp_status_t trp_store_open(trp_ctx_t *ctx, void *state,
                                                 const trp_store_t *backend,
                                                 const trp_store_options_t *options);
TRP_API TRP_MUST_USE trp_status_t trp_store_receive(trp_ctx_t *ctx, void *state,
                                                    const trp_envelope_t *message);
TRP_API void trp_store_release(void *state);

#endif
