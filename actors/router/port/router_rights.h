/* SPDX-License-Identifier: MIT */
/* Who may do what on the Majordomo port. Where the configuration has keys, libzmq asks here (ZAP,
 * RFC 27) whether a client's key is known, and marks its messages with the key; calls are held to
 * the key's tools and rate, workers to what the key may serve. A reload may change the keys: each
 * is looked up anew, so one that was taken back has no rights on connections that it had. */
#ifndef TRP_ACTORS_ROUTER_RIGHTS_H
#define TRP_ACTORS_ROUTER_RIGHTS_H

#include "actors/router/base/refusal.h"
#include "actors/router/state/router_request.h"

/** Answers for keys, where the configuration has some: before the port is bound. `error` of 256
 * bytes. errors: as edge_bind, TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t router_open_zap(router_t *router, char error[256]);
/** False: with a refusal to be sent. Takes a call from the key's rate. */
bool router_may_call(router_t *router, const request_t *request, refusal_t *refusal);
/** Whether that key (NULL: none) may serve the tool. */
bool router_may_serve(const router_t *router, const char *public_key, trp_text_t tool);

#endif
