/* SPDX-License-Identifier: MIT */
/* A runtime in one thread with a virtual clock, where single actors can be kept from running. One
 * at a time. */
#ifndef TRP_TESTS_SUPERVISION_STAGE_H
#define TRP_TESTS_SUPERVISION_STAGE_H

#include "runtime/core/scheduler.h"

extern trp_runtime_t *stage;

/** Makes `stage`; ends the program when it can't. */
void stage_open(void);
void stage_close(void);

/** Whenever this actor has something to do, it is the next to run. */
void stage_prefer(trp_pid_t pid);

/** Runs until nobody who may run has anything to do now. */
void stage_settle(void);

/** Moves the clock. */
void stage_skip_ms(int64_t ms);

/** The actor does not run until it is released. bounds: 16 at a time */
void stage_hold(trp_pid_t pid);
void stage_release(trp_pid_t pid);
bool stage_is_held(trp_pid_t pid);

/** "supervision_trace: ..." on standard error, and the end of the program. */
TRP_PRINTF(1, 2) _Noreturn void stage_fail(const char *format, ...);

#endif
