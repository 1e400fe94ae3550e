/* SPDX-License-Identifier: MIT */
/* Snapshots, for actor authors: the state of a live actor as bytes, and a new actor that begins
 * with them. The two class slots are in runtime/troupe.h; an example:
 *
 *     static trp_status_t save(trp_ctx_t *ctx, const void *state, trp_writer_t *writer)
 *     {
 *         trp_schema_write(&counter_schema, state, writer); // one map; or by trp_put_int ...
 *         return TRP_OK;
 *     }
 *
 *     static trp_status_t restore(trp_ctx_t *ctx, void *state, const trp_envelope_t *args,
 *                                 const trp_snapshot_t *snapshot)
 *     {
 *         trp_document_t document;
 *         trp_fault_t fault;
 *         // snapshot->version: of the class that saved; an older one may have written otherwise
 *         trp_status_t status =
 *             trp_schema_unpack(&counter_schema, snapshot->state, &document, state, &fault);
 *         if (status == TRP_OK) {
 *             trp_document_fini(&document);
 *         }
 *         return status;
 *     }
 *
 * `save` runs between two messages of its actor: the snapshot has what was handled before and
 * nothing of what comes after. A hand-over takes one, starts the successor with it, and then ends
 * the first; what that one handles in between is not in it. Names, links, monitors, timers and the
 * mailbox are no part of a snapshot. It works across places: whoever may be sent a message may be
 * asked. `troupe state` shows what `save` writes. */
#ifndef TRP_RUNTIME_SNAPSHOT_H
#define TRP_RUNTIME_SNAPSHOT_H

#include "runtime/troupe.h"

/** Asks an actor for a snapshot. One of these comes with this request_id: TRP_TAG_SNAPSHOT, whose
 * payload is what trp_spawn_t.snapshot wants; TRP_TAG_NO_SNAPSHOT [int32: TRP_UNSUPPORTED, its
 * class has no `save`; TRP_STATE, it is not ready; what `save` returned; TRP_PROTOCOL, `save` did
 * not write one map]; or as for any request TRP_TAG_TIMEOUT or TRP_TAG_DOWN. `timeout_ms`: as
 * trp_request_t's. errors: those of trp_request */
TRP_API TRP_MUST_USE trp_status_t trp_snapshot_take(trp_ctx_t *ctx, trp_pid_t of,
                                                    int64_t timeout_ms, uint64_t *request_id);

/** Checks that `spawn` can begin with its snapshot. errors: TRP_UNSUPPORTED (its class has no
 * `restore`), TRP_INVALID (no snapshot, or of another class) */
TRP_API TRP_MUST_USE trp_status_t trp_snapshot_check(const trp_spawn_t *spawn);

#endif
