/* SPDX-License-Identifier: MIT */
/* What is known of the end of a worker process: its exact reason, and its black box. Edge thread
 * only. */
#ifndef TRP_RUNTIME_PLACE_EXIT_H
#define TRP_RUNTIME_PLACE_EXIT_H

#include "runtime/guardian/black_box_keeper.h"
#include "runtime/place/place_link.h"

/** Whom a link is for, as its box says. */
typedef struct place_owner {
    trp_pid_t pid;
    const char *name, *class_name; /* name "": none */
} place_owner_t;

/** Of its wait status, its goodbye and its black box. */
trp_reason_t place_exit_reason(const place_link_t *link);

/** Hands the box of a worker that did not end cleanly to the keeper. */
void place_exit_keep(place_link_t *link, const place_owner_t *owner, const trp_reason_t *reason,
                     black_box_keeper_t *keeper);

/** Answers TRP_TAG_WHY: what the box of a live worker holds. */
void place_exit_why(trp_ctx_t *ctx, const place_link_t *link, const place_owner_t *owner,
                    const trp_envelope_t *request);

#endif
