/* SPDX-License-Identifier: MIT */
/* Many actors of one process. The work and the rules are those of the peers' programs
 * (peers/README.md). Whoever sends many messages gives way after a burst; mailboxes are bounded
 * [cap], and who is refused sleeps until there is room and goes on there: nothing is dropped. */
#include "tests/bench/bench.h"

#define BURST     256
#define FAN_BURST 1024 /* over 60 receivers: some messages for each */

enum { TAG_NEXT = TAG_GO + 1, TAG_TOKEN, TAG_WORK, TAG_PING, TAG_PONG };

/* Goes on by TAG_GO: when `to` has room again, or, not refused, when others had their turn. */
static trp_status_t go_on(trp_ctx_t *ctx, trp_status_t status, trp_pid_t to)
{
    return status == TRP_FULL ? trp_when_room(ctx, to, TAG_GO) : trp_continue(ctx, TAG_GO, NULL, 0);
}

/* ---- thread_ring ---- */

static trp_status_t ring_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    trp_pid_t *next = state;
    if (message->tag == TAG_NEXT) {
        size_t size = 0;
        memcpy(next, trp_message_data(message, &size), sizeof(*next));
        return TRP_OK;
    }
    int64_t left = number_of(message);
    if (left == 0) {
        finish();
        return TRP_OK;
    }
    return send_number(ctx, *next, TAG_TOKEN, left - 1);
}

static void thread_ring(void)
{
    static const trp_class_t ring = {
        .name = "ring", .state_size = sizeof(trp_pid_t), .receive = ring_receive};
    int64_t n = argument("n", 5000000);
    long count = argument("actors", 503);
    trp_pid_t first = spawn(&ring, NULL, 0);
    trp_pid_t next = first;
    for (long i = 1; i < count; i++) {
        trp_pid_t pid = spawn(&ring, NULL, 0);
        post(pid, TAG_NEXT, &next, sizeof(next));
        next = pid;
    }
    post(first, TAG_NEXT, &next, sizeof(next));
    int64_t start = now_ns();
    post(first, TAG_TOKEN, &n, sizeof(n));
    wait_finished();
    print_rate("thread_ring", n, start, "hops/s");
}

/* ---- fork_join_create ---- */

static _Atomic int64_t unborn;

static trp_status_t leaf_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    (void)message;
    /* Relaxed: a count; finish releases. */
    if (atomic_fetch_sub_explicit(&unborn, 1, memory_order_relaxed) == 1) {
        finish();
    }
    trp_stop(ctx, NULL);
    return TRP_OK;
}

static trp_status_t parent_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    static const trp_class_t leaf = {.name = "leaf", .receive = leaf_receive};
    (void)state;
    int64_t left = number_of(message);
    for (int i = 0; i < BURST && left > 0; i++, left--) {
        trp_pid_t pid;
        trp_spawn_t options = {.class = &leaf};
        trp_status_t status = trp_spawn(ctx, &options, &pid);
        if (status != TRP_OK) {
            break; /* all cells are in use: the leaves first */
        }
        check(send_number(ctx, pid, TAG_WORK, left) == TRP_OK, "send to a leaf");
    }
    return left > 0 ? send_number(ctx, trp_self(ctx), TAG_GO, left) : TRP_OK;
}

static void fork_join_create(void)
{
    static const trp_class_t parent = {.name = "parent", .receive = parent_receive};
    int64_t n = argument("n", 1000000);
    atomic_store_explicit(&unborn, n, memory_order_relaxed);
    trp_pid_t pid = spawn(&parent, NULL, 0);
    int64_t start = now_ns();
    post(pid, TAG_GO, &n, sizeof(n));
    wait_finished();
    print_rate("fork_join_create", n, start, "spawns/s");
}

/* ---- fork_join_throughput ---- */

#define RECEIVERS_MAX 1024

typedef struct fan {
    trp_pid_t to[RECEIVERS_MAX];
    int64_t receivers, rounds, round, at;
} fan_t;

static _Atomic int64_t unfinished;

static trp_status_t sink_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    int64_t *got = state;
    if (++*got == number_of(message)) { /* each message says how many there will be */
        if (atomic_fetch_sub_explicit(&unfinished, 1, memory_order_relaxed) == 1) {
            finish();
        }
        trp_stop(ctx, NULL);
    }
    return TRP_OK;
}

static trp_status_t fan_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)ctx;
    size_t size = 0;
    fan_t *const *from = trp_message_data(args, &size);
    memcpy(state, *from, sizeof(fan_t));
    return TRP_OK;
}

static trp_status_t fan_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)message;
    fan_t *fan = state;
    trp_status_t status = TRP_OK;
    for (int i = 0; i < FAN_BURST && fan->round < fan->rounds; i++) {
        status = send_number(ctx, fan->to[fan->at], TAG_WORK, fan->rounds);
        if (status != TRP_OK) {
            break;
        }
        if (++fan->at == fan->receivers) {
            fan->at = 0;
            fan->round++;
        }
    }
    return fan->round < fan->rounds ? go_on(ctx, status, fan->to[fan->at]) : TRP_OK;
}

static trp_pid_t spawn_bounded(const trp_class_t *class, long cap)
{
    trp_pid_t pid;
    trp_spawn_t options = {.class = class, .depth_max = (uint32_t)argument("cap", cap)};
    check(runtime_spawn(runtime, &options, &pid) == TRP_OK, "spawn");
    return pid;
}

static void fork_join_throughput(void)
{
    static const trp_class_t sink = {
        .name = "sink", .state_size = sizeof(int64_t), .receive = sink_receive};
    static const trp_class_t fan = {
        .name = "fan", .state_size = sizeof(fan_t), .init = fan_init, .receive = fan_receive};
    static fan_t plan;
    plan.rounds = argument("n", 100000);
    plan.receivers = argument("actors", 60);
    check(plan.receivers > 0 && plan.receivers <= RECEIVERS_MAX, "the number of receivers");
    atomic_store_explicit(&unfinished, plan.receivers, memory_order_relaxed);
    for (int64_t i = 0; i < plan.receivers; i++) {
        plan.to[i] = spawn_bounded(&sink, 4096);
    }
    fan_t *given = &plan;
    trp_pid_t pid = spawn(&fan, &given, sizeof(given));
    int64_t start = now_ns();
    post(pid, TAG_GO, NULL, 0);
    wait_finished();
    print_rate("fork_join_throughput", plan.rounds * plan.receivers, start, "msgs/s");
}

/* ---- big ---- */

typedef struct big {
    uint32_t random;
    int64_t me, left;
} big_t;

static trp_pid_t *big_pids;
static int64_t big_count;

static trp_status_t big_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)ctx;
    big_t *big = state;
    big->me = number_of(args);
    big->random = (uint32_t)(7919 * big->me + 1);
    big->left = argument("n", 20000);
    return TRP_OK;
}

static trp_status_t big_next(trp_ctx_t *ctx, big_t *big)
{
    if (big->left-- == 0) {
        if (atomic_fetch_sub_explicit(&unfinished, 1, memory_order_relaxed) == 1) {
            finish();
        }
        return TRP_OK;
    }
    big->random = (big->random * 1103515245u + 12345u) & 0x7fffffffu;
    int64_t other = (big->random >> 8) % (big_count - 1);
    other += other >= big->me;
    return send_number(ctx, big_pids[other], TAG_PING, big->me);
}

static trp_status_t big_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    return message->tag == TAG_PING ? send_number(ctx, message->from, TAG_PONG, 0)
                                    : big_next(ctx, state);
}

static void big(void)
{
    static const trp_class_t class = {
        .name = "big", .state_size = sizeof(big_t), .init = big_init, .receive = big_receive};
    int64_t n = argument("n", 20000);
    big_count = argument("actors", 100);
    big_pids = calloc((size_t)big_count, sizeof(*big_pids));
    check(big_pids != NULL && big_count > 1, "memory");
    atomic_store_explicit(&unfinished, big_count, memory_order_relaxed);
    for (int64_t i = 0; i < big_count; i++) {
        big_pids[i] = spawn(&class, &i, sizeof(i));
    }
    int64_t start = now_ns();
    for (int64_t i = 0; i < big_count; i++) {
        post(big_pids[i], TAG_GO, NULL, 0);
    }
    wait_finished();
    print_rate("big", 2 * n * big_count, start, "msgs/s");
    free(big_pids);
}

/* ---- mailbox_n_to_1 ---- */

static trp_status_t gather_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)ctx;
    int64_t *left = state;
    if (message->tag == TAG_GO) {
        *left = number_of(message);
    } else if (--*left == 0) {
        finish();
    }
    return TRP_OK;
}

typedef struct sender {
    trp_pid_t to;
    int64_t left;
} sender_state_t;

static trp_status_t sender_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)ctx;
    size_t size = 0;
    memcpy(state, trp_message_data(args, &size), sizeof(sender_state_t));
    return TRP_OK;
}

static trp_status_t sender_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)message;
    sender_state_t *sender = state;
    trp_status_t status = TRP_OK;
    for (int i = 0; i < BURST && sender->left > 0; i++) {
        status = send_number(ctx, sender->to, TAG_WORK, 1);
        if (status != TRP_OK) {
            break;
        }
        sender->left--;
    }
    return sender->left > 0 ? go_on(ctx, status, sender->to) : TRP_OK;
}

static void mailbox_n_to_1(void)
{
    static const trp_class_t gather = {
        .name = "gather", .state_size = sizeof(int64_t), .receive = gather_receive};
    static const trp_class_t sender = {.name = "sender",
                                       .state_size = sizeof(sender_state_t),
                                       .init = sender_init,
                                       .receive = sender_receive};
    enum { SENDERS_MAX = 4096 };
    static trp_pid_t pids[SENDERS_MAX];
    int64_t n = argument("n", 100000);
    int64_t count = argument("actors", 100);
    check(count > 0 && count <= SENDERS_MAX, "the number of senders");
    int64_t total = n * count;
    sender_state_t plan = {.to = spawn_bounded(&gather, 1024), .left = n};
    post(plan.to, TAG_GO, &total, sizeof(total));
    for (int64_t i = 0; i < count; i++) {
        pids[i] = spawn(&sender, &plan, sizeof(plan));
    }
    int64_t start = now_ns();
    for (int64_t i = 0; i < count; i++) {
        post(pids[i], TAG_GO, NULL, 0);
    }
    wait_finished();
    print_rate("mailbox_n_to_1", total, start, "msgs/s");
}

/* ---- idle_memory ---- */

static trp_status_t idle_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)ctx;
    (void)args;
    *(int64_t *)state = 1;
    if (atomic_fetch_sub_explicit(&unborn, 1, memory_order_relaxed) == 1) {
        finish();
    }
    return TRP_OK;
}

static trp_status_t idle_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)ctx;
    (void)state;
    (void)message;
    return TRP_OK;
}

static int64_t resident_bytes(void)
{
    char line[256];
    int64_t kib = 0;
    FILE *file = fopen("/proc/self/status", "re");
    check(file != NULL, "/proc/self/status");
    while (fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, "VmRSS:", 6) == 0) {
            kib = strtol(line + 6, NULL, 10);
        }
    }
    fclose(file);
    return kib * 1024;
}

static void idle_memory(void)
{
    static const trp_class_t idle = {
        .name = "idle", .state_size = sizeof(int64_t), .init = idle_init, .receive = idle_receive};
    int64_t n = argument("n", 1000000);
    trp_pid_t *pids = calloc((size_t)n, sizeof(*pids));
    check(pids != NULL, "memory");
    memset(pids, 1, (size_t)n * sizeof(*pids)); /* the array itself is not counted */
    atomic_store_explicit(&unborn, n, memory_order_relaxed);
    int64_t before = resident_bytes();
    for (int64_t i = 0; i < n; i++) {
        pids[i] = spawn(&idle, NULL, 0);
    }
    wait_finished();
    printf("idle_memory %.1f bytes/actor\n", (double)(resident_bytes() - before) / (double)n);
    free(pids);
}

/* ---- request_latency ---- */

#define WARM_UP 1000

typedef struct caller {
    trp_pid_t server;
    int64_t left, start_ns;
    uint64_t request_id;
} caller_t;

static int64_t *latencies;
static int64_t latency_count, latency_max;

static trp_status_t server_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    int64_t number = number_of(message);
    return trp_reply(ctx, message, TAG_PONG, &number, sizeof(number));
}

static trp_status_t caller_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)ctx;
    size_t size = 0;
    caller_t *caller = state;
    memcpy(&caller->server, trp_message_data(args, &size), sizeof(caller->server));
    caller->left = latency_max + WARM_UP;
    return TRP_OK;
}

static trp_status_t caller_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    caller_t *caller = state;
    if (message->tag == TAG_PONG) {
        int64_t took = now_ns() - caller->start_ns;
        check(message->request_id == caller->request_id, "the reply's number");
        if (caller->left < latency_max) {
            latencies[latency_count++] = took;
        }
        if (caller->left == 0) {
            finish();
            return TRP_OK;
        }
    }
    caller->left--;
    caller->start_ns = now_ns();
    trp_request_t request = {
        .to = caller->server, .tag = TAG_PING, .data = &caller->left, .size = sizeof(caller->left)};
    return trp_request(ctx, &request, &caller->request_id);
}

static void request_latency(void)
{
    static const trp_class_t server = {.name = "server", .receive = server_receive};
    static const trp_class_t caller = {.name = "caller",
                                       .state_size = sizeof(caller_t),
                                       .init = caller_init,
                                       .receive = caller_receive};
    /* mode=apart: each held to a thread of its own */
    bool apart = is_argument("mode", "apart");
    latency_max = argument("n", apart ? 50000 : 200000);
    latencies = calloc((size_t)latency_max + 1, sizeof(*latencies));
    check(latencies != NULL, "memory");
    trp_pid_t to = spawn_on(apart ? 1 : 0, &server, NULL, 0);
    trp_pid_t from = spawn_on(apart ? 2 : 0, &caller, &to, sizeof(to));
    post(from, TAG_GO, NULL, 0);
    wait_finished();
    print_latencies("request_latency", latencies, latency_count);
    free(latencies);
}

int main(int argc, char **argv)
{
    static const benchmark_t all[] = {
        {"thread_ring", thread_ring},
        {"fork_join_create", fork_join_create},
        {"big", big},
        {"fork_join_throughput", fork_join_throughput},
        {"idle_memory", idle_memory},
        {"mailbox_n_to_1", mailbox_n_to_1},
        {"request_latency", request_latency},
    };
    return bench_main(argc, argv, all, sizeof(all) / sizeof(all[0]));
}
