/* SPDX-License-Identifier: MIT */
/* Shadows, and their results beside those of the calls that they follow:
 *
 *     call in the first pool ------ answered ------+
 *         |                                        +--> both: intake compares --> equal, different
 *         +-- shadow in the second -- answered ----+
 *
 * One that ends without a result takes the pair with it; a shadow is tried once, waits behind all
 * others and is not made where it could be in their way. */
#ifndef TRP_ACTORS_ROUTER_COMPARE_H
#define TRP_ACTORS_ROUTER_COMPARE_H

#include "actors/router/state/router_pair.h"

/** Makes a call of the first pool in the second one as well, if there is room. */
void rollout_shadow(router_t *router, const task_t *task);
/** One of a pair was answered. */
void rollout_note_result(router_t *router, const task_t *task, const task_done_t *done);
/** The intake's answer, or none in time. */
void router_on_compared(router_t *router, const trp_envelope_t *message);

#endif
