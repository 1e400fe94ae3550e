/* SPDX-License-Identifier: MIT */
#include "runtime/place/worker_root.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/place/dead_log.h"

#define BACK_MESSAGES 256          /* that the node has not reported as delivered */
#define BACK_BYTES    (1ull << 30) /* bytes of them: above the largest answer */
#define ROOT_BYTES    (1ull << 32) /* bytes: the proxy holds the bounds that were asked for */
#define UNLIMITED     UINT64_MAX
#define ASK_NS        5000000000LL /* for an answer of the node, whose edge may be busy */

/* ---- end ---- */

void worker_root_leave(worker_root_t *root, const trp_reason_t *reason)
{
    if (root->leaving) {
        return;
    }
    root->leaving = true;
    channel_flush(&root->channel);
    (void)!channel_send(&root->channel, WIRE_BYE, reason, sizeof(*reason));
    runtime_stop(root->options.runtime);
}

static void fail(worker_root_t *root, int status, const char *event)
{
    root->options.fail(root->options.user, status, event);
    root->leaving = true;
}

/* ---- the channel ---- */

static trp_status_t send_frames(void *user, zmq_msg_t *frames, size_t count)
{
    worker_root_t *root = user;
    return root->options.send(root->options.user, frames, count);
}

static void pass_on(worker_root_t *root, trp_envelope_t *envelope)
{
    const trp_status_t status = runtime_send(root->options.runtime, envelope);
    if (status != TRP_OK) {
        const trp_reason_t reason = trp_reason(TRP_REASON_ERROR, (int32_t)status, NULL);
        proxy_dead(root->options.runtime, envelope, TRP_DEAD_FULL, &reason);
    }
}

/* What comes right behind the start frame is for an actor that is not spawned yet: sent on, it
 * would go back to the node. The node's window bounds it. */
static void keep_early(worker_root_t *root, trp_envelope_t *envelope)
{
    envelope->next = NULL;
    if (root->early_last == NULL) {
        root->early_first = envelope;
    } else {
        root->early_last->next = envelope;
    }
    root->early_last = envelope;
}

static trp_envelope_t *take_early(worker_root_t *root)
{
    trp_envelope_t *envelope = root->early_first;
    if (envelope != NULL) {
        root->early_first = envelope->next;
        root->early_last = root->early_first == NULL ? NULL : root->early_last;
    }
    return envelope;
}

static void deliver(void *user, trp_envelope_t *envelope)
{
    worker_root_t *root = user;
    if ((envelope->flags & TRP_ENVELOPE_SIGNAL) == 0) {
        envelope->flags |= TRP_ENVELOPE_METERED;
    }
    if (runtime_is_parcel(envelope)) {
        runtime_parcel(root->options.runtime, envelope, TRP_PID_NONE);
        return;
    }
    if (root->is_started) {
        pass_on(root, envelope);
    } else {
        keep_early(root, envelope);
    }
}

static void credit(void *user, uint64_t messages, uint64_t bytes)
{
    worker_root_t *root = user;
    proxy_credit(root->options.runtime, root->link, (uint32_t)messages, bytes);
}

void worker_root_flush(worker_root_t *root)
{
    const envelope_meter_t meter = envelope_meter();
    channel_handled(&root->channel, meter.messages - root->meter_at.messages,
                    meter.bytes - root->meter_at.bytes);
    channel_flush(&root->channel);
}

/* ---- what only the node knows ---- */

static trp_status_t send_ask(worker_root_t *root, const runtime_question_t *question, int64_t id)
{
    char pid[TRP_PID_TEXT_MAX];
    (void)trp_pid_format(question->pid, pid);
    const bool tells = question->what == LINK_TELL;
    const link_ask_t ask = {.id = id,
                            .what = (int)question->what,
                            .name = {question->name, strlen(question->name)},
                            .has_pid = !trp_pid_is_none(question->pid),
                            .pid = {pid, strlen(pid)},
                            .has_tag = tells,
                            .tag = question->tag,
                            .has_data = tells,
                            .data = {question->data, question->size}};
    trp_writer_t writer;
    size_t size = 0;
    trp_writer_init(&writer);
    trp_schema_write(&link_ask_schema, &ask, &writer);
    const void *body = trp_writer_data(&writer, &size);
    const trp_status_t status =
        body == NULL ? TRP_NO_MEMORY : channel_send(&root->channel, WIRE_ASK, body, size);
    trp_writer_fini(&writer);
    return status;
}

/* In a handler, whose thread then handles what comes over the link; that only queues messages. The
 * node answers from its edge, which never waits for us. What an actor gives
 * back needs no answer. */
static trp_status_t ask(void *user, runtime_question_t *question)
{
    worker_root_t *root = user;
    if (root->leaving) {
        return TRP_GONE;
    }
    if (question->name[0] != '\0' && strnlen(question->name, TRP_NAME_MAX) == TRP_NAME_MAX) {
        return TRP_INVALID;
    }
    const bool asks = question->what == LINK_WHEREIS || question->what == LINK_MEMBERS;
    if (asks && root->options.wait == NULL) {
        return TRP_UNSUPPORTED;
    }
    const bool waits = question->what != LINK_LEAVE && question->what != LINK_UNREGISTER &&
                       root->options.wait != NULL;
    const int64_t id = waits ? ++root->question_id : 0;
    trp_status_t status = send_ask(root, question, id);
    if (status != TRP_OK || !waits) {
        return status;
    }
    const int64_t until_ns = runtime_now_ns(root->options.runtime) + ASK_NS;
    root->question = question;
    root->answer = TRP_TIMEOUT;
    while (root->question != NULL && !root->leaving &&
           runtime_now_ns(root->options.runtime) < until_ns) {
        root->options.wait(root->options.user, until_ns);
    }
    status = root->question == NULL ? root->answer : root->leaving ? TRP_GONE : TRP_TIMEOUT;
    root->question = NULL;
    return status;
}

void worker_root_hang_up(worker_root_t *root)
{
    root->answer = TRP_GONE;
    root->question = NULL;
}

static void on_answer(worker_root_t *root, const wire_reader_t *reader)
{
    trp_document_t document;
    trp_fault_t fault;
    link_answer_t answer;
    const trp_text_t body = {reader->body, reader->body_size};
    if (trp_schema_unpack(&link_answer_schema, body, &document, &answer, &fault) != TRP_OK) {
        fail(root, WORKER_PROTOCOL, "link_answer_ill_formed");
        return;
    }
    runtime_question_t *question = root->question;
    if (question != NULL && answer.id == root->question_id) {
        const size_t came = answer.pids.size / sizeof(trp_pid_t);
        const size_t fits = came < question->max ? came : question->max;
        if (fits > 0) {
            memcpy(question->pids, answer.pids.data, fits * sizeof(trp_pid_t));
        }
        question->count = (size_t)answer.count;
        root->answer = (trp_status_t)answer.status;
        root->question = NULL;
    }
    trp_document_fini(&document);
}

/* ---- start ---- */

static const trp_class_t *class_of(const worker_root_t *root, trp_text_t name)
{
    for (const trp_class_t *const *class = root->options.classes; *class != NULL; class ++) {
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

static trp_status_t start_root(worker_root_t *root, const link_start_t *start)
{
    char pid[TRP_PID_TEXT_MAX];
    char name[TRP_NAME_MAX] = "";
    trp_pid_t known, local;
    copy_text(pid, sizeof(pid), start->pid);
    if (start->has_name) {
        copy_text(name, sizeof(name), start->name);
    }
    const trp_spawn_t spawn = {.class = class_of(root, start->class_name),
                               .name = start->has_name ? name : NULL,
                               .args_tag = (uint16_t)start->args_tag,
                               .args = start->has_args ? start->args.data : NULL,
                               .args_size = start->has_args ? start->args.size : 0,
                               .monitor = true,
                               .monitor_ref = &root->root_ref,
                               .ack = true,
                               .size_max = ROOT_BYTES,
                               .memory_quota =
                                   start->has_memory_quota ? (size_t)start->memory_quota : 0,
                               .snapshot = start->has_snapshot ? start->snapshot.data : NULL,
                               .snapshot_size = start->has_snapshot ? start->snapshot.size : 0,
                               .restarts = (uint32_t)start->restarts};
    trp_status_t status = trp_pid_parse(pid, &known);
    if (status != TRP_OK) {
        return status;
    }
    if (spawn.class == NULL) {
        return TRP_NOT_FOUND;
    }
    const runtime_uplink_t uplink = {
        .ask = ask, .parcels = runtime_parcel_pid(known.node, known.incarnation), .user = root};
    runtime_set_uplink(root->options.runtime, &uplink);
    root->channel.options.report_messages =
        report_every(start->depth_max, CHANNEL_WINDOW_MESSAGES / 2);
    root->channel.options.report_bytes = report_every(start->size_max, CHANNEL_WINDOW_BYTES / 2);
    return runtime_spawn_known(root->options.runtime, &spawn, root->link, known, &local);
}

/* In a callback of the link actor, which is the spawner: it watches the root actor. */
static void on_start(worker_root_t *root)
{
    trp_document_t document;
    trp_fault_t fault;
    link_start_t start;
    const trp_text_t body = {root->start, root->start_size};
    if (root->start == NULL) {
        return;
    }
    if (trp_schema_unpack(&link_start_schema, body, &document, &start, &fault) != TRP_OK) {
        fail(root, WORKER_PROTOCOL, "link_start_ill_formed");
        return;
    }
    const trp_status_t status = start_root(root, &start);
    trp_document_fini(&document);
    free(root->start);
    root->start = NULL;
    if (status != TRP_OK) {
        const trp_reason_t reason =
            trp_reason(TRP_REASON_START_FAILED, (int32_t)status,
                       status == TRP_NOT_FOUND ? "the program does not know this class" : NULL);
        worker_root_leave(root, &reason);
        return;
    }
    root->is_started = true;
    for (trp_envelope_t *early = take_early(root); early != NULL; early = take_early(root)) {
        pass_on(root, early);
    }
}

/* Keeps the start frame's body and tells the link actor to look at it. */
static void keep_start(worker_root_t *root, const wire_reader_t *reader)
{
    trp_envelope_t *look = envelope_alloc();
    root->start = malloc(reader->body_size + 1);
    if (look == NULL || root->start == NULL) {
        if (look != NULL) {
            envelope_free(look);
        }
        fail(root, WORKER_FAILED, "out_of_memory");
        return;
    }
    memcpy(root->start, reader->body, reader->body_size);
    root->start_size = reader->body_size;
    look->to = root->link;
    look->tag = TRP_SIGNAL_LOOK;
    look->flags = TRP_ENVELOPE_SIGNAL;
    if (runtime_send(root->options.runtime, look) != TRP_OK) {
        envelope_free(look);
        fail(root, WORKER_FAILED, "link_actor_gone");
    }
}

/* ---- the link actor ---- */

typedef struct link {
    worker_root_t *root;
} link_t;

static trp_status_t link_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)ctx;
    size_t size = 0;
    memcpy(&((link_t *)state)->root, trp_message_data(args, &size), sizeof(worker_root_t *));
    return TRP_OK;
}

static trp_status_t link_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    worker_root_t *root = ((link_t *)state)->root;
    if (!trp_pid_equal(message->to, trp_self(ctx))) {
        channel_push(&root->channel, proxy_take(ctx, message));
        return TRP_OK;
    }
    if (message->tag == TRP_SIGNAL_LOOK) {
        on_start(root);
    } else if (message->tag == TRP_TAG_STARTED) {
        channel_flush(&root->channel);
        (void)!channel_send(&root->channel, WIRE_READY, NULL, 0);
        root->is_ready = true;
    } else if (message->tag == TRP_TAG_DOWN && message->request_id == root->root_ref) {
        trp_reason_t reason;
        size_t size = 0;
        const void *data = trp_message_data(message, &size);
        memcpy(&reason, data, sizeof(reason));
        worker_root_leave(root, &reason);
    }
    return TRP_OK;
}

static const trp_class_t link_class = {
    .name = "link",
    .version = 1,
    .state_size = sizeof(link_t),
    .init = link_init,
    .receive = link_receive,
    .flags = TRP_CLASS_EDGE | TRP_CLASS_PROXY,
};

/* ---- the node's words, and ours ---- */

void worker_root_receive(worker_root_t *root, zmq_msg_t *frames, size_t count)
{
    wire_reader_t reader;
    if (root->leaving) {
        return;
    }
    const trp_status_t status = channel_receive(&root->channel, frames, count, &reader);
    if (status != TRP_OK) {
        fail(root, WORKER_PROTOCOL, "link_protocol");
    } else if (reader.kind == WIRE_START) {
        keep_start(root, &reader);
    } else if (reader.kind == WIRE_ANSWER) {
        on_answer(root, &reader);
    } else if (reader.kind == WIRE_BYE) {
        root->leaving = true;
        runtime_stop(root->options.runtime);
    }
}

trp_status_t worker_root_hello(worker_root_t *root, int32_t os_pid)
{
    const worker_root_options_t *options = &root->options;
    size_t count = 0;
    while (options->classes[count] != NULL) {
        count++;
    }
    trp_text_t *names = calloc(count + 1, sizeof(*names));
    if (names == NULL) {
        return TRP_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        names[i] = (trp_text_t){options->classes[i]->name, strlen(options->classes[i]->name)};
    }
    const link_hello_t hello = {
        .token = {(const char *)options->token, GUARDIAN_TOKEN_SIZE},
        .node = options->node,
        .incarnation = options->incarnation,
        .os_pid = os_pid,
        .classes = names,
        .classes_count = count,
    };
    trp_writer_t writer;
    size_t size = 0;
    trp_writer_init(&writer);
    trp_schema_write(&link_hello_schema, &hello, &writer);
    const void *body = trp_writer_data(&writer, &size);
    const trp_status_t status = channel_send(&root->channel, WIRE_HELLO, body, size);
    trp_writer_fini(&writer);
    free(names);
    return status;
}

/* ---- life ---- */

trp_status_t worker_root_open(worker_root_t *root, const worker_root_options_t *options)
{
    *root = (worker_root_t){.options = *options};
    const channel_options_t channel = {.role = CHANNEL_WORKER,
                                       .window_messages = UNLIMITED,
                                       .window_bytes = UNLIMITED,
                                       .send = send_frames,
                                       .deliver = deliver,
                                       .credit = credit,
                                       .user = root};
    channel_init(&root->channel, &channel);
    const worker_root_t *self = root;
    const trp_spawn_t link = {.class = &link_class,
                              .args = &self,
                              .args_size = sizeof(self),
                              .depth_max = BACK_MESSAGES,
                              .size_max = BACK_BYTES};
    trp_pid_t dead_log;
    const trp_spawn_t listener = {
        .class = &dead_log_class, .name = DEAD_LOG_NAME, .depth_max = DEAD_LOG_DEPTH};
    trp_status_t status = runtime_spawn(options->runtime, &link, &root->link);
    if (status == TRP_OK) {
        runtime_route_default(options->runtime, root->link);
        status = runtime_spawn(options->runtime, &listener, &dead_log);
    }
    return status;
}

void worker_root_begin(worker_root_t *root)
{
    root->meter_at = envelope_meter();
}

void worker_root_fini(worker_root_t *root)
{
    for (trp_envelope_t *early = take_early(root); early != NULL; early = take_early(root)) {
        envelope_free(early);
    }
    channel_fini(&root->channel);
    free(root->start);
    root->start = NULL;
}
