/* SPDX-License-Identifier: MIT */
/* A worker process: one thread, a runtime whose only worker is the edge, and an actor `link` that
 * is the way to everything outside:
 *
 *     node --link socket--> deliver --> root actor and those that it spawned
 *     their sends to other nodes --> link's mailbox (its bounds are the window) --> flush --> node
 *
 * It ends when its root actor does, with a goodbye; or at once when its link is lost. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/channel.h"
#include "runtime/edge.h"
#include "runtime/guardian_fork.h"
#include "runtime/log.h"
#include "runtime/node.h"
#include "runtime/place_hub.h"

#define ENDPOINT_MAX   256
#define BACK_MESSAGES  256          /* that the node has not reported as delivered */
#define BACK_BYTES     (1ull << 30) /* bytes of them: above the largest answer */
#define ROOT_BYTES     (1ull << 32) /* bytes: the proxy holds the bounds that were asked for */
#define UNLIMITED      UINT64_MAX
#define EXIT_LINK_LOST 74
#define EXIT_PROTOCOL  76
#define EXIT_FAILED    1

typedef struct process {
    const guardian_child_t *child;
    const trp_class_t *const *classes;
    edge_t *edge;
    edge_socket_t *socket;
    trp_runtime_t *runtime;
    channel_t channel;
    trp_pid_t link;
    uint64_t root_ref;         /* of link's monitor on the root actor */
    envelope_meter_t meter_at; /* of this thread when the link came up */
    char *start;               /* body of the start frame until the link actor looks at it */
    size_t start_size;
    bool leaving;
} process_t;

/* The process is one worker: what its link actor and its socket share. */
static process_t process;

/* ---- end ---- */

static void leave(const trp_reason_t *reason)
{
    if (process.leaving) {
        return;
    }
    process.leaving = true;
    channel_flush(&process.channel);
    (void)!channel_send(&process.channel, WIRE_BYE, reason, sizeof(*reason));
    runtime_stop(process.runtime);
}

static _Noreturn void give_up(int status, int level, const char *event)
{
    log_event(level, event, LOG_INT("node", process.child->node),
              LOG_INT("incarnation", process.child->incarnation));
    _exit(status);
}

/* ---- the channel ---- */

static trp_status_t send_frames(void *user, zmq_msg_t *frames, size_t count)
{
    (void)user;
    return edge_send(process.socket, NULL, frames, count);
}

static void deliver(void *user, trp_envelope_t *envelope)
{
    (void)user;
    if ((envelope->flags & TRP_ENVELOPE_SIGNAL) == 0) {
        envelope->flags |= TRP_ENVELOPE_METERED;
    }
    const trp_status_t status = runtime_send(process.runtime, envelope);
    if (status != TRP_OK) {
        const trp_reason_t reason = trp_reason(TRP_REASON_ERROR, (int32_t)status, NULL);
        proxy_dead(process.runtime, envelope, "full", &reason);
    }
}

static void credit(void *user, uint64_t messages, uint64_t bytes)
{
    (void)user;
    proxy_credit(process.runtime, process.link, (uint32_t)messages, bytes);
}

static int64_t now_ns(void *user)
{
    (void)user;
    return runtime_now_ns(process.runtime);
}

static void flush(void *user)
{
    (void)user;
    const envelope_meter_t meter = envelope_meter();
    channel_handled(&process.channel, meter.messages - process.meter_at.messages,
                    meter.bytes - process.meter_at.bytes);
    channel_flush(&process.channel);
}

/* ---- start ---- */

static const trp_class_t *class_of(trp_text_t name)
{
    for (const trp_class_t *const *class = process.classes; *class != NULL; class ++) {
        if (strlen((*class)->name) == name.size &&
            memcmp((*class)->name, name.data, name.size) == 0) {
            return *class;
        }
    }
    return NULL;
}

static void copy_text(char *to, size_t size, trp_text_t text)
{
    snprintf(to, size, "%.*s", (int)text.size, text.data);
}

/* Small mailboxes would starve on reports of half a window. */
static uint64_t report_every(int64_t bound, uint64_t half_window)
{
    const uint64_t half = bound == 0 ? half_window : (uint64_t)bound / 2;
    return half == 0 ? 1 : half < half_window ? half : half_window;
}

static trp_status_t start_root(const link_start_t *start)
{
    char pid[TRP_PID_TEXT_MAX];
    char name[TRP_NAME_MAX] = "";
    trp_pid_t known, local;
    copy_text(pid, sizeof(pid), start->pid);
    if (start->has_name) {
        copy_text(name, sizeof(name), start->name);
    }
    const trp_spawn_t spawn = {.class = class_of(start->class_name),
                               .name = start->has_name ? name : NULL,
                               .args_tag = (uint16_t)start->args_tag,
                               .args = start->has_args ? start->args.data : NULL,
                               .args_size = start->has_args ? start->args.size : 0,
                               .monitor = true,
                               .monitor_ref = &process.root_ref,
                               .ack = true,
                               .size_max = ROOT_BYTES,
                               .restarts = (uint32_t)start->restarts};
    trp_status_t status = trp_pid_parse(pid, &known);
    if (status != TRP_OK) {
        return status;
    }
    if (spawn.class == NULL) {
        return TRP_NOT_FOUND;
    }
    process.channel.options.report_messages =
        report_every(start->depth_max, CHANNEL_WINDOW_MESSAGES / 2);
    process.channel.options.report_bytes = report_every(start->size_max, CHANNEL_WINDOW_BYTES / 2);
    return runtime_spawn_known(process.runtime, &spawn, process.link, known, &local);
}

/* In a callback of the link actor, which is the spawner: it watches the root actor. */
static void on_start(void)
{
    trp_document_t document;
    trp_fault_t fault;
    link_start_t start;
    const trp_text_t body = {process.start, process.start_size};
    if (process.start == NULL) {
        return;
    }
    if (trp_schema_unpack(&link_start_schema, body, &document, &start, &fault) != TRP_OK) {
        give_up(EXIT_PROTOCOL, LOG_ERROR, "link_start_ill_formed");
    }
    const trp_status_t status = start_root(&start);
    trp_document_fini(&document);
    free(process.start);
    process.start = NULL;
    if (status != TRP_OK) {
        const trp_reason_t reason =
            trp_reason(TRP_REASON_START_FAILED, (int32_t)status,
                       status == TRP_NOT_FOUND ? "the program does not know this class" : NULL);
        leave(&reason);
    }
}

/* Keeps the start frame's body and tells the link actor to look at it. */
static void keep_start(const wire_reader_t *reader)
{
    trp_envelope_t *look = envelope_alloc();
    process.start = malloc(reader->body_size + 1);
    if (look == NULL || process.start == NULL) {
        give_up(EXIT_FAILED, LOG_ERROR, "out_of_memory");
    }
    memcpy(process.start, reader->body, reader->body_size);
    process.start_size = reader->body_size;
    look->to = process.link;
    look->tag = TRP_SIGNAL_LOOK;
    look->flags = TRP_ENVELOPE_SIGNAL;
    if (runtime_send(process.runtime, look) != TRP_OK) {
        give_up(EXIT_FAILED, LOG_ERROR, "link_actor_gone");
    }
}

/* ---- the link actor ---- */

static trp_status_t link_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    if (!trp_pid_equal(message->to, trp_self(ctx))) {
        channel_push(&process.channel, proxy_take(ctx, message));
        return TRP_OK;
    }
    if (message->tag == TRP_SIGNAL_LOOK) {
        on_start();
    } else if (message->tag == TRP_TAG_STARTED) {
        channel_flush(&process.channel);
        (void)!channel_send(&process.channel, WIRE_READY, NULL, 0);
    } else if (message->tag == TRP_TAG_DOWN && message->request_id == process.root_ref) {
        trp_reason_t reason;
        size_t size = 0;
        const void *data = trp_message_data(message, &size);
        memcpy(&reason, data, sizeof(reason));
        leave(&reason);
    }
    return TRP_OK;
}

static const trp_class_t link_class = {
    .name = "link",
    .version = 1,
    .receive = link_receive,
    .flags = TRP_CLASS_EDGE | TRP_CLASS_PROXY,
};

/* ---- the socket ---- */

static void on_message(void *user, const edge_peer_t *peer, zmq_msg_t *frames, size_t count)
{
    (void)user;
    (void)peer;
    wire_reader_t reader;
    if (process.leaving) {
        return;
    }
    const trp_status_t status = channel_receive(&process.channel, frames, count, &reader);
    if (status != TRP_OK) {
        give_up(EXIT_PROTOCOL, LOG_ERROR, "link_protocol");
    }
    if (reader.kind == WIRE_START) {
        keep_start(&reader);
    } else if (reader.kind == WIRE_BYE) {
        process.leaving = true;
        runtime_stop(process.runtime);
    }
}

static void on_down(void *user, const edge_peer_t *peer)
{
    (void)user;
    (void)peer;
    if (!process.leaving) {
        give_up(EXIT_LINK_LOST, LOG_INFO, "link_lost");
    }
}

static trp_status_t say_hello(void)
{
    size_t count = 0;
    while (process.classes[count] != NULL) {
        count++;
    }
    trp_text_t *names = calloc(count + 1, sizeof(*names));
    if (names == NULL) {
        return TRP_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        names[i] = (trp_text_t){process.classes[i]->name, strlen(process.classes[i]->name)};
    }
    const link_hello_t hello = {
        .token = {(const char *)process.child->token, GUARDIAN_TOKEN_SIZE},
        .node = process.child->node,
        .incarnation = process.child->incarnation,
        .os_pid = getpid(),
        .classes = names,
        .classes_count = count,
    };
    trp_writer_t writer;
    size_t size = 0;
    trp_writer_init(&writer);
    trp_schema_write(&link_hello_schema, &hello, &writer);
    const void *body = trp_writer_data(&writer, &size);
    const trp_status_t status = channel_send(&process.channel, WIRE_HELLO, body, size);
    trp_writer_fini(&writer);
    free(names);
    return status;
}

static trp_status_t connect_link(char error[256])
{
    char endpoint[ENDPOINT_MAX];
    edge_peer_t self;
    snprintf(endpoint, sizeof(endpoint), "ipc://%s/" HUB_LINK_NAME, process.child->run_dir);
    place_link_identity(&self, process.child->node & GUARDIAN_INDEX_MAX, process.child->incarnation,
                        process.child->token);
    const edge_socket_options_t options = {.name = "link",
                                           .endpoint = endpoint,
                                           .queue_max = -1,
                                           .on_message = on_message,
                                           .on_down = on_down};
    const channel_options_t channel = {.role = CHANNEL_WORKER,
                                       .window_messages = UNLIMITED,
                                       .window_bytes = UNLIMITED,
                                       .send = send_frames,
                                       .deliver = deliver,
                                       .credit = credit,
                                       .now_ns = now_ns};
    channel_init(&process.channel, &channel);
    return edge_connect(process.edge, &options, &self, &process.socket, error);
}

static trp_status_t open_process(char error[256])
{
    snprintf(error, 256, "the runtime could not be made");
    trp_status_t status = edge_create(&process.edge);
    if (status != TRP_OK) {
        return status;
    }
    const runtime_options_t options = {.node = process.child->node,
                                       .incarnation = process.child->incarnation,
                                       .threads = 0,
                                       .edge = edge_park(process.edge)};
    status = runtime_create(&options, &process.runtime);
    if (status != TRP_OK) {
        return status;
    }
    edge_attach(process.edge, process.runtime);
    const trp_spawn_t link = {
        .class = &link_class, .depth_max = BACK_MESSAGES, .size_max = BACK_BYTES};
    status = runtime_spawn(process.runtime, &link, &process.link);
    if (status != TRP_OK) {
        return status;
    }
    runtime_route_default(process.runtime, process.link);
    status = connect_link(error);
    if (status == TRP_OK) {
        process.meter_at = envelope_meter();
        edge_flush(process.edge, flush, NULL);
        status = runtime_start(process.runtime);
    }
    return status == TRP_OK ? say_hello() : status;
}

int worker_run(const trp_class_t *const *classes, const guardian_child_t *child)
{
    char error[256];
    process = (process_t){.child = child, .classes = classes};
    (void)signal(SIGPIPE, SIG_IGN); /* who read the log may be gone */
    const trp_status_t status = open_process(error);
    if (status != TRP_OK) {
        log_event(LOG_ERROR, "worker_not_started", LOG_TEXT("status", trp_status_name(status)),
                  LOG_TEXT("error", error));
        return EXIT_FAILED; /* all that was made ends with the process */
    }
    runtime_run_edge(process.runtime);
    edge_flush(process.edge, NULL, NULL);
    runtime_destroy(&process.runtime);
    channel_fini(&process.channel);
    edge_destroy(&process.edge);
    return 0;
}

int worker_exec(const trp_class_t *const *classes)
{
    guardian_child_t child;
    const char *text = getenv(GUARDIAN_ENVIRONMENT);
    if (text == NULL || guardian_child_parse(text, &child) != TRP_OK) {
        fprintf(stderr, "--worker is for a node to start, not for people\n");
        return EXIT_FAILED;
    }
    return worker_run(classes, &child);
}
