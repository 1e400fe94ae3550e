/* SPDX-License-Identifier: MIT */
/* How a child of the guardian is made: the fork and its set-up. Guardian only. */
#ifndef TRP_RUNTIME_GUARDIAN_FORK_H
#define TRP_RUNTIME_GUARDIAN_FORK_H

#include <sys/types.h>

#include "runtime/guardian/cgroup.h"
#include "runtime/guardian/guardian.h"

typedef struct guardian_fork {
    guardian_child_t child; /* fd: what it keeps beside standard output and error; -1 = none */
    int (*main)(void *user, const guardian_child_t *child);
    void *user;
    const char *program;        /* to exec instead of `main`; "" = none */
    const trp_limits_t *limits; /* of a worker; NULL: none, not even the defaults */
    const cgroup_t *group;      /* of a worker */
} guardian_fork_t;

/** Opens /dev/null in the place of a standard file that is closed: a descriptor of ours there would
 * be written into, or be replaced in a child. */
void guardian_fill_standard_files(void);

/** Flushes stdio and forks. The child never returns: it ends by _exit with what its main returns.
 * errors: TRP_SYSTEM (errno) */
TRP_MUST_USE trp_status_t guardian_fork(const guardian_fork_t *how, pid_t *os_pid);

/** Name of the variable in which an exec'd worker finds what the guardian_child_t says. */
#define GUARDIAN_ENVIRONMENT "TROUPE_WORKER"

/** Reads that variable's text. `run_dir` points into the text. errors: TRP_INVALID */
TRP_MUST_USE trp_status_t guardian_child_parse(const char *text, guardian_child_t *child);

#endif
