/* SPDX-License-Identifier: MIT */
/* The runner's parts: one world (run.c), the smaller one that fails alike (run_shrink.c), and all
 * schedules of a small one (run_search.c). */
#ifndef TRP_TESTS_SIM_RUN_H
#define TRP_TESTS_SIM_RUN_H

#include "tests/sim/scenario.h"

typedef struct outcome {
    uint64_t steps, hash;
    char failure[512]; /* "": none */
} outcome_t;

/** Which world. */
typedef struct world {
    const scenario_t *scenario;
    uint64_t seed;
    uint64_t without;    /* faults that are left out */
    uint64_t calm_after; /* steps; 0: never */
    bool trace, chart;
} world_t;

/** False: it failed. */
bool run_world(const world_t *world, outcome_t *outcome);

/** A world that fails with the same words after fewer steps and faults. `outcome`: of the one that
 * is given, then of the one that is returned. */
world_t run_shrink(const world_t *world, outcome_t *outcome);

/** Writes the command that runs it. */
void run_command(const world_t *world, char line[256]);

/** All schedules of a tree of one child that dies, with at most `switches` switches between
 * threads that could go on. `runs_max`: stops there. Returns the number of runs, negated when one
 * failed. */
int64_t run_search(uint32_t switches, int64_t runs_max, bool *is_complete);

#endif
