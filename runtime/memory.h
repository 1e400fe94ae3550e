/* SPDX-License-Identifier: MIT */
/* An actor's own memory, for actor authors: what is asked for here is charged to the actor, is
 * freed at its end at the latest, however it ends, and counts against its quota
 * (trp_spawn_t.memory_quota).
 *
 *     used = state_size + each block's size and TRP_BLOCK_COST + the scratch of the callback
 *
 * What would pass the quota is not given: the call returns NULL, and the actor ends after the
 * callback with a reason of kind TRP_REASON_QUOTA, whatever the callback returns. Messages in the
 * mailbox have bounds of their own. Inside of callbacks only; blocks are 16-byte aligned. */
#ifndef TRP_RUNTIME_MEMORY_H
#define TRP_RUNTIME_MEMORY_H

#include "runtime/troupe.h"

#define TRP_BLOCK_COST  32          /* bytes charged for a block beside its size */
#define TRP_SCRATCH_MAX (16u << 20) /* bytes of scratch in one callback */

/** A block of the caller. NULL: over its quota (it ends), or no memory (it goes on). */
TRP_API void *trp_alloc(trp_ctx_t *ctx, size_t size);

/** The block with another size; `block` NULL: as trp_alloc. NULL: as trp_alloc, and `block` is as
 * it was. */
TRP_API void *trp_realloc(trp_ctx_t *ctx, void *block, size_t size);

/** Gives a block back before the end; NULL is nothing. Only the actor that got it may. */
TRP_API void trp_free(trp_ctx_t *ctx, void *block);

/** Memory until the callback returns: no need to free it, and nearly free of cost. Not zeroed.
 * NULL: over the quota (the actor ends), over TRP_SCRATCH_MAX in all, or no memory. */
TRP_API void *trp_scratch(trp_ctx_t *ctx, size_t size);

/** What the caller is charged for now. units: bytes */
TRP_API size_t trp_memory_used(const trp_ctx_t *ctx);

#endif
