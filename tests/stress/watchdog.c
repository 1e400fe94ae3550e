/* SPDX-License-Identifier: MIT */
/* Handlers that do not return, killed or not, on two threads: spares come and go, actors are
 * written off while their handlers go on and call, and while others send to them and watch them. In
 * the end each watcher has heard of each end, and the ledger adds up.
 *     watchdog [rounds=12] */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/core/runtime.h"
#include "runtime/log.h"

enum { TAG_STICK = 0x1000, TAG_BEGAN, TAG_NEXT, TAG_NOISE };

#define LIMIT_S  120
#define VICTIMS  3 /* at a time; fewer than there are spares */
#define THREADS  2
#define STUCK_MS 8
#define NOISE    20

static trp_runtime_t *runtime;
static long rounds = 12;
static host_word_t done;

static void fail(const char *what)
{
    fprintf(stderr, "watchdog: %s\n", what);
    exit(1);
}

static void must(trp_status_t status, const char *what)
{
    if (status != TRP_OK) {
        fail(what);
    }
}

/* Calls whatever there is until the runtime says that it is gone, or for as long as it was told. */
static trp_status_t stick(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    if (message->tag != TAG_STICK) {
        return TRP_OK;
    }
    size_t size = 0;
    int64_t limit_ms = 0;
    memcpy(&limit_ms, trp_message_data(message, &size), sizeof(limit_ms));
    must(trp_send(ctx, message->from, TAG_BEGAN, NULL, 0), "begin");
    const int64_t until_ns = trp_now_ns(ctx) + limit_ms * 1000000LL;
    while (trp_now_ns(ctx) < until_ns) {
        uint64_t ref = 0;
        (void)poll(NULL, 0, 4);
        trp_status_t status = trp_timer_start(ctx, 1000, 0, TAG_NOISE, &ref);
        if (status == TRP_OK) {
            status = trp_monitor(ctx, message->from, &ref);
        }
        if (status == TRP_OK) {
            trp_demonitor(ctx, ref);
        }
        if (status == TRP_GONE) {
            return TRP_OK;
        }
    }
    return TRP_OK;
}

static const trp_class_t sticking_class = {.name = "sticking", .state_size = 64, .receive = stick};

typedef struct driver {
    trp_pid_t victims[VICTIMS];
    uint64_t refs[VICTIMS];
    long round;
    int began, down, written_off;
} driver_t;

/* Victims that stick; the last one is not killed, and returns by itself. */
static trp_status_t begin_round(trp_ctx_t *ctx, driver_t *driver)
{
    const trp_spawn_t spawn = {.class = &sticking_class};
    driver->began = driver->down = 0;
    for (int i = 0; i < VICTIMS; i++) {
        must(trp_spawn(ctx, &spawn, &driver->victims[i]), "spawn");
        must(trp_monitor(ctx, driver->victims[i], &driver->refs[i]), "monitor");
        const int64_t limit_ms = i + 1 < VICTIMS ? LIMIT_S * 1000 : STUCK_MS * 6;
        must(trp_send(ctx, driver->victims[i], TAG_STICK, &limit_ms, sizeof(limit_ms)), "send");
    }
    return TRP_OK;
}

static void kill_victims(trp_ctx_t *ctx, const driver_t *driver)
{
    const trp_reason_t killed = trp_reason(TRP_REASON_KILLED, 0, NULL);
    const trp_reason_t asked = trp_reason(TRP_REASON_SHUTDOWN, 0, NULL);
    for (int i = 0; i < VICTIMS; i++) {
        for (int n = 0; n < NOISE; n++) {
            must(trp_send(ctx, driver->victims[i], TAG_NOISE, NULL, 0), "noise");
        }
        trp_exit(ctx, driver->victims[i], i + 1 < VICTIMS ? &killed : &asked);
    }
}

static trp_status_t drive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    driver_t *driver = state;
    if (message->tag == TAG_BEGAN) {
        uint64_t timer = 0; /* on the wheel of a worker that may be stuck by then */
        return ++driver->began < VICTIMS ? TRP_OK
                                         : trp_timer_start(ctx, STUCK_MS, 0, TAG_NEXT, &timer);
    }
    if (message->tag == TAG_NEXT) {
        kill_victims(ctx, driver);
        return TRP_OK;
    }
    if (message->tag != TRP_TAG_DOWN) {
        fail("what is this?");
    }
    size_t size = 0;
    trp_reason_t reason;
    must(trp_reason_read(trp_message_data(message, &size), sizeof(reason), &reason), "reason");
    driver->written_off += reason.kind == TRP_REASON_KILLED && strcmp(reason.text, "stuck") == 0;
    if (++driver->down < VICTIMS) {
        return TRP_OK;
    }
    if (++driver->round < rounds) {
        return begin_round(ctx, driver);
    }
    printf("watchdog: %ld rounds, %d of %ld killed actors written off\n", rounds,
           driver->written_off, rounds * (VICTIMS - 1));
    atomic_store_explicit(&done, driver->written_off == rounds * (VICTIMS - 1) ? 1 : 2,
                          memory_order_release);
    host_os.wake(host_os.user, &done);
    return TRP_OK;
}

static trp_status_t begin(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)args;
    return begin_round(ctx, state);
}

static const trp_class_t driver_class = {
    .name = "driver", .state_size = sizeof(driver_t), .init = begin, .receive = drive};

static void on_fatal(void *user, const char *why, const runtime_at_work_t *who)
{
    (void)user;
    (void)who;
    fail(why);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strncmp(argv[1], "rounds=", 7) == 0) {
        rounds = strtol(argv[1] + 7, NULL, 10);
    }
    (void)alarm(LIMIT_S);
    log_level_set(LOG_FATAL);
    const runtime_options_t options = {.node = 1 << 16,
                                       .incarnation = 1,
                                       .threads = THREADS,
                                       .cells_max = 1000,
                                       .watch = {.stuck_ms = STUCK_MS,
                                                 .edge_stuck_ms = 1000,
                                                 .kill_grace_ms = STUCK_MS,
                                                 .stuck_max = 100,
                                                 .fatal = on_fatal}};
    const trp_spawn_t spawn = {.class = &driver_class};
    trp_pid_t driver;
    must(runtime_create(&options, &runtime), "create");
    must(runtime_start(runtime), "start");
    must(runtime_spawn(runtime, &spawn, &driver), "spawn driver");
    while (atomic_load_explicit(&done, memory_order_acquire) == 0) {
        host_os.sleep(host_os.user, &done, 0, HOST_FOREVER);
    }
    const int verdict = (int)atomic_load_explicit(&done, memory_order_acquire);
    while (runtime_stuck(runtime).handlers + runtime_stuck(runtime).written_off > 0) {
        (void)poll(NULL, 0, 1);
    }
    runtime_ledger_t ledger;
    runtime_ledger(runtime, &ledger);
    if (ledger.sent != ledger.handled + ledger.queued + ledger.refused + ledger.dead) {
        fail("the ledger does not add up");
    }
    runtime_destroy(&runtime);
    return verdict == 1 ? 0 : 1;
}
