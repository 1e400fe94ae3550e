/* SPDX-License-Identifier: MIT */
#include "runtime/guardian/sandbox.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/guardian/sandbox_files.h"

#define STATM_DATA 5 /* of the numbers of /proc/self/statm, from 0: pages of data */

static bool limit(int resource, int64_t soft, int64_t hard)
{
    const struct rlimit both = {(rlim_t)soft, (rlim_t)hard};
    return setrlimit((__rlimit_resource_t)resource, &both) == 0;
}

int64_t sandbox_memory(void)
{
    char text[128];
    int64_t pages = 0;
    unsigned blanks = 0;
    const int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    const ssize_t size = fd < 0 ? 0 : read(fd, text, sizeof(text));
    if (fd >= 0) {
        (void)close(fd);
    }
    for (ssize_t i = 0; i < size && blanks <= STATM_DATA; i++) {
        if (text[i] == ' ') {
            blanks++;
        } else if (blanks == STATM_DATA) {
            pages = pages * 10 + (text[i] - '0');
        }
    }
    return pages * sysconf(_SC_PAGESIZE);
}

sandbox_t sandbox_limit(const trp_limits_t *limits, const cgroup_t *group)
{
    uint32_t enforced = 0;
    int64_t memory_max = 0;
    if (cgroup_join(group)) {
        enforced |= group->enforced;
    }
    if (limits->memory > 0 && (enforced & TRP_ENFORCED_MEMORY_CGROUP) == 0) {
        memory_max = sandbox_memory() + limits->memory;
        enforced |= limit(RLIMIT_DATA, memory_max, memory_max) ? TRP_ENFORCED_MEMORY_DATA : 0;
    }
    /* The soft limit ends it by SIGXCPU, which says why; the hard one by SIGKILL. */
    if (limits->cpu_s > 0 && limit(RLIMIT_CPU, limits->cpu_s, limits->cpu_s + 1)) {
        enforced |= TRP_ENFORCED_CPU;
    }
    if (limits->files > 0 && limit(RLIMIT_NOFILE, limits->files, limits->files)) {
        enforced |= TRP_ENFORCED_FILES;
    }
    const bool holds = (enforced & TRP_ENFORCED_MEMORY_DATA) != 0;
    return (sandbox_t){enforced, holds ? memory_max : 0};
}

uint32_t sandbox_close(const trp_limits_t *limits, const struct sock_fprog *filter)
{
    uint32_t enforced = 0;
    /* Without the right to administer a filter is taken only from who can gain no privileges. */
    const bool needs = filter != NULL || sandbox_files_wanted(limits);
    if ((limits->new_privs == 0 || (needs && geteuid() != 0)) &&
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) {
        enforced |= TRP_ENFORCED_NO_NEW_PRIVS;
    }
    if (sandbox_files_wanted(limits) && sandbox_files(limits)) {
        enforced |= TRP_ENFORCED_LANDLOCK;
    }
    if (filter != NULL && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, filter) == 0) {
        enforced |= limits->processes == 0 ? TRP_ENFORCED_NO_PROCESSES : 0;
        enforced |= limits->seccomp == TRP_SECCOMP_STRICT ? TRP_ENFORCED_SECCOMP_STRICT : 0;
    }
    return enforced;
}
