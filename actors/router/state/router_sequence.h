/* SPDX-License-Identifier: MIT */
/* Pools with `order = key`: tasks of one key run one after another, in the order of their arrival,
 * those of different keys at the same time. The first one of a key is in the pool's queue, rests,
 * or runs; the others wait here, and the next one takes its turn behind what is in the queue when
 * the first one ends: with its answer, or because it was refused. A first one that is tried again
 * stays the first.
 *
 *     sequences["k"]:  head [running] -> [waits] -> [waits]
 */
#ifndef TRP_ACTORS_ROUTER_SEQUENCE_H
#define TRP_ACTORS_ROUTER_SEQUENCE_H

#include "actors/router/state/router_state.h"

/** Before a task is put into its pool's queue: the first of its key, or `is_held` now. False: no
 * memory. */
bool sequence_join(task_t *task);
/** Takes out one that is held. */
void sequence_take(task_t *task);
/** A task ends: the next one of its key has its turn. */
void sequence_leave(task_t *task);

#endif
