/* SPDX-License-Identifier: MIT */
/* From the crash of a worker process to its replacement being ready: restart process_restart
 * [n=300]. A driver actor on the node's edge thread kills its worker (SIGKILL), hears of its end,
 * starts another at once, as a supervisor's first restart of a streak does, and hears that it is
 * ready. Prints "name value unit": the whole, and the part until the death was seen. */
#include <signal.h>

#include "tests/bench/node_bench.h"

#define TAG_PID 0x1000
#define WARM    20

static long rounds = 300;

/* ---- the actors ---- */

static trp_status_t victim_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    const pid_t os_pid = getpid();
    (void)state;
    return trp_reply(ctx, message, TAG_PID, &os_pid, sizeof(os_pid));
}

static const trp_class_t victim_class = {.name = "victim", .version = 1, .receive = victim_receive};
static const trp_class_t *const worker_classes[] = {&victim_class, NULL};

typedef struct driver {
    trp_pid_t victim;
    uint64_t ref;
    int64_t killed_ns, seen_ns;
    int64_t *ready, *seen;
    long round;
} driver_t;

static trp_status_t start_victim(trp_ctx_t *ctx, driver_t *driver)
{
    const trp_spawn_t spawn = {.class = &victim_class,
                               .place = TRP_PLACE_PROCESS,
                               .monitor = true,
                               .monitor_ref = &driver->ref,
                               .ack = true};
    return trp_spawn(ctx, &spawn, &driver->victim);
}

static trp_status_t driver_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    driver_t *driver = state;
    (void)args;
    driver->ready = calloc((size_t)rounds, sizeof(*driver->ready));
    driver->seen = calloc((size_t)rounds, sizeof(*driver->seen));
    driver->round = -WARM;
    return driver->ready == NULL || driver->seen == NULL ? TRP_NO_MEMORY
                                                         : start_victim(ctx, driver);
}

/* The replacement is ready: notes the time, and asks it for its number, to kill it. */
static trp_status_t on_ready(trp_ctx_t *ctx, driver_t *driver)
{
    uint64_t id;
    const trp_request_t ask = {.to = driver->victim, .tag = TAG_PID};
    if (driver->killed_ns != 0) {
        if (driver->round >= 0) {
            driver->ready[driver->round] = now_ns() - driver->killed_ns;
            driver->seen[driver->round] = driver->seen_ns - driver->killed_ns;
        }
        driver->round++;
    }
    if (driver->round == rounds) {
        print_quantiles("process_restart.ready", driver->ready, rounds);
        print_quantiles("process_restart.seen", driver->seen, rounds);
        node_end(runtime_of(ctx), 0);
        return TRP_OK;
    }
    return trp_request(ctx, &ask, &id);
}

static trp_status_t driver_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    driver_t *driver = state;
    pid_t os_pid = 0;
    size_t size = 0;
    const void *data = trp_message_data(message, &size);
    switch (message->tag) {
    case TRP_TAG_STARTED:
        return on_ready(ctx, driver);
    case TAG_PID:
        memcpy(&os_pid, data, sizeof(os_pid));
        driver->killed_ns = now_ns();
        return kill(os_pid, SIGKILL) == 0 ? TRP_OK : TRP_SYSTEM;
    case TRP_TAG_DOWN:
        driver->seen_ns = now_ns();
        return start_victim(ctx, driver);
    default:
        return TRP_INVALID;
    }
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
    rounds = argument("n", rounds);
    if (rounds < 1) {
        fprintf(stderr, "usage: %s process_restart [n=N]\n", argv[0]);
        return 2;
    }
    return node_bench_run(&bench);
}
