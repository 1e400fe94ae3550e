/* SPDX-License-Identifier: MIT */
/* Requests whose body is too large to be read on the edge, while the intake reads it: for its key
 * in the cache, for the task's key. What the same client sends meanwhile waits behind it.
 *
 *     client:  [asked] -> [plain] -> [to ask] -> [plain]
 *                 |
 *                 +-- looked at: it and those behind it, up to the next one, are served
 *
 * A request is kept as the message that it came in, and served as if it came again, with what was
 * found. Its time limits count from its arrival. What can't be looked at is refused as busy. */
#ifndef TRP_ACTORS_ROUTER_INTAKE_H
#define TRP_ACTORS_ROUTER_INTAKE_H

#include "actors/router/state/router_request.h"

/** A message, or an actor's call (tool, options, body), that has waited for the intake. */
typedef struct arrival {
    const edge_peer_t *client; /* NULL: an actor's */
    trp_reply_address_t actor;
    zmq_msg_t *frames;
    size_t count;
    const look_t *look; /* NULL: it only waited behind another one */
    int64_t since_ns;
} arrival_t;

/** Serves one as if it came again; where it has to wait once more, router_hold_for_look knows. */
typedef void serve_held_t(router_t *router, const arrival_t *arrival);

/** Lets a request wait until the intake has read its body. False: it need not wait. */
bool router_hold_for_look(router_t *router, request_t *request, const service_t *service);
/** Lets a message wait behind one of its client that waits; its frames are moved. False: it need
 * not, or (`is_shut`) there is no room. */
bool router_hold_behind(router_t *router, const edge_peer_t *peer, zmq_msg_t *frames, size_t count,
                        bool *is_shut);
/** Asks for what was not asked for yet; inside a callback of the actor. */
void router_ask_intake(router_t *router, serve_held_t *serve);
/** The intake's answer, or none in time. */
void router_on_looked(router_t *router, const trp_envelope_t *message, serve_held_t *serve);
/** For a restarted router: asks again. */
void router_look_anew(router_t *router);
void router_free_held(router_t *router);

#endif
