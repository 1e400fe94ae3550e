/* SPDX-License-Identifier: MIT */
/* Benchmarks inside one process: local NAME [threads=N] [n=N]. Prints "name value unit". The work
 * and the rules are those of the peers' programs (peers/README.md). counting: the counter's mailbox
 * is bounded [cap] as Go's channels are; a producer that is refused gives way; nothing is dropped. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/host.h"
#include "runtime/runtime.h"

enum { TAG_PING = 0x1000, TAG_PONG, TAG_INC, TAG_ASK, TAG_TOTAL, TAG_GO };

static trp_runtime_t *runtime;
static host_word_t finished; /* 1 when the last effect was observed */

static int argument_count;
static char **arguments;

static long argument(const char *key, long fallback)
{
    size_t size = strlen(key);
    for (int i = 2; i < argument_count; i++) {
        if (strncmp(arguments[i], key, size) == 0 && arguments[i][size] == '=') {
            return strtol(arguments[i] + size + 1, NULL, 10);
        }
    }
    return fallback;
}

static void check(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "local: %s failed\n", what);
        exit(1);
    }
}

static void finish(void)
{
    atomic_store_explicit(&finished, 1, memory_order_release);
    host_os.wake(host_os.user, &finished);
}

static void wait_finished(void)
{
    while (atomic_load_explicit(&finished, memory_order_acquire) == 0) {
        host_os.sleep(host_os.user, &finished, 0, HOST_FOREVER);
    }
}

static int64_t number_of(const trp_envelope_t *message)
{
    size_t size = 0;
    int64_t number = 0;
    const void *data = trp_message_data(message, &size);
    memcpy(&number, data, sizeof(number));
    return number;
}

static trp_pid_t spawn(const trp_class_t *class, trp_pid_t peer, uint32_t depth_max)
{
    trp_pid_t pid;
    trp_spawn_t options = {.class = class,
                           .args_tag = TAG_GO,
                           .args = &peer,
                           .args_size = sizeof(peer),
                           .depth_max = depth_max};
    check(runtime_spawn(runtime, &options, &pid) == TRP_OK, "spawn");
    return pid;
}

static void send_number(trp_pid_t to, uint16_t tag, int64_t number)
{
    trp_envelope_t *envelope = envelope_alloc();
    check(envelope != NULL, "memory");
    envelope->to = to;
    envelope->tag = tag;
    check(envelope_set(envelope, &number, sizeof(number)) == TRP_OK, "memory");
    check(runtime_send(runtime, envelope) == TRP_OK, "send");
}

typedef struct peer {
    trp_pid_t other;
    int64_t sent, total;
} peer_t;

static trp_status_t peer_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)ctx;
    size_t size = 0;
    memcpy(&((peer_t *)state)->other, trp_message_data(args, &size), sizeof(trp_pid_t));
    return TRP_OK;
}

/* ---- ping_pong ---- */

static trp_status_t ponger(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    int64_t number = number_of(message);
    return trp_send(ctx, message->from, TAG_PONG, &number, sizeof(number));
}

static trp_status_t pinger(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    peer_t *peer = state;
    int64_t number = number_of(message) - (message->tag == TAG_PONG ? 1 : 0);
    if (number == 0) {
        finish();
        return TRP_OK;
    }
    return trp_send(ctx, peer->other, TAG_PING, &number, sizeof(number));
}

static const trp_class_t ponger_class = {
    .name = "ponger", .state_size = sizeof(peer_t), .init = peer_init, .receive = ponger};
static const trp_class_t pinger_class = {
    .name = "pinger", .state_size = sizeof(peer_t), .init = peer_init, .receive = pinger};

static int64_t ping_pong(void)
{
    int64_t n = argument("n", 1000000);
    trp_pid_t pong = spawn(&ponger_class, TRP_PID_NONE, 0);
    trp_pid_t ping = spawn(&pinger_class, pong, 0);
    int64_t start = host_os.now_ns(host_os.user);
    send_number(ping, TAG_GO, n);
    wait_finished();
    int64_t took = host_os.now_ns(host_os.user) - start;
    printf("ping_pong %.1f round_trips/s\n", (double)n * 1e9 / (double)took);
    return took;
}

/* ---- counting ---- */

#define BURST 256 /* messages of the producer before it gives way */

static trp_status_t counter(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    peer_t *peer = state;
    if (message->tag == TAG_INC) {
        peer->total += number_of(message);
        return TRP_OK;
    }
    return trp_send(ctx, message->from, TAG_TOTAL, &peer->total, sizeof(peer->total));
}

/** Sends `inc` until it is refused or has sent a burst, then gives way by a message to itself; when
 * all are sent, asks for the total. */
static trp_status_t producer(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    peer_t *peer = state;
    static const int64_t one = 1;
    if (message->tag == TAG_TOTAL) {
        check(number_of(message) == peer->sent, "the total");
        finish();
        return TRP_OK;
    }
    int64_t left = number_of(message);
    trp_status_t status = TRP_OK;
    for (int i = 0; i < BURST && left > 0 && status == TRP_OK; i++) {
        status = trp_send(ctx, peer->other, TAG_INC, &one, sizeof(one));
        left -= status == TRP_OK;
    }
    peer->sent += number_of(message) - left;
    if (left == 0) {
        status = trp_send(ctx, peer->other, TAG_ASK, NULL, 0);
        if (status != TRP_FULL) {
            return status;
        }
    }
    return trp_send(ctx, trp_self(ctx), TAG_GO, &left, sizeof(left));
}

static const trp_class_t counter_class = {
    .name = "counter", .state_size = sizeof(peer_t), .init = peer_init, .receive = counter};
static const trp_class_t producer_class = {
    .name = "producer", .state_size = sizeof(peer_t), .init = peer_init, .receive = producer};

static int64_t counting(void)
{
    int64_t n = argument("n", 10000000);
    trp_pid_t count = spawn(&counter_class, TRP_PID_NONE, (uint32_t)argument("cap", 1024));
    trp_pid_t make = spawn(&producer_class, count, 0);
    int64_t start = host_os.now_ns(host_os.user);
    send_number(make, TAG_GO, n);
    wait_finished();
    int64_t took = host_os.now_ns(host_os.user) - start;
    printf("counting %.1f msgs/s\n", (double)n * 1e9 / (double)took);
    return took;
}

static const struct {
    const char *name;
    int64_t (*run)(void);
} benchmarks[] = {{"ping_pong", ping_pong}, {"counting", counting}};

int main(int argc, char **argv)
{
    argument_count = argc;
    arguments = argv;
    for (size_t i = 0; argc > 1 && i < sizeof(benchmarks) / sizeof(benchmarks[0]); i++) {
        if (strcmp(argv[1], benchmarks[i].name) == 0) {
            runtime_options_t options = {
                .node = 1 << 16, .incarnation = 1, .threads = (uint32_t)argument("threads", 1)};
            check(runtime_create(&options, &runtime) == TRP_OK, "create");
            check(runtime_start(runtime) == TRP_OK, "start");
            (void)benchmarks[i].run();
            runtime_destroy(&runtime);
            return 0;
        }
    }
    fprintf(stderr, "usage: local ping_pong|counting [threads=N] [n=N]\n");
    return 2;
}
