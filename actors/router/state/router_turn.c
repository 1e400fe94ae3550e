/* SPDX-License-Identifier: MIT */
#include "actors/router/state/router_turn.h"

#include "messages/supervisor.h"
#include "runtime/log.h"

void router_nudge(router_t *router)
{
    trp_envelope_t *envelope = router->nudged ? NULL : envelope_alloc();
    if (envelope == NULL) {
        return;
    }
    envelope->to = router->self;
    envelope->tag = ROUTER_TAG_NUDGE;
    router->nudged = runtime_send(router->runtime, envelope) == TRP_OK;
    if (!router->nudged) {
        envelope_free(envelope);
    }
}

void router_check_drained(router_t *router)
{
    if (!router->draining || router->tasks > router->pairs.shadows || router->held.count > 0 ||
        trp_pid_is_none(router->drain_to.to)) {
        return;
    }
    zmq_msg_t empty;
    zmq_msg_init(&empty);
    if (trp_reply_to(router->ctx, router->drain_to, TRP_TAG_DRAINED, &empty) == TRP_OK) {
        router->drain_to.to = TRP_PID_NONE;
    }
    zmq_msg_close(&empty);
    log_event(LOG_INFO, "drained", LOG_INT("unreachable", router->unreachable));
}
