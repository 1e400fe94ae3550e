/* SPDX-License-Identifier: MIT */
#include "runtime/client.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/client/client_link.h"

#define PARCEL_HEAD 3 /* TRP_TAG_PARCEL */

trp_status_t trp_client_send(trp_client_t *client, trp_pid_t to, uint16_t tag, const void *data,
                             size_t size)
{
    if (!client_enter(client)) {
        return TRP_STATE;
    }
    return client_leave(client,
                        client_post_bytes(client, client_envelope(client, to, tag), data, size));
}

trp_status_t trp_client_reply(trp_client_t *client, const trp_envelope_t *request, uint16_t tag,
                              const void *data, size_t size)
{
    const trp_pid_t to = request->from; /* it may be what the last call returned */
    const uint64_t id = request->request_id;
    if (!client_enter(client)) {
        return TRP_STATE;
    }
    trp_envelope_t *envelope = client_envelope(client, to, tag);
    if (envelope != NULL) {
        envelope->request_id = id;
        envelope->flags = TRP_ENVELOPE_REPLY;
    }
    return client_leave(client, client_post_bytes(client, envelope, data, size));
}

/* ---- requests ---- */

static trp_status_t send_request(trp_client_t *client, const trp_request_t *request,
                                 int64_t until_ns, uint64_t *id)
{
    trp_envelope_t *envelope = client_envelope(client, request->to, request->tag);
    const void *data = request->data;
    size_t size = request->size;
    if (envelope == NULL) {
        return TRP_NO_MEMORY;
    }
    if (request->message != NULL) {
        data = zmq_msg_data(request->message);
        size = zmq_msg_size(request->message);
    }
    *id = ++client->last_id;
    envelope->request_id = *id;
    envelope->deadline_ns = until_ns == HOST_FOREVER ? 0 : until_ns;
    const trp_status_t status = client_post_bytes(client, envelope, data, size);
    if (status == TRP_OK && request->message != NULL) {
        zmq_msg_close(request->message);
        zmq_msg_init(request->message);
    }
    return status;
}

/* What a DOWN instead of an answer means. */
static trp_status_t status_of(const trp_envelope_t *down)
{
    trp_reason_t reason;
    size_t size = 0;
    const void *data = trp_message_data(down, &size);
    if (trp_reason_read(data, size, &reason) == TRP_OK && reason.kind == TRP_REASON_ERROR &&
        (reason.code == TRP_FULL || reason.code == TRP_BUSY || reason.code == TRP_EXPIRED)) {
        return reason.code == TRP_EXPIRED ? TRP_TIMEOUT : (trp_status_t)reason.code;
    }
    return TRP_NOT_FOUND;
}

static trp_status_t await(trp_client_t *client, int64_t until_ns, const trp_envelope_t **reply)
{
    while (client->answer == NULL && !client->gone && client_now_ns() < until_ns) {
        client_wait(client, until_ns);
    }
    trp_envelope_t *answer = client->answer;
    client->answer = NULL;
    client->awaited = 0;
    if (answer == NULL) {
        return client->gone ? TRP_GONE : TRP_TIMEOUT;
    }
    if ((answer->flags & TRP_ENVELOPE_SIGNAL) != 0) {
        const trp_status_t status = status_of(answer);
        envelope_free(answer);
        return status;
    }
    client->shown = answer;
    *reply = answer;
    return TRP_OK;
}

trp_status_t trp_client_call(trp_client_t *client, const trp_request_t *request,
                             const trp_envelope_t **reply)
{
    *reply = NULL;
    if (!client_enter(client)) {
        return TRP_STATE;
    }
    const int64_t until_ns = client_due_ns(request->timeout_ms);
    trp_status_t status = send_request(client, request, until_ns, &client->awaited);
    if (status == TRP_OK) {
        status = await(client, until_ns, reply);
    }
    client->awaited = 0;
    return client_leave(client, status);
}

trp_status_t trp_client_request(trp_client_t *client, const trp_request_t *request,
                                uint64_t *request_id)
{
    if (!client_enter(client)) {
        return TRP_STATE;
    }
    const int64_t until_ns = client_due_ns(request->timeout_ms);
    trp_status_t status =
        client_pending_add(&client->pending, client->last_id + 1, until_ns, request->to);
    if (status == TRP_OK) {
        status = send_request(client, request, until_ns, request_id);
        if (status != TRP_OK) {
            (void)client_pending_take(&client->pending, client->last_id);
        }
    }
    return client_leave(client, status);
}

/* A request whose time has passed, as a message; NULL: none. */
static trp_envelope_t *take_overdue(trp_client_t *client)
{
    trp_pid_t to;
    const uint64_t id = client_pending_overdue(&client->pending, client_now_ns(), &to);
    trp_envelope_t *timeout =
        id == 0 ? NULL : client_envelope(client, client->way.pid, TRP_TAG_TIMEOUT);
    if (timeout != NULL) {
        timeout->from = to;
        timeout->request_id = id;
        timeout->flags = TRP_ENVELOPE_SIGNAL;
        (void)client_pending_take(&client->pending, id);
    }
    return timeout;
}

static trp_envelope_t *take_next(trp_client_t *client)
{
    trp_envelope_t *next = client_take(client);
    return next != NULL ? next : take_overdue(client);
}

trp_status_t trp_client_receive(trp_client_t *client, int64_t timeout_ms,
                                const trp_envelope_t **message)
{
    *message = NULL;
    if (!client_enter(client)) {
        return TRP_STATE;
    }
    const int64_t until_ns = timeout_ms == 0 ? 0 : client_due_ns(timeout_ms);
    trp_envelope_t *next = take_next(client);
    while (next == NULL && !client->gone && client_now_ns() < until_ns) {
        const int64_t due_ns = client_pending_next_ns(&client->pending);
        client_wait(client, due_ns < until_ns ? due_ns : until_ns);
        next = take_next(client);
    }
    client->shown = next;
    *message = next;
    return client_leave(client, next != NULL ? TRP_OK : TRP_TIMEOUT);
}

/* ---- names and groups ---- */

static trp_status_t ask(trp_client_t *client, link_question_t what, const char *name)
{
    char pid[TRP_PID_TEXT_MAX];
    const link_ask_t question = {.id = ++client->asked,
                                 .what = (int)what,
                                 .name = {name, strlen(name)},
                                 .has_pid = true,
                                 .pid = {pid, strlen(trp_pid_format(client->way.pid, pid))}};
    trp_writer_t writer;
    size_t size = 0;
    if (question.name.size >= TRP_NAME_MAX) {
        return TRP_INVALID;
    }
    trp_writer_init(&writer);
    trp_schema_write(&link_ask_schema, &question, &writer);
    const void *body = trp_writer_data(&writer, &size);
    const trp_status_t status = client->gone ? TRP_GONE
                                : body == NULL
                                    ? TRP_NO_MEMORY
                                    : channel_send(&client->channel, WIRE_ASK, body, size);
    trp_writer_fini(&writer);
    if (status != TRP_OK) {
        return status;
    }
    const int64_t until_ns = client_due_ns(0);
    client->answered = false;
    while (!client->answered && !client->gone && client_now_ns() < until_ns) {
        client_wait(client, until_ns);
    }
    return client->answered ? client->question_status : TRP_TIMEOUT;
}

trp_status_t trp_client_whereis(trp_client_t *client, const char *name, trp_pid_t *pid)
{
    if (!client_enter(client)) {
        return TRP_STATE;
    }
    trp_status_t status = ask(client, LINK_WHEREIS, name);
    *pid = TRP_PID_NONE;
    if (status == TRP_OK && client->question_count == 0) {
        status = TRP_NOT_FOUND;
    } else if (status == TRP_OK) {
        *pid = client->question_pid;
    }
    return client_leave(client, status);
}

trp_status_t trp_client_join(trp_client_t *client, const char *group)
{
    return client_enter(client) ? client_leave(client, ask(client, LINK_JOIN, group)) : TRP_STATE;
}

trp_status_t trp_client_leave(trp_client_t *client, const char *group)
{
    if (group[0] == '\0') {
        return TRP_INVALID; /* would be all */
    }
    return client_enter(client) ? client_leave(client, ask(client, LINK_LEAVE, group)) : TRP_STATE;
}

/* owns: the caller frees what is returned; NULL: no memory */
static unsigned char *make_parcel(const trp_publication_t *publication, size_t *size)
{
    const bool moved = publication->message != NULL;
    const void *data = moved ? zmq_msg_data(publication->message) : publication->data;
    const size_t data_size = moved ? zmq_msg_size(publication->message) : publication->size;
    const size_t topic = strlen(publication->topic);
    unsigned char *bytes = malloc(PARCEL_HEAD + topic + data_size);
    if (bytes != NULL) {
        bytes[0] = (unsigned char)publication->tag;
        bytes[1] = (unsigned char)(publication->tag >> 8);
        bytes[2] = (unsigned char)topic;
        memcpy(bytes + PARCEL_HEAD, publication->topic, topic);
        if (data_size > 0) {
            memcpy(bytes + PARCEL_HEAD + topic, data, data_size);
        }
        *size = PARCEL_HEAD + topic + data_size;
    }
    return bytes;
}

trp_status_t trp_client_publish(trp_client_t *client, const trp_publication_t *publication)
{
    const size_t topic = strnlen(publication->topic, TRP_NAME_MAX);
    if (topic == 0 || topic == TRP_NAME_MAX || strchr(publication->topic, '*') != NULL) {
        return TRP_INVALID;
    }
    if (!client_enter(client)) {
        return TRP_STATE;
    }
    size_t size = 0;
    unsigned char *bytes = make_parcel(publication, &size);
    const trp_pid_t node = runtime_parcel_pid(client->way.pid.node, client->way.pid.incarnation);
    const trp_status_t status =
        bytes == NULL
            ? TRP_NO_MEMORY
            : client_post_bytes(client, client_envelope(client, node, TRP_TAG_PARCEL), bytes, size);
    free(bytes);
    if (status == TRP_OK && publication->message != NULL) {
        zmq_msg_close(publication->message);
        zmq_msg_init(publication->message);
    }
    return client_leave(client, status);
}

trp_status_t trp_client_monitor(trp_client_t *client, trp_pid_t pid, uint64_t *ref)
{
    if (!client_enter(client)) {
        return TRP_STATE;
    }
    trp_envelope_t *signal = client_envelope(client, pid, TRP_SIGNAL_MONITOR);
    trp_status_t status = TRP_NO_MEMORY;
    if (signal != NULL) {
        *ref = ++client->last_id;
        signal->request_id = *ref;
        signal->flags = TRP_ENVELOPE_SIGNAL;
        status = client_pending_add(&client->pending, *ref, HOST_FOREVER, pid);
        if (status == TRP_OK) {
            status = client_post(client, signal);
        } else {
            envelope_free(signal);
        }
    }
    return client_leave(client, status);
}
