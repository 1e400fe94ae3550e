/* SPDX-License-Identifier: MIT */
/* How long it takes from a crash until the replacement is up: a supervisor, a worker that puts
 * itself under a name and tells the driver, a driver that has it crash (peers/README.md). The log
 * is off, as Erlang's is. */
#include "runtime/log.h"
#include "supervisor/supervisor.h"
#include "tests/bench/bench.h"

enum { TAG_CRASH = TAG_GO + 1, TAG_UP };

static int64_t *latencies;
static int64_t restarts, restarts_max;

/* ---- the worker ---- */

static trp_status_t worker_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    size_t size = 0;
    trp_pid_t driver;
    (void)state;
    memcpy(&driver, trp_message_data(args, &size), sizeof(driver));
    trp_status_t status = trp_register(ctx, "worker");
    return status == TRP_OK ? trp_send(ctx, driver, TAG_UP, NULL, 0) : status;
}

static trp_status_t worker_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)ctx;
    (void)state;
    return message->tag == TAG_CRASH ? TRP_INVALID : TRP_OK;
}

static const trp_class_t worker_class = {
    .name = "worker", .init = worker_init, .receive = worker_receive};

/* ---- the driver: makes the supervisor, then crashes its child again and again ---- */

typedef struct driver {
    trp_pid_t self;
    int64_t start_ns;
    trp_child_spec_t child;
    trp_supervisor_spec_t spec;
} driver_t;

static trp_status_t begin(trp_ctx_t *ctx, driver_t *driver)
{
    driver->self = trp_self(ctx);
    driver->child = (trp_child_spec_t){.id = "worker",
                                       .class = &worker_class,
                                       .args_tag = TAG_GO,
                                       .args = &driver->self,
                                       .args_size = sizeof(driver->self),
                                       .shutdown_ms = 1000};
    driver->spec = (trp_supervisor_spec_t){.name = "supervisor",
                                           .intensity = restarts_max + 1,
                                           .period_s = 3600,
                                           .children = &driver->child,
                                           .child_count = 1};
    trp_supervisor_args_t args = {.spec = &driver->spec, .parent = driver->self};
    trp_spawn_t spawn = {.class = &trp_supervisor_class,
                         .args_tag = TAG_GO,
                         .args = &args,
                         .args_size = sizeof(args)};
    trp_pid_t supervisor;
    return trp_spawn(ctx, &spawn, &supervisor);
}

static trp_status_t driver_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    driver_t *driver = state;
    if (message->tag == TAG_GO) {
        return begin(ctx, driver);
    }
    int64_t now = now_ns();
    if (driver->start_ns != 0) {
        latencies[restarts++] = now - driver->start_ns;
    }
    if (restarts == restarts_max) {
        finish();
        return TRP_OK;
    }
    trp_pid_t worker = trp_whereis(ctx, "worker");
    check(!trp_pid_is_none(worker), "the name of the worker");
    driver->start_ns = now_ns();
    return trp_send(ctx, worker, TAG_CRASH, NULL, 0);
}

static void supervised_restart(void)
{
    static const trp_class_t driver = {
        .name = "driver", .state_size = sizeof(driver_t), .receive = driver_receive};
    log_level_set(LOG_ERROR);
    restarts_max = argument("n", 10000);
    latencies = calloc((size_t)restarts_max, sizeof(*latencies));
    check(latencies != NULL && restarts_max > 0, "memory");
    trp_pid_t pid = spawn(&driver, NULL, 0);
    int64_t start = now_ns();
    post(pid, TAG_GO, NULL, 0);
    wait_finished();
    print_rate("supervised_restart", restarts_max, start, "restarts/s");
    print_latencies("supervised_restart", latencies, restarts_max);
    free(latencies);
}

int main(int argc, char **argv)
{
    static const benchmark_t all[] = {{"supervised_restart", supervised_restart}};
    return bench_main(argc, argv, all, sizeof(all) / sizeof(all[0]));
}
