/* SPDX-License-Identifier: MIT */
/* One step of a thread. The loops are those of scheduler_loop.c with each of their parts a step of
 * its own:
 *
 *     pool:  RUNNING --nothing--> ANNOUNCED --looked--> LOOKED --word is 1--> ASLEEP
 *               ^------work---------'------woken---------'---wake, then its arrival---'
 *     edge:  the same with its park, and a poll now and then
 */
#include "tests/sim/sim.h"

#define POLL_EVERY 8 /* of the edge's steps, roughly */

static bool is_stopping(const sim_thread_t *thread)
{
    return atomic_load_explicit(&thread->worker->runtime->stopping, memory_order_relaxed);
}

static bool timer_due(const sim_thread_t *thread)
{
    return timer_next_ns(&thread->worker->wheel) <= thread->domain->sim->now_ns;
}

static bool has_input(const sim_thread_t *thread)
{
    const sim_domain_t *domain = thread->domain;
    return thread->index == 0 &&
           (sim_report_due(domain) || sim_net_ready(domain->sim->net, &domain->place));
}

static bool is_up(const sim_thread_t *thread)
{
    return thread->domain->is_alive && thread->worker != NULL && !thread->is_done;
}

/* It sleeps, and somebody has woken it, or all are to leave. */
static bool is_called(const sim_thread_t *thread)
{
    return is_stopping(thread) || (thread->index == 0 ? !edge_is_waiting(thread->domain->edge)
                                                      : thread->wake_sent || thread->woken);
}

bool sim_thread_ready(const sim_thread_t *thread)
{
    const sim_domain_t *domain = thread->domain;
    const int64_t now = domain->sim->now_ns;
    if (!is_up(thread) || thread->busy_ns > now || domain->paused_until_ns > now) {
        return false;
    }
    if (thread->state != SIM_ASLEEP) {
        return true;
    }
    return is_called(thread) || has_input(thread) || timer_due(thread);
}

int64_t sim_thread_next_ns(const sim_thread_t *thread)
{
    const sim_domain_t *domain = thread->domain;
    if (!is_up(thread)) {
        return SIM_NEVER;
    }
    int64_t next = thread->state == SIM_ASLEEP ? timer_next_ns(&thread->worker->wheel) : 0;
    if (thread->index == 0 && domain->reports != NULL && domain->reports->due_ns < next) {
        next = domain->reports->due_ns;
    }
    if (has_input(thread) || is_called(thread)) {
        next = 0; /* as soon as nothing holds it up */
    }
    next = next < thread->busy_ns ? thread->busy_ns : next;
    return next < domain->paused_until_ns ? domain->paused_until_ns : next;
}

/* True: a message was handled. */
static bool run_one(sim_thread_t *thread)
{
    worker_t *worker = thread->worker;
    scheduler_tick(worker);
    cell_t *cell = scheduler_next(worker);
    if (cell == NULL && thread->index != 0) {
        cell = scheduler_search(worker);
    }
    if (cell == NULL) {
        return false;
    }
    sim_trace_cell(thread, cell);
    scheduler_run(worker, cell);
    return true;
}

/* ---- a pool thread ---- */

static void step_pool(sim_thread_t *thread)
{
    worker_t *worker = thread->worker;
    trp_runtime_t *runtime = worker->runtime;
    sim_thread_state_t next = SIM_RUNNING;
    switch (thread->state) {
    case SIM_RUNNING:
        if (is_stopping(thread)) {
            thread->is_done = true;
        } else if (!run_one(thread)) {
            scheduler_park_begin(worker);
            next = SIM_ANNOUNCED;
        }
        break;
    case SIM_ANNOUNCED:
        next = is_stopping(thread) || scheduler_has_work(runtime) ? SIM_RUNNING : SIM_LOOKED;
        break;
    case SIM_LOOKED:
        next = atomic_load_explicit(&worker->parked, memory_order_relaxed) == 1 ? SIM_ASLEEP
                                                                                : SIM_RUNNING;
        break;
    default:
        if (thread->wake_sent) { /* the kernel's half of the wake */
            thread->wake_sent = false;
            thread->woken = true;
            next = SIM_ASLEEP;
        }
    }
    if (next == SIM_RUNNING && thread->state != SIM_RUNNING) {
        thread->wake_sent = thread->woken = false;
        scheduler_park_end(worker);
    }
    thread->state = next;
}

/* ---- the edge ---- */

static void poll(sim_thread_t *thread)
{
    const scheduler_park_t *park = &thread->worker->runtime->edge_park;
    if (sim_report_due(thread->domain)) {
        sim_report_tell(thread->domain);
    } else {
        park->poll(park->user);
    }
}

static bool polls_now(sim_thread_t *thread)
{
    trp_sim_t *sim = thread->domain->sim;
    const uint64_t of = has_input(thread) ? 2 : POLL_EVERY;
    const uint64_t choice =
        sim->calm || sim->choices != NULL || sim->options.schedule == TRP_SIM_FIFO
            ? thread->worker->turn + sim->steps
            : sim_chance(sim->schedule_chance);
    return choice % of == 0;
}

static bool edge_has_work(const sim_thread_t *thread)
{
    worker_t *edge = thread->worker;
    return atomic_load_explicit(&edge->lifo, memory_order_relaxed) != NULL ||
           !runq_is_empty(&edge->queue) ||
           (edge->runs_pool &&
            (!runq_is_empty(&edge->runtime->inject) || !runq_is_empty(&edge->runtime->system)));
}

static void set_parked(sim_thread_t *thread, uint32_t parked)
{
    atomic_store_explicit(&thread->worker->parked, parked, memory_order_seq_cst);
}

static sim_thread_state_t edge_runs(sim_thread_t *thread)
{
    if (polls_now(thread)) {
        poll(thread);
        return SIM_RUNNING;
    }
    if (run_one(thread)) {
        return SIM_RUNNING;
    }
    if (has_input(thread)) {
        poll(thread);
        return SIM_RUNNING;
    }
    set_parked(thread, 1);
    return SIM_ANNOUNCED;
}

static sim_thread_state_t edge_parks(sim_thread_t *thread)
{
    const scheduler_park_t *park = &thread->worker->runtime->edge_park;
    park->park(park->user, timer_next_ns(&thread->worker->wheel));
    if (edge_is_waiting(thread->domain->edge)) {
        return SIM_ASLEEP;
    }
    set_parked(thread, 0);
    return SIM_RUNNING;
}

static sim_thread_state_t edge_wakes(sim_thread_t *thread)
{
    if (!thread->woken && !edge_is_waiting(thread->domain->edge)) {
        thread->woken = true; /* the kernel's half of the wake */
        return SIM_ASLEEP;
    }
    thread->woken = false;
    edge_resume(thread->domain->edge);
    set_parked(thread, 0);
    poll(thread);
    return SIM_RUNNING;
}

static void step_edge(sim_thread_t *thread)
{
    switch (thread->state) {
    case SIM_RUNNING:
        if (is_stopping(thread)) {
            sim_domain_exit(thread->domain, runtime_exit_status(thread->worker->runtime));
        } else {
            thread->state = edge_runs(thread);
        }
        break;
    case SIM_ANNOUNCED:
        thread->state = SIM_LOOKED;
        if (is_stopping(thread) || edge_has_work(thread)) {
            set_parked(thread, 0);
            thread->state = SIM_RUNNING;
        }
        break;
    case SIM_LOOKED:
        thread->state = edge_parks(thread);
        break;
    default:
        thread->state = edge_wakes(thread);
    }
}

void sim_thread_step(sim_thread_t *thread)
{
    sim_domain_t *domain = thread->domain;
    trp_sim_t *sim = domain->sim;
    const sim_thread_state_t before = thread->state;
    const envelope_meter_t meter = envelope_meter();
    worker_t *outer = scheduler_enter(thread->worker);
    envelope_meter_set(domain->meter);
    sim->current = domain;
    sim_hash_add(sim, (uint64_t)domain->os_pid << 16 | thread->index << 8 | before);
    if (thread->index == 0) {
        step_edge(thread);
    } else {
        step_pool(thread);
    }
    sim->current = NULL;
    domain->meter = envelope_meter();
    envelope_meter_set(meter);
    (void)scheduler_enter(outer);
    thread->busy_ns = sim->now_ns + domain->machine->step_ns;
    if (domain->is_alive && domain->is_leaving) {
        sim_domain_exit(domain, domain->exit_code);
    }
    if (domain->is_alive) {
        sim_cover_thread(thread, before);
        sim_check_domain(domain);
    }
}
