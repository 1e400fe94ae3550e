/* SPDX-License-Identifier: MIT */
/* Partial answers: those kept for who gets them with the last one, and how many of an attempt were
 * sent. */
#ifndef TRP_ACTORS_ROUTER_PARTIAL_H
#define TRP_ACTORS_ROUTER_PARTIAL_H

#include "actors/router/state/router_state.h"

/** Keeps copies. errors: TRP_NO_MEMORY, TRP_TOO_LARGE */
TRP_MUST_USE trp_status_t router_keep_parts(router_t *router, task_t *task, zmq_msg_t *frames,
                                            size_t count);
/** A new attempt begins: none of its parts was sent to anybody. */
void router_forget_parts(task_t *task);
/** Frees the parts that are kept. */
void router_drop_parts(router_t *router, task_t *task);

#endif
