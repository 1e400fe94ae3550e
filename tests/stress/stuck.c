/* SPDX-License-Identifier: MIT */
/* A handler that does not return before another actor has run, which waits behind it: in the LIFO
 * slot, then in the queue; a timer that was set on the same worker; then two that wait for each
 * other as well, so that each worker has one. And a runtime that has nothing to do uses no
 * processor time.
 *     stuck [idle_ms=1000] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "runtime/core/runtime.h"

#ifdef __SANITIZE_THREAD__
#define IS_TSAN true /* its own thread takes some, and each wake costs ten times as much */
#else
#define IS_TSAN false
#endif

enum { TAG_GO = 0x1000, TAG_RUN, TAG_TICK };

#define LIMIT_S 60

static trp_runtime_t *runtime;
static atomic_int runs, met, ticks;
static host_word_t done;

static trp_status_t waiting_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)ctx;
    (void)state;
    (void)message;
    atomic_fetch_add_explicit(&runs, 1, memory_order_release);
    return TRP_OK;
}

static const trp_class_t waiting_class = {.name = "waiting", .receive = waiting_receive};

/* Spins until the other of the pair has come as well. */
static trp_status_t meeting_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)ctx;
    (void)state;
    (void)message;
    atomic_fetch_add_explicit(&met, 1, memory_order_acq_rel);
    while (atomic_load_explicit(&met, memory_order_acquire) < 2) {
    }
    return TRP_OK;
}

static const trp_class_t meeting_class = {.name = "meeting", .receive = meeting_receive};

static trp_status_t start_meeting(trp_ctx_t *ctx)
{
    trp_spawn_t spawn = {.class = &meeting_class};
    trp_status_t status = TRP_OK;
    for (int i = 0; i < 2 && status == TRP_OK; i++) {
        trp_pid_t pid;
        status = trp_spawn(ctx, &spawn, &pid);
        if (status == TRP_OK) {
            status = trp_send(ctx, pid, TAG_RUN, NULL, 0);
        }
    }
    return status;
}

/* Sets a timer and has the stuck one run behind it, on the same worker. */
static trp_status_t ticking_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)state;
    size_t size = 0;
    uint64_t timer = 0;
    trp_pid_t stuck;
    memcpy(&stuck, trp_message_data(args, &size), sizeof(stuck));
    trp_status_t status = trp_timer_start(ctx, 20, 0, TAG_TICK, &timer);
    return status == TRP_OK ? trp_send(ctx, stuck, TAG_GO, NULL, 0) : status;
}

static trp_status_t ticking_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)ctx;
    (void)state;
    (void)message;
    atomic_fetch_add_explicit(&ticks, 1, memory_order_release);
    return TRP_OK;
}

static const trp_class_t ticking_class = {
    .name = "ticking", .init = ticking_init, .receive = ticking_receive};

/* Wakes one actor, then two, and spins each time until they have run elsewhere. */
static trp_status_t stuck_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    (void)message;
    trp_spawn_t spawn = {.class = &waiting_class};
    trp_pid_t pids[3];
    int wanted = 0;
    for (int round = 1; round <= 2; round++) {
        for (int i = 0; i < round; i++) {
            trp_status_t status = trp_spawn(ctx, &spawn, &pids[i]);
            if (status != TRP_OK) {
                return status;
            }
            status = trp_send(ctx, pids[i], TAG_RUN, NULL, 0);
            if (status != TRP_OK) {
                return status;
            }
        }
        wanted += round;
        while (atomic_load_explicit(&runs, memory_order_acquire) < wanted) {
        }
    }
    while (atomic_load_explicit(&ticks, memory_order_acquire) == 0) {
    }
    trp_status_t status = start_meeting(ctx);
    if (status != TRP_OK) {
        return status;
    }
    while (atomic_load_explicit(&met, memory_order_acquire) < 2) {
    }
    atomic_store_explicit(&done, 1, memory_order_release);
    host_os.wake(host_os.user, &done);
    return TRP_OK;
}

static const trp_class_t stuck_class = {.name = "stuck", .receive = stuck_receive};

static int64_t cpu_us(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000LL + usage.ru_utime.tv_usec +
           usage.ru_stime.tv_usec;
}

static void wait_until(int64_t until_ns)
{
    host_word_t never = 0;
    while (host_os.now_ns(host_os.user) < until_ns) {
        host_os.sleep(host_os.user, &never, 0, until_ns);
    }
}

int main(int argc, char **argv)
{
    long idle_ms = 1000;
    if (argc > 1 && strncmp(argv[1], "idle_ms=", 8) == 0) {
        idle_ms = strtol(argv[1] + 8, NULL, 10);
    }
    alarm(LIMIT_S);
    runtime_options_t options = {.node = 1 << 16, .incarnation = 1, .threads = 3};
    trp_spawn_t spawn = {.class = &stuck_class};
    trp_pid_t stuck;
    trp_pid_t ticking;
    trp_spawn_t timed = {.class = &ticking_class, .args = &stuck, .args_size = sizeof(stuck)};
    if (runtime_create(&options, &runtime) != TRP_OK || runtime_start(runtime) != TRP_OK ||
        runtime_spawn(runtime, &spawn, &stuck) != TRP_OK ||
        runtime_spawn(runtime, &timed, &ticking) != TRP_OK) {
        fprintf(stderr, "stuck: start failed\n");
        return 1;
    }
    while (atomic_load_explicit(&done, memory_order_acquire) == 0) {
        host_os.sleep(host_os.user, &done, 0, HOST_FOREVER);
    }
    printf("stuck: what waited behind the handler ran elsewhere\n");

    wait_until(host_os.now_ns(host_os.user) + 100000000); /* the sentinel steps down */
    int64_t before_us = cpu_us();
    wait_until(host_os.now_ns(host_os.user) + idle_ms * 1000000);
    int64_t used_us = cpu_us() - before_us;
    printf("stuck: idle for %ld ms, used %ld us\n", idle_ms, (long)used_us);
    runtime_destroy(&runtime);
    return used_us <= idle_ms * (IS_TSAN ? 10 : 1) ? 0 : 1; /* one in a thousand */
}
