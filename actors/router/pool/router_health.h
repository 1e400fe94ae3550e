/* SPDX-License-Identifier: MIT */
/* Whether a worker that lives does its work: judged by its answers, beside those of the others.
 *
 *     success                          it works
 *     error that names the input       says nothing of the worker (E_BAD_PAYLOAD and the like)
 *     fault: E_INTERNAL, or an         so many in a row, while another worker had a success
 *     answer that can't be read          -> ejected
 *     any other error, and faults      a share of errors far above that of all others together
 *                                        -> ejected: bad input comes to all alike
 *
 * One that is ejected gets no new work for a while, each time for longer, but that of keys which it
 * holds; then it is on trial: a share that grows, and out with the first fault. One that is ejected
 * again and again is replaced. Part of the pool is never ejected.
 *
 * source: outlier detection as in the Envoy proxy, with the other workers as its measure. */
#ifndef TRP_ACTORS_ROUTER_HEALTH_H
#define TRP_ACTORS_ROUTER_HEALTH_H

#include "actors/router/state/router_state.h"

/** Judges a worker by an answer; one that could not be read is a fault. */
void worker_note_answer(worker_t *worker, const task_done_t *done);
void worker_note_broken(worker_t *worker);
/** It was ejected so often that another one should take its place. */
bool worker_is_hopeless(const worker_t *worker);

#endif
