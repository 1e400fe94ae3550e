/* SPDX-License-Identifier: MIT */
/* Scenarios: worlds that are run with many seeds. Each file scenario_NAME.c has one table entry;
 * docs/simulation.md teaches with three of them. */
#ifndef TRP_TESTS_SIM_SCENARIO_H
#define TRP_TESTS_SIM_SCENARIO_H

#include "tests/sim/trp_sim.h"

typedef struct scenario {
    const char *name, *text;
    /** What may go wrong in it. */
    trp_sim_faults_t faults;
    /** Plays it in a world that was opened and has no node yet. */
    void (*play)(trp_sim_t *sim);
    bool is_small; /* exhaustive search makes sense */
} scenario_t;

extern const scenario_t scenario_pool;
extern const scenario_t scenario_partition;
extern const scenario_t scenario_rolling;
extern const scenario_t scenario_tree;
extern const scenario_t scenario_order;
extern const scenario_t scenario_nodes;
extern const scenario_t scenario_ask;
extern const scenario_t scenario_store;
extern const scenario_t scenario_foreign;
extern const scenario_t scenario_late;
extern const scenario_t scenario_letters;
extern const scenario_t scenario_key;
extern const scenario_t scenario_intake;
extern const scenario_t scenario_rollout;

#endif
