/* SPDX-License-Identifier: MIT */
#include "runtime/base/host_cores.h"

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define OWN_CGROUP  "/proc/self/cgroup"
#define CGROUP_ROOT "/sys/fs/cgroup"
#define PATH_BYTES  4096

/* The path of our cgroup below the root, without a slash at its end: "/user.slice/x", or "". */
static bool read_own(const char *own, char path[PATH_BYTES])
{
    bool found = false;
    char line[PATH_BYTES];
    FILE *file = fopen(own, "re");
    while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL) {
        found = strncmp(line, "0::/", 4) == 0; /* the one of version 2 */
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    if (found) {
        line[strcspn(line, "\n")] = '\0';
        snprintf(path, PATH_BYTES, "%s", line + 3);
        if (strcmp(path, "/") == 0) {
            path[0] = '\0';
        }
    }
    return found;
}

/* "max 100000", or the microseconds in each so many. */
static uint32_t read_quota(const char *root, const char *path)
{
    char name[2 * PATH_BYTES];
    unsigned long long quota_us = 0;
    unsigned long long period_us = 0;
    snprintf(name, sizeof(name), "%s%s/cpu.max", root, path);
    FILE *file = fopen(name, "re");
    if (file == NULL) {
        return UINT32_MAX; /* the root has none */
    }
    const int count = fscanf(file, "%llu %llu", &quota_us, &period_us);
    (void)fclose(file);
    if (count != 2 || quota_us == 0 || period_us == 0) {
        return UINT32_MAX;
    }
    const unsigned long long cores = (quota_us - 1) / period_us + 1;
    return cores < UINT32_MAX ? (uint32_t)cores : UINT32_MAX;
}

uint32_t host_cores_of_quota(const char *own, const char *root)
{
    char path[PATH_BYTES];
    uint32_t least = UINT32_MAX;
    if (!read_own(own, path)) {
        return UINT32_MAX;
    }
    for (;;) {
        const uint32_t cores = read_quota(root, path);
        least = cores < least ? cores : least;
        char *slash = strrchr(path, '/');
        if (slash == NULL) {
            return least;
        }
        *slash = '\0';
    }
}

uint32_t host_cores(void)
{
    cpu_set_t set;
    const uint32_t quota = host_cores_of_quota(OWN_CGROUP, CGROUP_ROOT);
    uint32_t cores = 1;
    if (sched_getaffinity(0, sizeof(set), &set) == 0) {
        cores = (uint32_t)CPU_COUNT(&set);
    }
    return cores < quota ? cores : quota;
}
