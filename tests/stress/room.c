/* SPDX-License-Identifier: MIT */
/* Senders to full mailboxes on several threads: each sends until it is refused and sleeps until
 * there is room, while the receivers end and are spawned anew under them.
 *     room [messages=20000]
 * A wish for room that is lost is a hang, which the alarm ends; order is checked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/host.h"
#include "runtime/core/runtime.h"

enum { TAG_GO = 0x1000, TAG_NUMBER };

#define SENDERS   12
#define RECEIVERS 3
#define DEPTH     32
#define LIVES     500 /* messages of a receiver's life */
#define LIMIT_S   120

static long messages = 20000; /* of each sender */
static trp_runtime_t *runtime;
static _Atomic(uint64_t) receivers[RECEIVERS]; /* slot and generation of who lives */
static _Atomic long running = SENDERS;
static host_word_t finished;

static void check(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "room: %s failed\n", what);
        exit(1);
    }
}

typedef struct receiver {
    int index;
    long handled;
    int64_t last[SENDERS];
} receiver_t;

static trp_status_t receiver_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    receiver_t *receiver = state;
    size_t size = 0;
    memcpy(&receiver->index, trp_message_data(args, &size), sizeof(receiver->index));
    trp_pid_t self = trp_self(ctx);
    /* Release: nothing but the pid is handed over; what is sent to the one before dies. */
    atomic_store_explicit(&receivers[receiver->index], (uint64_t)self.generation << 32 | self.slot,
                          memory_order_release);
    return TRP_OK;
}

static trp_status_t receiver_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message);

static const trp_class_t receiver_class = {.name = "receiver",
                                           .state_size = sizeof(receiver_t),
                                           .init = receiver_init,
                                           .receive = receiver_receive};

static trp_spawn_t spawn_of(const int *index)
{
    return (trp_spawn_t){.class = &receiver_class,
                         .depth_max = DEPTH,
                         .args_tag = TAG_GO,
                         .args = index,
                         .args_size = sizeof(*index)};
}

static trp_status_t receiver_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    receiver_t *receiver = state;
    int64_t sent[2];
    size_t size = 0;
    memcpy(sent, trp_message_data(message, &size), sizeof(sent));
    check(sent[1] > receiver->last[sent[0]], "the order of a sender's messages");
    receiver->last[sent[0]] = sent[1];
    if (++receiver->handled == LIVES) { /* with a mailbox that may be full, and asked for room */
        trp_pid_t heir;
        trp_spawn_t spawn = spawn_of(&receiver->index);
        check(trp_spawn(ctx, &spawn, &heir) == TRP_OK, "spawn");
        trp_stop(ctx, NULL);
    }
    return TRP_OK;
}

typedef struct sender {
    int64_t number, sent;
} source_t;

static trp_status_t sender_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    size_t size = 0;
    (void)ctx;
    memcpy(state, trp_message_data(args, &size), sizeof(int64_t));
    return TRP_OK;
}

static trp_status_t sender_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    source_t *sender = state;
    trp_pid_t to = trp_self(ctx);
    (void)message;
    while (sender->sent < messages) {
        /* Acquire: the receiver's store. */
        uint64_t who =
            atomic_load_explicit(&receivers[sender->sent % RECEIVERS], memory_order_acquire);
        to.slot = (uint32_t)who;
        to.generation = (uint32_t)(who >> 32);
        int64_t now[2] = {sender->number, sender->sent + 1};
        trp_status_t status = trp_send(ctx, to, TAG_NUMBER, now, sizeof(now));
        if (status == TRP_FULL) {
            return trp_when_room(ctx, to, TAG_GO);
        }
        check(status == TRP_OK, "send");
        sender->sent++;
    }
    if (atomic_fetch_sub_explicit(&running, 1, memory_order_acq_rel) == 1) {
        atomic_store_explicit(&finished, 1, memory_order_release);
        host_os.wake(host_os.user, &finished);
    }
    return TRP_OK;
}

static void start(void)
{
    static const trp_class_t sender_class = {.name = "sender",
                                             .state_size = sizeof(source_t),
                                             .init = sender_init,
                                             .receive = sender_receive};
    trp_pid_t pid;
    for (int i = 0; i < RECEIVERS; i++) {
        trp_spawn_t spawn = spawn_of(&i);
        check(runtime_spawn(runtime, &spawn, &pid) == TRP_OK, "spawn");
        atomic_store_explicit(&receivers[i], (uint64_t)pid.generation << 32 | pid.slot,
                              memory_order_release);
    }
    for (int64_t i = 0; i < SENDERS; i++) {
        trp_spawn_t spawn = {
            .class = &sender_class, .args_tag = TAG_GO, .args = &i, .args_size = sizeof(i)};
        check(runtime_spawn(runtime, &spawn, &pid) == TRP_OK, "spawn");
        trp_envelope_t *go = envelope_alloc();
        check(go != NULL, "memory");
        go->to = pid;
        go->tag = TAG_GO;
        check(runtime_send(runtime, go) == TRP_OK, "send");
    }
}

int main(int argc, char **argv)
{
    const runtime_options_t options = {.node = 1u << 16, .incarnation = 1, .threads = 3};
    if (argc > 1 && strncmp(argv[1], "messages=", 9) == 0) {
        messages = strtol(argv[1] + 9, NULL, 10);
    }
    (void)alarm(LIMIT_S);
    check(runtime_create(&options, &runtime) == TRP_OK, "runtime_create");
    check(runtime_start(runtime) == TRP_OK, "runtime_start");
    start();
    while (atomic_load_explicit(&finished, memory_order_acquire) == 0) {
        host_os.sleep(host_os.user, &finished, 0, HOST_FOREVER);
    }
    runtime_destroy(&runtime);
    return 0;
}
