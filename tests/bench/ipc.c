/* SPDX-License-Identifier: MIT */
/* Round trips between an actor on the node's edge thread and an echo actor in a worker process:
 * ipc ipc [size=64] [window=1] [n=20000] [threads=N]. Prints "name value unit". The work is that of
 * the peers' programs (peers/README.md): the first 8 bytes are the time sent; 1000 unmeasured ones
 * before; `window` requests are under way at any time. Each is a whole request of an actor: with a
 * correlation, a time limit and an end when the other actor dies. What typed messages cost beside
 * bytes show form=struct and form=plain: a plain message each way with a sample of four members,
 * packed by its schema and read by it, or as it is in memory. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "runtime/node/node.h"
#include "runtime/typed.h"

#define TAG_ECHO       0x1000
#define TAG_PLAIN      0x1001
#define TAG_SAMPLE     0x1002
#define WARM           1000
#define SIZE_MAX_BYTES (1 << 20)

#define SAMPLE_FIELDS(F)                            \
    F(INT, sent_ns, _, 0, 9e18, "when it was sent") \
    F(INT, number, _, 0, 1000000000, "counts up")   \
    F(REAL, celsius, _, -300, 3000, "what it says") \
    F(ENUM, state, "off|idle|busy", 0, 0, "of it")

TRP_SCHEMA_DECLARE(sample, SAMPLE_FIELDS)
TRP_SCHEMA_DEFINE(sample, TAG_SAMPLE, TRP_SCHEMA_FIXED, SAMPLE_FIELDS, "a sample")

static int argument_count;
static char **arguments;

static long argument(const char *key, long fallback)
{
    const size_t size = strlen(key);
    for (int i = 2; i < argument_count; i++) {
        if (strncmp(arguments[i], key, size) == 0 && arguments[i][size] == '=') {
            return strtol(arguments[i] + size + 1, NULL, 10);
        }
    }
    return fallback;
}

static bool has_form(const char *form)
{
    for (int i = 2; i < argument_count; i++) {
        if (strncmp(arguments[i], "form=", 5) == 0) {
            return strcmp(arguments[i] + 5, form) == 0;
        }
    }
    return false;
}

static int64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* ---- the actors ---- */

typedef struct driver {
    trp_pid_t echo;
    long total, sent, received;
    size_t size;
    int64_t started_ns;
    int64_t *latency_ns;
    unsigned char *bytes;
} driver_t;

static trp_status_t echo_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    size_t size = 0;
    const void *data = trp_message_data(message, &size);
    if (message->tag == TAG_SAMPLE) {
        sample_t sample;
        trp_fault_t fault;
        const trp_status_t status = trp_read_as(ctx, message, sample, &sample, &fault);
        return status == TRP_OK ? trp_send_as(ctx, message->from, sample, &sample) : status;
    }
    return message->tag == TAG_PLAIN ? trp_send(ctx, message->from, TAG_PLAIN, data, size)
                                     : trp_reply(ctx, message, TAG_ECHO, data, size);
}

static const trp_class_t echo_class = {.name = "echo", .version = 1, .receive = echo_receive};
static const trp_class_t *const worker_classes[] = {&echo_class, NULL};

static trp_status_t send_one(trp_ctx_t *ctx, driver_t *driver, int64_t now)
{
    uint64_t id;
    const trp_request_t request = {
        .to = driver->echo, .tag = TAG_ECHO, .data = driver->bytes, .size = driver->size};
    const sample_t sample = {.sent_ns = now, .number = driver->sent, .celsius = 21.5, .state = 1};
    memcpy(driver->bytes, &now, sizeof(now));
    driver->sent++;
    if (has_form("struct")) {
        return trp_send_as(ctx, driver->echo, sample, &sample);
    }
    if (has_form("plain")) {
        return trp_send(ctx, driver->echo, TAG_PLAIN, &sample, sizeof(sample));
    }
    return trp_request(ctx, &request, &id);
}

static int compare(const void *left, const void *right)
{
    const int64_t a = *(const int64_t *)left;
    const int64_t b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static void report(driver_t *driver, int64_t now)
{
    const size_t n = (size_t)(driver->total - WARM);
    qsort(driver->latency_ns, n, sizeof(*driver->latency_ns), compare);
    printf("ipc %.1f round_trips/s\n", (double)n * 1e9 / (double)(now - driver->started_ns));
    printf("ipc.p50 %lld ns\n", (long long)driver->latency_ns[n / 2]);
    printf("ipc.p99 %lld ns\n", (long long)driver->latency_ns[n * 99 / 100]);
    printf("ipc.p99.9 %lld ns\n", (long long)driver->latency_ns[n * 999 / 1000]);
}

static trp_status_t driver_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)args;
    driver_t *driver = state;
    driver->total = argument("n", 20000) + WARM;
    driver->size = (size_t)argument("size", 64);
    driver->latency_ns = calloc((size_t)driver->total, sizeof(*driver->latency_ns));
    driver->bytes = calloc(1, SIZE_MAX_BYTES);
    if (driver->size < sizeof(int64_t) || driver->size > SIZE_MAX_BYTES ||
        driver->latency_ns == NULL || driver->bytes == NULL) {
        return TRP_INVALID;
    }
    const trp_spawn_t spawn = {
        .class = &echo_class, .place = TRP_PLACE_PROCESS, .link = true, .ack = true};
    return trp_spawn(ctx, &spawn, &driver->echo);
}

static bool is_echo(const trp_ctx_t *ctx, const driver_t *driver, const trp_envelope_t *message,
                    int64_t *sent_ns)
{
    size_t size = 0;
    const void *data = trp_message_data(message, &size);
    if (message->tag == TAG_SAMPLE) {
        sample_t sample;
        trp_fault_t fault;
        const trp_status_t status = trp_read_as(ctx, message, sample, &sample, &fault);
        *sent_ns = sample.sent_ns;
        return status == TRP_OK;
    }
    memcpy(sent_ns, data, size < sizeof(*sent_ns) ? size : sizeof(*sent_ns));
    return message->tag == TAG_PLAIN ? size == sizeof(sample_t)
                                     : message->tag == TAG_ECHO && size == driver->size;
}

static trp_status_t driver_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    driver_t *driver = state;
    const int64_t now = now_ns();
    if (message->tag == TRP_TAG_STARTED) {
        for (long i = argument("window", 1); i > 0; i--) {
            const trp_status_t status = send_one(ctx, driver, now);
            if (status != TRP_OK) {
                return status;
            }
        }
        return TRP_OK;
    }
    int64_t sent_ns;
    if (!is_echo(ctx, driver, message, &sent_ns)) {
        return TRP_PAYLOAD;
    }
    if (driver->received == WARM) {
        driver->started_ns = now;
    }
    if (driver->received >= WARM) {
        driver->latency_ns[driver->received - WARM] = now - sent_ns;
    }
    if (++driver->received == driver->total) {
        report(driver, now);
        node_end(runtime_of(ctx), 0);
        return TRP_OK;
    }
    return driver->sent < driver->total ? send_one(ctx, driver, now) : TRP_OK;
}

static void driver_terminate(trp_ctx_t *ctx, void *state, const trp_reason_t *reason)
{
    (void)state;
    char line[TRP_REASON_LINE_MAX];
    fprintf(stderr, "ipc: the driver ended: %s\n", trp_reason_format(reason, line));
    node_end(runtime_of(ctx), 1);
}

static const trp_class_t driver_class = {
    .name = "driver",
    .version = 1,
    .state_size = sizeof(driver_t),
    .init = driver_init,
    .receive = driver_receive,
    .terminate = driver_terminate,
    .flags = TRP_CLASS_EDGE,
};

/* ---- the processes ---- */

static trp_status_t start(void *user, trp_runtime_t *runtime)
{
    trp_pid_t pid;
    const trp_spawn_t spawn = {.class = &driver_class};
    (void)user;
    return runtime_spawn(runtime, &spawn, &pid);
}

static void stop(void *user, trp_runtime_t *runtime)
{
    (void)user;
    node_end(runtime, 1);
}

static int node_main(void *user, const guardian_child_t *child)
{
    const node_options_t options = {
        .classes = worker_classes, .threads = 1, .start = start, .stop = stop};
    (void)user;
    return node_run(&options, child);
}

static int worker_main(void *user, const guardian_child_t *child)
{
    (void)user;
    return worker_run(worker_classes, child);
}

int main(int argc, char **argv)
{
    char run_dir[64];
    argument_count = argc;
    arguments = argv;
    snprintf(run_dir, sizeof(run_dir), "/tmp/troupe-bench-%d", (int)getpid());
    const guardian_options_t options = {.name = "bench",
                                        .run_dir = run_dir,
                                        .node = 1u << 16,
                                        .stop_ms = 1000,
                                        .node_main = node_main,
                                        .worker_main = worker_main};
    return guardian_run(&options);
}
