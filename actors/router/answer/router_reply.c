/* SPDX-License-Identifier: MIT */
#include "actors/router/answer/router_reply.h"

#include <stdio.h>
#include <string.h>

#include "actors/router/base/frame.h"
#include "actors/router/base/majordomo.h"
#include "messages/control.h"
#include "runtime/log.h"

void router_post(router_t *router, const edge_peer_t *peer, zmq_msg_t *frames, size_t count)
{
    if (router->socket != NULL) {
        edge_post(router->socket, peer, frames, count);
        return;
    }
    router->unreachable++;
    frames_close(frames, count);
}

static void write_peer(const edge_peer_t *peer, char text[2 * 16 + 1])
{
    const size_t shown = peer->size < 16 ? peer->size : 16;
    for (size_t i = 0; i < shown; i++) {
        snprintf(text + 2 * i, 3, "%02x", peer->id[i]);
    }
}

void router_on_unsent(void *user, const edge_peer_t *peer, trp_status_t why)
{
    router_t *router = user;
    router->unreachable++; /* the client has left, or: */
    if (why == TRP_BUSY && is_worth_a_line(++router->unread)) {
        char client[2 * 16 + 1] = "";
        write_peer(peer, client);
        log_event(LOG_WARN, "replies_unread", LOG_TEXT("client", client),
                  LOG_INT("dropped", router->unread),
                  LOG_INT("unread_max", router->config->majordomo.unread_max));
    }
}

majordomo_reply_t router_reply_to(const origin_t *origin, trp_text_t service)
{
    majordomo_reply_t reply = {.version = origin->version,
                               .service = service,
                               .has_options = origin->has_options,
                               .attempt = origin->stream == STREAM_EACH ? origin->attempt : 0,
                               .has_parts = origin->stream == STREAM_EACH || origin->parts > 0,
                               .parts = origin->parts};
    if (origin->id[0] != '\0') {
        reply.id = (trp_text_t){origin->id, strlen(origin->id)};
    }
    return reply;
}

void router_send_to_peer(router_t *router, const origin_t *origin, trp_text_t service,
                         zmq_msg_t *body)
{
    zmq_msg_t frames[MAJORDOMO_REPLY_FRAMES];
    const majordomo_reply_t reply = router_reply_to(origin, service);
    size_t count = majordomo_compose(&reply, body, frames);
    if (count == 0) {
        zmq_msg_close(body);
        router->unreachable++;
        return;
    }
    router_post(router, origin->peer, frames, count);
}

/* From a callback of the edge: no actor runs. */
static trp_status_t send_from_edge(router_t *router, const origin_t *origin, zmq_msg_t *body)
{
    trp_envelope_t *envelope = envelope_alloc();
    if (envelope == NULL) {
        return TRP_NO_MEMORY;
    }
    envelope->to = origin->actor.to;
    envelope->from = router->self;
    envelope->request_id = origin->actor.request_id;
    envelope->tag = TRP_TAG_CALL_RESULT;
    envelope->flags |= TRP_ENVELOPE_REPLY;
    trp_status_t status = envelope_move(envelope, body);
    if (status == TRP_OK) {
        status = runtime_send(router->runtime, envelope);
    }
    if (status != TRP_OK) {
        envelope_free(envelope);
    }
    return status;
}

void router_send_to_actor(router_t *router, const origin_t *origin, zmq_msg_t *body)
{
    trp_status_t status = router->ctx == NULL
                              ? send_from_edge(router, origin, body)
                              : trp_reply_to(router->ctx, origin->actor, TRP_TAG_CALL_RESULT, body);
    if (status != TRP_OK) {
        router->unreachable++;
    }
    zmq_msg_close(body);
}
