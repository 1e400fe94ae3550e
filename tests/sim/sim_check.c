/* SPDX-License-Identifier: MIT */
/* What must hold: after each step of a process, and more of it when the process is at rest. */
#include <stdlib.h>
#include <string.h>

#include "supervisor/supervisor_state.h"
#include "tests/sim/sim.h"

static const char *cell_text(const cell_t *cell)
{
    return cell->life != NULL && cell->life->name[0] != '\0' ? cell->life->name : cell->class->name;
}

/* ---- cells and queues ---- */

/* How often each cell stands in a run queue. */
typedef struct queued {
    uint8_t *times;
    uint32_t used;
} queued_t;

static void count_cell(queued_t *queued, const cell_t *cell)
{
    if (cell != NULL && cell->slot < queued->used) {
        queued->times[cell->slot]++;
    }
}

static void count_queue(queued_t *queued, const runq_t *queue)
{
    for (const cell_t *cell = queue->first; cell != NULL; cell = cell->run_next) {
        count_cell(queued, cell);
        if (cell == queue->last) {
            break;
        }
    }
}

static void count_all(queued_t *queued, const trp_runtime_t *runtime)
{
    count_queue(queued, &runtime->inject);
    count_queue(queued, &runtime->system);
    for (uint32_t i = 0; i < runtime->worker_count; i++) {
        count_queue(queued, &runtime->workers[i].queue);
        count_cell(queued, atomic_load_explicit(&runtime->workers[i].lifo, memory_order_relaxed));
    }
}

/* The mailbox word says whether the cell runs, and a cell that runs is in one queue. */
static void check_cell(const sim_domain_t *domain, const cell_t *cell, unsigned times)
{
    trp_sim_t *sim = domain->sim;
    const cell_phase_t phase = cell_phase(cell);
    const bool asleep = mailbox_is_asleep(&cell->mailbox);
    const char *name = phase == CELL_VACANT ? "" : cell_text(cell);
    if (times > 1) {
        trp_sim_fail(sim, "%s: cell %u (%s) is in %u run queues", domain->name, cell->slot, name,
                     times);
    } else if (phase == CELL_VACANT && (times != 0 || asleep)) {
        trp_sim_fail(sim, "%s: cell %u has no actor and would run", domain->name, cell->slot);
    } else if (phase == CELL_ENDING) {
        trp_sim_fail(sim, "%s: %s is neither alive nor gone", domain->name, name);
    } else if (phase != CELL_VACANT && asleep && times != 0) {
        trp_sim_fail(sim, "%s: %s sleeps and is queued", domain->name, name);
    } else if (phase != CELL_VACANT && !asleep && times == 0) {
        trp_sim_fail(sim, "%s: %s has work and nobody will run it", domain->name, name);
    } else if (phase != CELL_VACANT && asleep &&
               (cell->first != NULL || mailbox_has_urgent(&cell->mailbox))) {
        trp_sim_fail(sim, "%s: %s sleeps on a message", domain->name, name);
    }
}

/* Who sleeps owes nothing: what it kept is charged, and no more. */
static void check_charge(const sim_domain_t *domain, const cell_t *cell)
{
    const uint64_t charge = atomic_load_explicit(&cell->mailbox.charge, memory_order_relaxed);
    const cell_life_t *life = cell->life;
    const uint32_t kept = life == NULL ? 0 : mailbox_count(life->taken) + life->deferred.count;
    if (mailbox_count(charge) != kept) {
        trp_sim_fail(domain->sim, "%s: %s is charged for %u messages and keeps %u", domain->name,
                     cell_text(cell), mailbox_count(charge), kept);
    }
}

static void check_cells(const sim_domain_t *domain)
{
    const trp_runtime_t *runtime = domain->runtime;
    uint8_t times[4096] = {0};
    queued_t queued = {.times = times,
                       .used = atomic_load_explicit(&runtime->table.used, memory_order_relaxed)};
    queued.used = queued.used < sizeof(times) ? queued.used : sizeof(times);
    count_all(&queued, runtime);
    for (uint32_t slot = 1; slot < queued.used; slot++) {
        const cell_t *cell = &runtime->table.cells[slot];
        check_cell(domain, cell, times[slot]);
        if (cell_phase(cell) != CELL_VACANT && mailbox_is_asleep(&cell->mailbox)) {
            check_charge(domain, cell);
        }
    }
}

/* ---- the scheduler ---- */

static void check_threads(const sim_domain_t *domain)
{
    const trp_runtime_t *runtime = domain->runtime;
    const uint64_t idle = atomic_load_explicit(&runtime->idle, memory_order_relaxed);
    uint32_t searching = 0;
    for (uint32_t i = 1; i < domain->thread_count; i++) {
        const sim_thread_t *thread = &domain->threads[i];
        const bool parks = thread->state != SIM_RUNNING;
        const bool marked = (idle >> thread->worker->index & 1) != 0;
        searching += (parks && !marked) || (!parks && thread->worker->is_searching);
        if (marked && !parks) {
            trp_sim_fail(domain->sim, "%s: thread %u runs and is marked idle", domain->name, i);
        }
    }
    const uint32_t counted = atomic_load_explicit(&runtime->searching, memory_order_relaxed);
    if (counted != searching) {
        trp_sim_fail(domain->sim, "%s: %u threads search, %u are counted", domain->name, searching,
                     counted);
    }
}

/* ---- links to worker processes ---- */

static void check_channel(const sim_domain_t *domain, const channel_t *channel)
{
    const uint64_t under_way = channel->forwarded.messages - channel->credited.messages;
    size_t waiting = 0;
    for (const trp_envelope_t *at = channel->first; at != NULL; at = at->next) {
        waiting++;
    }
    if (under_way > channel->options.window_messages) {
        trp_sim_fail(domain->sim, "%s: %llu messages under way, the window has %llu", domain->name,
                     (unsigned long long)under_way,
                     (unsigned long long)channel->options.window_messages);
    } else if (waiting != channel->waiting) {
        trp_sim_fail(domain->sim, "%s: %zu messages wait, %zu are counted", domain->name, waiting,
                     channel->waiting);
    } else if (channel->reported.messages > channel->handled.messages) {
        trp_sim_fail(domain->sim, "%s: more was reported than handled", domain->name);
    }
}

static const sim_domain_t *worker_at(const sim_domain_t *node, const place_link_t *link)
{
    for (const sim_domain_t *domain = node->sim->domains; domain != NULL; domain = domain->next) {
        if (domain->is_alive && domain->kind == SIM_WORKER && domain->machine == node->machine &&
            domain->child.incarnation == link->incarnation) {
            return domain;
        }
    }
    return NULL;
}

static void check_link(void *user, const place_link_t *link)
{
    const sim_domain_t *node = user;
    const sim_domain_t *worker = worker_at(node, link);
    check_channel(node, &link->channel);
    if (worker == NULL || worker->worker == NULL) {
        return;
    }
    const channel_t *far = worker_channel(worker->worker);
    if (far->handled.messages > link->channel.forwarded.messages ||
        link->channel.credited.messages > far->handled.messages) {
        trp_sim_fail(node->sim, "%s: sent %llu, handled %llu, credited %llu", worker->name,
                     (unsigned long long)link->channel.forwarded.messages,
                     (unsigned long long)far->handled.messages,
                     (unsigned long long)link->channel.credited.messages);
    }
}

/* ---- supervisors ---- */

static const supervisor_t *supervisor_of(const cell_t *cell)
{
    const cell_phase_t phase = cell_phase(cell);
    const bool is_one =
        (phase == CELL_STARTING || phase == CELL_LIVE) && cell->class == &trp_supervisor_class;
    return is_one ? cell->state : NULL;
}

static void check_table(const sim_domain_t *domain, const supervisor_t *supervisor)
{
    const policy_t *policy = &supervisor->policy;
    for (const policy_child_t *child = policy->first; child != NULL; child = child->next) {
        if (child->phase == POLICY_UP && trp_pid_is_none(child->pid)) {
            trp_sim_fail(domain->sim, "%s: child %s is up and has no pid", domain->name,
                         child->spec->id);
        }
        if (child->phase == POLICY_BACKOFF && child->timer == 0 && policy->mode == POLICY_RUNNING) {
            trp_sim_fail(domain->sim, "%s: child %s waits for no timer", domain->name,
                         child->spec->id);
        }
        for (const policy_child_t *other = policy->first; other != child; other = other->next) {
            if (policy_is_alive(child) && policy_is_alive(other) && !trp_pid_is_none(child->pid) &&
                trp_pid_equal(child->pid, other->pid)) {
                trp_sim_fail(domain->sim, "%s: children %s and %s are one actor", domain->name,
                             child->spec->id, other->spec->id);
            }
        }
    }
}

static void check_supervisors(const sim_domain_t *domain)
{
    const cell_table_t *table = &domain->runtime->table;
    const uint32_t used = atomic_load_explicit(&table->used, memory_order_relaxed);
    for (uint32_t slot = 1; slot < used; slot++) {
        const supervisor_t *supervisor = supervisor_of(&table->cells[slot]);
        if (supervisor != NULL) {
            check_table(domain, supervisor);
        }
    }
}

void sim_check_domain(sim_domain_t *domain)
{
    if (domain->sim->has_failed || domain->runtime == NULL) {
        return;
    }
    check_cells(domain);
    check_threads(domain);
    check_supervisors(domain);
    if (domain->node != NULL && node_hub(domain->node) != NULL) {
        hub_each(node_hub(domain->node), check_link, domain);
    }
    if (domain->worker != NULL) {
        check_channel(domain, worker_channel(domain->worker));
    }
    sim_cover_domain(domain);
}

/* ---- at rest ---- */

static const cell_t *cell_of(const trp_runtime_t *runtime, trp_pid_t pid)
{
    const cell_t *cell = pid.node == runtime->node && pid.incarnation == runtime->incarnation
                             ? cell_at(&runtime->table, pid.slot)
                             : NULL;
    const bool lives =
        cell != NULL && cell_phase(cell) != CELL_VACANT &&
        atomic_load_explicit(&cell->generation, memory_order_relaxed) == pid.generation;
    return lives ? cell : NULL;
}

static bool is_local(const trp_runtime_t *runtime, trp_pid_t pid)
{
    return pid.node == runtime->node && pid.incarnation == runtime->incarnation;
}

/* An actor behind a proxy tells its watchers of its end itself; the proxy knows them until the
 * process is gone, and tells them again, which they ignore. */
static bool may_be_old(const cell_t *cell, const watch_t *row)
{
    return row->kind == WATCH_WATCHER && cell_is_proxy(cell);
}

/* A link has two ends, and so has a monitor; both are alive. */
static void check_rows(const sim_domain_t *domain, const cell_t *cell)
{
    const watch_table_t *theirs = &cell->life->theirs;
    for (uint32_t i = 0; i < theirs->capacity; i++) {
        const watch_t *row = &theirs->rows[i];
        if ((row->kind != WATCH_LINK && row->kind != WATCH_WATCHER) ||
            !is_local(domain->runtime, row->pid) || may_be_old(cell, row)) {
            continue;
        }
        const cell_t *other = cell_of(domain->runtime, row->pid);
        const bool is_known =
            other != NULL && other->life != NULL &&
            (row->kind == WATCH_LINK
                 ? watch_find(&other->life->theirs, WATCH_LINK, cell->self, 0) != NULL ||
                       cell_is_proxy(other) || cell_is_proxy(cell)
                 : watch_mine(&other->life->mine, row->ref) != NULL || cell_is_proxy(other));
        if (!is_known) {
            trp_sim_fail(domain->sim, "%s: %s has a %s with slot %u, which has none", domain->name,
                         cell_text(cell), row->kind == WATCH_LINK ? "link" : "watcher",
                         row->pid.slot);
        }
    }
}

/* Whether anybody alive is known by this pid: a worker's root has that of its proxy. */
static bool knows(const trp_runtime_t *runtime, trp_pid_t pid)
{
    const uint32_t used = atomic_load_explicit(&runtime->table.used, memory_order_relaxed);
    for (uint32_t slot = 1; slot < used; slot++) {
        const cell_t *cell = &runtime->table.cells[slot];
        if (cell_phase(cell) != CELL_VACANT && trp_pid_equal(cell->self, pid)) {
            return true;
        }
    }
    return false;
}

/* Timers belong to the living. */
static void check_timers(const sim_domain_t *domain)
{
    const trp_runtime_t *runtime = domain->runtime;
    for (uint32_t i = 0; i < runtime->worker_count; i++) {
        const timer_wheel_t *wheel = &runtime->workers[i].wheel;
        for (uint32_t at = 0; at < TIMER_LEVELS * TIMER_SLOTS; at++) {
            const timer_record_t *timer = wheel->slots[at / TIMER_SLOTS][at % TIMER_SLOTS].first;
            for (; timer != NULL; timer = timer->next) {
                if (!knows(runtime, timer->owner)) {
                    trp_sim_fail(domain->sim, "%s: a timer of slot %u, whose actor is gone",
                                 domain->name, timer->owner.slot);
                }
            }
        }
    }
}

/* Who has a link to a supervisor is its child, its parent, or a supervisor's supervisor. */
static bool is_child(const supervisor_t *supervisor, trp_pid_t pid)
{
    bool found = trp_pid_equal(pid, supervisor->parent);
    for (const policy_child_t *child = supervisor->policy.first; child != NULL;
         child = child->next) {
        found |= policy_is_alive(child) && trp_pid_equal(child->pid, pid);
    }
    return found;
}

static void check_children(const sim_domain_t *domain, const cell_t *cell)
{
    const supervisor_t *supervisor = supervisor_of(cell);
    for (const policy_child_t *child = supervisor->policy.first; child != NULL;
         child = child->next) {
        if (policy_is_alive(child) && cell_of(domain->runtime, child->pid) == NULL) {
            trp_sim_fail(domain->sim, "%s: child %s is taken for alive", domain->name,
                         child->spec->id);
        }
    }
    for (uint32_t i = 0; cell->life != NULL && i < cell->life->theirs.capacity; i++) {
        const watch_t *row = &cell->life->theirs.rows[i];
        const cell_t *other = cell_of(domain->runtime, row->pid);
        if (row->kind == WATCH_LINK && other != NULL && !is_child(supervisor, row->pid) &&
            (supervisor_of(other) == NULL || !is_child(supervisor_of(other), cell->self))) {
            trp_sim_fail(domain->sim, "%s: %s lives, and supervisor %s does not know it",
                         domain->name, cell_text(other), supervisor->spec->name);
        }
    }
}

static void check_ledger(const sim_domain_t *domain)
{
    runtime_ledger_t ledger;
    runtime_ledger(domain->runtime, &ledger);
    const uint64_t found =
        ledger.handled + ledger.queued + ledger.refused + ledger.dropped + ledger.dead;
    if (ledger.sent != found) {
        trp_sim_fail(domain->sim,
                     "%s: sent %llu, handled %llu, queued %llu, refused %llu, dead %llu",
                     domain->name, (unsigned long long)ledger.sent,
                     (unsigned long long)ledger.handled, (unsigned long long)ledger.queued,
                     (unsigned long long)ledger.refused, (unsigned long long)ledger.dead);
    }
}

static void check_rest(const sim_domain_t *domain)
{
    const cell_table_t *table = &domain->runtime->table;
    const uint32_t used = atomic_load_explicit(&table->used, memory_order_relaxed);
    for (uint32_t slot = 1; slot < used; slot++) {
        const cell_t *cell = &table->cells[slot];
        if (cell_phase(cell) != CELL_VACANT && cell->life != NULL) {
            check_rows(domain, cell);
        }
        if (supervisor_of(cell) != NULL) {
            check_children(domain, cell);
        }
    }
    check_timers(domain);
    check_ledger(domain);
}

static bool is_at_rest(const sim_domain_t *domain)
{
    bool rests = domain->is_alive && domain->runtime != NULL;
    for (uint32_t i = 0; i < domain->thread_count; i++) {
        rests = rests && domain->threads[i].state == SIM_ASLEEP && !domain->threads[i].wake_sent;
    }
    return rests && !sim_thread_ready(&domain->threads[0]);
}

void sim_check_rest(trp_sim_t *sim)
{
    for (const sim_domain_t *domain = sim->domains; domain != NULL && !sim->has_failed;
         domain = domain->next) {
        if (is_at_rest(domain)) {
            check_rest(domain);
        }
    }
}
