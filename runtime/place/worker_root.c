/* SPDX-License-Identifier: MIT */
#include "runtime/place/worker_root.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "messages/contract.h"
#include "runtime/log.h"
#include "runtime/place/dead_log.h"
#include "runtime/place/worker_ask.h"

#define BACK_MESSAGES 256          /* that the node has not reported as delivered */
#define BACK_BYTES    (1ull << 30) /* bytes of them: above the largest answer */
#define ROOT_BYTES    (1ull << 32) /* bytes: the proxy holds the bounds that were asked for */
#define UNLIMITED     UINT64_MAX
#define WHY_MAX       (sizeof(((trp_fault_t *)0)->rule) + sizeof(((trp_fault_t *)0)->path))

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

void worker_root_hang_up(worker_root_t *root)
{
    root->answer = TRP_GONE;
    root->question = NULL;
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

/* Whether our class, which may be of another build, can take the place of the node's. */
static trp_status_t check_contract(const worker_root_t *root, const trp_class_t *class,
                                   char why[WHY_MAX])
{
    const contract_side_t ours = {class->messages, class->answers};
    trp_fault_t fault;
    if (root->contract == NULL) {
        return TRP_OK;
    }
    const trp_text_t theirs = {root->contract, root->contract_size};
    const trp_status_t status = contract_check(&ours, theirs, &fault);
    if (status == TRP_UNSUPPORTED) {
        snprintf(why, WHY_MAX, "%s %s", fault.rule, fault.path);
        log_event(LOG_ERROR, "messages_do_not_fit", LOG_TEXT("class", class->name),
                  LOG_TEXT("rule", fault.rule), LOG_TEXT("what", fault.path));
    }
    return status;
}

/* `why` gets a text when it fails, or none. */
static trp_status_t start_root(worker_root_t *root, const link_start_t *start, char why[WHY_MAX])
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
        snprintf(why, WHY_MAX, "the program does not know this class");
        return TRP_NOT_FOUND;
    }
    status = check_contract(root, spawn.class, why);
    if (status != TRP_OK) {
        return status;
    }
    const runtime_uplink_t uplink = {.ask = worker_ask,
                                     .parcels = runtime_parcel_pid(known.node, known.incarnation),
                                     .user = root};
    runtime_set_uplink(root->options.runtime, &uplink);
    root->channel.options.report_messages =
        report_every(start->depth_max, CHANNEL_WINDOW_MESSAGES / 2);
    root->channel.options.report_bytes = report_every(start->size_max, CHANNEL_WINDOW_BYTES / 2);
    return runtime_spawn_known(root->options.runtime, &spawn, root->link, known, &local);
}

static void forget_start(worker_root_t *root)
{
    free(root->start);
    free(root->contract);
    root->start = root->contract = NULL;
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
    char why[WHY_MAX] = "";
    const trp_status_t status = start_root(root, &start, why);
    trp_document_fini(&document);
    forget_start(root);
    if (status != TRP_OK) {
        const trp_reason_t reason = trp_reason(TRP_REASON_START_FAILED, (int32_t)status, why);
        worker_root_leave(root, &reason);
        return;
    }
    root->is_started = true;
    for (trp_envelope_t *early = take_early(root); early != NULL; early = take_early(root)) {
        pass_on(root, early);
    }
}

/* A frame's body, kept. NULL: no memory */
static char *keep_body(const wire_reader_t *reader, size_t *size)
{
    char *kept = malloc(reader->body_size + 1);
    if (kept != NULL) {
        memcpy(kept, reader->body, reader->body_size);
        *size = reader->body_size;
    }
    return kept;
}

static void keep_contract(worker_root_t *root, const wire_reader_t *reader)
{
    if (reader->body_size > 0) {
        root->contract = keep_body(reader, &root->contract_size);
        if (root->contract == NULL) {
            fail(root, WORKER_FAILED, "out_of_memory");
        }
    }
}

/* Keeps the start frame's body and tells the link actor to look at it. */
static void keep_start(worker_root_t *root, const wire_reader_t *reader)
{
    trp_envelope_t *look = envelope_alloc();
    root->start = keep_body(reader, &root->start_size);
    if (look == NULL || root->start == NULL) {
        if (look != NULL) {
            envelope_free(look);
        }
        fail(root, WORKER_FAILED, "out_of_memory");
        return;
    }
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
    } else if (reader.kind == WIRE_WELCOME) {
        keep_contract(root, &reader);
    } else if (reader.kind == WIRE_START) {
        keep_start(root, &reader);
    } else if (reader.kind == WIRE_ANSWER) {
        if (worker_ask_answer(root, &reader) != TRP_OK) {
            fail(root, WORKER_PROTOCOL, "link_answer_ill_formed");
        }
    } else if (reader.kind == WIRE_BYE) {
        root->leaving = true;
        runtime_stop(root->options.runtime);
    }
}

trp_status_t worker_root_hello(worker_root_t *root, int32_t os_pid)
{
    const worker_root_options_t *options = &root->options;
    const link_hello_t hello = {
        .token = {(const char *)options->token, GUARDIAN_TOKEN_SIZE},
        .node = options->node,
        .incarnation = options->incarnation,
        .os_pid = os_pid,
    };
    trp_writer_t writer;
    size_t size = 0;
    trp_writer_init(&writer);
    trp_schema_write(&link_hello_schema, &hello, &writer);
    const void *body = trp_writer_data(&writer, &size);
    const trp_status_t status = channel_send(&root->channel, WIRE_HELLO, body, size);
    trp_writer_fini(&writer);
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
    forget_start(root);
}
