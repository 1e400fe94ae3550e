/* SPDX-License-Identifier: MIT */
/* Two actors on different threads, of which one always sleeps when the other sends: a wake that is
 * lost is a hang, which the alarm ends.
 *     handoff [rounds=20000] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/stress/edge_park.h"

enum { TAG_BALL = 0x1000 };

#define LIMIT_S 120

static trp_runtime_t *runtime;
static long rounds = 20000;

static trp_status_t pool_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    return trp_send(ctx, message->from, TAG_BALL, NULL, 0);
}

static const trp_class_t pool_class = {.name = "pool", .receive = pool_receive};

/* Its state: the partner on the pool. */
static trp_status_t edge_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)args;
    trp_spawn_t spawn = {.class = &pool_class, .link = true};
    trp_status_t status = trp_spawn(ctx, &spawn, state);
    return status == TRP_OK ? trp_send(ctx, *(trp_pid_t *)state, TAG_BALL, NULL, 0) : status;
}

static trp_status_t edge_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)message;
    if (--rounds == 0) {
        runtime_stop(runtime);
        return TRP_OK;
    }
    return trp_send(ctx, *(trp_pid_t *)state, TAG_BALL, NULL, 0);
}

static const trp_class_t edge_class = {.name = "edge",
                                       .state_size = sizeof(trp_pid_t),
                                       .init = edge_init,
                                       .receive = edge_receive,
                                       .flags = TRP_CLASS_EDGE};

int main(int argc, char **argv)
{
    if (argc > 1 && strncmp(argv[1], "rounds=", 7) == 0) {
        rounds = strtol(argv[1] + 7, NULL, 10);
    }
    alarm(LIMIT_S);
    runtime_options_t options = {
        .node = 1 << 16, .incarnation = 1, .threads = 2, .edge = edge_park_open()};
    trp_pid_t pid;
    trp_spawn_t spawn = {.class = &edge_class};
    if (runtime_create(&options, &runtime) != TRP_OK || runtime_start(runtime) != TRP_OK ||
        runtime_spawn(runtime, &spawn, &pid) != TRP_OK) {
        fprintf(stderr, "handoff: start failed\n");
        return 1;
    }
    runtime_run_edge(runtime);
    printf("handoff: no wake was lost\n");
    runtime_destroy(&runtime);
    close(edge_fd);
    return 0;
}
