/* SPDX-License-Identifier: MIT */
#include "supervisor/tree/keeper.h"

#include <string.h>

#include "runtime/log.h"
#include "runtime/node/node.h"

#define TREE_STOP_MS_MAX 5000 /* kept of stop_ms for the tree, after draining */

typedef enum keeper_phase {
    KEEPER_STARTING,
    KEEPER_SERVING,
    KEEPER_DRAINING,
    KEEPER_STOPPING
} keeper_phase_t;

typedef struct keeper {
    keeper_args_t args;
    keeper_phase_t phase;
    trp_pid_t root;
    uint64_t root_monitor;
    uint64_t drain;    /* the request to the router */
    bool is_undrained; /* it stops with tasks that were accepted and not answered */
} keeper_t;

static trp_status_t init(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    keeper_t *keeper = state;
    size_t size = 0;
    const void *data = message == NULL ? NULL : trp_message_data(message, &size);
    if (size != sizeof(keeper->args)) {
        return TRP_INVALID;
    }
    memcpy(&keeper->args, data, sizeof(keeper->args));

    trp_supervisor_args_t args = {.spec = &keeper->args.tree->root, .parent = trp_self(ctx)};
    trp_spawn_t spawn = {.class = &trp_supervisor_class,
                         .name = TREE_ROOT,
                         .args = &args,
                         .args_size = sizeof(args),
                         .monitor = true,
                         .monitor_ref = &keeper->root_monitor,
                         .ack = true};
    return trp_spawn(ctx, &spawn, &keeper->root);
}

static void serve(keeper_t *keeper, trp_ctx_t *ctx)
{
    if (keeper->phase != KEEPER_STARTING) {
        return;
    }
    keeper->phase = KEEPER_SERVING;
    log_event(LOG_INFO, "node_ready", LOG_TEXT("node", keeper->args.config->node.name));
    if (keeper->args.ready != NULL) {
        keeper->args.ready(keeper->args.user, runtime_of(ctx));
    }
}

static void stop_tree(keeper_t *keeper, trp_ctx_t *ctx)
{
    trp_reason_t shutdown = trp_reason(TRP_REASON_SHUTDOWN, 0, NULL);
    keeper->phase = KEEPER_STOPPING;
    trp_exit(ctx, keeper->root, &shutdown);
}

/* Most of the stop's time is for the tasks that were accepted, a last part for the tree. */
static int64_t drain_ms(const config_t *config)
{
    int64_t rest_ms = config->node.stop_ms / 3;
    return config->node.stop_ms - (rest_ms < TREE_STOP_MS_MAX ? rest_ms : TREE_STOP_MS_MAX);
}

static void stop(keeper_t *keeper, trp_ctx_t *ctx, const trp_envelope_t *message)
{
    if (keeper->phase == KEEPER_DRAINING || keeper->phase == KEEPER_STOPPING) {
        return;
    }
    log_event(LOG_INFO, "node_stopping", LOG_TEXT("node", keeper->args.config->node.name));
    if (!trp_pid_is_none(message->from)) {
        /* An actor asks: let the guardian hear of it as of any stop, since it holds the time limit
         * of the whole. */
        const trp_host_t *host = runtime_host(runtime_of(ctx));
        host->parent_stop(host->user);
    }

    trp_pid_t router = trp_whereis(ctx, TREE_ROUTER);
    trp_request_t request = {
        .to = router, .tag = TRP_TAG_STOP, .timeout_ms = drain_ms(keeper->args.config)};
    bool is_asked = keeper->phase == KEEPER_SERVING && keeper->args.tree->has_router &&
                    !trp_pid_is_none(router) &&
                    trp_request(ctx, &request, &keeper->drain) == TRP_OK;
    if (is_asked) {
        keeper->phase = KEEPER_DRAINING;
    } else {
        stop_tree(keeper, ctx);
    }
}

static void end(keeper_t *keeper, trp_ctx_t *ctx, const trp_envelope_t *message)
{
    char line[TRP_REASON_LINE_MAX] = "";
    trp_reason_t reason;
    size_t size = 0;
    const void *data = trp_message_data(message, &size);
    if (size == sizeof(reason)) {
        memcpy(&reason, data, sizeof(reason));
        trp_reason_format(&reason, line);
    }
    if (keeper->phase == KEEPER_STOPPING) {
        log_event(LOG_INFO, "node_stopped", LOG_TEXT("reason", line));
        node_end(runtime_of(ctx), keeper->is_undrained);
        return;
    }
    log_event(LOG_FATAL, keeper->phase == KEEPER_STARTING ? "node_not_started" : "node_gave_up",
              LOG_TEXT("reason", line));
    node_end(runtime_of(ctx), 1);
}

static void drained(keeper_t *keeper, trp_ctx_t *ctx, const trp_envelope_t *message)
{
    if (keeper->phase != KEEPER_DRAINING || message->request_id != keeper->drain) {
        return;
    }
    if (message->tag != TRP_TAG_DRAINED) {
        keeper->is_undrained = true;
        log_event(
            LOG_ERROR, "node_not_drained",
            LOG_TEXT("cause", message->tag == TRP_TAG_TIMEOUT ? "time limit" : "router ended"));
    }
    stop_tree(keeper, ctx);
}

static trp_status_t receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    keeper_t *keeper = state;
    switch (message->tag) {
    case TRP_TAG_STARTED:
        serve(keeper, ctx);
        break;
    case TRP_TAG_STOP:
        stop(keeper, ctx, message);
        break;
    case KEEPER_TAG_RELOAD:
        if (trp_pid_is_none(message->from) && keeper->args.reload != NULL) {
            keeper->args.reload(keeper->args.user, ctx);
        }
        break;
    case TRP_TAG_DRAINED:
    case TRP_TAG_TIMEOUT:
        drained(keeper, ctx, message);
        break;
    case TRP_TAG_DOWN:
        if (message->request_id == keeper->root_monitor) {
            end(keeper, ctx, message);
        } else {
            drained(keeper, ctx, message);
        }
        break;
    default:
        break;
    }
    return TRP_OK;
}

const trp_class_t keeper_class = {
    .name = KEEPER_NAME,
    .version = 1,
    .state_size = sizeof(keeper_t),
    .init = init,
    .receive = receive,
    .flags = TRP_CLASS_EDGE,
};
