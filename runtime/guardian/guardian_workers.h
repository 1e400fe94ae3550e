/* SPDX-License-Identifier: MIT */
/* The worker processes of a guardian: those that it forked and whose wait status it has not taken
 * yet, so that a kill never meets a reused pid. Guardian only. */
#ifndef TRP_RUNTIME_GUARDIAN_WORKERS_H
#define TRP_RUNTIME_GUARDIAN_WORKERS_H

#include <stdbool.h>
#include <stddef.h>

#include "runtime/guardian/cgroup.h"
#include "runtime/guardian/guardian.h"

typedef struct guardian_worker {
    uint32_t index, incarnation;
    pid_t os_pid;
    cgroup_t group; /* its control group; path "" = none */
} guardian_worker_t;

typedef struct guardian_workers {
    const guardian_options_t *options;
    guardian_worker_t *rows;
    size_t count, max;
    cgroup_base_t base; /* of their control groups */
} guardian_workers_t;

/** Ends what a former guardian of the same run directory left in its control groups. False: no
 * memory. */
bool guardian_workers_init(guardian_workers_t *workers, const guardian_options_t *options);
void guardian_workers_fini(guardian_workers_t *workers);

/** Forks the worker that `request` asks for. Returns 0 or why not: errno. */
int guardian_workers_spawn(guardian_workers_t *workers, const guardian_message_t *request,
                           pid_t *os_pid);

/** Sends the signal of a request to the worker that it names, if it is there. */
void guardian_workers_kill(const guardian_workers_t *workers, const guardian_message_t *request);

void guardian_workers_kill_all(const guardian_workers_t *workers);

/** Forgets the worker with this pid, which has ended, and ends what it left behind; `memory`: its
 * control group ended it for want of memory. False: it is none of them. */
bool guardian_workers_take(guardian_workers_t *workers, pid_t os_pid, guardian_worker_t *worker,
                           bool *memory);

#endif
