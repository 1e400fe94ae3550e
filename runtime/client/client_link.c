/* SPDX-License-Identifier: MIT */
#include "runtime/client/client_link.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NODE_ENDPOINT  "inproc://node"
#define PUMP_BUDGET    128
#define INBOX_MESSAGES 10000       /* that are kept beside the window ... */
#define INBOX_BYTES    (16u << 20) /* ... and bytes of them, roughly */
#define TIMEOUT_MS     5000
#define NS_PER_MS      1000000LL
#define NS_PER_S       1000000000LL
#define DELAY_MAX_MS   (INT64_MAX / NS_PER_MS / 4)

int64_t client_now_ns(void)
{
    return host_os.now_ns(host_os.user);
}

int64_t client_due_ns(int64_t timeout_ms)
{
    const int64_t ms = timeout_ms == 0 ? TIMEOUT_MS : timeout_ms;
    return ms < 0 || ms > DELAY_MAX_MS ? HOST_FOREVER : client_now_ns() + ms * NS_PER_MS;
}

/* ---- what comes in ---- */

/* It counts as handled: there is credit for another one. */
static size_t pay(trp_client_t *client, const trp_envelope_t *envelope)
{
    size_t size = 0;
    (void)trp_message_data(envelope, &size);
    if ((envelope->flags & TRP_ENVELOPE_SIGNAL) == 0) {
        const wire_report_t before = client->channel.handled;
        channel_handled(&client->channel, before.messages + 1, before.bytes + size);
    }
    return size;
}

/* What is kept while there is room is paid for at once, so that an answer behind it comes; it is
 * the front of the inbox. */
static void keep(trp_client_t *client, trp_envelope_t *envelope)
{
    if (client->paid == client->kept && client->paid < INBOX_MESSAGES &&
        client->paid_bytes < INBOX_BYTES) {
        client->paid++;
        client->paid_bytes += pay(client, envelope);
    }
    client->kept++;
    envelope->next = NULL;
    if (client->last == NULL) {
        client->first = envelope;
    } else {
        client->last->next = envelope;
    }
    client->last = envelope;
}

trp_envelope_t *client_take(trp_client_t *client)
{
    trp_envelope_t *next = client->first;
    if (next == NULL) {
        return NULL;
    }
    client->first = next->next;
    if (client->first == NULL) {
        client->last = NULL;
    }
    client->kept--;
    if (client->paid == 0) {
        (void)pay(client, next);
    } else {
        size_t size = 0;
        (void)trp_message_data(next, &size);
        client->paid--;
        client->paid_bytes -= size;
    }
    return next;
}

/* An answer, or word that there will be none: to the call, to the inbox, or it is too late. */
static void sort_answer(trp_client_t *client, trp_envelope_t *envelope)
{
    if (envelope->request_id == client->awaited && client->answer == NULL) {
        (void)pay(client, envelope);
        client->answer = envelope;
    } else if (client_pending_take(&client->pending, envelope->request_id)) {
        keep(client, envelope);
    } else {
        (void)pay(client, envelope);
        envelope_free(envelope);
    }
}

static void deliver(void *user, trp_envelope_t *envelope)
{
    trp_client_t *client = user;
    const bool is_signal = (envelope->flags & TRP_ENVELOPE_SIGNAL) != 0;
    if (is_signal && envelope->tag == TRP_SIGNAL_EXIT) {
        envelope->tag = TRP_TAG_EXIT;
        keep(client, envelope);
    } else if (is_signal && envelope->tag == TRP_SIGNAL_DOWN) {
        envelope->tag = TRP_TAG_DOWN;
        sort_answer(client, envelope);
    } else if (is_signal) {
        envelope_free(envelope);
    } else if ((envelope->flags & TRP_ENVELOPE_REPLY) != 0) {
        sort_answer(client, envelope);
    } else {
        keep(client, envelope);
    }
}

static void on_answer(trp_client_t *client, const wire_reader_t *reader)
{
    trp_document_t document;
    trp_fault_t fault;
    link_answer_t answer;
    const trp_text_t body = {reader->body, reader->body_size};
    if (trp_schema_unpack(&link_answer_schema, body, &document, &answer, &fault) != TRP_OK) {
        client->gone = true;
        return;
    }
    if (answer.id == client->asked) {
        client->answered = true;
        client->question_status = (trp_status_t)answer.status;
        client->question_count = (size_t)answer.count;
        if (answer.pids.size >= sizeof(trp_pid_t)) {
            memcpy(&client->question_pid, answer.pids.data, sizeof(trp_pid_t));
        }
    }
    trp_document_fini(&document);
}

static void on_frames(void *user, const trp_peer_t *peer, zmq_msg_t *frames, size_t count)
{
    (void)peer;
    trp_client_t *client = user;
    wire_reader_t reader;
    if (client->gone) {
        return;
    }
    if (channel_receive(&client->channel, frames, count, &reader) != TRP_OK) {
        client->gone = true;
    } else if (reader.kind == WIRE_START) {
        client->channel.state = CHANNEL_STARTED;
        (void)!channel_send(&client->channel, WIRE_READY, NULL, 0);
    } else if (reader.kind == WIRE_ANSWER) {
        on_answer(client, &reader);
    } else if (reader.kind == WIRE_BYE) {
        client->gone = true;
    }
}

static trp_status_t send_frames(void *user, zmq_msg_t *frames, size_t count)
{
    const trp_client_t *client = user;
    return client->way.transport->send(client->socket, NULL, frames, count);
}

/* ---- waiting ---- */

/* Takes in what is there; true: there was something. */
static bool look(trp_client_t *client)
{
    if (!client->gone) {
        channel_flush(&client->channel);
    }
    return client->way.transport->pump(client->socket, PUMP_BUDGET, -1) > 0;
}

/* The descriptor is edge-triggered: all that is there has been looked at before. */
void client_wait(trp_client_t *client, int64_t until_ns)
{
    if (look(client)) {
        return;
    }
    struct pollfd polled = {.fd = client->descriptor, .events = POLLIN};
    struct timespec limit = {0, 0};
    const int64_t left_ns = until_ns == HOST_FOREVER ? 0 : until_ns - client_now_ns();
    if (left_ns > 0) {
        limit = (struct timespec){left_ns / NS_PER_S, left_ns % NS_PER_S};
    }
    (void)ppoll(&polled, 1, until_ns == HOST_FOREVER ? NULL : &limit, NULL);
    (void)look(client);
}

/* ---- calls ---- */

bool client_enter(trp_client_t *client)
{
    /* Acquire-release, with leave: a client that is handed over is seen as it was left. */
    if (atomic_exchange_explicit(&client->busy, true, memory_order_acq_rel)) {
        return false;
    }
    if (client->shown != NULL) {
        envelope_free(client->shown);
        client->shown = NULL;
    }
    (void)look(client);
    return true;
}

trp_status_t client_leave(trp_client_t *client, trp_status_t status)
{
    if (client->gone && status != TRP_OK) {
        status = TRP_GONE;
    }
    /* Release: the client as we leave it, to the next thread that enters. */
    atomic_store_explicit(&client->busy, false, memory_order_release);
    return status;
}

trp_envelope_t *client_envelope(const trp_client_t *client, trp_pid_t to, uint16_t tag)
{
    trp_envelope_t *envelope = envelope_alloc();
    if (envelope != NULL) {
        envelope->to = to;
        envelope->from = client->way.pid;
        envelope->tag = tag;
    }
    return envelope;
}

trp_status_t client_post(trp_client_t *client, trp_envelope_t *envelope)
{
    if (client->gone || client->channel.waiting > 0) {
        envelope_free(envelope);
        return client->gone ? TRP_GONE : TRP_BUSY;
    }
    channel_push(&client->channel, envelope);
    channel_flush(&client->channel);
    return TRP_OK;
}

trp_status_t client_post_bytes(trp_client_t *client, trp_envelope_t *envelope, const void *data,
                               size_t size)
{
    if (envelope == NULL) {
        return TRP_NO_MEMORY;
    }
    const trp_status_t status = envelope_set(envelope, data, size);
    if (status != TRP_OK) {
        envelope_free(envelope);
        return status;
    }
    return client_post(client, envelope);
}

/* ---- life ---- */

static trp_status_t say_hello(trp_client_t *client)
{
    const link_hello_t hello = {
        .token = {(const char *)client->way.token, sizeof(client->way.token)},
        .node = client->way.node,
        .incarnation = client->way.incarnation,
        .os_pid = (int64_t)syscall(SYS_gettid),
    };
    trp_writer_t writer;
    size_t size = 0;
    trp_writer_init(&writer);
    trp_schema_write(&link_hello_schema, &hello, &writer);
    const void *body = trp_writer_data(&writer, &size);
    const trp_status_t status =
        body == NULL ? TRP_NO_MEMORY : channel_send(&client->channel, WIRE_HELLO, body, size);
    trp_writer_fini(&writer);
    return status;
}

static trp_status_t open_socket(trp_client_t *client)
{
    char error[256];
    int descriptors[2] = {-1, -1};
    const trp_transport_options_t options = {.self = &client->way.self,
                                             .linger_ms = -1,
                                             .events = {.frames = on_frames, .user = client}};
    const channel_options_t channel = {
        .role = CHANNEL_WORKER, .send = send_frames, .deliver = deliver, .user = client};
    channel_init(&client->channel, &channel);
    const trp_status_t status = client->way.transport->connect(
        client->way.medium, client->way.endpoint, &options, &client->socket, error);
    if (status == TRP_OK) {
        (void)client->way.transport->descriptors(client->socket, descriptors);
        client->descriptor = descriptors[0];
    }
    return status;
}

static void free_list(trp_envelope_t *list)
{
    while (list != NULL) {
        trp_envelope_t *next = list->next;
        envelope_free(list);
        list = next;
    }
}

static void client_free(trp_client_t *client)
{
    if (client->socket != NULL) {
        client->way.transport->close(&client->socket);
    }
    client->way.transport->shut(&client->way.medium);
    channel_fini(&client->channel);
    client_pending_fini(&client->pending);
    free_list(client->first);
    free_list(client->answer);
    if (client->shown != NULL) {
        envelope_free(client->shown);
    }
    free(client);
}

trp_status_t trp_client_open(const char *endpoint, trp_client_t **result)
{
    if (strcmp(endpoint, NODE_ENDPOINT) != 0) {
        return TRP_UNSUPPORTED;
    }
    trp_client_t *client = calloc(1, sizeof(*client));
    if (client == NULL) {
        return TRP_NO_MEMORY;
    }
    trp_status_t status = client_hub_reach(&client->way);
    if (status != TRP_OK) {
        free(client);
        return status;
    }
    status = open_socket(client);
    if (status == TRP_OK) {
        status = say_hello(client);
    }
    const int64_t until_ns = client_due_ns(0);
    while (status == TRP_OK && client->channel.state != CHANNEL_STARTED && !client->gone) {
        client_wait(client, until_ns);
        status = client_now_ns() < until_ns ? TRP_OK : TRP_TIMEOUT;
    }
    if (status == TRP_OK && client->gone) {
        status = TRP_GONE;
    }
    if (status != TRP_OK) {
        client_free(client);
        return status;
    }
    *result = client;
    return TRP_OK;
}

void trp_client_close(trp_client_t **pointer)
{
    trp_client_t *client = *pointer;
    *pointer = NULL;
    if (client == NULL) {
        return;
    }
    if (!client->gone) {
        const trp_reason_t normal = trp_reason(TRP_REASON_NORMAL, 0, NULL);
        channel_flush(&client->channel);
        (void)!channel_send(&client->channel, WIRE_BYE, &normal, sizeof(normal));
    }
    client_free(client);
}

trp_pid_t trp_client_self(const trp_client_t *client)
{
    return client->way.pid;
}

int trp_client_fd(const trp_client_t *client)
{
    return client->descriptor;
}
