/* SPDX-License-Identifier: MIT */
#include "actors/router/port/router_foreign_port.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/router/answer/router_forward.h"
#include "actors/router/base/majordomo.h"
#include "actors/router/dispatch/router_foreign.h"
#include "actors/router/pool/router_breaker.h"
#include "actors/router/pool/router_config.h"
#include "actors/router/port/router_mmi.h"
#include "actors/router/port/router_rights.h"
#include "actors/router/state/router_assign.h"
#include "actors/router/state/router_services.h"
#include "actors/router/state/router_tasks.h"
#include "actors/router/state/router_turn.h"
#include "actors/router/state/router_workers.h"
#include "runtime/log.h"

#define MS INT64_C(1000000)

/* ---- coming and going ---- */

static void send_away(router_t *router, const edge_peer_t *peer, const majordomo_worker_t *message,
                      const char *why)
{
    if (is_worth_a_line(++router->foreign.sent_away)) {
        log_event(LOG_WARN, "worker_sent_away", LOG_TEXT("why", why),
                  LOG_TEXT("command", majordomo_command_name(message->command)),
                  LOG_INT("times", router->foreign.sent_away));
    }
    foreign_say(router, peer, message->version, MAJORDOMO_DISCONNECT);
}

/* The pool of the tool that a worker offers; NULL: it may not, and `why` says so. */
static pool_t *find_pool(router_t *router, trp_text_t name, const char **why)
{
    if (router_is_mmi(name)) {
        *why = "names that begin with mmi. are the broker's own";
        return NULL;
    }
    service_t *service = service_find(router, name);
    if (service == NULL) {
        service = router_add_foreign_service(router, name);
    }
    if (service == NULL) {
        *why = "too many tools that the configuration does not know, or no memory";
        return NULL;
    }
    if (!service->pool->config->foreign) {
        *why = "the tool is built in; a pool with `foreign = 1` may be served by other programs";
        return NULL;
    }
    return service->pool;
}

/* False: no memory. */
static bool add(router_t *router, pool_t *pool, const edge_peer_t *peer,
                majordomo_version_t version, const char *key)
{
    char name[TRP_NAME_MAX];
    foreign_t *foreign = calloc(1, sizeof(*foreign));
    if (foreign == NULL) {
        return false;
    }
    foreign->peer = *peer;
    foreign->version = version;
    snprintf(foreign->key, sizeof(foreign->key), "%s", key);
    foreign->heard_ns = runtime_now_ns(router->runtime);
    HASH_ADD(hh, router->foreign.workers, peer.id, foreign->peer.size, foreign);
    if (foreign->hh.tbl == NULL) {
        free(foreign);
        return false;
    }
    snprintf(name, sizeof(name), "foreign.%" PRIu64, ++router->foreign.serial);
    foreign->worker = worker_add_foreign(pool, foreign, name);
    if (foreign->worker == NULL) {
        HASH_DEL(router->foreign.workers, foreign);
        free(foreign);
        return false;
    }
    pool->was_served = true;
    log_event(LOG_INFO, "foreign_worker_came", LOG_TEXT("tool", pool->name),
              LOG_TEXT("worker", name),
              LOG_TEXT("version", version == MAJORDOMO_01 ? "0.1" : "0.2"));
    return true;
}

static void on_ready(router_t *router, const edge_peer_t *peer, const majordomo_worker_t *message,
                     zmq_msg_t *first)
{
    const char *why = "no memory";
    const char *key = zmq_msg_gets(first, "User-Id");
    bool may_serve = router_may_serve(router, key, message->service);
    pool_t *pool = may_serve ? find_pool(router, message->service, &why) : NULL;
    if (router->draining) {
        pool = NULL;
        why = "the node is stopping";
    }
    if (!may_serve) {
        why = "its key has no right to serve this tool";
    }
    if (pool == NULL || !add(router, pool, peer, message->version, key != NULL ? key : "")) {
        send_away(router, peer, message, why);
        return;
    }
    if (edge_track(router->socket, peer, first) != TRP_OK) {
        return; /* its silence will tell */
    }
    router_nudge(router);
}

void router_on_peer_down(void *user, const edge_peer_t *peer)
{
    router_t *router = user;
    foreign_t *foreign = foreign_find(router, peer);
    if (foreign != NULL) {
        foreign_forget(router, foreign, "its connection ended");
    }
}

/* ---- work ---- */

static void on_answer(router_t *router, foreign_t *foreign, majordomo_worker_t *message)
{
    task_t *task = foreign_task(foreign, &message->address);
    if (task == NULL || task->answered) {
        foreign->worker->pool->late++;
    } else if (message->command == MAJORDOMO_FINAL) {
        router_forward_final(router, task, message->body, message->body_count);
    } else if (!router_forward_part(router, task, message->body, message->body_count)) {
        task_unassign(task);
        task_free(router, task);
        foreign_disconnect(router, foreign, "its partial answers were over the limit");
        return;
    }
    if (task != NULL && message->command == MAJORDOMO_FINAL) {
        foreign->worker->done++;
        pool_attempt_ended(foreign->worker->pool, false);
        task_unassign(task);
        task_free(router, task);
        router_nudge(router);
    }
}

void router_on_worker(router_t *router, const edge_peer_t *peer, majordomo_worker_t *message,
                      zmq_msg_t *first)
{
    foreign_t *foreign = foreign_find(router, peer);
    if (foreign == NULL) {
        if (message->command == MAJORDOMO_READY) {
            on_ready(router, peer, message, first);
        } else if (message->command != MAJORDOMO_DISCONNECT) {
            send_away(router, peer, message, "it has not said READY");
        }
        return;
    }
    foreign->heard_ns = runtime_now_ns(router->runtime);
    if (message->version != foreign->version) {
        message->command = MAJORDOMO_COMMANDS; /* none of those that it may say */
        message->version = foreign->version;
    }
    switch (message->command) {
    case MAJORDOMO_PARTIAL:
    case MAJORDOMO_FINAL:
        on_answer(router, foreign, message);
        break;
    case MAJORDOMO_HEARTBEAT:
        break;
    case MAJORDOMO_DISCONNECT:
        foreign_forget(router, foreign, "it said so");
        break;
    default: /* READY again, what only a broker says, or the other version's */
        send_away(router, peer, message, "the command does not belong here");
        foreign_forget(router, foreign, "it broke the protocol");
        break;
    }
}

/* ---- heartbeats ---- */

void router_start_beats(router_t *router)
{
    int64_t interval_ms = router->config->majordomo.heartbeat_ms;
    if (router->foreign.workers != NULL && router->foreign.beat_timer == 0 &&
        trp_timer_start(router->ctx, interval_ms, interval_ms, ROUTER_TAG_BEAT,
                        &router->foreign.beat_timer) != TRP_OK) {
        router->foreign.beat_timer = 0; /* no memory: the next turn tries again */
    }
}

void router_on_beat(router_t *router)
{
    const config_majordomo_t *config = &router->config->majordomo;
    int64_t limit = runtime_now_ns(router->runtime) - config->heartbeat_ms * config->liveness * MS;
    foreign_t *foreign, *next;
    HASH_ITER(hh, router->foreign.workers, foreign, next)
    {
        const pool_t *pool = foreign->worker->pool;
        const trp_text_t tool = {pool->name, strlen(pool->name)};
        if (foreign->heard_ns < limit) {
            foreign_disconnect(router, foreign, "it was silent");
        } else if (!router_may_serve(router, foreign->key, tool)) {
            foreign_disconnect(router, foreign, "its key was taken back");
        } else {
            foreign_say(router, &foreign->peer, foreign->version, MAJORDOMO_HEARTBEAT);
        }
    }
    if (router->foreign.workers == NULL) {
        trp_timer_cancel(router->ctx, router->foreign.beat_timer);
        router->foreign.beat_timer = 0;
    }
}
