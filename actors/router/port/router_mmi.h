/* SPDX-License-Identifier: MIT */
/* The broker's own services, which begin with "mmi." (RFC 8). The answer is a code, and with some a
 * second frame, a JSON map:
 *
 *     mmi.service   200 while a worker serves the tool that the body names, else 404
 *     mmi.workers   200 and {"workers", "busy"} of that tool, or 404
 *     mmi.queue     200 and {"queued", "running", "limit"}, or 404
 *     mmi.cancel    200: the sender's task of that id (options frame) is cancelled, or 404
 *     else          501 */
#ifndef TRP_ACTORS_ROUTER_MMI_H
#define TRP_ACTORS_ROUTER_MMI_H

#include "actors/router/state/router_request.h"

/** Whether a name is one of the broker's own. */
bool router_is_mmi(trp_text_t name);
void router_answer_mmi(router_t *router, const request_t *request);

#endif
