/* SPDX-License-Identifier: MIT */
#include "actors/router/dispatch/router_pools.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "actors/router/dispatch/router_dispatch.h"
#include "actors/router/dispatch/router_result.h"
#include "actors/router/dispatch/router_retry.h"
#include "actors/router/state/router_turn.h"
#include "actors/router/state/router_workers.h"
#include "messages/supervisor.h"
#include "runtime/log.h"

void router_observe(router_t *router)
{
    trp_pid_t root = trp_whereis(router->ctx, "root");
    if (trp_pid_is_none(root) || trp_send(router->ctx, root, TRP_TAG_OBSERVE, NULL, 0) != TRP_OK) {
        log_event(LOG_ERROR, "no_root", LOG_TEXT("effect", "the router learns no workers"));
    }
}

static bool text_is(const trp_text_t *text, const char *prefix, const char *name)
{
    size_t size = strlen(prefix);
    return text->size == size + strlen(name) && memcmp(text->data, prefix, size) == 0 &&
           memcmp(text->data + size, name, text->size - size) == 0;
}

/* A pool's supervisor came or went. */
static void supervisor_event(router_t *router, const child_event_t *event, trp_pid_t pid)
{
    for (size_t i = 0; i < router->pool_count; i++) {
        pool_t *pool = router->pools[i];
        if (!text_is(&event->id, "pool.", pool->name)) {
            continue;
        }
        pool->growing = false;
        pool->grow_at_ns = 0;
        if (event->change == CHILD_UP && !trp_pid_equal(pool->supervisor, pid)) {
            pool->kept = pool->begun < (uint64_t)pool->config->min ? pool->begun
                                                                   : (uint32_t)pool->config->min;
        }
        pool->supervisor = event->change == CHILD_UP ? pid : TRP_PID_NONE;
        if (event->change == CHILD_UP &&
            trp_send(router->ctx, pid, TRP_TAG_OBSERVE, NULL, 0) != TRP_OK) {
            log_event(LOG_ERROR, "pool_not_observed", LOG_TEXT("pool", pool->name));
        }
    }
}

/* A worker is up, is asked to leave, or is dead. */
static void worker_event(router_t *router, const child_event_t *event, trp_pid_t pid)
{
    worker_t *worker = worker_find(router, pid);
    if (event->change == CHILD_LEAVING && worker != NULL) {
        worker_leave(worker);
    }
    for (size_t i = 0; i < router->pool_count; i++) {
        pool_t *pool = router->pools[i];
        if (!text_is(&event->supervisor, "pool.", pool->name)) {
            continue;
        }
        pool->grow_at_ns = 0;
        if (event->change == CHILD_UP) {
            if (worker == NULL && worker_add(pool, pid, event->id)) {
                pool_dispatch(pool);
            }
        } else if (event->change == CHILD_DOWN) {
            pool_dispatch(pool); /* there may be room for another one now */
        }
    }
}

void router_on_child(router_t *router, const trp_envelope_t *message)
{
    trp_document_t document;
    child_event_t event;
    trp_fault_t fault;
    char text[TRP_PID_TEXT_MAX];
    trp_pid_t pid;
    if (trp_message_unpack(&child_event_schema, message, &document, &event, &fault) != TRP_OK) {
        return;
    }
    snprintf(text, sizeof(text), "%.*s", (int)event.pid.size, event.pid.data);
    if (trp_pid_parse(text, &pid) == TRP_OK) {
        if (text_is(&event.supervisor, "root", "")) {
            supervisor_event(router, &event, pid);
        } else {
            worker_event(router, &event, pid);
        }
    }
    trp_document_fini(&document);
}

void router_on_down(router_t *router, const trp_envelope_t *message)
{
    size_t size = 0;
    const void *data = trp_message_data(message, &size);
    trp_reason_t reason = trp_reason(TRP_REASON_NO_PROCESS, 0, NULL);
    if (size == sizeof(reason)) {
        memcpy(&reason, data, sizeof(reason));
    }
    worker_t *worker = worker_find(router, message->from);
    if (reason.kind == TRP_REASON_ERROR && reason.code == TRP_EXPIRED) {
        router_on_expired(router, message->from, message->request_id);
    } else if (worker != NULL) {
        pool_t *pool = worker->pool;
        router_worker_down(worker, &reason);
        pool_dispatch(pool);
        router_check_drained(router);
    }
}
