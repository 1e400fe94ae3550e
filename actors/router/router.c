/* SPDX-License-Identifier: MIT */
#include "actors/router/router.h"

#include <stdio.h>
#include <stdlib.h>

#include "actors/router/answer/router_reply.h"
#include "actors/router/base/cache.h"
#include "actors/router/dispatch/router_cancel.h"
#include "actors/router/dispatch/router_dispatch.h"
#include "actors/router/dispatch/router_expire.h"
#include "actors/router/dispatch/router_foreign.h"
#include "actors/router/dispatch/router_poison.h"
#include "actors/router/dispatch/router_pools.h"
#include "actors/router/dispatch/router_result.h"
#include "actors/router/dispatch/router_retry.h"
#include "actors/router/intake.h"
#include "actors/router/order/router_orders.h"
#include "actors/router/order/router_status.h"
#include "actors/router/pool/router_compare.h"
#include "actors/router/pool/router_config.h"
#include "actors/router/pool/router_scale.h"
#include "actors/router/pool/router_timer.h"
#include "actors/router/port/router_accept.h"
#include "actors/router/port/router_foreign_port.h"
#include "actors/router/port/router_intake.h"
#include "actors/router/port/router_rights.h"
#include "actors/router/state/router_keys.h"
#include "actors/router/state/router_turn.h"
#include "messages/control.h"
#include "messages/intake.h"
#include "messages/supervisor.h"
#include "runtime/config/config_address.h"
#include "runtime/log.h"
#include "runtime/node/node.h"
#include "supervisor/control/endpoints.h"

#define ANY_PORT "tcp://127.0.0.1:*" /* of a socket that was bound by others: not looked at */

/* The actor's own state: all that counts is in the edge's keep. */
typedef struct router_actor {
    router_t *router;
} router_actor_t;

/* ---- the keep ---- */

static void free_router(void *object)
{
    router_t *router = object;
    router_keys_free(router);
    router_free_held(router);
    router_free_pools(router);
    router_free_foreign(router);
    router_free_poison(router);
    free(router->rights.rates);
    cache_free(&router->cache);
    cache_free(&router->replays);
    free(router);
}

/* A value may be an eighth of the whole: one can't push out all others. */
static bool make_caches(router_t *router)
{
    const config_cache_t *config = &router->config->cache;
    const cache_limits_t limits = {(size_t)config->entries_max, (size_t)config->bytes_max,
                                   (size_t)config->bytes_max / 8};
    router->cache = cache_new(&limits);
    router->replays = cache_new(&limits);
    return router->cache != NULL && router->replays != NULL;
}

static void *make_router(void *runtime)
{
    router_t *router = calloc(1, sizeof(*router));
    if (router == NULL) {
        return NULL;
    }
    router->runtime = runtime;
    router->config = config_of(runtime);
    if (router->config == NULL || !make_caches(router) || router_make_pools(router) != TRP_OK) {
        free_router(router);
        return NULL;
    }
    return router;
}

/* The configuration was checked for its own endpoint; a socket that was given may be any. */
static trp_status_t check_reach(router_t *router, char error[256])
{
    const config_t *config = router->config;
    if (config->curve_secret[0] != '\0' || config->majordomo.insecure ||
        config_is_loopback(edge_endpoint(router->socket))) {
        return TRP_OK;
    }
    snprintf(error, 256,
             "the socket that was given, %s, can be reached by other computers: give "
             "it keys, or set insecure = 1",
             edge_endpoint(router->socket));
    edge_close(&router->socket);
    return TRP_CONFIG;
}

/* Binds the clients' port, the first time. */
static trp_status_t open_port(router_t *router)
{
    const config_majordomo_t *config = &router->config->majordomo;
    const int listener = node_listener(router->runtime);
    if (router->socket != NULL || (config->endpoint[0] == '\0' && listener == 0)) {
        return TRP_OK;
    }
    edge_socket_options_t options = {.name = "majordomo",
                                     .endpoint = listener == 0 ? config->endpoint : ANY_PORT,
                                     .listener = listener,
                                     .message_max = TRP_BODY_MAX,
                                     .queue_max = 100000,
                                     .on_message = router_on_message,
                                     .on_down = router_on_peer_down,
                                     .on_unsent = router_on_unsent,
                                     .unread_max = config->unread_max,
                                     .curve_secret = router->config->curve_secret[0] != '\0'
                                                         ? router->config->curve_secret
                                                         : NULL,
                                     .user = router};
    char error[256] = "";
    trp_status_t status = router_open_zap(router, error);
    if (status == TRP_OK) {
        status = edge_bind(edge_of(router->runtime), &options, &router->socket, error);
    }
    if (status == TRP_OK && listener != 0) {
        status = check_reach(router, error);
    }
    if (status != TRP_OK) {
        log_event(LOG_ERROR, "majordomo_not_bound", LOG_TEXT("endpoint", config->endpoint),
                  LOG_TEXT("error", error));
        return status;
    }
    endpoint_note(router->runtime, "majordomo", edge_endpoint(router->socket));
    return TRP_OK;
}

/* ---- callbacks ---- */

static trp_status_t init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)args;
    router_actor_t *actor = state;
    trp_runtime_t *runtime = runtime_of(ctx);
    router_t *router = runtime_keep(runtime, "router", make_router, free_router, runtime);
    if (router == NULL) {
        return TRP_CONFIG;
    }
    actor->router = router;
    router->ctx = ctx;
    if (!trp_pid_is_none(router->self)) {
        log_event(LOG_WARN, "router_restarted", LOG_INT("tasks", router->tasks));
    }
    router->self = trp_self(ctx);
    router->random ^= trp_random(ctx);
    router->held.has_intake |= !trp_pid_is_none(trp_whereis(ctx, INTAKE_NAME));
    router_resume(router);
    router_look_anew(router);
    router->nudged = trp_send(ctx, router->self, ROUTER_TAG_NUDGE, NULL, 0) == TRP_OK;
    trp_status_t status = open_port(router);
    if (status == TRP_OK) {
        router_observe(router);
    }
    router->ctx = NULL;
    return status;
}

static void dispatch_all(router_t *router)
{
    router->nudged = false;
    router_start_beats(router);
    router_ask_intake(router, router_serve_held);
    for (size_t i = 0; i < router->pool_count; i++) {
        pool_t *pool = router->pools[i];
        if (pool->queued > 0) {
            pool_dispatch(pool);
        } else {
            pool_set_timer(pool);
        }
    }
    router_check_drained(router);
}

static void on_timer(router_t *router, uint64_t timer)
{
    for (size_t i = 0; i < router->pool_count; i++) {
        if (router->pools[i]->timer == timer) {
            pool_on_timer(router->pools[i]);
        }
    }
}

static void on_child_answer(router_t *router, const trp_envelope_t *message)
{
    pool_t *pool = router_on_child_answer(router, message);
    if (pool != NULL) {
        pool_dispatch(pool);
    }
}

static void on_stop(router_t *router, const trp_envelope_t *message)
{
    router->draining = true;
    router->drain_to = trp_reply_address(message);
    log_event(LOG_INFO, "draining", LOG_INT("tasks", router->tasks));
    router_check_drained(router);
}

static trp_status_t on_pools(router_t *router, const trp_envelope_t *message)
{
    zmq_msg_t rows;
    trp_status_t status = router_status(router, &rows);
    if (status != TRP_OK) {
        return TRP_OK; /* the asker's time limit tells it */
    }
    if (trp_reply_move(router->ctx, message, TRP_TAG_POOLS_STATUS, &rows) != TRP_OK) {
        router->unreachable++;
    }
    zmq_msg_close(&rows);
    return TRP_OK;
}

static void on_call(router_t *router, const trp_envelope_t *message)
{
    trp_document_t document;
    call_t request;
    trp_fault_t fault;
    if (trp_message_unpack(&call_schema, message, &document, &request, &fault) != TRP_OK) {
        return; /* only actors of this node send it, checked */
    }
    router_call_t call = {.tool = request.tool,
                          .body = request.body,
                          .reply = trp_reply_address(message),
                          .options = {.has_deadline_ms = request.has_deadline_ms,
                                      .deadline_ms = request.deadline_ms,
                                      .has_key = request.has_key,
                                      .key = request.key,
                                      .has_idem = request.has_idem,
                                      .idem = request.idem,
                                      .has_priority = request.has_priority,
                                      .priority = request.priority,
                                      .stream = request.stream}};
    router_accept_call(router, &call);
    trp_document_fini(&document);
    dispatch_all(router);
}

/* By the actor that made the request: it names its own number. */
static void on_call_cancel(router_t *router, const trp_envelope_t *message)
{
    origin_t origin = {.actor = {.to = message->from}};
    size_t size = 0;
    const void *data = trp_message_data(message, &size);
    if (size == sizeof(origin.actor.request_id)) {
        memcpy(&origin.actor.request_id, data, size);
        (void)router_cancel(router, &origin);
    }
}

static trp_status_t receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    router_t *router = ((router_actor_t *)state)->router;
    trp_status_t status = TRP_OK;
    router->ctx = ctx;
    switch (message->tag) {
    case ROUTER_TAG_NUDGE:
        dispatch_all(router);
        break;
    case ROUTER_TAG_BEAT:
        router_on_beat(router);
        break;
    case ROUTER_TAG_TIMER:
        on_timer(router, message->request_id);
        break;
    case TRP_TAG_TASK_DONE:
        router_on_done(router, message);
        break;
    case TRP_TAG_TASK_PART:
        router_on_part(router, message);
        break;
    case TRP_TAG_TASK_KEYS:
    case TRP_TAG_TASK_RELEASE:
        router_on_keys(router, message);
        dispatch_all(router);
        break;
    case TRP_TAG_TIMEOUT:
        router_on_timeout(router, message->request_id);
        on_child_answer(router, message);
        router_on_compared(router, message);
        router_on_looked(router, message, router_serve_held);
        dispatch_all(router);
        break;
    case TRP_TAG_INTAKE_LOOKED:
        router_on_looked(router, message, router_serve_held);
        dispatch_all(router);
        break;
    case TRP_TAG_INTAKE_COMPARED:
        router_on_compared(router, message);
        break;
    case TRP_TAG_DOWN:
        router_on_down(router, message);
        break;
    case TRP_TAG_CHILD_EVENT:
        router_on_child(router, message);
        break;
    case TRP_TAG_CHILD_ANSWER:
        on_child_answer(router, message);
        break;
    case TRP_TAG_POOLS:
        status = on_pools(router, message);
        break;
    case TRP_TAG_CALL:
        on_call(router, message);
        break;
    case TRP_TAG_CALL_CANCEL:
        on_call_cancel(router, message);
        break;
    case TRP_TAG_ROUTER_ORDER:
        status = router_on_order(router, message);
        break;
    case TRP_TAG_STOP:
        on_stop(router, message);
        break;
    default:
        break;
    }
    router->ctx = NULL;
    return status;
}

/* A node that stops has waited as long as it may: who still waits is told. */
static void terminate(trp_ctx_t *ctx, void *state, const trp_reason_t *reason)
{
    (void)reason;
    router_t *router = ((router_actor_t *)state)->router;
    if (router != NULL && router->draining) {
        router->ctx = ctx;
        router_cancel_all(router);
        router_end_foreign(router);
        router->ctx = NULL;
    }
}

const trp_class_t router_class = {
    .name = "router",
    .version = 1,
    .state_size = sizeof(router_actor_t),
    .init = init,
    .receive = receive,
    .terminate = terminate,
    .flags = TRP_CLASS_EDGE,
};
