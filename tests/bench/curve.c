/* SPDX-License-Identifier: MIT */
/* How costs grow, in processor time: with live actors, with queued messages, with pending timers,
 * with names and threads that look them up. ./dev bench curves runs them all and draws. */
#include <time.h>

#include "tests/bench/bench.h"

#define ROUNDS 2000000 /* messages of each point, at least */

enum { TAG_NEXT = TAG_GO + 1, TAG_WORK, TAG_END };

/* Of all threads: what else the machine does counts less than by the clock. */
static int64_t processor_ns(void)
{
    struct timespec used;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return used.tv_sec * 1000000000LL + used.tv_nsec;
}

static void print_cost(const char *name, int64_t start_ns, int64_t count)
{
    printf("%s %.1f ns\n", name, (double)(processor_ns() - start_ns) / (double)count);
}

/* ---- actors: n live ones; a token goes round `ring` of them ---- */

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
    return send_number(ctx, *next, TAG_WORK, left - 1);
}

static void actors(void)
{
    static const trp_class_t ring = {
        .name = "ring", .state_size = sizeof(trp_pid_t), .receive = ring_receive};
    int64_t n = argument("n", 1000);
    int64_t count = argument("ring", 10);
    int64_t hops = ROUNDS;
    trp_pid_t first = spawn(&ring, NULL, 0);
    trp_pid_t next = first;
    for (int64_t i = 1; i < n; i++) {
        trp_pid_t pid = spawn(&ring, NULL, 0);
        if (i < count) {
            post(pid, TAG_NEXT, &next, sizeof(next));
            next = pid;
        }
    }
    post(first, TAG_NEXT, &next, sizeof(next));
    int64_t start = processor_ns();
    post(first, TAG_WORK, &hops, sizeof(hops));
    wait_finished();
    print_cost("actors", start, hops);
}

/* ---- queue: n messages are queued before the first of them is handled ---- */

static trp_pid_t sink_pid;
static int64_t queue_count, queue_rounds;

static trp_status_t sink_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    return message->tag == TAG_END ? trp_send(ctx, message->from, TAG_GO, NULL, 0) : TRP_OK;
}

/* All that it sends in one callback is queued when the sink runs: there is one thread. */
static trp_status_t source_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    (void)message;
    if (queue_rounds-- == 0) {
        finish();
        return TRP_OK;
    }
    for (int64_t i = 1; i < queue_count; i++) {
        check(send_number(ctx, sink_pid, TAG_WORK, i) == TRP_OK, "send");
    }
    return send_number(ctx, sink_pid, TAG_END, 0);
}

static void queue(void)
{
    static const trp_class_t sink = {.name = "sink", .receive = sink_receive};
    static const trp_class_t source = {.name = "source", .receive = source_receive};
    queue_count = argument("n", 1000);
    int64_t rounds = ROUNDS / queue_count;
    queue_rounds = rounds;
    trp_spawn_t options = {.class = &sink, .depth_max = 1u << 21, .size_max = 1u << 30};
    check(runtime_spawn(runtime, &options, &sink_pid) == TRP_OK, "spawn");
    trp_pid_t pid = spawn(&source, NULL, 0);
    int64_t start = processor_ns();
    post(pid, TAG_GO, NULL, 0);
    wait_finished();
    print_cost("queue", start, rounds * queue_count);
}

/* ---- timers: set and cancelled while n are pending ---- */

static trp_status_t timer_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    (void)message;
    int64_t n = argument("n", 1000000);
    uint64_t timer = 0;
    for (int64_t i = 0; i < n; i++) {
        check(trp_timer_start(ctx, 3600000 + i % 100000, 0, TAG_WORK, &timer) == TRP_OK, "timer");
    }
    int64_t start = processor_ns();
    for (int64_t i = 0; i < ROUNDS; i++) {
        check(trp_timer_start(ctx, 1000 + i % 5000, 0, TAG_WORK, &timer) == TRP_OK, "timer");
        trp_timer_cancel(ctx, timer);
    }
    print_cost("timers", start, ROUNDS);
    finish();
    return TRP_OK;
}

static void timers(void)
{
    static const trp_class_t class = {.name = "timers", .receive = timer_receive};
    post(spawn(&class, NULL, 0), TAG_GO, NULL, 0);
    wait_finished();
}

/* ---- names: looked up by `threads` actors, each held to a thread, while n are registered ---- */

static _Atomic int64_t looking;

static trp_status_t named_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)ctx;
    (void)state;
    (void)message;
    return TRP_OK;
}

static trp_status_t looker_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    int64_t n = argument("n", 1000);
    char name[TRP_NAME_MAX];
    (void)state;
    (void)message;
    for (int64_t i = 0; i < ROUNDS; i += 1000) {
        snprintf(name, sizeof(name), "name.%lld", (long long)(i / 1000 % n));
        for (int k = 0; k < 1000; k++) {
            check(!trp_pid_is_none(trp_whereis(ctx, name)), "a name");
        }
    }
    if (atomic_fetch_sub_explicit(&looking, 1, memory_order_relaxed) == 1) {
        finish();
    }
    return TRP_OK;
}

static void names(void)
{
    static const trp_class_t named = {.name = "named", .receive = named_receive};
    static const trp_class_t looker = {.name = "looker", .receive = looker_receive};
    int64_t n = argument("n", 1000);
    uint32_t threads = (uint32_t)argument("threads", 1);
    for (int64_t i = 0; i < n; i++) {
        char name[TRP_NAME_MAX];
        trp_pid_t pid;
        snprintf(name, sizeof(name), "name.%lld", (long long)i);
        trp_spawn_t options = {.class = &named, .name = name};
        check(runtime_spawn(runtime, &options, &pid) == TRP_OK, "spawn");
    }
    atomic_store_explicit(&looking, threads, memory_order_relaxed);
    trp_pid_t pids[64];
    for (uint32_t i = 0; i < threads && i < 64; i++) {
        pids[i] = spawn_on(i + 1, &looker, NULL, 0);
    }
    int64_t start = processor_ns();
    for (uint32_t i = 0; i < threads && i < 64; i++) {
        post(pids[i], TAG_GO, NULL, 0);
    }
    wait_finished();
    print_cost("names", start, (int64_t)ROUNDS * threads);
}

/* ---- idle: processor time of a second in which n actors wait ---- */

static void idle(void)
{
    static const trp_class_t class = {.name = "idle", .receive = looker_receive};
    static host_word_t never;
    int64_t n = argument("n", 1000000);
    for (int64_t i = 0; i < n; i++) {
        (void)spawn(&class, NULL, 0);
    }
    int64_t second = 1000000000;
    int64_t at = now_ns();
    host_os.sleep(host_os.user, &never, 0, at + second); /* they start */
    int64_t used = processor_ns();
    at = now_ns();
    host_os.sleep(host_os.user, &never, 0, at + second);
    printf("idle %.1f us\n", (double)(processor_ns() - used) / 1000.0);
}

int main(int argc, char **argv)
{
    static const benchmark_t all[] = {
        {"actors", actors}, {"queue", queue}, {"timers", timers}, {"names", names}, {"idle", idle}};
    return bench_main(argc, argv, all, sizeof(all) / sizeof(all[0]));
}
