/* SPDX-License-Identifier: MIT */
/* Hibernation, for actor authors: from one message to the next an actor is no more than what its
 * class saves of it. For actors with a large state that sleep long:
 *
 *     static trp_status_t receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
 *     {
 *         struct session *session = state;
 *         if (message->tag == TAG_IDLE) {
 *             return trp_hibernate(ctx);
 *         }
 *         session->count++;
 *         return trp_idle_after(ctx, 60000, TAG_IDLE);
 *     }
 *
 * It needs the class's `save` and `restore` (runtime/snapshot.h). `save` is called when the
 * callback has returned; then `release`, and the state and its blocks (runtime/memory.h) are freed.
 * Before the next message that it is shown comes `restore`, with what was saved and no arguments.
 * What is no part of the state stays: pid, name, groups, links, monitors, requests, timers. So a
 * `restore` that starts timers or joins groups asks trp_is_waking first. Signals that an actor is
 * not shown, `troupe ps` and `troupe state` wake nobody. */
#ifndef TRP_RUNTIME_HIBERNATE_H
#define TRP_RUNTIME_HIBERNATE_H

#include "runtime/troupe.h"

/** The caller hibernates after this callback, if no message waits for it then; else it stays as it
 * is, and may ask again. A `save` that fails is logged (hibernate_failed) and changes nothing; a
 * `restore` that fails ends the actor as its `receive` would, without `terminate`. What stays costs
 * some 200 bytes beside what was saved. errors: TRP_UNSUPPORTED (its class lacks one of the two),
 * TRP_STATE (it is not ready), TRP_NO_MEMORY */
TRP_API TRP_MUST_USE trp_status_t trp_hibernate(trp_ctx_t *ctx);

/** In `restore`: whether the caller wakes, rather than begins with a snapshot. */
TRP_API bool trp_is_waking(const trp_ctx_t *ctx);

#endif
