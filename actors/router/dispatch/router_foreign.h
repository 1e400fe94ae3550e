/* SPDX-License-Identifier: MIT */
/* Workers of other programs, in any language, by Majordomo 0.1 and 0.2 on the clients' port. To the
 * router each is a worker like ours: it has a place in the pool of its tool, is given tasks by the
 * same dispatch, and its end puts its task back.
 *
 * The address that a request names as its client is the number of the attempt: an answer with
 * another one is late and counts as nothing but a heartbeat. */
#ifndef TRP_ACTORS_ROUTER_FOREIGN_H
#define TRP_ACTORS_ROUTER_FOREIGN_H

#include "actors/router/state/router_state.h"

/** NULL: no worker, or one that was forgotten. */
foreign_t *foreign_find(const router_t *router, const edge_peer_t *peer);
/** A heartbeat or a DISCONNECT; one that does not get through is made up for by liveness. */
void foreign_say(router_t *router, const edge_peer_t *peer, majordomo_version_t version,
                 majordomo_command_t command);
/** Sends a task to a foreign worker. errors: TRP_GONE, TRP_BUSY, TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t foreign_send(router_t *router, const worker_t *worker, task_t *task);
/** The task that an answer belongs to; NULL: a former attempt, or none of ours. */
task_t *foreign_task(const foreign_t *foreign, const trp_text_t *address);
/** It has left: its tasks are tried elsewhere. owns: frees it */
void foreign_forget(router_t *router, foreign_t *foreign, const char *why);
/** The same, and tells it to leave. */
void foreign_disconnect(router_t *router, foreign_t *foreign, const char *why);
/** Sends all foreign workers away. */
void router_end_foreign(router_t *router);
void router_free_foreign(router_t *router);

#endif
