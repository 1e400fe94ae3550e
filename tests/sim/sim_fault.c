/* SPDX-License-Identifier: MIT */
/* What goes wrong: planned by chance before the world begins, or written in a script. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"
#include "tests/sim/sim_cover.h"

#define DELAY_US    100
#define LEAVES_US   50 /* until a message has left its process, at most */
#define CALM_US     50
#define OVER_MS     10000
#define PAUSE_MS    1000
#define SLOW_NS     (100 * NS_PER_US)
#define TARGETS_MAX 256

/* ---- the plan ---- */

void sim_fault_add(trp_sim_t *sim, const sim_fault_t *fault)
{
    if (sim->fault_count == SIM_FAULTS_MAX) {
        return;
    }
    size_t at = sim->fault_count++;
    while (at > sim->fault_next && sim->faults[at - 1].at_ns > fault->at_ns) {
        sim->faults[at] = sim->faults[at - 1];
        at--;
    }
    sim->faults[at] = *fault;
}

static int64_t or_default(int64_t value, int64_t fallback)
{
    return value == 0 ? fallback : value;
}

/* Each takes the same chance whether it is left out or not, so that the others stay as they are. */
static void plan_kind(trp_sim_t *sim, sim_fault_kind_t kind, uint32_t count, uint32_t *number)
{
    const trp_sim_faults_t *faults = &sim->options.faults;
    const uint64_t over_ns = (uint64_t)(or_default(faults->over_ms, OVER_MS) * NS_PER_MS);
    const uint64_t pause_ns = (uint64_t)(or_default(faults->pause_ms, PAUSE_MS) * NS_PER_MS);
    for (uint32_t i = 0; i < count; i++, (*number)++) {
        sim_fault_t fault = {.kind = kind, .planned = true};
        fault.at_ns = sim->began_ns + (int64_t)sim_below(sim->fate_chance, over_ns);
        fault.for_ns = 1 + (int64_t)sim_below(sim->fate_chance, pause_ns);
        fault.pick = sim_chance(sim->fate_chance);
        const bool left_out = *number < 64 && (sim->options.faults_without >> *number & 1) != 0;
        if (!left_out) {
            sim_fault_add(sim, &fault);
        }
    }
}

void sim_fault_plan(trp_sim_t *sim)
{
    const trp_sim_faults_t *faults = &sim->options.faults;
    uint32_t number = 0;
    plan_kind(sim, SIM_KILL_ACTOR, faults->actor_kills, &number);
    plan_kind(sim, SIM_KILL_PROCESS, faults->process_kills, &number);
    plan_kind(sim, SIM_KILL_NODE, faults->node_kills, &number);
    plan_kind(sim, SIM_SPLIT, faults->partitions, &number);
    plan_kind(sim, SIM_PAUSE, faults->pauses, &number);
    plan_kind(sim, SIM_SLOW, faults->slow_nodes, &number);
    plan_kind(sim, SIM_KILL_STORE, faults->store_kills, &number);
}

void sim_fault_due(trp_sim_t *sim)
{
    while (sim->fault_next < sim->fault_count &&
           sim->faults[sim->fault_next].at_ns <= sim->now_ns) {
        const sim_fault_t fault = sim->faults[sim->fault_next++];
        if (!sim->calm || !fault.planned) {
            sim_fault_happen(sim, &fault);
        }
    }
    for (size_t i = 0; i < SIM_SPLITS_MAX; i++) {
        sim_split_t *split = &sim->splits[i];
        if (split->active && split->until_ns <= sim->now_ns) {
            split->active = false;
            sim_trace_add(sim, "world", NULL, "heals");
        }
    }
}

int64_t sim_fault_next_ns(const trp_sim_t *sim)
{
    int64_t next =
        sim->fault_next < sim->fault_count ? sim->faults[sim->fault_next].at_ns : SIM_NEVER;
    for (size_t i = 0; i < SIM_SPLITS_MAX; i++) {
        if (sim->splits[i].active && sim->splits[i].until_ns < next) {
            next = sim->splits[i].until_ns;
        }
    }
    return next;
}

/* ---- targets ---- */

static sim_domain_t *choose_domain(const trp_sim_t *sim, const sim_fault_t *fault,
                                   sim_domain_kind_t kind)
{
    sim_domain_t *targets[TARGETS_MAX];
    size_t count = 0;
    if (fault->target[0] != '\0') {
        return sim_domain_of(sim, fault->target);
    }
    for (sim_domain_t *domain = sim->domains; domain != NULL; domain = domain->next) {
        if (domain->is_alive && domain->kind == kind && count < TARGETS_MAX) {
            targets[count++] = domain;
        }
    }
    return count == 0 ? NULL : targets[fault->pick % count];
}

/* The keeper, the root of the tree and the test's actor are no fair game: nobody restarts them. */
static bool is_fair(const cell_t *cell)
{
    static const char *const spared[] = {KEEPER_NAME, TREE_ROOT};
    if (cell_phase(cell) == CELL_VACANT || cell_is_proxy(cell) ||
        strcmp(cell->class->name, "test") == 0) {
        return false;
    }
    for (size_t i = 0; i < sizeof(spared) / sizeof(spared[0]); i++) {
        if (cell->life != NULL && strcmp(cell->life->name, spared[i]) == 0) {
            return false;
        }
    }
    return true;
}

typedef struct victim {
    trp_runtime_t *runtime;
    trp_pid_t pid;
} victim_t;

/* "NODE/NAME", or "NAME" on any node. */
static bool is_named(const sim_domain_t *domain, const cell_t *cell, const char *target)
{
    const char *slash = strchr(target, '/');
    const size_t size = slash == NULL ? 0 : (size_t)(slash - target);
    if (slash != NULL &&
        (strlen(domain->name) != size || memcmp(domain->name, target, size) != 0)) {
        return false;
    }
    return cell->life != NULL && strcmp(cell->life->name, slash == NULL ? target : slash + 1) == 0;
}

static size_t find_victims(const trp_sim_t *sim, const char *target, victim_t victims[TARGETS_MAX])
{
    size_t count = 0;
    for (sim_domain_t *domain = sim->domains; domain != NULL; domain = domain->next) {
        if (!domain->is_alive || domain->runtime == NULL) {
            continue;
        }
        const uint32_t used =
            atomic_load_explicit(&domain->runtime->table.used, memory_order_relaxed);
        for (uint32_t slot = 1; slot < used && count < TARGETS_MAX; slot++) {
            const cell_t *cell = &domain->runtime->table.cells[slot];
            const bool chosen = cell_phase(cell) != CELL_VACANT &&
                                (target[0] == '\0' ? is_fair(cell) && domain->kind == SIM_NODE
                                                   : is_named(domain, cell, target));
            if (chosen) {
                victims[count++] = (victim_t){domain->runtime, cell->self};
            }
        }
    }
    return count;
}

static bool kill_actor(trp_sim_t *sim, const sim_fault_t *fault)
{
    victim_t victims[TARGETS_MAX];
    const size_t count = find_victims(sim, fault->target, victims);
    trp_envelope_t *kill = count == 0 ? NULL : envelope_alloc();
    if (kill == NULL) {
        return fault->planned;
    }
    const victim_t *victim = &victims[fault->pick % count];
    const trp_reason_t reason = trp_reason(TRP_REASON_KILLED, 0, NULL);
    kill->to = victim->pid;
    kill->tag = TRP_SIGNAL_KILL;
    kill->flags = TRP_ENVELOPE_SIGNAL | TRP_ENVELOPE_URGENT;
    (void)!envelope_set(kill, &reason, sizeof(reason));
    if (runtime_send(victim->runtime, kill) != TRP_OK) {
        envelope_free(kill);
    }
    return true;
}

static bool stop_node(const trp_sim_t *sim, const sim_fault_t *fault)
{
    const sim_machine_t *machine = sim_machine_of(sim, fault->target);
    sim_domain_t *domain = machine == NULL ? NULL : machine->node;
    if (domain == NULL || domain->report == NULL) {
        return false;
    }
    const guardian_message_t stop = {.kind = GUARDIAN_STOP, .value = SIGTERM};
    domain->report(domain->hearer, &stop);
    return true;
}

/* ---- partitions ---- */

static void group_add(char group[SIM_NAME_MAX], const char *name)
{
    const size_t size = strlen(group);
    snprintf(group + size, SIM_NAME_MAX - size, "%s%s", size == 0 ? "" : " ", name);
}

/* Everybody who can be cut off goes to one side or the other. */
static void choose_groups(const trp_sim_t *sim, sim_fault_t *fault)
{
    uint64_t sides = fault->pick >> 1;
    for (const sim_machine_t *machine = sim->machines; machine != NULL; machine = machine->next) {
        group_add(fault->group[sides & 1], machine->spec.name);
        sides >>= 1;
    }
    const char *name = NULL;
    for (size_t i = 0; (name = sim_worker_name(sim, i)) != NULL; i++) {
        group_add(fault->group[sides & 1], name);
        sides >>= 1;
    }
    for (size_t i = 0; sim_store_each(sim, i, &name); i++) {
        if (strchr(name, '.') == NULL) { /* a disk is where its node is */
            group_add(fault->group[sides & 1], name);
            sides >>= 1;
        }
    }
    if (fault->group[1][0] == '\0' || fault->group[0][0] == '\0') {
        const int empty = fault->group[0][0] == '\0' ? 0 : 1;
        snprintf(fault->group[empty], SIM_NAME_MAX, "*");
    }
    fault->one_way = (fault->pick & 1) != 0;
}

static bool split(trp_sim_t *sim, const sim_fault_t *fault)
{
    sim_fault_t chosen = *fault;
    if (chosen.group[0][0] == '\0') {
        choose_groups(sim, &chosen);
    }
    for (size_t i = 0; i < SIM_SPLITS_MAX; i++) {
        sim_split_t *slot = &sim->splits[i];
        if (!slot->active) {
            *slot = (sim_split_t){.active = true, .one_way = chosen.one_way};
            slot->until_ns = chosen.for_ns == 0 ? SIM_NEVER : sim->now_ns + chosen.for_ns;
            memcpy(slot->group, chosen.group, sizeof(slot->group));
            return true;
        }
    }
    return false;
}

static bool has_name(const char *group, const char *name, size_t size)
{
    for (const char *at = group; *at != '\0';) {
        const size_t word = strcspn(at, " ");
        if (word == size && memcmp(at, name, size) == 0) {
            return true;
        }
        at += word + strspn(at + word, " ");
    }
    return false;
}

static bool is_in(const sim_split_t *split_now, int group, const char *name, size_t size)
{
    if (strcmp(split_now->group[group], "*") == 0) {
        return !has_name(split_now->group[1 - group], name, size);
    }
    return has_name(split_now->group[group], name, size);
}

bool sim_fault_blocks(void *user, const char *from, const char *to)
{
    const trp_sim_t *sim = user;
    const size_t from_size = strcspn(from, "."); /* a worker process is on its node's machine */
    const size_t to_size = strcspn(to, ".");
    if (from_size == to_size && memcmp(from, to, from_size) == 0) {
        return false;
    }
    for (size_t i = 0; i < SIM_SPLITS_MAX; i++) {
        const sim_split_t *now = &sim->splits[i];
        const bool there =
            now->active && is_in(now, 0, from, from_size) && is_in(now, 1, to, to_size);
        const bool back = now->active && !now->one_way && is_in(now, 1, from, from_size) &&
                          is_in(now, 0, to, to_size);
        if (there || back) {
            return true;
        }
    }
    return false;
}

/* ---- messages ---- */

sim_fate_t sim_fault_fate(void *user, const sim_way_t *way)
{
    trp_sim_t *sim = user;
    const trp_sim_faults_t *faults = &sim->options.faults;
    if (sim->calm || sim->options.schedule == TRP_SIM_FIFO || sim->choices != NULL) {
        return (sim_fate_t){.leaves_ns = CALM_US * NS_PER_US / 2, .delay_ns = CALM_US * NS_PER_US};
    }
    uint64_t *chance = sim->fate_chance;
    const int64_t most_us = sim_happens(chance, faults->slow_share)
                                ? faults->slow_ms * 1000
                                : or_default(faults->delay_us, DELAY_US);
    sim_fate_t fate = {
        .leaves_ns = (int64_t)sim_below(chance, LEAVES_US * NS_PER_US),
        .delay_ns = (int64_t)sim_below(chance, (uint64_t)(most_us * NS_PER_US)),
    };
    if (strncmp(way->endpoint, "tcp://", 6) == 0) {
        fate.lost = sim_happens(chance, faults->loss_share);
        fate.twice = sim_happens(chance, faults->double_share);
        fate.passes = sim_happens(chance, faults->pass_share);
        sim->lost += fate.lost;
    }
    return fate;
}

/* ---- happening ---- */

static bool pause_domain(trp_sim_t *sim, const sim_fault_t *fault)
{
    sim_domain_t *domain =
        choose_domain(sim, fault, (fault->pick & 1u) != 0 ? SIM_WORKER : SIM_NODE);
    if (domain != NULL) {
        domain->paused_until_ns =
            fault->kind == SIM_RESUME
                ? 0
                : (fault->for_ns == 0 ? SIM_NEVER : sim->now_ns + fault->for_ns);
    }
    return domain != NULL || fault->planned;
}

static bool slow_node(trp_sim_t *sim, const sim_fault_t *fault)
{
    sim_domain_t *domain = choose_domain(sim, fault, SIM_NODE);
    if (domain != NULL) {
        domain->machine->step_ns = SLOW_NS;
    }
    return domain != NULL || fault->planned;
}

static bool crash(trp_sim_t *sim, const sim_fault_t *fault, sim_domain_kind_t kind)
{
    sim_domain_t *domain = choose_domain(sim, fault, kind);
    if (domain != NULL && domain->kind == kind) {
        domain->machine->was_killed |= kind == SIM_NODE;
        sim_domain_crash(domain, SIGKILL);
        return true;
    }
    return fault->planned;
}

static bool heal(trp_sim_t *sim)
{
    for (size_t i = 0; i < SIM_SPLITS_MAX; i++) {
        sim->splits[i].active = false;
    }
    return true;
}

void sim_fault_happen(trp_sim_t *sim, const sim_fault_t *fault)
{
    char line[192];
    bool done = false;
    sim_script_write(fault, line);
    sim_trace_add(sim, "world", NULL, "%s", line);
    sim_hash_add(sim, fault->kind);
    sim_cover_add(SIM_COVER_FAULT, fault->kind);
    switch (fault->kind) {
    case SIM_KILL_ACTOR:
        done = kill_actor(sim, fault);
        break;
    case SIM_KILL_PROCESS:
        done = crash(sim, fault, SIM_WORKER);
        break;
    case SIM_KILL_NODE:
        done = crash(sim, fault, SIM_NODE);
        break;
    case SIM_STOP_NODE:
        done = stop_node(sim, fault);
        break;
    case SIM_SPLIT:
        done = split(sim, fault);
        break;
    case SIM_HEAL:
        done = heal(sim);
        break;
    case SIM_SLOW:
        done = slow_node(sim, fault);
        break;
    case SIM_KILL_STORE:
        done = sim_store_kill(sim, fault);
        break;
    default:
        done = pause_domain(sim, fault);
    }
    if (!done) {
        trp_sim_fail(sim, "there is nothing to do for: %s", line);
    }
}

void sim_fault_end_all(trp_sim_t *sim)
{
    (void)heal(sim);
    sim_store_heal(sim);
    for (sim_domain_t *domain = sim->domains; domain != NULL; domain = domain->next) {
        domain->paused_until_ns = 0;
        domain->machine->step_ns = 0;
    }
}

void trp_sim_fault(trp_sim_t *sim, const char *what)
{
    sim_fault_t fault = {.kind = SIM_HEAL};
    if (sim_script_line(what, &fault)) {
        sim_fault_happen(sim, &fault);
    } else {
        trp_sim_fail(sim, "not a fault: %s", what);
    }
}
