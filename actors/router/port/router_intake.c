/* SPDX-License-Identifier: MIT */
#include "actors/router/port/router_intake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "actors/router/answer/router_frames.h"
#include "actors/router/base/frame.h"
#include "actors/router/base/majordomo.h"
#include "actors/router/state/router_turn.h"
#include "messages/intake.h"

#define LOOK_MAX (16 * 1024) /* bytes of a body that the edge reads */
#define LOOK_MS  30000
#define HELD_MAX 100000

typedef enum held_state { HELD_PLAIN, HELD_TO_ASK, HELD_ASKED, HELD_LOOKED } held_state_t;

/* A message that waits. */
struct held {
    held_state_t state;
    zmq_msg_t *frames; /* of a client, as they came; of an actor: tool, options, body */
    size_t count, bytes;
    size_t body_count;         /* TO_ASK: so many of them at the end are looked at */
    trp_reply_address_t actor; /* NONE: a client's */
    int64_t since_ns;
    char member[64]; /* TO_ASK: what is wanted */
    uint32_t version;
    bool wants_digest, is_foreign;
    look_t look;
    struct held *prev, *next;
};

struct line {
    edge_peer_t client; /* or an actor's pid */
    held_t *first;
    uint64_t request_id; /* of the first one, when it was asked for */
    UT_hash_handle hh, hh_id;
};

/* ---- lines ---- */

static edge_peer_t client_of(const edge_peer_t *peer, trp_reply_address_t actor)
{
    edge_peer_t client = {0};
    if (peer != NULL) { /* it may be no larger than its id */
        client.size = peer->size;
        memcpy(client.id, peer->id, peer->size);
    } else { /* longer than what a router socket gives its peers by itself */
        client.size = sizeof(actor.to);
        memcpy(client.id, &actor.to, sizeof(actor.to));
    }
    return client;
}

static line_t *find_line(const router_t *router, const edge_peer_t *client)
{
    line_t *line = NULL;
    HASH_FIND(hh, router->held.lines, client->id, client->size, line);
    return line;
}

/* NULL: no memory */
static line_t *get_line(router_t *router, const edge_peer_t *client)
{
    line_t *line = find_line(router, client);
    if (line != NULL) {
        return line;
    }
    line = calloc(1, sizeof(*line));
    if (line == NULL) {
        return NULL;
    }
    line->client = *client;
    HASH_ADD_KEYPTR(hh, router->held.lines, line->client.id, line->client.size, line);
    if (line->hh.tbl == NULL) {
        free(line);
        return NULL;
    }
    return line;
}

static void forget_request(router_t *router, line_t *line)
{
    if (line->request_id != 0) {
        // NOLINTNEXTLINE(clang-analyzer-core.*): uthash keeps it
        HASH_DELETE(hh_id, router->held.asked, line);
        line->request_id = 0;
    }
}

static void free_held(router_t *router, held_t *held)
{
    frames_close(held->frames, held->count);
    router->bytes -= held->bytes;
    router->held.count--;
    free(held->frames);
    free(held);
}

static void free_line(router_t *router, line_t *line)
{
    forget_request(router, line);
    HASH_DELETE(hh, router->held.lines, line);
    while (line->first != NULL) {
        held_t *held = line->first;
        DL_DELETE(line->first, held);
        free_held(router, held);
    }
    free(line);
}

void router_free_held(router_t *router)
{
    line_t *line, *next;
    HASH_ITER(hh, router->held.lines, line, next)
    {
        free_line(router, line);
    }
}

/* ---- holding ---- */

/* Moves the frames. NULL: no memory, nothing was moved */
static held_t *make_held(router_t *router, zmq_msg_t *frames, size_t count)
{
    held_t *held = calloc(1, sizeof(*held));
    zmq_msg_t *own = calloc(count, sizeof(*own));
    if (held == NULL || own == NULL) {
        free(held);
        free(own);
        return NULL;
    }
    held->frames = own;
    held->count = count;
    held->since_ns = runtime_now_ns(router->runtime);
    for (size_t i = 0; i < count; i++) {
        zmq_msg_init(&own[i]);
        zmq_msg_move(&own[i], &frames[i]);
        held->bytes += zmq_msg_size(&own[i]);
    }
    router->bytes += held->bytes;
    router->held.count++;
    return held;
}

static bool is_room_for(const router_t *router, const zmq_msg_t *frames, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        bytes += zmq_msg_size(&frames[i]);
    }
    return router->held.count < HELD_MAX &&
           router->bytes + bytes <= (size_t)router->config->majordomo.bytes_max;
}

bool router_hold_behind(router_t *router, const edge_peer_t *peer, zmq_msg_t *frames, size_t count,
                        bool *is_shut)
{
    line_t *line = find_line(router, peer);
    held_t *held = NULL;
    *is_shut = false;
    if (line == NULL || router->held.resuming != NULL) {
        return false;
    }
    if (is_room_for(router, frames, count)) {
        held = make_held(router, frames, count);
    }
    if (held == NULL) {
        *is_shut = true;
        return false;
    }
    DL_APPEND(line->first, held);
    return true;
}

/* Our tools want one frame, and an actor sends one; what is of more passes to foreign tools. */
static size_t body_count_of(const request_t *request, const service_t *service)
{
    const bool is_opaque = service->pool->config->foreign && request->origin.peer != NULL;
    return is_opaque ? request->frame_count - request->head_count : 1;
}

static bool wants_look(const router_t *router, const request_t *request, const service_t *service)
{
    const config_pool_t *config = service->pool->config;
    const bool wants_key = !config->foreign && config->key_member[0] != '\0' &&
                           !request->options.has_key && !service->makes_key;
    const size_t packed = body_count_of(request, service) * sizeof(uint32_t) + request->body_size;
    const bool wants_digest =
        config->cache != 0 && !request->options.has_idem && packed <= TRP_BODY_MAX;
    return request->look == NULL && request->body_size > LOOK_MAX &&
           request->body_size <= (size_t)router->config->majordomo.body_max &&
           (wants_key || wants_digest) && router->held.has_intake;
}

/* An actor's call has no frames of its own. */
static held_t *hold_call(router_t *router, const request_t *request)
{
    enum { TOOL, OPTIONS, BODY, CALL_FRAMES };
    zmq_msg_t frames[CALL_FRAMES];
    zmq_msg_init(&frames[TOOL]);
    zmq_msg_init(&frames[BODY]);
    if (trp_schema_pack(&task_options_schema, &request->options, &frames[OPTIONS]) != TRP_OK) {
        return NULL;
    }
    const bool is_whole = frame_set(&frames[TOOL], request->service.data, request->service.size) &&
                          frame_set(&frames[BODY], request->body, request->body_size);
    held_t *held = is_whole ? make_held(router, frames, CALL_FRAMES) : NULL;
    if (held != NULL) {
        held->actor = request->origin.actor;
    }
    frames_close(frames, CALL_FRAMES);
    return held;
}

bool router_hold_for_look(router_t *router, request_t *request, const service_t *service)
{
    const pool_t *pool = service->pool;
    if (!wants_look(router, request, service)) {
        return false;
    }
    held_t *held = router->held.resuming;
    const edge_peer_t client = client_of(request->origin.peer, request->origin.actor);
    if (held == NULL) {
        line_t *line = router->held.count < HELD_MAX ? get_line(router, &client) : NULL;
        if (line != NULL) {
            held = request->raw != NULL ? make_held(router, request->raw, request->raw_count)
                                        : hold_call(router, request);
        }
        if (held == NULL) {
            if (line != NULL && line->first == NULL) {
                free_line(router, line);
            }
            request->is_shut = true;
            return false;
        }
        DL_APPEND(line->first, held);
    }
    held->state = HELD_TO_ASK;
    snprintf(held->member, sizeof(held->member), "%s",
             request->options.has_key ? "" : pool->config->key_member);
    held->body_count = body_count_of(request, service);
    held->is_foreign = pool->config->foreign && request->origin.peer != NULL;
    held->version = pool->config->foreign ? 0 : pool->config->child.class->version;
    held->wants_digest = pool->config->cache != 0 && !request->options.has_idem;
    router->held.wants_looks = true;
    router_nudge(router);
    return true;
}

/* ---- asking ---- */

/* The body that is looked at; `packed` is to be freed. errors: TRP_NO_MEMORY */
static trp_status_t body_of(const held_t *held, trp_text_t *body, void **packed)
{
    zmq_msg_t *first = &held->frames[held->count - held->body_count];
    *packed = NULL;
    if (held->body_count == 1) {
        *body = (trp_text_t){zmq_msg_data(first), zmq_msg_size(first)};
        return TRP_OK;
    }
    const answer_frames_t frames = {.last = first, .last_count = held->body_count};
    *packed = frames_pack(&frames, &body->size);
    body->data = *packed;
    return *packed != NULL ? TRP_OK : TRP_NO_MEMORY;
}

/* The bytes of the request to the intake. */
static trp_status_t pack_look(const held_t *held, trp_text_t tool, zmq_msg_t *look)
{
    void *packed = NULL;
    intake_look_t said = {.tool = tool,
                          .version = held->version,
                          .digest = held->wants_digest,
                          .foreign = held->is_foreign,
                          .frames = held->body_count != 1,
                          .has_member = held->member[0] != '\0',
                          .member = {held->member, strlen(held->member)}};
    trp_status_t status = body_of(held, &said.body, &packed);
    status = status == TRP_OK ? trp_schema_pack(&intake_look_schema, &said, look) : status;
    free(packed);
    return status;
}

static trp_status_t ask(router_t *router, line_t *line, held_t *held)
{
    const bool is_call = !trp_pid_is_none(held->actor.to);
    majordomo_message_t message;
    trp_text_t tool = {zmq_msg_data(&held->frames[0]), zmq_msg_size(&held->frames[0])};
    if (!is_call) {
        if (majordomo_parse(held->frames, held->count, &message) != MAJORDOMO_REQUEST) {
            return TRP_FAILED; /* it was one when it came */
        }
        tool = message.request.service;
    }
    zmq_msg_t packed;
    trp_pid_t intake = trp_whereis(router->ctx, INTAKE_NAME);
    if (trp_pid_is_none(intake)) {
        return TRP_GONE;
    }
    trp_status_t status = pack_look(held, tool, &packed);
    if (status != TRP_OK) {
        return status;
    }
    const trp_request_t request = {
        .to = intake, .tag = TRP_TAG_INTAKE_LOOK, .message = &packed, .timeout_ms = LOOK_MS};
    status = trp_request(router->ctx, &request, &line->request_id);
    zmq_msg_close(&packed);
    if (status != TRP_OK) {
        line->request_id = 0;
        return status;
    }
    HASH_ADD(hh_id, router->held.asked, request_id, sizeof(line->request_id), line);
    if (line->hh_id.tbl == NULL) {
        line->request_id = 0; /* its answer finds nothing */
        return TRP_NO_MEMORY;
    }
    held->state = HELD_ASKED;
    return TRP_OK;
}

/* Serves what is ready, from the front. */
static void advance(router_t *router, line_t *line, serve_held_t *serve)
{
    held_t *held;
    while ((held = line->first) != NULL &&
           (held->state == HELD_PLAIN || held->state == HELD_LOOKED)) {
        const arrival_t arrival = {.client = trp_pid_is_none(held->actor.to) ? &line->client : NULL,
                                   .actor = held->actor,
                                   .frames = held->frames,
                                   .count = held->count,
                                   .look = held->state == HELD_LOOKED ? &held->look : NULL,
                                   .since_ns = held->since_ns};
        held->state = HELD_PLAIN;
        router->held.resuming = held;
        router->bytes -= held->bytes; /* it is a task's now, or nobody's */
        serve(router, &arrival);
        router->held.resuming = NULL;
        router->bytes += held->bytes;
        if (held->state == HELD_PLAIN) {
            DL_DELETE(line->first, held);
            free_held(router, held);
        }
    }
    if (held == NULL) {
        free_line(router, line);
    }
}

void router_ask_intake(router_t *router, serve_held_t *serve)
{
    line_t *line, *next;
    if (!router->held.wants_looks) {
        return;
    }
    router->held.wants_looks = false;
    HASH_ITER(hh, router->held.lines, line, next)
    {
        held_t *first = line->first;
        if (first->state == HELD_TO_ASK && ask(router, line, first) != TRP_OK) {
            first->look = (look_t){.has_failed = true};
            first->state = HELD_LOOKED;
            advance(router, line, serve);
        }
    }
}

static void read_answer(look_t *look, const trp_envelope_t *message)
{
    trp_document_t document;
    intake_looked_t looked;
    trp_fault_t fault;
    *look = (look_t){.has_failed = true};
    if (message->tag != TRP_TAG_INTAKE_LOOKED ||
        trp_message_unpack(&intake_looked_schema, message, &document, &looked, &fault) != TRP_OK) {
        return;
    }
    look->has_failed = false;
    look->is_broken = looked.has_rule;
    if (looked.has_rule) {
        snprintf(look->fault.rule, sizeof(look->fault.rule), "%.*s", (int)looked.rule.size,
                 looked.rule.data);
        snprintf(look->fault.path, sizeof(look->fault.path), "%.*s", (int)looked.path.size,
                 looked.path.data);
        look->fault.has_offset = looked.has_offset;
        look->fault.offset = (size_t)looked.offset;
    }
    snprintf(look->key, sizeof(look->key), "%.*s", looked.has_key ? (int)looked.key.size : 0,
             looked.has_key ? looked.key.data : "");
    look->has_digest = looked.has_digest;
    if (looked.has_digest) {
        memcpy(look->digest.bytes, looked.digest.data, sizeof(look->digest.bytes));
    }
    trp_document_fini(&document);
}

void router_on_looked(router_t *router, const trp_envelope_t *message, serve_held_t *serve)
{
    line_t *line = NULL;
    HASH_FIND(hh_id, router->held.asked, &message->request_id, sizeof(message->request_id), line);
    if (line == NULL) {
        return;
    }
    forget_request(router, line);
    read_answer(&line->first->look, message);
    line->first->state = HELD_LOOKED;
    advance(router, line, serve);
    router_check_drained(router);
}

void router_look_anew(router_t *router)
{
    line_t *line, *next;
    HASH_ITER(hh, router->held.lines, line, next)
    {
        forget_request(router, line);
        if (line->first->state == HELD_ASKED) {
            line->first->state = HELD_TO_ASK;
            router->held.wants_looks = true;
        }
    }
}
