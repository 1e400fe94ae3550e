/* SPDX-License-Identifier: MIT */
#include "runtime/guardian/black_box_catch.h"

#include <errno.h>

#include "runtime/base/host_fatal.h"
#include "runtime/guardian/sandbox.h"

#define STACK_SIZE 65536

static black_box_t *noted;
static _Alignas(16) unsigned char stack[STACK_SIZE];

static void note(int number, const siginfo_t *info)
{
    black_box_death_t *death = &noted->head->death;
    death->code = info->si_code;
    death->error = errno;
    death->system_call = number == SIGSYS ? info->si_syscall : -1;
    death->address = host_fatal_is_fault(number, info) ? (uint64_t)(uintptr_t)info->si_addr : 0;
    death->sender = info->si_code == SI_USER ? info->si_pid : 0;
    death->data_bytes = (uint64_t)sandbox_memory();
    /* Release: the lines above, to who reads the box of the dead. */
    atomic_store_explicit(&death->signal, (uint32_t)number, memory_order_release);
}

void black_box_catch(black_box_t *box)
{
    const stack_t own = {.ss_sp = stack, .ss_size = sizeof(stack)};
    if (box->head != NULL && sigaltstack(&own, NULL) == 0) {
        noted = box;
        host_fatal_catch(note);
    }
}
