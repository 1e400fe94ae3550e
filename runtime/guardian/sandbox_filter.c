/* SPDX-License-Identifier: MIT */
/* Which system calls a worker may not make. All others pass: the list is what no worker needs, not
 * what this version of our libraries happens to use. */
#include <errno.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/guardian/sandbox.h"
#include "runtime/log.h"

/* Ends the process by SIGSYS, so that its exit reason can name the call. */
#define DENY SCMP_ACT_TRAP

#define KINDS (2 * TRP_SECCOMP_COUNT) /* with and without processes */

static const int strict_calls[] = {
    /* another program in its place */
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    /* other processes' memory */
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    /* what the machine is made of */
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(pivot_root),
    SCMP_SYS(chroot),
    SCMP_SYS(setns),
    SCMP_SYS(unshare),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(delete_module),
    SCMP_SYS(kexec_load),
    SCMP_SYS(reboot),
    SCMP_SYS(swapon),
    SCMP_SYS(swapoff),
    SCMP_SYS(settimeofday),
    SCMP_SYS(clock_settime),
    /* large parts of the kernel that a worker has no use for */
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(keyctl),
    SCMP_SYS(open_by_handle_at),
};

/* A thread is not a process. clone3 hides its flags from filters: glibc falls back to clone. */
static bool deny_processes(scmp_filter_ctx filter)
{
    return seccomp_rule_add(filter, DENY, SCMP_SYS(fork), 0) == 0 &&
           seccomp_rule_add(filter, DENY, SCMP_SYS(vfork), 0) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0 &&
           seccomp_rule_add(filter, DENY, SCMP_SYS(clone), 1,
                            SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0)) == 0;
}

static bool deny_strict(scmp_filter_ctx filter, bool may_exec)
{
    for (size_t i = may_exec ? 2 : 0; i < sizeof(strict_calls) / sizeof(strict_calls[0]); i++) {
        if (seccomp_rule_add(filter, DENY, strict_calls[i], 0) != 0) {
            return false;
        }
    }
    return seccomp_rule_add(filter, DENY, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_NE, AF_UNIX, 0)) ==
           0;
}

/* libseccomp writes a program only into a file. */
static bool export_program(scmp_filter_ctx filter, struct sock_fprog *program)
{
    struct stat found;
    bool done = false;
    const int fd = memfd_create("troupe-filter", MFD_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    if (seccomp_export_bpf(filter, fd) == 0 && fstat(fd, &found) == 0) {
        program->filter = malloc((size_t)found.st_size);
        program->len = (unsigned short)((size_t)found.st_size / sizeof(struct sock_filter));
        done = program->filter != NULL &&
               pread(fd, program->filter, (size_t)found.st_size, 0) == found.st_size;
    }
    (void)close(fd);
    return done;
}

static bool build(const trp_limits_t *limits, struct sock_fprog *program)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (filter == NULL) {
        return false;
    }
    /* A worker that may have processes may as well run programs in them. */
    const bool may_exec = limits->processes != 0;
    const bool done = (limits->processes != 0 || deny_processes(filter)) &&
                      (limits->seccomp != TRP_SECCOMP_STRICT || deny_strict(filter, may_exec)) &&
                      export_program(filter, program);
    seccomp_release(filter);
    return done;
}

/* The sanitizers show their findings with the help of a process of their own. */
static bool is_sanitized(void)
{
#if defined(__SANITIZE_ADDRESS__)
    return true;
#else
    return false;
#endif
}

const struct sock_fprog *sandbox_filter(const trp_limits_t *limits)
{
    static struct sock_fprog programs[KINDS];
    static bool tried[KINDS];
    const size_t kind = (size_t)limits->seccomp * 2 + (limits->processes != 0);
    if (limits->seccomp == TRP_SECCOMP_OFF || is_sanitized() ||
        (limits->seccomp == TRP_SECCOMP_BASIC && limits->processes != 0)) {
        return NULL;
    }
    if (!tried[kind]) {
        tried[kind] = true;
        if (!build(limits, &programs[kind])) {
            programs[kind].len = 0;
            log_event(LOG_WARN, "seccomp_filter_not_built");
        }
    }
    return programs[kind].len == 0 ? NULL : &programs[kind];
}
