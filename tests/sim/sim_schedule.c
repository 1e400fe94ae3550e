/* SPDX-License-Identifier: MIT */
/* Who steps next: each in its turn, by chance, by priorities (PCT), or as a search says.
 * source of PCT: S. Burckhardt et al., "A randomized scheduler with probabilistic guarantees of
 * finding bugs", 2010 */
#include "tests/sim/sim.h"

#include <stdlib.h>

#define DEPTH_DEFAULT 3
#define DEPTH_MAX     8
#define PCT_STEPS     4000 /* among so many steps the changes of priority are spread */
#define READY_MAX     512

void sim_schedule_init(trp_sim_t *sim)
{
    const uint32_t depth = sim->options.depth == 0 ? DEPTH_DEFAULT : sim->options.depth;
    for (uint32_t i = 0; i + 1 < depth && i < DEPTH_MAX; i++) {
        sim->change_at[i] = 1 + sim_below(sim->schedule_chance, PCT_STEPS);
    }
    sim->low_priority = DEPTH_MAX;
}

void sim_schedule_thread(sim_thread_t *thread)
{
    trp_sim_t *sim = thread->domain->sim;
    thread->priority = DEPTH_MAX + 1 + (sim_chance(sim->schedule_chance) >> 8);
}

static size_t ready_threads(trp_sim_t *sim, sim_thread_t *ready[READY_MAX])
{
    size_t count = 0;
    for (sim_domain_t *domain = sim->domains; domain != NULL; domain = domain->next) {
        for (uint32_t i = 0; i < domain->thread_count && domain->is_alive; i++) {
            if (count < READY_MAX && sim_thread_ready(&domain->threads[i])) {
                ready[count++] = &domain->threads[i];
            }
        }
    }
    return count;
}

/* The one after the last that stepped. */
static sim_thread_t *in_turn(const trp_sim_t *sim, sim_thread_t *const *ready, size_t count)
{
    const sim_thread_t *last = sim->last_thread;
    for (size_t i = 0; i < count && last != NULL; i++) {
        const sim_domain_t *domain = ready[i]->domain;
        if (domain->os_pid > last->domain->os_pid ||
            (domain == last->domain && ready[i]->index > last->index)) {
            return ready[i];
        }
    }
    return ready[0];
}

static sim_thread_t *by_priority(trp_sim_t *sim, sim_thread_t *const *ready, size_t count)
{
    sim_thread_t *best = ready[0];
    for (size_t i = 1; i < count; i++) {
        best = ready[i]->priority > best->priority ? ready[i] : best;
    }
    for (size_t i = 0; i < DEPTH_MAX; i++) {
        if (sim->change_at[i] == sim->steps) {
            best->priority = --sim->low_priority;
        }
    }
    /* Who polls for ever must not starve the others for ever. */
    if (sim_below(sim->schedule_chance, 64) == 0) {
        return ready[sim_below(sim->schedule_chance, count)];
    }
    return best;
}

static uint8_t next_choice(sim_choices_t *choices, uint8_t of)
{
    if (choices->count == choices->room) {
        choices->room = choices->room == 0 ? 256 : choices->room * 2;
        choices->taken = realloc(choices->taken, choices->room);
        choices->of = realloc(choices->of, choices->room);
        if (choices->taken == NULL || choices->of == NULL) {
            abort();
        }
    }
    const size_t at = choices->count++;
    if (at >= choices->given) {
        choices->taken[at] = 0;
    }
    choices->of[at] = of;
    return choices->taken[at];
}

/* The thread that went last goes on, or another does: up to switches_max times when it could. */
static sim_thread_t *by_search(trp_sim_t *sim, sim_thread_t **ready, size_t count)
{
    sim_choices_t *choices = sim->choices;
    bool goes_on = false;
    for (size_t i = 0; i < count; i++) {
        if (ready[i] == sim->last_thread) {
            sim_thread_t *first = ready[0];
            ready[0] = ready[i];
            ready[i] = first;
            goes_on = true;
        }
    }
    if (count == 1 || (goes_on && choices->switches >= choices->switches_max)) {
        return ready[0];
    }
    const uint8_t choice = next_choice(choices, count > UINT8_MAX ? UINT8_MAX : (uint8_t)count);
    choices->switches += goes_on && choice != 0;
    return ready[choice];
}

sim_thread_t *sim_schedule_next(trp_sim_t *sim)
{
    sim_thread_t *ready[READY_MAX];
    const size_t count = ready_threads(sim, ready);
    if (count == 0) {
        return NULL;
    }
    sim_thread_t *thread;
    if (sim->choices != NULL) {
        thread = by_search(sim, ready, count);
    } else if (sim->calm || sim->options.schedule == TRP_SIM_FIFO) {
        thread = in_turn(sim, ready, count);
    } else if (sim->options.schedule == TRP_SIM_PCT) {
        thread = by_priority(sim, ready, count);
    } else {
        thread = ready[sim_below(sim->schedule_chance, count)];
    }
    sim->last_thread = thread;
    return thread;
}
