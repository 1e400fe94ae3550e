/* SPDX-License-Identifier: MIT */
/* How many processors this process may use: its affinity, and the quotas of its cgroups (v2). */
#ifndef TRP_RUNTIME_HOST_CORES_H
#define TRP_RUNTIME_HOST_CORES_H

#include <stdint.h>

/** What the cgroup's quota and those above it allow, rounded up to whole processors; UINT32_MAX: no
 * quota, or not to be read. `own`: the file that names the cgroup (/proc/self/cgroup), `root`:
 * where the hierarchy is mounted. */
uint32_t host_cores_of_quota(const char *own, const char *root);

/** At least 1. */
uint32_t host_cores(void);

#endif
