/* SPDX-License-Identifier: MIT */
#include "runtime/base/host_fatal.h"

#include <errno.h>
#include <unistd.h>

static const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS};
#define FATAL (sizeof(fatal) / sizeof(fatal[0]))

static struct sigaction before[FATAL];
static host_fatal_note_t *noted;

bool host_fatal_is_fault(int number, const siginfo_t *info)
{
    return info->si_code > 0 && number != SIGABRT && number != SIGSYS;
}

bool host_fatal_is_own(const siginfo_t *info)
{
    return info->si_code > 0 || info->si_pid == getpid();
}

void host_fatal_mask(sigset_t *mask)
{
    (void)sigfillset(mask);
    for (size_t i = 0; i < FATAL; i++) {
        (void)sigdelset(mask, fatal[i]);
    }
}

/* A handler that was there before ours acts next, as that of a sanitizer, which reports: for it a
 * fault comes again by itself, with its address. Without one the process ends. */
static void pass_on(int number, const siginfo_t *info)
{
    struct sigaction next = {.sa_handler = SIG_DFL};
    for (size_t i = 0; i < FATAL; i++) {
        if (fatal[i] == number && (before[i].sa_flags & SA_SIGINFO) != 0) {
            next = before[i];
        }
    }
    (void)sigaction(number, &next, NULL);
    if ((next.sa_flags & SA_SIGINFO) == 0 || !host_fatal_is_fault(number, info)) {
        (void)raise(number); /* pending until we return */
    }
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    const int error = errno;
    (void)context;
    noted(number, info);
    pass_on(number, info);
    errno = error;
}

void host_fatal_catch(host_fatal_note_t *note)
{
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    noted = note;
    (void)sigfillset(&action.sa_mask);
    for (size_t i = 0; i < FATAL; i++) {
        (void)sigaction(fatal[i], &action, &before[i]);
    }
}
