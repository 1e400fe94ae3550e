/* SPDX-License-Identifier: MIT */
/* Signals of which a process dies: noted by the thread that they hit, then let go on as they would
 * have. Once in a process; a handler that was there before (a sanitizer's) acts next. */
#ifndef TRP_RUNTIME_HOST_FATAL_H
#define TRP_RUNTIME_HOST_FATAL_H

#include <signal.h>
#include <stdbool.h>

/** Called in the signal's handler, on the thread's alternate stack where it has one: a stack that
 * overflowed leaves none. Async-signal-safe calls only. */
typedef void host_fatal_note_t(int number, const siginfo_t *info);

/** Notes faults, abort and forbidden system calls of this process from now on. */
void host_fatal_catch(host_fatal_note_t *note);

/** The mask of a thread that is to get no signal but these: a fault whose signal is blocked ends
 * the process without a note. */
void host_fatal_mask(sigset_t *mask);

/** Whether the processor found the fault: then it has an address, and comes again by itself. */
bool host_fatal_is_fault(int number, const siginfo_t *info);

/** Whether this process did it itself: a fault, or abort; not a signal that somebody sent. */
bool host_fatal_is_own(const siginfo_t *info);

#endif
