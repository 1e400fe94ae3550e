/* SPDX-License-Identifier: MIT */
#include "runtime/guardian/guardian_workers.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/guardian/guardian_fork.h"

#define WORKERS_MAX 1024

bool guardian_workers_init(guardian_workers_t *workers, const guardian_options_t *options)
{
    memset(workers, 0, sizeof(*workers));
    workers->options = options;
    workers->max = options->workers_max == 0 ? WORKERS_MAX : options->workers_max;
    workers->rows = calloc(workers->max, sizeof(*workers->rows));
    cgroup_base_init(&workers->base, options->name, options->run_dir);
    return workers->rows != NULL;
}

void guardian_workers_fini(guardian_workers_t *workers)
{
    cgroup_base_fini(&workers->base);
    free(workers->rows);
    workers->rows = NULL;
}

/* A control group where it is needed: to count and end a worker's processes, to hold its memory. */
static void make_group(guardian_workers_t *workers, const guardian_message_t *request,
                       cgroup_t *group)
{
    const trp_limits_t *limits = &request->limits;
    group->path[0] = '\0';
    if (limits->processes != 0 || (limits->memory > 0 && workers->base.has_memory)) {
        cgroup_make(&workers->base, request->index, request->incarnation, limits, group);
    }
}

int guardian_workers_spawn(guardian_workers_t *workers, const guardian_message_t *request,
                           pid_t *os_pid)
{
    const guardian_options_t *options = workers->options;
    guardian_fork_t how = {
        .child = {.node = options->node | request->index,
                  .incarnation = request->incarnation,
                  .fd = request->box > 0 ? request->box : -1,
                  .run_dir = options->run_dir},
        .main = options->worker_main,
        .user = options->user,
        .program = request->program,
        .limits = &request->limits,
    };
    memcpy(how.child.token, request->token, sizeof(how.child.token));
    if (workers->count == workers->max) {
        return EAGAIN;
    }
    if (how.program[0] != '\0' && access(how.program, X_OK) != 0) {
        return errno;
    }
    guardian_worker_t *worker = &workers->rows[workers->count];
    make_group(workers, request, &worker->group);
    how.group = &worker->group;
    if (guardian_fork(&how, &worker->os_pid) != TRP_OK) {
        const int code = errno;
        cgroup_end(&worker->group);
        return code;
    }
    worker->index = request->index;
    worker->incarnation = request->incarnation;
    workers->count++;
    *os_pid = worker->os_pid;
    return 0;
}

void guardian_workers_kill(const guardian_workers_t *workers, const guardian_message_t *request)
{
    for (size_t i = 0; i < workers->count; i++) {
        const guardian_worker_t *worker = &workers->rows[i];
        if (worker->index == request->index && worker->incarnation == request->incarnation) {
            (void)kill(worker->os_pid, request->value);
        }
    }
}

void guardian_workers_kill_all(const guardian_workers_t *workers)
{
    for (size_t i = 0; i < workers->count; i++) {
        (void)kill(-workers->rows[i].os_pid, SIGKILL);
    }
}

bool guardian_workers_take(guardian_workers_t *workers, pid_t os_pid, guardian_worker_t *worker,
                           bool *memory)
{
    for (size_t i = 0; i < workers->count; i++) {
        if (workers->rows[i].os_pid == os_pid) {
            *worker = workers->rows[i];
            *memory = cgroup_ran_out_of_memory(&worker->group);
            cgroup_end(&worker->group);
            workers->rows[i] = workers->rows[--workers->count];
            return true;
        }
    }
    return false;
}
