/* SPDX-License-Identifier: MIT */
/* Limits and walls around a worker process: resource limits, system calls (seccomp), files
 * (Landlock). Prepared by the guardian, put up by the child itself before its main or program. */
#ifndef TRP_RUNTIME_SANDBOX_H
#define TRP_RUNTIME_SANDBOX_H

#include <linux/filter.h>

#include "runtime/guardian/cgroup.h"
#include "runtime/limits.h"

/** The system call filter for these limits, compiled once for each kind and kept; NULL: none.
 * Guardian only. */
const struct sock_fprog *sandbox_filter(const trp_limits_t *limits);

/** What holds. */
typedef struct sandbox {
    uint32_t enforced;  /* TRP_ENFORCED_ */
    int64_t memory_max; /* bytes of writable memory that the process may have; 0: no such limit */
} sandbox_t;

/** In the child, before its parent-death signal is set: control group and resource limits. Memory
 * is counted from here on: what the clean image has already is not the worker's. */
sandbox_t sandbox_limit(const trp_limits_t *limits, const cgroup_t *group);

/** Bytes of writable memory of this process; a signal handler may ask. */
int64_t sandbox_memory(void);

/** In the child: keeps the process on one core: worker `index`, from 1, on the next one in turn but
 * the first, which is left to the node. Does nothing where there is only one. */
void sandbox_pin(uint32_t index);

/** In the child, last of all: no new privileges, files, system calls. Returns what holds. */
uint32_t sandbox_close(const trp_limits_t *limits, const struct sock_fprog *filter);

#endif
