/* SPDX-License-Identifier: MIT */
/* Whether a worker that owes something still runs, found by its black box: a process that is
 * stopped, as by SIGSTOP, does not answer its probe thread's question; one whose handler does not
 * return does, and shows since when it has the message in hand. Being busy is neither. Asks nothing
 * of a worker that owes nothing. Edge thread only. */
#ifndef TRP_RUNTIME_PLACE_PROBE_H
#define TRP_RUNTIME_PLACE_PROBE_H

#include "runtime/place/place_link.h"

typedef struct place_probe {
    uint64_t timer;      /* 0: none runs */
    uint64_t credited;   /* what it had reported as handled at the last look */
    unsigned unanswered; /* questions in a row */
} place_probe_t;

/** Something was sent to the worker: begins to look after it. */
void place_probe_begin(trp_ctx_t *ctx, place_probe_t *probe, const place_link_t *link);

/** The timer fired. True: the worker must be ended for `reason`. */
bool place_probe_look(trp_ctx_t *ctx, place_probe_t *probe, place_link_t *link,
                      trp_reason_t *reason);

#endif
