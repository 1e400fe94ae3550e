/* SPDX-License-Identifier: MIT */
/* What a runtime asks of its host, answered by the world. */
#include <stdio.h>

#include "tests/sim/sim.h"

static int64_t now_ns(void *user)
{
    return ((const sim_domain_t *)user)->sim->now_ns;
}

static int64_t epoch_ms(void *user)
{
    const sim_domain_t *domain = user;
    return SIM_EPOCH_MS + domain->machine->epoch_skew_ms +
           (domain->sim->now_ns - domain->sim->began_ns) / NS_PER_MS;
}

static uint64_t chance(void *user)
{
    return sim_chance(((sim_domain_t *)user)->sim->host_chance);
}

static void no_sleep(void *user, host_word_t *word, uint32_t expected, int64_t until_ns)
{
    (void)word;
    (void)expected;
    (void)until_ns;
    trp_sim_fail(((sim_domain_t *)user)->sim, "a thread sleeps inside of a step");
}

/* As a futex: who does not sleep yet is not told, and looks at the word itself. */
static void wake(void *user, host_word_t *word)
{
    sim_domain_t *domain = user;
    for (uint32_t i = 0; i < domain->thread_count; i++) {
        sim_thread_t *thread = &domain->threads[i];
        if (&thread->worker->parked == word && thread->state == SIM_ASLEEP) {
            thread->wake_sent = true;
        }
    }
}

static trp_status_t thread_start(void *user, void (*body)(void *arg), void *arg,
                                 host_thread_t **thread)
{
    sim_domain_t *domain = user;
    *thread = NULL;
    if (body != worker_pool_loop) {
        return TRP_OK; /* the watchdog: no simulated handler stands still */
    }
    if (domain->thread_count == SIM_THREADS_MAX) {
        return TRP_SYSTEM;
    }
    sim_thread_t *made = &domain->threads[domain->thread_count];
    *made = (sim_thread_t){.domain = domain, .worker = arg, .index = domain->thread_count++};
    sim_schedule_thread(made);
    *thread = (host_thread_t *)made;
    return TRP_OK;
}

static void thread_join(void *user, host_thread_t **thread)
{
    (void)user;
    *thread = NULL;
}

static trp_status_t offload(void *user, host_job_t *job)
{
    sim_job_add(user, job);
    return TRP_OK;
}

static uint32_t processors(void *user)
{
    (void)user;
    return 1; /* nobody spins */
}

static int32_t process_id(void *user)
{
    return ((const sim_domain_t *)user)->os_pid;
}

static int32_t parent_id(void *user)
{
    (void)user;
    return 1;
}

static void process_exit(void *user, int status)
{
    sim_domain_t *domain = user;
    domain->is_leaving = true;
    domain->exit_code = status;
}

static void parent_stop(void *user)
{
    sim_domain_t *domain = user;
    sim_fault_t fault = {.kind = SIM_STOP_NODE};
    snprintf(fault.target, sizeof(fault.target), "%s", domain->machine->spec.name);
    sim_fault_happen(domain->sim, &fault);
}

void sim_host_init(sim_domain_t *domain)
{
    domain->host = (trp_host_t){
        .user = domain,
        .now_ns = now_ns,
        .epoch_ms = epoch_ms,
        .chance = chance,
        .sleep = no_sleep,
        .wake = wake,
        .thread_start = thread_start,
        .thread_join = thread_join,
        .offload = offload,
        .processors = processors,
        .process_id = process_id,
        .parent_id = parent_id,
        .process_exit = process_exit,
        .parent_stop = parent_stop,
    };
}

/* ---- chance: xoshiro256**, source: D. Blackman, S. Vigna, prng.di.unimi.it ---- */

void sim_chance_seed(uint64_t state[4], uint64_t seed)
{
    for (int i = 0; i < 4; i++) { /* splitmix64 */
        uint64_t z = seed += 0x9e3779b97f4a7c15u;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
        z = (z ^ z >> 27) * 0x94d049bb133111ebu;
        state[i] = z ^ z >> 31;
    }
}

uint64_t sim_chance(uint64_t state[4])
{
    uint64_t scrambled = state[1] * 5;
    scrambled = (scrambled << 7 | scrambled >> 57) * 9;
    const uint64_t shifted = state[1] << 17;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = state[3] << 45 | state[3] >> 19;
    return scrambled;
}

uint64_t sim_below(uint64_t state[4], uint64_t n)
{
    return n == 0 ? 0 : sim_chance(state) % n;
}

bool sim_happens(uint64_t state[4], uint32_t share)
{
    return share != 0 && sim_below(state, 1000000) < share;
}
