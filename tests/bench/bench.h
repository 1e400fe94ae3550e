/* SPDX-License-Identifier: MIT */
/* What the local benchmarks share: arguments, a runtime, a way to say that all is done, results as
 * lines "name value unit". Each program is: NAME [threads=N] [n=N] [key=value]... */
#ifndef TRP_TESTS_BENCH_BENCH_H
#define TRP_TESTS_BENCH_BENCH_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/host.h"
#include "runtime/core/runtime.h"

#define TAG_GO TRP_TAG_USER /* the first message of who begins [int64_t or nothing] */

typedef struct benchmark {
    const char *name;
    void (*run)(void);
} benchmark_t;

static trp_runtime_t *runtime;
static host_word_t finished; /* 1 when the last effect was observed */
static int argument_count;
static char **arguments;

static inline long argument(const char *key, long fallback)
{
    size_t size = strlen(key);
    for (int i = 2; i < argument_count; i++) {
        if (strncmp(arguments[i], key, size) == 0 && arguments[i][size] == '=') {
            return strtol(arguments[i] + size + 1, NULL, 10);
        }
    }
    return fallback;
}

static inline bool is_argument(const char *key, const char *value)
{
    size_t size = strlen(key);
    for (int i = 2; i < argument_count; i++) {
        if (strncmp(arguments[i], key, size) == 0 && arguments[i][size] == '=') {
            return strcmp(arguments[i] + size + 1, value) == 0;
        }
    }
    return false;
}

static inline void check(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "benchmark: %s failed\n", what);
        exit(1);
    }
}

static inline int64_t now_ns(void)
{
    return host_os.now_ns(host_os.user);
}

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

static inline int compare_ns(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/** Sorts them. units: nanoseconds */
static inline void print_latencies(const char *name, int64_t *latencies, int64_t count)
{
    static const struct {
        const char *name;
        double part;
    } all[] = {{"p50", 0.50}, {"p99", 0.99}, {"p99.9", 0.999}};
    qsort(latencies, (size_t)count, sizeof(*latencies), compare_ns);
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        int64_t at = (int64_t)(all[i].part * (double)count);
        printf("%s.%s %lld ns\n", name, all[i].name,
               (long long)latencies[at < count ? at : count - 1]);
    }
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
