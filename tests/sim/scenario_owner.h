/* SPDX-License-Identifier: MIT */
/* An actor that owns a key of the store `store`: it appends a number to its value with the version
 * that it knows, again and again, half of the times asking for a sync. */
#ifndef TRP_TESTS_SIM_SCENARIO_OWNER_H
#define TRP_TESTS_SIM_SCENARIO_OWNER_H

#include "tests/sim/trp_sim.h"

extern const trp_class_t owner_class;

/** Before the first owner of a world. */
void owners_begin(void);
/** Fails the world unless the key in that store has each number that was acknowledged as durable.
 */
void owners_check(trp_sim_t *sim, const char *store);
/** Numbers that were acknowledged, durable or not. */
uint32_t owners_acknowledged(void);

#endif
