/* SPDX-License-Identifier: MIT */
/* Control groups (version 2) of worker processes, where the guardian may make them: what a worker
 * starts ends with it, and its memory and the number of its processes have a limit. Guardian only,
 * but cgroup_join, which is for the child.
 *
 *     our own group/
 *         troupe-NAME-HASH/          HASH: of the run directory
 *             guardian               guardian and node, where our own group was given to us
 *             w.INDEX.INCARNATION    a worker and its processes
 *
 * The kernel limits the groups below one only where no process is in it, so a guardian that may
 * (docs/decisions/0024) moves into a group of its own. The names depend on the run directory alone,
 * so it finds what one before it, killed by force, has left there. */
#ifndef TRP_RUNTIME_CGROUP_H
#define TRP_RUNTIME_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/guardian/cgroup_file.h"
#include "runtime/limits.h"

#define CGROUP_THREADS 8 /* of a worker itself, which count as its processes do */

typedef struct cgroup_base {
    char own[CGROUP_PATH_MAX];  /* the group that we were started in */
    char path[CGROUP_PATH_MAX]; /* of the folder of groups; "": there are none */
    bool has_memory;            /* the kernel gives us that controller there */
    bool is_made;
    bool has_moved; /* we are in PATH/guardian */
} cgroup_base_t;

typedef struct cgroup {
    char path[CGROUP_PATH_MAX]; /* "": none */
    uint32_t enforced;          /* TRP_ENFORCED_ */
} cgroup_t;

/** Finds where groups may be made, ends what was left there, and moves the calling process where
 * that makes limits possible. */
void cgroup_base_init(cgroup_base_t *base, const char *name, const char *run_dir);

/** Ends what is left, goes back, and removes the folder of the groups. */
void cgroup_base_fini(cgroup_base_t *base);

/** Makes the group of one worker; path "" when that can't be. */
void cgroup_make(cgroup_base_t *base, uint32_t index, uint32_t incarnation,
                 const trp_limits_t *limits, cgroup_t *group);

/** Puts the calling process into the group. False: it is not there. */
bool cgroup_join(const cgroup_t *group);

/** Whether the kernel has killed in it for want of memory. */
bool cgroup_ran_out_of_memory(const cgroup_t *group);

/** Kills all that is in it and removes it. */
void cgroup_end(cgroup_t *group);

#endif
