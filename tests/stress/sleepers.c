/* SPDX-License-Identifier: MIT */
/* Actors that hibernate after each message, written to by actors and by a thread outside, while
 * another thread looks at all of them and notes how long their messages wait. No message may be
 * lost, and each state has to be found again.
 *     sleepers [rounds=20000] */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/core/runtime.h"
#include "runtime/hibernate.h"

enum { TAG_COUNT = 0x1000, TAG_PASS };

#define LIMIT_S  120
#define SLEEPERS 8

static trp_runtime_t *runtime;
static trp_pid_t sleepers[SLEEPERS];
static long rounds = 20000;
static atomic_long counted, restored, torn, noted;
static atomic_bool done;

typedef struct sleeper {
    int64_t total;
    char large[4096];
} sleeper_t;

static trp_status_t receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    sleeper_t *sleeper = state;
    sleeper->total++;
    memset(sleeper->large, 1, sizeof(sleeper->large));
    atomic_fetch_add_explicit(&counted, 1, memory_order_relaxed);
    if (message->tag == TAG_PASS) {
        const trp_pid_t next = sleepers[(size_t)sleeper->total % SLEEPERS];
        if (trp_send(ctx, next, TAG_COUNT, NULL, 0) != TRP_OK) {
            return TRP_FAILED;
        }
    }
    return trp_hibernate(ctx);
}

static trp_status_t save(trp_ctx_t *ctx, const void *state, trp_writer_t *writer)
{
    (void)ctx;
    trp_write_map(writer, 1);
    trp_put_int(writer, "total", ((const sleeper_t *)state)->total);
    return TRP_OK;
}

static trp_status_t restore(trp_ctx_t *ctx, void *state, const trp_envelope_t *args,
                            const trp_snapshot_t *snapshot)
{
    (void)args;
    trp_document_t document;
    trp_fault_t fault;
    if (!trp_is_waking(ctx) || trp_document_init(&document, snapshot->state.data,
                                                 snapshot->state.size, &fault) != TRP_OK) {
        return TRP_FAILED;
    }
    ((sleeper_t *)state)->total = trp_member(&document.root, "total")->via.i64;
    trp_document_fini(&document);
    atomic_fetch_add_explicit(&restored, 1, memory_order_relaxed);
    return TRP_OK;
}

static const trp_class_t sleeper_class = {.name = "sleeper",
                                          .state_size = sizeof(sleeper_t),
                                          .receive = receive,
                                          .save = save,
                                          .restore = restore};

/* A row has the name of the class, and the memory of who is awake or of who is not. */
static void look(void *user, const actor_info_t *info)
{
    (void)user;
    if (strcmp(info->class_name, sleeper_class.name) != 0 || info->memory == 0) {
        atomic_fetch_add_explicit(&torn, 1, memory_order_relaxed);
    }
}

static void *look_on(void *unused)
{
    runtime_waits_t waits;
    (void)unused;
    while (!atomic_load_explicit(&done, memory_order_relaxed)) {
        uint32_t wait = 0;
        if (runtime_waits_begin(runtime, sleepers[0], &wait) != TRP_OK) {
            atomic_fetch_add_explicit(&torn, 1, memory_order_relaxed);
            break;
        }
        for (int i = 0; i < 20; i++) {
            runtime_each(runtime, look, NULL);
        }
        runtime_waits_read(runtime, wait, &waits);
        runtime_waits_end(runtime, wait);
        atomic_fetch_add_explicit(&noted, (long)waits.count, memory_order_relaxed);
    }
    return NULL;
}

static bool post(trp_pid_t to)
{
    trp_envelope_t *envelope = envelope_alloc();
    if (envelope == NULL) {
        return false;
    }
    envelope->to = to;
    envelope->tag = TAG_PASS;
    if (runtime_send(runtime, envelope) != TRP_OK) {
        envelope_free(envelope);
        return false;
    }
    return true;
}

static bool start(void)
{
    const runtime_options_t options = {.node = 1 << 16, .incarnation = 1, .threads = 2};
    const trp_spawn_t spawn = {.class = &sleeper_class};
    bool is_up = runtime_create(&options, &runtime) == TRP_OK && runtime_start(runtime) == TRP_OK;
    for (int i = 0; is_up && i < SLEEPERS; i++) {
        is_up = runtime_spawn(runtime, &spawn, &sleepers[i]) == TRP_OK;
    }
    return is_up;
}

int main(int argc, char **argv)
{
    pthread_t looker;
    long sent = 0;
    if (argc > 1 && strncmp(argv[1], "rounds=", 7) == 0) {
        rounds = strtol(argv[1] + 7, NULL, 10);
    }
    alarm(LIMIT_S);
    if (!start() || pthread_create(&looker, NULL, look_on, NULL) != 0) {
        fprintf(stderr, "sleepers: start failed\n");
        return 1;
    }
    for (long round = 0; round < rounds; round++) {
        sent += post(sleepers[round % SLEEPERS]) ? 2 : 0;
        while (round % 64 == 0 && atomic_load_explicit(&counted, memory_order_relaxed) < sent) {
            (void)poll(NULL, 0, 1); /* now they sleep */
        }
    }
    while (atomic_load_explicit(&counted, memory_order_relaxed) < sent) {
        (void)poll(NULL, 0, 1);
    }
    atomic_store_explicit(&done, true, memory_order_relaxed);
    pthread_join(looker, NULL);
    const long lost = sent - atomic_load_explicit(&counted, memory_order_relaxed);
    const long woken = atomic_load_explicit(&restored, memory_order_relaxed);
    printf("sleepers: %ld messages, %ld lost, woken %ld times, %ld waits noted, %ld rows torn\n",
           sent, lost, woken, atomic_load(&noted), atomic_load(&torn));
    runtime_destroy(&runtime);
    return lost == 0 && woken > 0 && atomic_load(&torn) == 0 && sent == 2 * rounds ? 0 : 1;
}
