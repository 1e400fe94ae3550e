/* SPDX-License-Identifier: MIT */
/* The actor that is the root's parent and asks the supervisors; its results go to the log. */
#ifndef TRP_TESTS_SUPERVISION_ASK_H
#define TRP_TESTS_SUPERVISION_ASK_H

#include "tests/supervision/cast.h"

/** Starts the tree, or logs that it is refused. */
void ask_open(role_t *root);
void ask_close(void);

/** A request of the scenario. */
void ask_step(const json_t *step, int number);

/** Asks the root to stop. */
void ask_stop(int number);

void ask_crash(trp_pid_t pid, const trp_reason_t *reason);
void ask_finish(trp_pid_t pid, int outcome);

/** ["result", number, value]; takes the reference. */
void ask_log(int number, json_t *value);

#endif
