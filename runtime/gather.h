/* SPDX-License-Identifier: MIT */
/* Several requests gathered: their answers under one time limit, all of them or the first good one.
 * A thin layer on trp_request: keep a trp_gather_t and its parts in the actor's state block. It
 * holds no payload: the handler reads each reply as it comes. Used inside of callbacks only.
 *
 *     struct buyer {
 *         trp_gather_t gather;
 *         trp_gather_part_t parts[3];
 *     };
 *
 *     static trp_status_t ask_all(trp_ctx_t *ctx, struct buyer *buyer, const trp_pid_t shops[3])
 *     {
 *         trp_status_t status = TRP_OK;
 *         trp_gather_open(&buyer->gather, buyer->parts, 3, TRP_GATHER_ALL, 500);
 *         for (int i = 0; i < 3 && status == TRP_OK; i++) {
 *             const trp_request_t request = {.to = shops[i], .tag = TAG_PRICE};
 *             status = trp_gather_request(ctx, &buyer->gather, &request);
 *         }
 *         return status;
 *     }
 *
 *     static trp_status_t receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
 *     {
 *         struct buyer *buyer = state;
 *         uint32_t shop;
 *         if (trp_gather_take(ctx, &buyer->gather, message, &shop) != TRP_GATHER_DONE) {
 *             return TRP_OK; // more are to come, or it is another message
 *         }
 *         return compare(ctx, buyer->gather.replies);
 *     } */
#ifndef TRP_RUNTIME_GATHER_H
#define TRP_RUNTIME_GATHER_H

#include "runtime/troupe.h"

typedef enum trp_gather_mode {
    TRP_GATHER_ALL,  /* done when each has its answer, or none will come */
    TRP_GATHER_FIRST /* done with the first reply: the others are cancelled */
} trp_gather_mode_t;

/** One request of a gather. */
typedef struct trp_gather_part {
    uint64_t request_id;
    trp_status_t status; /* PENDING, OK (replied), TIMEOUT, GONE (receiver ended), CANCELLED */
} trp_gather_part_t;

/** A gather. Read its numbers; the rest is its own. */
typedef struct trp_gather {
    trp_gather_part_t *parts;
    uint32_t count_max;
    uint32_t count;   /* requests sent */
    uint32_t open;    /* ... without an answer yet */
    uint32_t replies; /* ... that were replied to */
    trp_gather_mode_t mode;
    int64_t limit_ms;
    int64_t due_ns; /* 0: nothing was sent yet */
} trp_gather_t;

typedef enum trp_gathered {
    TRP_GATHER_OTHER, /* the message is not of this gather */
    TRP_GATHER_MORE,  /* it is, and more are to come */
    TRP_GATHER_DONE   /* it is, and it was the last */
} trp_gathered_t;

/** An empty gather. owns: `parts` (count_max of them) stays the caller's. units: limit_ms 0 = 5000,
 * negative = none; it runs from the first request */
TRP_API void trp_gather_open(trp_gather_t *gather, trp_gather_part_t *parts, uint32_t count_max,
                             trp_gather_mode_t mode, int64_t limit_ms);

/** Sends one more request; the limit left replaces its timeout_ms. Its part has the index
 * `count - 1`. On an error nothing was sent and no part is used. errors: those of trp_request,
 * TRP_FULL (also: no part is free), TRP_TIMEOUT (the limit has passed), TRP_STATE (done already) */
TRP_API TRP_MUST_USE trp_status_t trp_gather_request(trp_ctx_t *ctx, trp_gather_t *gather,
                                                     const trp_request_t *request);

/** Looks whether a message answers one of the requests. `part` gets its index (not for
 * TRP_GATHER_OTHER); may be NULL. cost: linear in the parts */
TRP_API trp_gathered_t trp_gather_take(trp_ctx_t *ctx, trp_gather_t *gather,
                                       const trp_envelope_t *message, uint32_t *part);

/** Cancels what is open: none of it is seen after this call. */
TRP_API void trp_gather_cancel(trp_ctx_t *ctx, trp_gather_t *gather);

#endif
