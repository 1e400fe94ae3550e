/* SPDX-License-Identifier: MIT */
#include "tests/runtime/node/node_fixture.h"

#include <stdio.h>
#include <unistd.h>

typedef struct plan {
    const trp_class_t *driver;
    const trp_class_t *const *classes;
} plan_t;

static char run_dir[64];

static trp_status_t start_driver(void *user, trp_runtime_t *runtime)
{
    const plan_t *plan = user;
    trp_pid_t pid;
    const trp_spawn_t spawn = {.class = plan->driver, .name = "driver"};
    return runtime_spawn(runtime, &spawn, &pid);
}

static void stop_node(void *user, trp_runtime_t *runtime)
{
    (void)user;
    node_end(runtime, NODE_FAILED);
}

static int node_main(void *user, const guardian_child_t *child)
{
    const plan_t *plan = user;
    const node_options_t options = {.classes = plan->classes,
                                    .threads = 1,
                                    .start_ms = 1000,
                                    .start = start_driver,
                                    .stop = stop_node,
                                    .user = user};
    return node_run(&options, child);
}

static int worker_main(void *user, const guardian_child_t *child)
{
    const plan_t *plan = user;
    return worker_run(plan->classes, child);
}

int node_fixture_drive(const trp_class_t *driver, const trp_class_t *const *classes)
{
    plan_t plan = {driver, classes};
    snprintf(run_dir, sizeof(run_dir), "/tmp/troupe-node-%d", (int)getpid());
    const guardian_options_t options = {.name = "test",
                                        .run_dir = run_dir,
                                        .node = 1u << 16,
                                        .stop_ms = 1000,
                                        .node_main = node_main,
                                        .worker_main = worker_main,
                                        .user = &plan};
    return guardian_run(&options);
}

const char *node_fixture_run_dir(void)
{
    return run_dir;
}
