/* SPDX-License-Identifier: MIT */
/* From a failure to a smaller one with the same words: first without each of its planned faults,
 * then calm from ever earlier on. */
#include <string.h>

#include "tests/sim/run.h"

#define FAULTS_MAX 64

/* The words up to the first number: what differs between two runs of one bug is numbers. */
static bool is_alike(const outcome_t *a, const outcome_t *b)
{
    const size_t size = strcspn(a->failure, "0123456789");
    return size > 0 && strncmp(a->failure, b->failure, size) == 0;
}

static bool still_fails(const world_t *world, const outcome_t *wanted, outcome_t *got)
{
    return !run_world(world, got) && is_alike(wanted, got);
}

static uint32_t fault_count(const scenario_t *scenario)
{
    const trp_sim_faults_t *faults = &scenario->faults;
    const uint32_t count = faults->actor_kills + faults->process_kills + faults->node_kills +
                           faults->partitions + faults->pauses + faults->slow_nodes +
                           faults->store_kills;
    return count < FAULTS_MAX ? count : FAULTS_MAX;
}

world_t run_shrink(const world_t *world, outcome_t *outcome)
{
    world_t best = *world;
    const outcome_t wanted = *outcome;
    outcome_t got;
    for (uint32_t i = 0; i < fault_count(world->scenario); i++) {
        world_t next = best;
        next.without |= 1ull << i;
        if (still_fails(&next, &wanted, &got)) {
            best = next;
            *outcome = got;
        }
    }
    /* By halves: not every failure grows with its steps, so this finds a small one only. */
    uint64_t low = 1;
    uint64_t high = outcome->steps;
    while (low < high) {
        world_t next = best;
        next.calm_after = low + (high - low) / 2;
        if (still_fails(&next, &wanted, &got)) {
            best = next;
            *outcome = got;
            high = next.calm_after;
        } else {
            low = next.calm_after + 1;
        }
    }
    return best;
}
