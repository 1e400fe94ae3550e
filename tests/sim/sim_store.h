/* SPDX-License-Identifier: MIT */
/* The stores of a world, for its other parts. */
#ifndef TRP_TESTS_SIM_SIM_STORE_H
#define TRP_TESTS_SIM_SIM_STORE_H

#include "runtime/plugin.h"
#include "tests/sim/trp_sim.h"

typedef struct sim_store sim_store_t;
struct sim_fault;

/** Who opens it: `how` of trp_store_options_t, whose `where` names the store. Outlives the handle.
 */
typedef struct sim_store_how {
    trp_sim_t *sim;
    const char *owner; /* as partitions know it */
} sim_store_how_t;

extern const trp_store_t sim_store_backend;

/** False: there is no such store. */
bool sim_store_kill(trp_sim_t *sim, const struct sim_fault *fault);
/** The node `machine` was killed: what its disks had not synced is lost. */
void sim_store_machine_died(trp_sim_t *sim, const char *machine);
/** The name of the store with that number, from 0 on; false: there are not so many. */
bool sim_store_each(const trp_sim_t *sim, size_t number, const char **name);
/** Tells who missed changes and can be reached again. */
void sim_store_turn(trp_sim_t *sim);
void sim_store_heal(trp_sim_t *sim);
void sim_store_free_all(trp_sim_t *sim);

#endif
