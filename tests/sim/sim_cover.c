/* SPDX-License-Identifier: MIT */
#include "tests/sim/sim_cover.h"

#include "supervisor/supervisor_state.h"
#include "tests/sim/sim.h"

#define STATES_MAX 4096

static uint8_t seen[SIM_COVER_KINDS][STATES_MAX];
static uint32_t counts[SIM_COVER_KINDS];

const char *sim_cover_name(sim_cover_kind_t kind)
{
    static const char *const names[] = {"policy", "links", "threads", "faults"};
    return names[kind];
}

uint32_t sim_cover_count(sim_cover_kind_t kind)
{
    return counts[kind];
}

void sim_cover_add(sim_cover_kind_t kind, uint32_t state)
{
    uint8_t *bit = &seen[kind][state % STATES_MAX];
    counts[kind] += *bit == 0;
    *bit = 1;
}

static void cover_link(void *user, const place_link_t *link)
{
    (void)user;
    sim_cover_add(SIM_COVER_LINK, (uint32_t)link->channel.state << 6 |
                                      (uint32_t)link->connected << 5 | (uint32_t)link->down << 4 |
                                      (uint32_t)link->exited << 3 | (uint32_t)link->said_bye << 2 |
                                      (uint32_t)(link->refused != 0) << 1 |
                                      (uint32_t)(link->channel.waiting != 0));
}

static void cover_supervisor(const policy_t *policy)
{
    for (const policy_child_t *child = policy->first; child != NULL; child = child->next) {
        uint32_t state = (uint32_t)policy->spec->strategy;
        state = state * (POLICY_ENDED + 1) + (uint32_t)policy->mode;
        state = state * TRP_RESTART_COUNT + (uint32_t)child->spec->restart;
        state = state * POLICY_PHASE_COUNT + (uint32_t)child->phase;
        sim_cover_add(SIM_COVER_POLICY, state * 2 + (child->streak != 0));
    }
}

void sim_cover_domain(const sim_domain_t *domain)
{
    const cell_table_t *table = &domain->runtime->table;
    const uint32_t used = atomic_load_explicit(&table->used, memory_order_relaxed);
    for (uint32_t slot = 1; slot < used; slot++) {
        const cell_t *cell = &table->cells[slot];
        const cell_phase_t phase = cell_phase(cell);
        if ((phase == CELL_STARTING || phase == CELL_LIVE) &&
            cell->class == &trp_supervisor_class) {
            cover_supervisor(&((const supervisor_t *)cell->state)->policy);
        }
    }
    if (domain->node != NULL && node_hub(domain->node) != NULL) {
        hub_each(node_hub(domain->node), cover_link, NULL);
    }
}

void sim_cover_thread(const sim_thread_t *thread, sim_thread_state_t before)
{
    const uint32_t kind = thread->index == 0 ? 1 : 0;
    sim_cover_add(SIM_COVER_THREAD,
                  (kind * SIM_THREAD_STATES + before) * SIM_THREAD_STATES + thread->state);
}
