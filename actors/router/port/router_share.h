/* SPDX-License-Identifier: MIT */
/* Work that is done once for all who ask for it:
 *
 *     a pool with `cache = 1`     calls of the same tool with the same body; successes are kept. Of
 *                                 a foreign tool: in the same form, since its answers pass as they
 *                                 are
 *     an idempotency key          requests with the same one, whoever sends them; every answer of
 *                                 the worker is kept for a while, so that sending again is harmless
 *
 * Who asks while the work is under way waits for the same task, within a time limit of its own. */
#ifndef TRP_ACTORS_ROUTER_SHARE_H
#define TRP_ACTORS_ROUTER_SHARE_H

#include "actors/router/state/router_request.h"

/** The key of the task: from the options, the intake, or a small body. */
void router_find_key(request_t *request, const pool_t *pool);
/** Answers a request from what is kept, or lets it wait for work under way. False: it has to be
 * done; `flight` is then what others may join (NULL: nothing). owns: `flight` is the caller's */
bool router_flight_serve(router_t *router, request_t *request, service_t *service,
                         flight_t **flight);

#endif
