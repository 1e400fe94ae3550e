/* SPDX-License-Identifier: MIT */
/* A worker for scenarios of order: the tool `step` gets {"key": "k0" to "k3", "n": ...}, takes up
 * to 20 ms, and gives back n. What it sees of each key, over all workers and their deaths, must be
 * one after another: a number begins when the one before has ended, or once more when its worker
 * died. */
#ifndef TRP_TESTS_SIM_SCENARIO_STEP_H
#define TRP_TESTS_SIM_SCENARIO_STEP_H

#include "tests/sim/trp_sim.h"

extern const trp_class_t step_class;

/** Forgets the world before. */
void step_begin(trp_sim_t *sim);

/** Calls `step` `count` times, in random keys and moments, some with a deadline that may come
 * before the answer; about one body in `large` is over what the router's edge reads itself; 0:
 * none. */
void step_play(trp_sim_client_t *client, unsigned count, unsigned large);

#endif
