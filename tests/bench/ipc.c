/* SPDX-License-Identifier: MIT */
/* Round trips between an actor on the node's edge thread and an echo actor in a worker process:
 * ipc ipc [size=64] [window=1] [n=20000] [threads=N]. Prints "name value unit". The work is that of
 * the peers' programs (peers/README.md): the first 8 bytes are the time sent; 1000 unmeasured ones
 * before; `window` requests are under way at any time. Each is a whole request of an actor: with a
 * correlation, a time limit and an end when the other actor dies. What typed messages cost beside
 * bytes show form=struct and form=plain: a plain message each way with a sample of four members,
 * packed by its schema and read by it, or as it is in memory. */
#include "runtime/typed.h"
#include "tests/bench/node_bench.h"

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
    if (is_argument("form", "struct")) {
        return trp_send_as(ctx, driver->echo, sample, &sample);
    }
    if (is_argument("form", "plain")) {
        return trp_send(ctx, driver->echo, TAG_PLAIN, &sample, sizeof(sample));
    }
    return trp_request(ctx, &request, &id);
}

static void report(driver_t *driver, int64_t now)
{
    const int64_t n = driver->total - WARM;
    printf("ipc %.1f round_trips/s\n", (double)n * 1e9 / (double)(now - driver->started_ns));
    print_latencies("ipc", driver->latency_ns, n);
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

static const trp_class_t driver_class = {
    .name = "driver",
    .version = 1,
    .state_size = sizeof(driver_t),
    .init = driver_init,
    .receive = driver_receive,
    .terminate = node_bench_failed,
    .flags = TRP_CLASS_EDGE,
};

int main(int argc, char **argv)
{
    node_bench_t bench = {.driver = &driver_class, .workers = worker_classes};
    argument_count = argc;
    arguments = argv;
    return node_bench_run(&bench);
}
