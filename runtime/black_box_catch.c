/* SPDX-License-Identifier: MIT */
#include "runtime/black_box_catch.h"

#include <errno.h>
#include <signal.h>

#include "runtime/sandbox.h"

#define STACK_SIZE 65536

static const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS};
#define FATAL (sizeof(fatal) / sizeof(fatal[0]))

static struct sigaction before[FATAL];
static black_box_t *noted;
static _Alignas(16) unsigned char stack[STACK_SIZE];

/* Sent by somebody, these signals have no address. */
static bool is_fault(int number, const siginfo_t *info)
{
    return info->si_code > 0 && number != SIGABRT && number != SIGSYS;
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
    if ((next.sa_flags & SA_SIGINFO) == 0 || !is_fault(number, info)) {
        (void)raise(number); /* pending until we return */
    }
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    const int error = errno;
    black_box_death_t *death = &noted->head->death;
    (void)context;
    death->code = info->si_code;
    death->error = error;
    death->system_call = number == SIGSYS ? info->si_syscall : -1;
    death->address = is_fault(number, info) ? (uint64_t)(uintptr_t)info->si_addr : 0;
    death->sender = info->si_code == SI_USER ? info->si_pid : 0;
    death->data_bytes = (uint64_t)sandbox_memory();
    /* Release: the lines above, to who reads the box of the dead. */
    atomic_store_explicit(&death->signal, (uint32_t)number, memory_order_release);
    pass_on(number, info);
}

void black_box_catch(black_box_t *box)
{
    if (box->head == NULL) {
        return;
    }
    const stack_t own = {.ss_sp = stack, .ss_size = sizeof(stack)};
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    noted = box;
    if (sigaltstack(&own, NULL) != 0) {
        return;
    }
    (void)sigfillset(&action.sa_mask);
    for (size_t i = 0; i < FATAL; i++) {
        (void)sigaction(fatal[i], &action, &before[i]);
    }
}
