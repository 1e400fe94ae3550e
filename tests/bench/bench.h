/* SPDX-License-Identifier: MIT */
/* What the local benchmarks share: a runtime, and a way to say that all is done. Each program is:
 * NAME [threads=N] [n=N] [key=value]... */
#ifndef TRP_TESTS_BENCH_BENCH_H
#define TRP_TESTS_BENCH_BENCH_H

#include "runtime/core/runtime.h"
#include "tests/bench/measure.h"

#define TAG_GO TRP_TAG_USER /* the first message of who begins [int64_t or nothing] */

typedef struct benchmark {
    const char *name;
    void (*run)(void);
} benchmark_t;

static trp_runtime_t *runtime;
static host_word_t finished; /* 1 when the last effect was observed */
/** Called by the actor that observes the last effect. */
static inline void finish(void)
{
    atomic_store_explicit(&finished, 1, memory_order_release);
    host_os.wake(host_os.user, &finished);
}

static inline void wait_finished(void)
{
    while (atomic_load_explicit(&finished, memory_order_acquire) == 0) {
        host_os.sleep(host_os.user, &finished, 0, HOST_FOREVER);
    }
}

static inline void print_rate(const char *name, int64_t count, int64_t start_ns, const char *unit)
{
    printf("%s %.1f %s\n", name, (double)count * 1e9 / (double)(now_ns() - start_ns), unit);
}

static inline int64_t number_of(const trp_envelope_t *message)
{
    size_t size = 0;
    int64_t number = 0;
    const void *data = trp_message_data(message, &size);
    memcpy(&number, data, size < sizeof(number) ? size : sizeof(number));
    return number;
}

static inline trp_status_t send_number(trp_ctx_t *ctx, trp_pid_t to, uint16_t tag, int64_t number)
{
    return trp_send(ctx, to, tag, &number, sizeof(number));
}

/** From the main thread. */
static inline void post(trp_pid_t to, uint16_t tag, const void *data, size_t size)
{
    trp_envelope_t *envelope = envelope_alloc();
    check(envelope != NULL, "memory");
    envelope->to = to;
    envelope->tag = tag;
    check(envelope_set(envelope, data, size) == TRP_OK, "memory");
    check(runtime_send(runtime, envelope) == TRP_OK, "send");
}

/** `thread`: held to that one, from 1 on; 0: any. */
static inline trp_pid_t spawn_on(uint32_t thread, const trp_class_t *class, const void *args,
                                 size_t size)
{
    trp_pid_t pid;
    trp_spawn_t options = {
        .class = class, .thread = thread, .args_tag = TAG_GO, .args = args, .args_size = size};
    check(runtime_spawn(runtime, &options, &pid) == TRP_OK, "spawn");
    return pid;
}

static inline trp_pid_t spawn(const trp_class_t *class, const void *args, size_t size)
{
    return spawn_on(0, class, args, size);
}

/** Makes the runtime and runs the benchmark that is asked for. Returns the exit status. */
static inline int bench_main(int argc, char **argv, const benchmark_t *all, size_t count)
{
    argument_count = argc;
    arguments = argv;
    for (size_t i = 0; argc > 1 && i < count; i++) {
        if (strcmp(argv[1], all[i].name) == 0) {
            runtime_options_t options = {.node = 1 << 16,
                                         .incarnation = 1,
                                         .threads = (uint32_t)argument("threads", 1),
                                         .cells_max = (uint32_t)argument("cells", 0)};
            check(runtime_create(&options, &runtime) == TRP_OK, "create");
            check(runtime_start(runtime) == TRP_OK, "start");
            all[i].run();
            runtime_destroy(&runtime);
            return 0;
        }
    }
    fprintf(stderr, "usage: %s NAME [threads=N] [n=N]; NAME is one of", argv[0]);
    for (size_t i = 0; i < count; i++) {
        fprintf(stderr, " %s", all[i].name);
    }
    fprintf(stderr, "\n");
    return 2;
}

#endif
