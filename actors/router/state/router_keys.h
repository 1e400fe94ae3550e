/* SPDX-License-Identifier: MIT */
/* Which worker holds which key. */
#ifndef TRP_ACTORS_ROUTER_KEYS_H
#define TRP_ACTORS_ROUTER_KEYS_H

#include "actors/router/state/router_state.h"

key_entry_t *router_key_find(router_t *router, const char *name);
void router_key_bind(router_t *router, trp_text_t name, worker_t *worker);
void router_key_unbind(router_t *router, trp_text_t name);
/** A key that a worker gives back, or its list of those that it holds: what differs is taken
 * over. */
void router_on_keys(router_t *router, const trp_envelope_t *message);
void router_keys_lose(router_t *router, worker_t *worker, const trp_reason_t *reason);
void router_keys_free(router_t *router);

#endif
