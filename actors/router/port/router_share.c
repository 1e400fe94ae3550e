/* SPDX-License-Identifier: MIT */
#include "actors/router/port/router_share.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/router/answer/router_answer.h"
#include "actors/router/answer/router_forward.h"
#include "actors/router/answer/router_frames.h"
#include "actors/router/base/body_key.h"
#include "actors/router/base/cache.h"
#include "actors/router/base/cache_key.h"
#include "actors/router/state/router_calls.h"
#include "actors/router/state/router_flight.h"
#include "actors/router/state/router_random.h"
#include "actors/router/state/router_tasks.h"
#include "actors/router/state/router_turn.h"

#define MS       INT64_C(1000000)
#define LOOK_MAX (16 * 1024) /* bytes of a body that the edge decodes */

/* ---- under which keys ---- */

void router_find_key(request_t *request, const pool_t *pool)
{
    trp_document_t document;
    trp_fault_t fault;
    request->key[0] = '\0';
    if (request->options.has_key) {
        snprintf(request->key, sizeof(request->key), "%.*s", (int)request->options.key.size,
                 request->options.key.data);
    } else if (request->look != NULL) {
        memcpy(request->key, request->look->key, sizeof(request->key));
    } else if (pool->config->key_member[0] != '\0' && request->body_size <= LOOK_MAX &&
               trp_document_init(&document, request->body, request->body_size, &fault) == TRP_OK) {
        /* what can't be read has no key: its worker says what is wrong */
        body_key_of(&document, pool->config->key_member, request->key);
        trp_document_fini(&document);
    }
}

/* What somebody typed goes to a foreign tool as JSON, whoever asked. */
static bool find_foreign_key(const request_t *request, cache_key_t *key)
{
    if (request->body_size > LOOK_MAX) {
        return false; /* the intake would have found it */
    }
    const trp_text_t body = {request->body, request->body_size};
    if (request->origin.peer == NULL) {
        return cache_key_of_call(request->service, 0, body, key) == TRP_OK;
    }
    zmq_msg_t *frames = request->frames + request->head_count;
    const size_t count = request->frame_count - request->head_count;
    if (count == 1) {
        const trp_text_t frame = {zmq_msg_data(frames), zmq_msg_size(frames)};
        cache_key_of_foreign(request->service, frame, key);
        return true;
    }
    size_t size = 0;
    void *packed = frames_pack(&(answer_frames_t){.last = frames, .last_count = count}, &size);
    if (packed != NULL) {
        cache_key_of_frames(request->service, (trp_text_t){packed, size}, key);
    }
    free(packed);
    return packed != NULL;
}

/* Under what the request's work is known. False: it is for nobody else. */
static bool find_key(const request_t *request, const service_t *service, flight_t *flight)
{
    const config_pool_t *config = service->pool->config;
    if (request->options.has_idem) {
        flight->is_replay = true;
        cache_key_of_text("idem", request->service, request->options.idem, &flight->key);
        return true;
    }
    if (!config->cache) {
        return false;
    }
    if (request->look != NULL && request->look->has_digest) {
        flight->key = request->look->digest;
        return true;
    }
    if (config->foreign) {
        return find_foreign_key(request, &flight->key);
    }
    if (request->body_size > LOOK_MAX) {
        return false;
    }
    return cache_key_of_call(request->service, config->child.class->version,
                             (trp_text_t){request->body, request->body_size},
                             &flight->key) == TRP_OK; /* a bad body is its worker's to refuse */
}

/* ---- for whom ---- */

static bool answer_kept(router_t *router, const request_t *request, service_t *service,
                        const flight_t *flight)
{
    cache_value_t value;
    cache_t *cache = flight->is_replay ? router->replays : router->cache;
    if (!cache_get(cache, &flight->key, runtime_now_ns(router->runtime), &value)) {
        return false;
    }
    if (value.frame_count > 0) {
        router_forward_kept(router, request, service, &value);
    } else {
        router_answer_value(router, request, service, &value);
    }
    return true;
}

/* Lets the request wait for the task. False: it must be done by itself. */
static bool join(router_t *router, request_t *request, task_t *task)
{
    pool_t *pool = task->service->pool;
    waiter_t waiter = {.form = request->form, .origin = request->origin, .deadline_ns = INT64_MAX};
    if (task->has_parts || task->part_count > 0 || task->waiter.form != request->form ||
        pool->joined >= (uint64_t)pool->config->queue_max) {
        return false;
    }
    router_make_id(router, waiter.id);
    if (request->options.has_deadline_ms) {
        waiter.deadline_ns = runtime_now_ns(router->runtime) + request->options.deadline_ms * MS;
    }
    if (!task_join(task, &waiter)) {
        return false;
    }
    request->origin.peer = NULL;
    task->service->sent++;
    router->shared++;
    router_call_add(router, task, &waiter.origin);
    router_nudge(router); /* the deadline may be the pool's next end */
    return true;
}

bool router_flight_serve(router_t *router, request_t *request, service_t *service,
                         flight_t **flight)
{
    flight_t wish = {.is_replay = false};
    *flight = NULL;
    if (!find_key(request, service, &wish)) {
        return false;
    }
    if (answer_kept(router, request, service, &wish)) {
        return true;
    }
    task_t *other = router_flight_find(router, &wish.key);
    if (other != NULL) {
        return join(router, request, other);
    }
    *flight = malloc(sizeof(**flight));
    if (*flight != NULL) {
        **flight = wish;
    }
    return false;
}
