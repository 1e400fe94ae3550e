/* SPDX-License-Identifier: MIT */
/* Benchmarks of a whole node: its guardian, one actor on its edge that drives, and worker processes
 * of the driver's making. */
#ifndef TRP_TESTS_BENCH_NODE_BENCH_H
#define TRP_TESTS_BENCH_NODE_BENCH_H

#include <unistd.h>

#include "runtime/node/node.h"
#include "tests/bench/measure.h"

/** What a benchmark consists of; NULL at the end of `workers`. */
typedef struct node_bench {
    const trp_class_t *driver; /* TRP_CLASS_EDGE; ends the node by node_end */
    const trp_class_t *const *workers;
} node_bench_t;

/** `terminate` of a driver, which is not meant to end. */
static inline void node_bench_failed(trp_ctx_t *ctx, void *state, const trp_reason_t *reason)
{
    char line[TRP_REASON_LINE_MAX];
    (void)state;
    fprintf(stderr, "benchmark: the driver ended: %s\n", trp_reason_format(reason, line));
    node_end(runtime_of(ctx), 1);
}

static inline trp_status_t node_bench_start(void *user, trp_runtime_t *runtime)
{
    const node_bench_t *bench = user;
    trp_pid_t pid;
    const trp_spawn_t spawn = {.class = bench->driver};
    return runtime_spawn(runtime, &spawn, &pid);
}

static inline void node_bench_stop(void *user, trp_runtime_t *runtime)
{
    (void)user;
    node_end(runtime, 1);
}

static inline int node_bench_node(void *user, const guardian_child_t *child)
{
    const node_bench_t *bench = user;
    const node_options_t options = {.classes = bench->workers,
                                    .threads = 1,
                                    .start = node_bench_start,
                                    .stop = node_bench_stop,
                                    .user = user};
    return node_run(&options, child);
}

static inline int node_bench_worker(void *user, const guardian_child_t *child)
{
    const node_bench_t *bench = user;
    return worker_run(bench->workers, child);
}

/** Runs it in the processes of a node. Returns the exit status. */
static inline int node_bench_run(node_bench_t *bench)
{
    char run_dir[64];
    snprintf(run_dir, sizeof(run_dir), "/tmp/troupe-bench-%d", (int)getpid());
    const guardian_options_t options = {.name = "bench",
                                        .run_dir = run_dir,
                                        .node = 1u << 16,
                                        .stop_ms = 1000,
                                        .node_main = node_bench_node,
                                        .worker_main = node_bench_worker,
                                        .user = bench};
    return guardian_run(&options);
}

#endif
