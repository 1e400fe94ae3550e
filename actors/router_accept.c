/* SPDX-License-Identifier: MIT */
/* From a client's frames to a task in its pool's queue, or to a clear refusal. No body over 16 KiB
 * is looked into here: the worker decodes and validates it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/router_state.h"
#include "runtime/log.h"

#define LOOK_MAX       (16 * 1024) /* bytes of a body that may be read for its key */
#define NEAR_MAX       5           /* tool names offered for a mistyped one */
#define RETRY_AFTER_MS 100

/* A request before it is a task. */
typedef struct request {
    origin_t origin;
    trp_text_t service;
    const void *body;
    size_t body_size;
    trp_form_t form;
    task_options_t options;
} request_t;

static void refuse(router_t *router, const request_t *request, refusal_t *refusal)
{
    router_refuse_origin(router, &request->origin, request->service, request->form, refusal);
}

/* ---- names ---- */

/* Levenshtein's distance of two names of at most 63 bytes. */
static size_t distance(const char *a, const char *b)
{
    size_t row[64];
    size_t width = strlen(b);
    if (width >= 64 || strlen(a) >= 64) {
        return SIZE_MAX;
    }
    for (size_t i = 0; i <= width; i++) {
        row[i] = i;
    }
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < width; j++) {
            size_t cost = diagonal + (a[i] != b[j]);
            diagonal = row[j + 1];
            size_t step = (row[j] < row[j + 1] ? row[j] : row[j + 1]) + 1;
            row[j + 1] = cost < step ? cost : step;
        }
    }
    return row[width];
}

/* E_UNKNOWN_TOOL with the names that are near; with none near, the first ones that there are. */
static void refuse_unknown(router_t *router, const request_t *request)
{
    char name[64];
    snprintf(name, sizeof(name), "%.*s",
             (int)(request->service.size < 63 ? request->service.size : 63), request->service.data);
    refusal_t refusal;
    refusal_init(&refusal, "E_UNKNOWN_TOOL", "no tool is called \"%s\"", name);
    trp_writer_t *writer = refusal_member(&refusal, "tools");
    size_t mark = trp_write_array_begin(writer);
    size_t count = 0;
    for (int near = 1; near >= 0 && count == 0; near--) {
        for (service_t *service = router->services; service != NULL && count < NEAR_MAX;
             service = service->hh.next) {
            if (!near || distance(name, service->name) <= 3) {
                trp_write_text(writer, service->name);
                count++;
            }
        }
    }
    trp_write_array_end(writer, mark, count);
    refuse(router, request, &refusal);
}

/* ---- checks ---- */

static uint64_t free_places(const pool_t *pool)
{
    uint64_t places = (uint64_t)pool->worker_count * (uint64_t)pool->config->inflight_max;
    return places > pool->running ? places - pool->running : 0;
}

/* True when there is room; else the request was refused. */
static bool has_room(router_t *router, const request_t *request, pool_t *pool)
{
    const config_majordomo_t *limits = &router->config->majordomo;
    refusal_t refusal;
    if (request->body_size > (size_t)limits->body_max) {
        refusal_init(&refusal, "E_TOO_LARGE", "the body has %zu bytes, the limit is %lld",
                     request->body_size, (long long)limits->body_max);
        refusal_int(&refusal, "limit", limits->body_max);
        refusal_int(&refusal, "size", (int64_t)request->body_size);
        refuse(router, request, &refusal);
        return false;
    }
    bool full = pool->queued >= (uint64_t)pool->config->queue_max + free_places(pool) ||
                router->bytes + request->body_size > (size_t)limits->bytes_max;
    if (!full && !router->draining) {
        return true;
    }
    pool->refused++;
    refusal_init(&refusal, "E_BUSY",
                 router->draining ? "the node is stopping"
                                  : "the queue of this tool is full: try again later");
    refusal_int(&refusal, "retry_after_ms", RETRY_AFTER_MS);
    refuse(router, request, &refusal);
    return false;
}

/* Reads the key member of a small body. A body that can't be read has no key: its worker says what
 * is wrong. */
static void find_key(const request_t *request, const pool_t *pool, char key[TRP_TASK_KEY_MAX + 1])
{
    key[0] = '\0';
    if (request->options.has_key) {
        memcpy(key, request->options.key.data, request->options.key.size);
        key[request->options.key.size] = '\0';
        return;
    }
    if (pool->config->key_member[0] == '\0' || request->body_size > LOOK_MAX) {
        return;
    }
    trp_document_t document;
    trp_fault_t fault;
    if (trp_document_init(&document, request->body, request->body_size, &fault) != TRP_OK) {
        return;
    }
    const msgpack_object *member = trp_member(&document.root, pool->config->key_member);
    if (member != NULL && member->type == MSGPACK_OBJECT_STR &&
        member->via.str.size <= TRP_TASK_KEY_MAX &&
        memchr(member->via.str.ptr, '\0', member->via.str.size) == NULL) {
        memcpy(key, member->via.str.ptr, member->via.str.size);
        key[member->via.str.size] = '\0';
    }
    trp_document_fini(&document);
}

/* ---- from request to task ---- */

static trp_status_t pack_run(task_t *task, const request_t *request)
{
    task_run_t run = {.task_id = {task->waiter.id, strlen(task->waiter.id)},
                      .tool = request->service,
                      .body = {request->body, request->body_size}};
    zmq_msg_t packed;
    trp_status_t status = trp_schema_pack(&task_run_schema, &run, &packed);
    if (status == TRP_OK) {
        zmq_msg_move(&task->payload, &packed);
        zmq_msg_close(&packed);
    }
    return status;
}

/* Wakes the actor, once for all that is accepted before it runs. */
static void nudge(router_t *router)
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

static trp_status_t make_task(router_t *router, request_t *request, service_t *service)
{
    task_t *task = task_new(router, service);
    if (task == NULL) {
        return TRP_NO_MEMORY;
    }
    if (pack_run(task, request) != TRP_OK) {
        task_free(router, task);
        return TRP_NO_MEMORY;
    }
    task->waiter.origin = request->origin;
    request->origin.peer = NULL;
    task->waiter.form = request->form;
    if (!service->makes_key) {
        find_key(request, service->pool, task->key);
    }
    task->expires_ns = task->accepted_ns + service->pool->config->queue_ms * 1000000;
    if (request->options.has_deadline_ms) {
        task->waiter.deadline_ns = task->accepted_ns + request->options.deadline_ms * 1000000;
    }
    if (request->options.has_priority) {
        task->priority = (uint8_t)request->options.priority;
    }
    router->bytes += zmq_msg_size(&task->payload);
    if (!task_enqueue(task, false)) {
        request->origin = task->waiter.origin; /* to be refused by the caller */
        task->waiter.origin.peer = NULL;
        task_free(router, task);
        return TRP_NO_MEMORY;
    }
    service->sent++;
    nudge(router);
    return TRP_OK;
}

static void accept_request(router_t *router, request_t *request)
{
    service_t *service = NULL;
    HASH_FIND(hh, router->services, request->service.data, request->service.size, service);
    if (service == NULL) {
        refuse_unknown(router, request);
        return;
    }
    if (!has_room(router, request, service->pool)) {
        return;
    }
    if (make_task(router, request, service) != TRP_OK) {
        refusal_t refusal;
        refusal_init(&refusal, "E_BUSY", "out of memory: try again later");
        refusal_int(&refusal, "retry_after_ms", RETRY_AFTER_MS);
        refuse(router, request, &refusal);
    }
}

/* Finds the form of the body. False: it has none and the request was refused. */
static bool check_body(router_t *router, request_t *request, size_t frames)
{
    if (frames == 1 &&
        trp_form_detect(request->body, request->body_size, &request->form) == TRP_OK) {
        return true;
    }
    refusal_t refusal;
    refusal_init(&refusal, "E_BAD_BODY",
                 "the body is one frame with one map, JSON or MessagePack%s",
                 frames == 1 ? "" : ", after an options frame if there is one");
    trp_fault_t fault = {.rule = "a map, as MessagePack or JSON", .has_offset = true};
    refusal_fault(&refusal, &fault);
    request->form = TRP_FORM_JSON;
    refuse(router, request, &refusal);
    return false;
}

/* ---- Majordomo ---- */

/* Reads the options frame; refuses what does not fit. The strings point into `document`, which the
 * caller ends. */
static bool read_options(router_t *router, request_t *request, const majordomo_request_t *message,
                         trp_document_t *document)
{
    trp_fault_t fault = {0};
    request->origin.has_options = true;
    if (trp_schema_unpack(&task_options_schema,
                          (trp_text_t){message->options, message->options_size}, document,
                          &request->options, &fault) == TRP_OK) {
        const trp_text_t *id = &request->options.id;
        if (request->options.has_id) {
            memcpy(request->origin.id, id->data, id->size);
        }
        return true;
    }
    refusal_t refusal;
    char path[sizeof(fault.path) + 8];
    snprintf(path, sizeof(path), "options%s%s", fault.path[0] != '\0' ? "." : "", fault.path);
    refusal_init(&refusal, "E_BAD_PAYLOAD", "%s: %s", path, fault.rule);
    snprintf(fault.path, sizeof(fault.path), "%.*s", (int)sizeof(fault.path) - 1, path);
    refusal_fault(&refusal, &fault);
    refuse(router, request, &refusal);
    return false;
}

/* The broker's own services (RFC 8). */
static void answer_mmi(router_t *router, const request_t *request, const edge_peer_t *peer)
{
    const char *code = "501";
    service_t *service = NULL;
    if (request->service.size == 11 && memcmp(request->service.data, "mmi.service", 11) == 0) {
        if (request->body_size > 0) {
            HASH_FIND(hh, router->services, request->body, request->body_size, service);
        }
        code = service != NULL && service->pool->worker_count > 0 ? "200" : "404";
    }
    zmq_msg_t body;
    zmq_msg_t frames[MAJORDOMO_REPLY_FRAMES];
    if (zmq_msg_init_size(&body, 3) != 0) {
        return;
    }
    memcpy(zmq_msg_data(&body), code, 3);
    majordomo_reply_t reply = {.version = request->origin.version,
                               .service = request->service,
                               .has_options = request->origin.has_options,
                               .id = request->options.id};
    size_t count = majordomo_compose(&reply, &body, frames);
    if (count == 0 || edge_send(router->socket, peer, frames, count) != TRP_OK) {
        router->unreachable++;
        for (size_t i = 0; i < count; i++) {
            zmq_msg_close(&frames[i]);
        }
    }
    zmq_msg_close(&body);
}

static bool is_mmi(const trp_text_t *service)
{
    return service->size >= 4 && memcmp(service->data, "mmi.", 4) == 0;
}

static void on_request(router_t *router, const edge_peer_t *peer, majordomo_request_t *message)
{
    request_t request = {.service = message->service, .form = TRP_FORM_JSON};
    trp_document_t options;
    bool has_document = false;
    request.origin.version = message->version;
    request.origin.peer = malloc(sizeof(*peer));
    if (request.origin.peer == NULL) {
        router->unreachable++;
        return;
    }
    *request.origin.peer = *peer;
    if (message->body_count > 0) {
        request.body = zmq_msg_data(message->body);
        request.body_size = zmq_msg_size(message->body);
    }
    if (trp_form_detect(request.body, request.body_size, &request.form) != TRP_OK) {
        request.form = TRP_FORM_JSON; /* of the refusal; check_body says what is wrong */
    }
    if (message->options != NULL) {
        has_document = read_options(router, &request, message, &options);
        if (!has_document) {
            free(request.origin.peer);
            return;
        }
    }
    if (is_mmi(&request.service)) {
        answer_mmi(router, &request, peer);
    } else if (check_body(router, &request, message->body_count)) {
        accept_request(router, &request);
    }
    if (has_document) {
        trp_document_fini(&options);
    }
    free(request.origin.peer);
}

/* The 1st, 2nd, 4th, 8th ... of its kind: no flood of lines. */
static bool is_worth_a_line(uint64_t count)
{
    return (count & (count - 1)) == 0;
}

static void on_worker(router_t *router, const edge_peer_t *peer, majordomo_version_t version)
{
    zmq_msg_t frames[MAJORDOMO_REPLY_FRAMES];
    size_t count = majordomo_disconnect(version, frames);
    if (is_worth_a_line(++router->foreign)) {
        log_event(LOG_WARN, "foreign_worker_refused", LOG_INT("messages", router->foreign),
                  LOG_TEXT("hint", "workers of other programs are not served yet"));
    }
    if (count > 0 && edge_send(router->socket, peer, frames, count) != TRP_OK) {
        for (size_t i = 0; i < count; i++) {
            zmq_msg_close(&frames[i]);
        }
    }
}

void router_on_message(void *user, const edge_peer_t *peer, zmq_msg_t *frames, size_t count)
{
    router_t *router = user;
    majordomo_request_t message;
    switch (majordomo_parse(frames, count, &message)) {
    case MAJORDOMO_REQUEST:
        on_request(router, peer, &message);
        break;
    case MAJORDOMO_WORKER:
        on_worker(router, peer, message.version);
        break;
    case MAJORDOMO_JUNK:
        if (is_worth_a_line(++router->junk)) {
            log_event(LOG_WARN, "junk_dropped", LOG_INT("messages", router->junk));
        }
        break;
    }
}

void router_accept_call(router_t *router, const router_call_t *call)
{
    request_t request = {.service = call->tool,
                         .form = TRP_FORM_JSON,
                         .body = call->body.data,
                         .body_size = call->body.size,
                         .origin = {.actor = call->reply}};
    if (call->deadline_ms > 0) {
        request.options.has_deadline_ms = true;
        request.options.deadline_ms = call->deadline_ms;
    }
    if (check_body(router, &request, 1)) {
        accept_request(router, &request);
    }
}
