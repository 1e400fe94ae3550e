/* SPDX-License-Identifier: MIT */
#include "runtime/place/place_link.h"

#include <string.h>
#include <unistd.h>

#include "messages/contract.h"
#include "runtime/log.h"
#include "runtime/place/place_ask.h"

#define IDENTITY_MARK 'W' /* libzmq keeps those that begin with 0 for itself */
#define IDENTITY_SIZE (1 + 2 + 4 + GUARDIAN_TOKEN_SIZE)

void place_link_identity(edge_peer_t *peer, uint32_t index, uint32_t incarnation,
                         const unsigned char *token)
{
    peer->size = IDENTITY_SIZE;
    peer->id[0] = IDENTITY_MARK;
    peer->id[1] = (uint8_t)(index >> 8);
    peer->id[2] = (uint8_t)index;
    for (unsigned i = 0; i < 4; i++) {
        peer->id[3 + i] = (uint8_t)(incarnation >> (24 - 8 * i));
    }
    memcpy(peer->id + 7, token, GUARDIAN_TOKEN_SIZE);
}

uint32_t place_link_index(const edge_peer_t *peer)
{
    if (peer->size != IDENTITY_SIZE || peer->id[0] != IDENTITY_MARK) {
        return 0;
    }
    return (uint32_t)peer->id[1] << 8 | peer->id[2];
}

/* False: no memory. */
static bool signal_proxy(const place_link_t *link, uint16_t tag, trp_pid_t from)
{
    trp_envelope_t *signal = envelope_alloc();
    if (signal == NULL) {
        log_event(LOG_ERROR, "signal_lost", LOG_INT("tag", tag));
        return false;
    }
    signal->from = from;
    signal->to = link->proxy;
    signal->tag = tag;
    signal->flags = TRP_ENVELOPE_SIGNAL;
    if (runtime_send(link->runtime, signal) != TRP_OK) {
        envelope_free(signal);
        return false;
    }
    return true;
}

void place_link_notice(place_link_t *link)
{
    if (!link->look_sent) {
        link->look_sent = signal_proxy(link, TRP_SIGNAL_LOOK, TRP_PID_NONE);
    }
}

/* ---- what the channel asks for ---- */

static trp_status_t send_frames(void *user, zmq_msg_t *frames, size_t count)
{
    place_link_t *link = user;
    return edge_send(link->socket, &link->peer, frames, count);
}

static void deliver(void *user, trp_envelope_t *envelope)
{
    place_link_t *link = user;
    if ((envelope->flags & TRP_ENVELOPE_SIGNAL) == 0) {
        size_t size = 0;
        const wire_report_t before = link->channel.handled;
        (void)trp_message_data(envelope, &size);
        channel_handled(&link->channel, before.messages + 1, before.bytes + size);
    }
    if ((envelope->tag == TRP_SIGNAL_LINK || envelope->tag == TRP_SIGNAL_UNLINK) &&
        trp_pid_equal(envelope->from, link->proxy)) {
        /* The worker's actor links; its proxy has the link as well, for when the worker dies. */
        const bool links = envelope->tag == TRP_SIGNAL_LINK;
        (void)signal_proxy(link, links ? TRP_SIGNAL_HOLD : TRP_SIGNAL_LET_GO, envelope->to);
    }
    if (runtime_is_parcel(envelope)) {
        runtime_parcel(link->runtime, envelope, link->is_single ? TRP_PID_NONE : link->proxy);
        return;
    }
    const trp_status_t status = runtime_send(link->runtime, envelope);
    if (status != TRP_OK) {
        const trp_reason_t reason = trp_reason(TRP_REASON_ERROR, (int32_t)status, NULL);
        proxy_dead(link->runtime, envelope, TRP_DEAD_FULL, &reason);
    }
}

static void credit(void *user, uint64_t messages, uint64_t bytes)
{
    place_link_t *link = user;
    proxy_credit(link->runtime, link->proxy, (uint32_t)messages, bytes);
}

void place_link_open(place_link_t *link)
{
    const channel_options_t options = {.role = CHANNEL_NODE,
                                       .send = send_frames,
                                       .deliver = deliver,
                                       .credit = credit,
                                       .user = link};
    channel_init(&link->channel, &options);
    place_link_identity(&link->peer, link->index, link->incarnation, link->token);
}

void place_link_box_passed(place_link_t *link)
{
    if (link->box_fd > 0) {
        (void)close(link->box_fd);
        link->box_fd = 0;
    }
}

void place_link_fini(place_link_t *link)
{
    place_link_box_passed(link);
    black_box_close(&link->box);
    place_ask_fini(link);
    channel_fini(&link->channel);
    trp_writer_fini(&link->start);
}

/* ---- what the worker says ---- */

static bool is_our_worker(const place_link_t *link, const link_hello_t *hello)
{
    return hello->token.size == GUARDIAN_TOKEN_SIZE &&
           memcmp(hello->token.data, link->token, GUARDIAN_TOKEN_SIZE) == 0 &&
           hello->node == link->node && hello->incarnation == link->incarnation;
}

/* With what a program of another build must understand and say. */
static trp_status_t welcome(place_link_t *link)
{
    trp_writer_t contract;
    size_t size = 0;
    trp_status_t status = TRP_OK;
    trp_writer_init(&contract);
    if (link->foreign != NULL) {
        const contract_side_t side = {link->foreign->messages, link->foreign->answers};
        status = contract_write(&side, &contract);
    }
    const void *body = trp_writer_data(&contract, &size);
    if (status == TRP_OK && link->foreign != NULL && body == NULL) {
        status = TRP_NO_MEMORY;
    }
    if (status == TRP_OK) {
        status = channel_send(&link->channel, WIRE_WELCOME, body, size);
    }
    trp_writer_fini(&contract);
    return status;
}

static const char *on_hello(place_link_t *link, const wire_reader_t *reader, zmq_msg_t *frame)
{
    trp_document_t document;
    trp_fault_t fault;
    link_hello_t hello;
    const trp_text_t body = {reader->body, reader->body_size};
    if (trp_schema_unpack(&link_hello_schema, body, &document, &hello, &fault) != TRP_OK) {
        return "hello is ill-formed";
    }
    const bool is_ours = is_our_worker(link, &hello);
    const int64_t os_pid = hello.os_pid;
    trp_document_fini(&document);
    if (!is_ours) {
        return "hello of another process";
    }
    size_t size = 0;
    const void *start = trp_writer_data(&link->start, &size);
    const trp_status_t tracked = edge_track(link->socket, &link->peer, frame);
    if (tracked != TRP_OK && tracked != TRP_UNSUPPORTED) { /* a thread's end is its goodbye */
        return "the hello could not be answered";
    }
    /* When it has gone already, its end is what comes next. */
    trp_status_t sent = welcome(link);
    if (sent == TRP_OK || sent == TRP_GONE) {
        sent = channel_send(&link->channel, WIRE_START, start, size);
    }
    if (sent != TRP_OK && sent != TRP_GONE) {
        return sent == TRP_TOO_LARGE ? "its class has too many messages for a contract"
                                     : "the hello could not be answered";
    }
    link->connected = true;
    if (link->os_pid == 0) {
        link->os_pid = (int32_t)os_pid;
    }
    trp_writer_fini(&link->start); /* it may be large, and the link lives long */
    trp_writer_init(&link->start);
    return NULL;
}

static const char *on_bye(place_link_t *link, const wire_reader_t *reader)
{
    if (reader->body_size != sizeof(link->bye)) {
        return "bye is ill-formed";
    }
    memcpy(&link->bye, reader->body, sizeof(link->bye));
    link->bye.text[sizeof(link->bye.text) - 1] = '\0';
    link->said_bye = true;
    return NULL;
}

static const char *fault_of(trp_status_t status, zmq_msg_t *frame)
{
    const unsigned version = wire_version(frame);
    if (status != TRP_PROTOCOL) {
        return "out of memory";
    }
    return version == 0 || version == WIRE_VERSION ? "a frame is ill-formed or out of order"
                                                   : "built with another version of the link";
}

void place_link_receive(place_link_t *link, zmq_msg_t *frames, size_t count)
{
    wire_reader_t reader;
    const char *fault = NULL;
    if (link->fault != NULL) {
        return;
    }
    const trp_status_t status = channel_receive(&link->channel, frames, count, &reader);
    if (status != TRP_OK) {
        fault = fault_of(status, &frames[0]);
    } else if (reader.kind == WIRE_DATA || reader.kind == WIRE_REPORT) {
        return;
    } else if (reader.kind == WIRE_ASK) {
        fault = place_ask(link, &reader);
        if (fault == NULL) {
            return;
        }
    } else if (reader.kind == WIRE_HELLO) {
        fault = on_hello(link, &reader, &frames[0]);
    } else if (reader.kind == WIRE_BYE) {
        fault = on_bye(link, &reader);
    }
    link->fault = fault;
    place_link_notice(link);
}
