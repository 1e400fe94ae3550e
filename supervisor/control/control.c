/* SPDX-License-Identifier: MIT */
#include "supervisor/control/control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/config/config.h"
#include "runtime/edge/edge.h"
#include "runtime/log.h"
#include "supervisor/control/endpoints.h"
#include "supervisor/control/inquiry.h"

#define FRAME_MAX  (TRP_BODY_MAX + 65536)
#define PARTS_MAX  (32 * 1024 * 1024) /* bytes of partial answers that one asker has not read */
#define UNREAD_MAX (PARTS_MAX + FRAME_MAX) /* a last answer has room behind them */
#define QUEUE_MAX  (2 * UNREAD_MAX / 256)  /* messages: more than the bytes ever let in */

/* A request that is under way. */
typedef struct exchange {
    bool is_open;
    bool has_delimiter;
    bool has_left; /* its connection ended, and its inquiry is to be told */
    edge_peer_t peer;
    zmq_msg_t body;    /* until its inquiry is spawned */
    trp_pid_t inquiry; /* nobody: not spawned yet */
    uint64_t monitor;
} exchange_t;

/* In the edge's keep, so that a restart of the actor finds the socket bound. */
typedef struct control {
    trp_runtime_t *runtime;
    edge_socket_t *socket;
    trp_pid_t self;
    bool is_closing;  /* asked to end: answers what it has, takes nothing new */
    uint64_t dropped; /* messages that were no request at all */
    exchange_t exchanges[CONTROL_OPEN_MAX];
} control_t;

/* The actor's own state. */
typedef struct control_actor {
    control_t *control;
} control_actor_t;

/* ---- answers ---- */

static void answer(control_t *control, const exchange_t *exchange, zmq_msg_t *body)
{
    zmq_msg_t frames[2];
    size_t count = 0;
    if (exchange->has_delimiter) {
        zmq_msg_init(&frames[count++]);
    }
    zmq_msg_init(&frames[count]);
    zmq_msg_move(&frames[count++], body);
    edge_post(control->socket, &exchange->peer, frames, count);
}

static void on_unsent(void *user, const edge_peer_t *peer, trp_status_t why)
{
    (void)user;
    (void)peer;
    log_event(LOG_DEBUG, "control_unsent", LOG_TEXT("reason", trp_status_name(why)));
}

static void answer_error(control_t *control, const exchange_t *exchange, trp_form_t form,
                         const char *code, const char *message)
{
    zmq_msg_t body;
    if (inquiry_encode_error(form, code, message, &body) == TRP_OK) {
        answer(control, exchange, &body);
        zmq_msg_close(&body);
    }
}

/* ---- socket to actor ---- */

/* Asks the actor to look at the exchanges: this is a callback of the edge, not of an actor. */
static trp_status_t poke(control_t *control)
{
    trp_envelope_t *envelope = envelope_alloc();
    if (envelope == NULL) {
        return TRP_NO_MEMORY;
    }
    envelope->to = control->self;
    envelope->tag = TRP_TAG_SOCKET;
    trp_status_t status = runtime_send(control->runtime, envelope);
    if (status != TRP_OK) {
        envelope_free(envelope);
    }
    return status;
}

static exchange_t *free_exchange(control_t *control)
{
    for (size_t i = 0; i < CONTROL_OPEN_MAX; i++) {
        if (!control->exchanges[i].is_open) {
            return &control->exchanges[i];
        }
    }
    return NULL;
}

static trp_form_t form_of(zmq_msg_t *body)
{
    trp_form_t form;
    trp_status_t status = trp_form_detect(zmq_msg_data(body), zmq_msg_size(body), &form);
    return status == TRP_OK ? form : TRP_FORM_JSON;
}

static void on_message(void *user, const edge_peer_t *peer, zmq_msg_t *frames, size_t count)
{
    control_t *control = user;
    bool has_delimiter = count == 2 && zmq_msg_size(&frames[0]) == 0;
    if (count != (has_delimiter ? 2 : 1)) {
        control->dropped++;
        log_event(LOG_DEBUG, "control_dropped", LOG_INT("frames", count),
                  LOG_INT("total", control->dropped));
        return;
    }

    zmq_msg_t *body = &frames[count - 1];
    exchange_t refused = {.has_delimiter = has_delimiter, .peer = *peer};
    if (control->is_closing) {
        answer_error(control, &refused, form_of(body), "E_UNAVAILABLE", "the node is stopping");
        return;
    }
    exchange_t *exchange = free_exchange(control);
    if (exchange == NULL) {
        answer_error(control, &refused, form_of(body), "E_BUSY", "too many requests at a time");
        return;
    }
    (void)!edge_track(control->socket, peer, &frames[0]); /* else its work is done for nobody */
    *exchange = (exchange_t){.is_open = true, .has_delimiter = has_delimiter, .peer = *peer};
    zmq_msg_init(&exchange->body);
    zmq_msg_move(&exchange->body, body);
    if (poke(control) != TRP_OK) {
        exchange->is_open = false;
        answer_error(control, exchange, form_of(&exchange->body), "E_BUSY", "no memory or no room");
        zmq_msg_close(&exchange->body);
    }
}

/* What it asked for is not wanted any more. */
static void on_peer_down(void *user, const edge_peer_t *peer)
{
    control_t *control = user;
    bool has_any = false;
    for (size_t i = 0; i < CONTROL_OPEN_MAX; i++) {
        exchange_t *exchange = &control->exchanges[i];
        const bool is_its = exchange->is_open && exchange->peer.size == peer->size &&
                            memcmp(exchange->peer.id, peer->id, peer->size) == 0;
        exchange->has_left |= is_its;
        has_any |= is_its;
    }
    if (has_any) {
        (void)!poke(control);
    }
}

/* ---- the keep ---- */

static void free_control(void *object)
{
    control_t *control = object;
    for (size_t i = 0; i < CONTROL_OPEN_MAX; i++) {
        exchange_t *exchange = &control->exchanges[i];
        if (exchange->is_open && trp_pid_is_none(exchange->inquiry)) {
            zmq_msg_close(&exchange->body);
        }
    }
    free(control);
}

static void *make_control(void *runtime)
{
    control_t *control = calloc(1, sizeof(*control));
    if (control != NULL) {
        control->runtime = runtime;
    }
    return control;
}

static trp_status_t open_socket(control_t *control)
{
    const config_t *config = config_of(control->runtime);
    if (control->socket != NULL) {
        return TRP_OK;
    }
    if (config == NULL) {
        return TRP_CONFIG;
    }
    char endpoint[OPTION_TEXT_MAX + 16];
    char error[256] = "";
    snprintf(endpoint, sizeof(endpoint), "ipc://%s/control", config->node.run_dir);
    edge_socket_options_t options = {.name = "control",
                                     .endpoint = endpoint,
                                     .mode = 0600,
                                     .message_max = FRAME_MAX,
                                     .queue_max = QUEUE_MAX,
                                     .unread_max = UNREAD_MAX,
                                     .unread_all = true,
                                     .on_unsent = on_unsent,
                                     .on_message = on_message,
                                     .on_down = on_peer_down,
                                     .user = control};
    trp_status_t status = edge_bind(edge_of(control->runtime), &options, &control->socket, error);
    if (status != TRP_OK) {
        log_event(LOG_ERROR, "control_not_bound", LOG_TEXT("endpoint", endpoint),
                  LOG_TEXT("error", error));
        return status;
    }
    endpoint_note(control->runtime, "control", edge_endpoint(control->socket));
    return TRP_OK;
}

/* ---- the actor ---- */

static trp_status_t init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)args;
    control_actor_t *actor = state;
    trp_runtime_t *runtime = runtime_of(ctx);
    control_t *control = runtime_keep(runtime, "control", make_control, free_control, runtime);
    if (control == NULL) {
        return TRP_NO_MEMORY;
    }
    actor->control = control;
    control->self = trp_self(ctx);
    control->is_closing = false;
    trp_trap_exit(ctx, true);
    for (size_t i = 0; i < CONTROL_OPEN_MAX; i++) {
        exchange_t *exchange = &control->exchanges[i];
        if (exchange->is_open) { /* of an incarnation that ended: its inquiries ended with it */
            if (trp_pid_is_none(exchange->inquiry)) {
                zmq_msg_close(&exchange->body);
            }
            answer_error(control, exchange, TRP_FORM_JSON, "E_INTERNAL", "the control restarted");
            exchange->is_open = false;
        }
    }
    return open_socket(control);
}

static void start_inquiries(control_t *control, trp_ctx_t *ctx)
{
    for (size_t i = 0; i < CONTROL_OPEN_MAX; i++) {
        exchange_t *exchange = &control->exchanges[i];
        if (!exchange->is_open || !trp_pid_is_none(exchange->inquiry)) {
            continue;
        }
        trp_spawn_t spawn = {.class = &inquiry_class,
                             .args_tag = TRP_TAG_CONTROL_FRAME,
                             .args = zmq_msg_data(&exchange->body),
                             .args_size = zmq_msg_size(&exchange->body),
                             .link = true,
                             .monitor = true,
                             .monitor_ref = &exchange->monitor};
        if (trp_spawn(ctx, &spawn, &exchange->inquiry) != TRP_OK) {
            answer_error(control, exchange, form_of(&exchange->body), "E_BUSY", "no memory");
            exchange->is_open = false;
        }
        zmq_msg_close(&exchange->body);
    }
}

static void tell_of_those_who_left(control_t *control, trp_ctx_t *ctx)
{
    for (size_t i = 0; i < CONTROL_OPEN_MAX; i++) {
        exchange_t *exchange = &control->exchanges[i];
        if (exchange->is_open && exchange->has_left) {
            exchange->has_left = false;
            (void)!trp_send(ctx, exchange->inquiry, TRP_TAG_CONTROL_LEFT, NULL, 0);
        }
    }
}

static exchange_t *find(control_t *control, trp_pid_t inquiry)
{
    for (size_t i = 0; i < CONTROL_OPEN_MAX; i++) {
        exchange_t *exchange = &control->exchanges[i];
        if (exchange->is_open && trp_pid_equal(exchange->inquiry, inquiry)) {
            return exchange;
        }
    }
    return NULL;
}

static void on_answer(control_t *control, trp_ctx_t *ctx, const trp_envelope_t *message)
{
    exchange_t *exchange = find(control, message->from);
    const bool is_part = message->tag == TRP_TAG_CONTROL_PART;
    size_t size = 0;
    const void *data = trp_message_data(message, &size);
    zmq_msg_t body;
    if (exchange == NULL ||
        (is_part && edge_unread(control->socket, &exchange->peer) > PARTS_MAX) ||
        zmq_msg_init_size(&body, size) != 0) {
        return; /* a part that is lost is missed: the last answer says how many there were */
    }
    memcpy(zmq_msg_data(&body), data, size);
    answer(control, exchange, &body);
    zmq_msg_close(&body);
    if (!is_part) {
        trp_demonitor(ctx, exchange->monitor);
        exchange->is_open = false;
    }
}

/* Ends when all that was asked is answered. */
static void close_when_done(const control_t *control, trp_ctx_t *ctx)
{
    for (size_t i = 0; i < CONTROL_OPEN_MAX; i++) {
        if (control->exchanges[i].is_open) {
            return;
        }
    }
    if (control->is_closing) {
        trp_reason_t shutdown = trp_reason(TRP_REASON_SHUTDOWN, 0, NULL);
        trp_stop(ctx, &shutdown);
    }
}

static trp_status_t receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    control_t *control = ((control_actor_t *)state)->control;
    exchange_t *exchange;
    switch (message->tag) {
    case TRP_TAG_SOCKET:
        start_inquiries(control, ctx);
        tell_of_those_who_left(control, ctx);
        break;
    case TRP_TAG_CONTROL_PART:
    case TRP_TAG_CONTROL_ANSWER:
        on_answer(control, ctx, message);
        break;
    case TRP_TAG_DOWN:
        exchange = find(control, message->from);
        if (exchange != NULL) { /* it ended and had not answered */
            answer_error(control, exchange, TRP_FORM_JSON, "E_INTERNAL", "the request failed");
            exchange->is_open = false;
        }
        break;
    case TRP_TAG_EXIT: /* inquiries are linked, too, but their ends are told by monitors */
        control->is_closing |= trp_pid_equal(message->from, trp_whereis(ctx, "root"));
        break;
    default:
        break;
    }
    close_when_done(control, ctx);
    return TRP_OK;
}

const trp_class_t control_class = {
    .name = "control",
    .version = 1,
    .state_size = sizeof(control_actor_t),
    .init = init,
    .receive = receive,
    .flags = TRP_CLASS_EDGE,
};
