/* SPDX-License-Identifier: MIT */
/* A worker for scenarios: answers each task with its body. */
#ifndef TRP_TESTS_SIM_SCENARIO_ECHO_H
#define TRP_TESTS_SIM_SCENARIO_ECHO_H

#include "runtime/troupe.h"

extern const trp_class_t echo_class;

/** Serves the tool `lazy`, which takes up to 50 ms and gives {"n": 1}. */
extern const trp_class_t lazy_class;

#endif
