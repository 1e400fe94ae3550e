/* SPDX-License-Identifier: MIT */
/* Pairs of actors on several threads link and unlink each other at will; when all is quiet both
 * ends of each pair agree on whether there is a link, and nothing is remembered of what was.
 *     links [rounds=20000] */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/core/scheduler.h"

enum { TAG_OTHER = 0x1000, TAG_GO, TAG_DONE, TAG_HEARD };

#define LIMIT_S 120
#define PAIRS   8

typedef struct twin {
    trp_pid_t other;
    long left;
} twin_t;

static trp_runtime_t *runtime;
static long rounds = 20000;
static atomic_long quiet;

/* All that the one sent before DONE is acted upon when the other says HEARD, and what that sent in
 * answer has come before it. */
static trp_status_t twin_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    twin_t *twin = state;
    size_t size = 0;
    if (message->tag == TAG_DONE) {
        return trp_send(ctx, message->from, TAG_HEARD, NULL, 0);
    }
    if (message->tag == TAG_HEARD) {
        atomic_fetch_add_explicit(&quiet, 1, memory_order_release);
        return TRP_OK;
    }
    if (message->tag == TAG_OTHER) {
        memcpy(&twin->other, trp_message_data(message, &size), sizeof(twin->other));
        twin->left = rounds;
    }
    uint64_t chance = trp_random(ctx);
    for (int i = 0; i < 4; i++, chance >>= 1) {
        if ((chance & 1) != 0) {
            trp_unlink(ctx, twin->other);
        } else if (trp_link(ctx, twin->other) != TRP_OK) {
            return TRP_NO_MEMORY;
        }
    }
    if (twin->left-- > 0) {
        return trp_continue(ctx, TAG_GO, NULL, 0);
    }
    return trp_send(ctx, twin->other, TAG_DONE, NULL, 0);
}

static const trp_class_t twin_class = {
    .name = "twin", .state_size = sizeof(twin_t), .receive = twin_receive};

static bool introduce(trp_pid_t to, trp_pid_t other)
{
    trp_envelope_t *envelope = envelope_alloc();
    if (envelope == NULL) {
        return false;
    }
    envelope->to = to;
    envelope->tag = TAG_OTHER;
    return envelope_set(envelope, &other, sizeof(other)) == TRP_OK &&
           runtime_send(runtime, envelope) == TRP_OK;
}

/* -1: something is remembered that is no link. */
static int links_of(trp_pid_t pid, trp_pid_t other)
{
    const cell_life_t *life = cell_at(&runtime->table, pid.slot)->life;
    if (life == NULL || life->theirs.count == 0) {
        return 0;
    }
    return life->theirs.count == 1 && watch_find(&life->theirs, WATCH_LINK, other, 0) != NULL ? 1
                                                                                              : -1;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strncmp(argv[1], "rounds=", 7) == 0) {
        rounds = strtol(argv[1] + 7, NULL, 10);
    }
    alarm(LIMIT_S);
    runtime_options_t options = {.node = 1 << 16, .incarnation = 1, .threads = 2};
    trp_spawn_t spawn = {.class = &twin_class};
    trp_pid_t twins[PAIRS][2];
    bool started = runtime_create(&options, &runtime) == TRP_OK && runtime_start(runtime) == TRP_OK;
    for (int i = 0; i < PAIRS && started; i++) {
        started = runtime_spawn(runtime, &spawn, &twins[i][0]) == TRP_OK &&
                  runtime_spawn(runtime, &spawn, &twins[i][1]) == TRP_OK &&
                  introduce(twins[i][0], twins[i][1]) && introduce(twins[i][1], twins[i][0]);
    }
    if (!started) {
        fprintf(stderr, "links: start failed\n");
        return 1;
    }
    while (atomic_load_explicit(&quiet, memory_order_acquire) < 2L * PAIRS) {
        sched_yield();
    }
    int linked = 0;
    int wrong = 0;
    for (int i = 0; i < PAIRS; i++) {
        int one = links_of(twins[i][0], twins[i][1]);
        int two = links_of(twins[i][1], twins[i][0]);
        linked += one == 1;
        wrong += one != two || one < 0;
    }
    printf("links: %d pairs, %d linked at the end, %d disagree\n", PAIRS, linked, wrong);
    runtime_destroy(&runtime);
    return wrong != 0;
}
