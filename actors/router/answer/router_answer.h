/* SPDX-License-Identifier: MIT */
/* The one answer of a task: the reply map {task_id, success, result | error, from_cache, metrics},
 * in the form of the request, to a client of the port or to an actor. What the tool wrote is put in
 * as it is, not decoded. */
#ifndef TRP_ACTORS_ROUTER_ANSWER_H
#define TRP_ACTORS_ROUTER_ANSWER_H

#include "actors/router/base/refusal.h"
#include "actors/router/state/router_request.h"

/** Answers all who wait for a task, once; it stays the caller's (task_free). `refusal` is
 * consumed. */
void router_refuse(router_t *router, task_t *task, refusal_t *refusal);
void router_answer(router_t *router, task_t *task, const task_done_t *done);
/** Refuses one of those who wait for a task. */
void router_refuse_waiter(router_t *router, const task_t *task, const waiter_t *waiter,
                          refusal_t *refusal);
/** Answers one who waits, an actor, with a foreign tool's answer as a value of MessagePack. */
void router_answer_waiter(router_t *router, const task_t *task, const waiter_t *waiter,
                          trp_writer_t *value);
/** Answers a request with what a cache keeps. */
void router_answer_value(router_t *router, const request_t *request, service_t *service,
                         const cache_value_t *value);
/** An error for a request that never became a task. */
void router_refuse_origin(router_t *router, const origin_t *origin, trp_text_t service,
                          trp_form_t form, refusal_t *refusal);

#endif
