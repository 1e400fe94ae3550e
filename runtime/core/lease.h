/* SPDX-License-Identifier: MIT */
/* The lease: while its callback runs an actor's thread holds the cell, and the watchdog may take it
 * back when a kill waits and the callback does not return: the actor is written off. Internal to
 * the core.
 *
 *     the thread                                the watchdog
 *     lease_open                                a kill waits too long:
 *       callback ...                              lease_revoke, in a signal handler
 *         trp_*: LEASE_CALL ... its end             on that very thread: refused inside
 *       ... callback                                of LEASE_CALL and outside of callbacks
 *     lease_close: was it revoked?                life_write_off: the cell is the watchdog's
 *       yes: life_abandon, after the burial
 *
 * Both sides run on one thread, so plain volatile members will do where a lock would cost each
 * message: the handler sees what its thread has done so far, and its thread sees what the handler
 * did. What is revoked stays so until the callback returns: from then on its calls on the context
 * answer TRP_GONE. */
#ifndef TRP_RUNTIME_LEASE_H
#define TRP_RUNTIME_LEASE_H

#include "runtime/core/scheduler.h"

/** A callback begins. */
static inline void lease_open(trp_ctx_t *ctx)
{
    ctx->in_callback = true;
}

/** It has returned. False: the cell is not ours any more: life_abandon. */
TRP_MUST_USE static inline bool lease_close(trp_ctx_t *ctx)
{
    ctx->in_callback = false;
    /* The compiler must not move what we do with the cell before this: a handler may still come. */
    atomic_signal_fence(memory_order_seq_cst);
    return !ctx->is_gone;
}

/** What the thread had in its hand when it lost its cell. */
typedef struct lease_lost {
    bool has_message; /* not a signal: counted when it is handled */
    trp_pid_t asker;  /* waits for an answer; NONE: nobody */
    uint64_t request_id;
} lease_lost_t;

/** Takes the cell from the callback that runs on this thread. In a signal handler. False: it is not
 * in a callback of this cell, or in the middle of a call, or no kill waits. */
bool lease_revoke(trp_ctx_t *ctx, const cell_t *cell, lease_lost_t *lost);

/** Debug builds: aborts when this is not a call of the callback that `ctx` was given to. */
void lease_check(const trp_ctx_t *ctx, const char *function);

static inline trp_ctx_t *lease_call_begin(trp_ctx_t *ctx, const char *function)
{
    if (TRP_CHECKED) {
        lease_check(ctx, function);
    }
    ctx->calls++;
    atomic_signal_fence(memory_order_seq_cst); /* as in lease_close */
    return ctx;
}

static inline void lease_call_end(trp_ctx_t *const *ctx)
{
    atomic_signal_fence(memory_order_seq_cst);
    (*ctx)->calls--;
}

/** At the begin of each trp_* that touches the caller's cell, until the end of its block: the cell
 * can't be taken meanwhile. Returns `answer` (which may be nothing) when it has been. */
#define LEASE_CALL(ctx, answer)                                        \
    __attribute__((cleanup(lease_call_end))) trp_ctx_t *const leased = \
        lease_call_begin((ctx), __func__);                             \
    if (leased->is_gone) {                                             \
        return answer;                                                 \
    }

#endif
