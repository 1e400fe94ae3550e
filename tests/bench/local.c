/* SPDX-License-Identifier: MIT */
/* Two actors of one process. The work and the rules are those of the peers' programs
 * (peers/README.md). counting: the counter's mailbox is bounded [cap] as Go's channels are; a
 * producer that is refused sleeps until there is room; nothing is dropped. */
#include "tests/bench/bench.h"

enum { TAG_PING = TAG_GO + 1, TAG_PONG, TAG_INC, TAG_ASK, TAG_TOTAL, TAG_ON };

typedef struct peer {
    trp_pid_t other;
    int64_t left, total;
} peer_t;

static trp_status_t peer_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)ctx;
    size_t size = 0;
    memcpy(&((peer_t *)state)->other, trp_message_data(args, &size), sizeof(trp_pid_t));
    return TRP_OK;
}

static trp_pid_t spawn_peer(const trp_class_t *class, trp_pid_t other, uint32_t depth_max)
{
    trp_pid_t pid;
    trp_spawn_t options = {.class = class,
                           .args_tag = TAG_GO,
                           .args = &other,
                           .args_size = sizeof(other),
                           .depth_max = depth_max};
    check(runtime_spawn(runtime, &options, &pid) == TRP_OK, "spawn");
    return pid;
}

/* ---- ping_pong ---- */

static trp_status_t ponger(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    return send_number(ctx, message->from, TAG_PONG, number_of(message));
}

static trp_status_t pinger(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    peer_t *peer = state;
    int64_t number = number_of(message) - (message->tag == TAG_PONG ? 1 : 0);
    if (number == 0) {
        finish();
        return TRP_OK;
    }
    return send_number(ctx, peer->other, TAG_PING, number);
}

static const trp_class_t ponger_class = {
    .name = "ponger", .state_size = sizeof(peer_t), .init = peer_init, .receive = ponger};
static const trp_class_t pinger_class = {
    .name = "pinger", .state_size = sizeof(peer_t), .init = peer_init, .receive = pinger};

static void ping_pong(void)
{
    int64_t n = argument("n", 1000000);
    trp_pid_t pong = spawn_peer(&ponger_class, TRP_PID_NONE, 0);
    trp_pid_t ping = spawn_peer(&pinger_class, pong, 0);
    int64_t start = now_ns();
    post(ping, TAG_GO, &n, sizeof(n));
    wait_finished();
    print_rate("ping_pong", n, start, "round_trips/s");
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
    return send_number(ctx, message->from, TAG_TOTAL, peer->total);
}

/* Sends `inc` until it is refused, then sleeps until there is room; or has sent a burst, then gives
 * way. When all are sent, asks for the total. */
static trp_status_t producer(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    peer_t *peer = state;
    if (message->tag == TAG_TOTAL) {
        check(number_of(message) == peer->total, "the total");
        finish();
        return TRP_OK;
    }
    if (message->tag == TAG_GO) {
        peer->left = peer->total = number_of(message);
    }
    trp_status_t status = TRP_OK;
    for (int i = 0; i < BURST && peer->left > 0 && status == TRP_OK; i++) {
        status = send_number(ctx, peer->other, TAG_INC, 1);
        peer->left -= status == TRP_OK;
    }
    if (peer->left == 0 && status == TRP_OK) {
        status = trp_send(ctx, peer->other, TAG_ASK, NULL, 0);
        if (status != TRP_FULL) {
            return status;
        }
    }
    return status == TRP_FULL ? trp_when_room(ctx, peer->other, TAG_ON)
                              : trp_continue(ctx, TAG_ON, NULL, 0);
}

static const trp_class_t counter_class = {
    .name = "counter", .state_size = sizeof(peer_t), .init = peer_init, .receive = counter};
static const trp_class_t producer_class = {
    .name = "producer", .state_size = sizeof(peer_t), .init = peer_init, .receive = producer};

static void counting(void)
{
    int64_t n = argument("n", 10000000);
    trp_pid_t count = spawn_peer(&counter_class, TRP_PID_NONE, (uint32_t)argument("cap", 1024));
    trp_pid_t make = spawn_peer(&producer_class, count, 0);
    int64_t start = now_ns();
    post(make, TAG_GO, &n, sizeof(n));
    wait_finished();
    print_rate("counting", n, start, "msgs/s");
}

int main(int argc, char **argv)
{
    static const benchmark_t all[] = {{"ping_pong", ping_pong}, {"counting", counting}};
    return bench_main(argc, argv, all, sizeof(all) / sizeof(all[0]));
}
