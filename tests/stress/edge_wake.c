/* SPDX-License-Identifier: MIT */
/* The real edge under wakes from pool threads: an actor of the edge and several of the pool pass
 * messages to and fro, so that each hop may meet the edge running, falling asleep or asleep.
 *     edge_wake [hops=100000]
 * A lost wake is a hang, which the alarm ends. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/edge/edge.h"

enum { TAG_HOP = 0x1000 };

#define PARTNERS 4
#define LIMIT_S  120

static long hops_left = 100000; /* of the edge's actor alone */
static trp_runtime_t *runtime;

static trp_status_t back(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    return trp_send(ctx, message->from, TAG_HOP, NULL, 0);
}

static trp_status_t forth(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    if (--hops_left == 0) {
        runtime_stop(runtime);
    }
    return trp_send(ctx, message->from, TAG_HOP, NULL, 0);
}

static const trp_class_t back_class = {.name = "back", .version = 1, .receive = back};

static trp_status_t start(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)state;
    (void)args;
    for (int i = 0; i < PARTNERS; i++) {
        trp_pid_t pid;
        const trp_spawn_t spawn = {.class = &back_class};
        trp_status_t status = trp_spawn(ctx, &spawn, &pid);
        if (status == TRP_OK) {
            status = trp_send(ctx, pid, TAG_HOP, NULL, 0);
        }
        if (status != TRP_OK) {
            return status;
        }
    }
    return TRP_OK;
}

static const trp_class_t forth_class = {
    .name = "forth", .version = 1, .init = start, .receive = forth, .flags = TRP_CLASS_EDGE};

static void check(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "edge_wake: %s failed\n", what);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    edge_t *edge = NULL;
    trp_pid_t pid;
    if (argc > 1 && strncmp(argv[1], "hops=", 5) == 0) {
        hops_left = strtol(argv[1] + 5, NULL, 10);
    }
    (void)alarm(LIMIT_S);
    check(edge_create(&edge) == TRP_OK, "edge_create");
    const runtime_options_t options = {
        .node = 1u << 16, .incarnation = 1, .threads = 2, .edge = edge_park(edge)};
    check(runtime_create(&options, &runtime) == TRP_OK, "runtime_create");
    edge_attach(edge, runtime);
    check(runtime_start(runtime) == TRP_OK, "runtime_start");
    const trp_spawn_t spawn = {.class = &forth_class};
    check(runtime_spawn(runtime, &spawn, &pid) == TRP_OK, "runtime_spawn");
    runtime_run_edge(runtime);
    check(hops_left <= 0, "every hop");
    runtime_destroy(&runtime);
    edge_destroy(&edge);
    return 0;
}
