/* SPDX-License-Identifier: MIT */
/* Around the examples of the headers: a runtime with one thread, and a driver that ends it. Each
 * frame is a program, so this is all in the header. */
#ifndef TRP_TESTS_MANUAL_MANUAL_H
#define TRP_TESTS_MANUAL_MANUAL_H

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/core/runtime.h"

#define MANUAL_LIMIT_S 30

static host_word_t manual_is_done;

/** The example did what it says; anything else runs into the time limit. Any thread. */
static inline void manual_done(void)
{
    atomic_store(&manual_is_done, 1);
    host_os.wake(host_os.user, &manual_is_done);
}

/** Ends the program unless it holds. */
static inline void manual_expect(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "not so: %s\n", what);
        exit(1);
    }
}
#define EXPECT(condition) manual_expect((condition), #condition)

/** Runs an actor of this class until manual_done. Returns the exit status for main. */
static inline int manual_run(const trp_class_t *driver)
{
    const runtime_options_t options = {.node = 1 << 16, .incarnation = 1, .threads = 1};
    const trp_spawn_t spawn = {.class = driver};
    trp_runtime_t *runtime = NULL;
    trp_pid_t pid;
    (void)alarm(MANUAL_LIMIT_S);
    EXPECT(runtime_create(&options, &runtime) == TRP_OK);
    EXPECT(runtime_start(runtime) == TRP_OK);
    EXPECT(runtime_spawn(runtime, &spawn, &pid) == TRP_OK);
    while (atomic_load(&manual_is_done) == 0) {
        host_os.sleep(host_os.user, &manual_is_done, 0, HOST_FOREVER);
    }
    runtime_destroy(&runtime);
    return 0;
}

#endif
