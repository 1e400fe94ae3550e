/* SPDX-License-Identifier: MIT */
/* Answers of foreign tools: opaque frames, passed on verbatim. A client of version 0.2 gets partial
 * answers as they come; for all others they are kept, and stand before the last answer's frames. */
#ifndef TRP_ACTORS_ROUTER_FORWARD_H
#define TRP_ACTORS_ROUTER_FORWARD_H

#include "actors/router/state/router_request.h"

/** Sends a partial answer to those who take it as it comes and keeps it for the others; the frames
 * are moved from. False: there is no room to keep it, and all who wait were refused. */
TRP_MUST_USE bool router_forward_part(router_t *router, task_t *task, zmq_msg_t *frames,
                                      size_t count);
/** Sends the last answer to all who wait. */
void router_forward_final(router_t *router, task_t *task, zmq_msg_t *frames, size_t count);
/** Answers a request with the frames that a cache keeps. */
void router_forward_kept(router_t *router, const request_t *request, service_t *service,
                         const cache_value_t *value);

#endif
