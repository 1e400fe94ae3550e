/* SPDX-License-Identifier: MIT */
/* Processes: what the guardian does for a node, and what the kernel does when one dies. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"

#define FIRST_PID     1000
#define GUARDIAN_US   500  /* until a request is carried out, at most */
#define REPORT_US     2000 /* until a report is read, at most */
#define STATUS_FAILED 1

static void *get_memory(size_t size)
{
    void *memory = calloc(1, size);
    if (memory == NULL) {
        abort();
    }
    return memory;
}

static int64_t soon_ns(trp_sim_t *sim, int64_t most_us)
{
    const bool calm = sim->calm || sim->options.schedule == TRP_SIM_FIFO;
    return sim->now_ns +
           NS_PER_US *
               (calm ? most_us / 2 : (int64_t)sim_below(sim->fate_chance, (uint64_t)most_us));
}

/* ---- finding ---- */

sim_machine_t *sim_machine_of(const trp_sim_t *sim, const char *name)
{
    sim_machine_t *machine = sim->machines;
    while (machine != NULL && strcmp(machine->spec.name, name) != 0) {
        machine = machine->next;
    }
    return machine;
}

sim_domain_t *sim_domain_of(const trp_sim_t *sim, const char *name)
{
    sim_domain_t *domain = sim->domains;
    while (domain != NULL && (!domain->is_alive || strcmp(domain->name, name) != 0)) {
        domain = domain->next;
    }
    return domain;
}

static sim_domain_t *worker_of(const sim_machine_t *machine, const trp_sim_t *sim,
                               const guardian_message_t *request)
{
    for (sim_domain_t *domain = sim->domains; domain != NULL; domain = domain->next) {
        if (domain->is_alive && domain->kind == SIM_WORKER && domain->machine == machine &&
            domain->child.incarnation == request->incarnation) {
            return domain;
        }
    }
    return NULL;
}

/* ---- what the guardian says ---- */

static void say(trp_sim_t *sim, sim_domain_t *node, const guardian_message_t *message)
{
    if (node == NULL || !node->is_alive) {
        return;
    }
    sim_report_t *report = get_memory(sizeof(*report));
    report->message = *message;
    report->due_ns = soon_ns(sim, REPORT_US);
    sim_report_t **at = &node->reports;
    while (*at != NULL) {
        report->due_ns = report->due_ns < (*at)->due_ns ? (*at)->due_ns : report->due_ns;
        at = &(*at)->next;
    }
    *at = report;
}

bool sim_report_due(const sim_domain_t *domain)
{
    return domain->reports != NULL && domain->report != NULL &&
           domain->reports->due_ns <= domain->sim->now_ns;
}

void sim_report_tell(sim_domain_t *domain)
{
    static const char *const names[] = {[GUARDIAN_SPAWNED] = "spawned",
                                        [GUARDIAN_REFUSED] = "refused",
                                        [GUARDIAN_EXITED] = "exited",
                                        [GUARDIAN_STOP] = "stop"};
    sim_report_t *report = domain->reports;
    domain->reports = report->next;
    sim_trace_add(domain->sim, "guardian", domain->name, "%s %u.%u status %d",
                  names[report->message.kind], report->message.index, report->message.incarnation,
                  report->message.value);
    domain->report(domain->hearer, &report->message);
    free(report);
}

/* ---- what it is asked ---- */

static trp_status_t ask(void *user, const guardian_message_t *request)
{
    sim_domain_t *domain = user;
    trp_sim_t *sim = domain->sim;
    sim_birth_t *birth = get_memory(sizeof(*birth));
    birth->parent = domain;
    birth->request = *request;
    birth->due_ns = soon_ns(sim, GUARDIAN_US);
    sim_birth_t **at = &sim->births;
    while (*at != NULL) { /* one guardian reads in order */
        if ((*at)->parent == domain && (*at)->due_ns > birth->due_ns) {
            birth->due_ns = (*at)->due_ns;
        }
        at = &(*at)->next;
    }
    *at = birth;
    return TRP_OK;
}

static trp_status_t
hear(void *user, void (*report)(void *hearer, const guardian_message_t *message), void *hearer)
{
    sim_domain_t *domain = user;
    domain->report = report;
    domain->hearer = hearer;
    return TRP_OK;
}

static void flush(void *user)
{
    (void)user;
}

/* ---- birth ---- */

static sim_domain_t *domain_make(trp_sim_t *sim, sim_machine_t *machine, sim_domain_kind_t kind)
{
    sim_domain_t *domain = get_memory(sizeof(*domain));
    domain->sim = sim;
    domain->machine = machine;
    domain->kind = kind;
    domain->place = (sim_place_t){.net = sim->net, .name = domain->name};
    domain->store_how = (sim_store_how_t){.sim = sim, .owner = domain->name};
    domain->port = (guardian_port_t){.user = domain, .ask = ask, .hear = hear, .flush = flush};
    domain->os_pid = (int32_t)(FIRST_PID + sim->os_pids++);
    domain->child.fd = -1;
    domain->child.run_dir = machine->run_dir;
    domain->is_alive = true;
    sim_host_init(domain);
    domain->threads[0] = (sim_thread_t){.domain = domain, .index = 0};
    domain->thread_count = 1;
    sim_schedule_thread(&domain->threads[0]);
    if (sim->last_domain == NULL) {
        sim->domains = domain;
    } else {
        sim->last_domain->next = domain;
    }
    sim->last_domain = domain;
    return domain;
}

/* An actor of `place = thread` is one of the pool here: its steps come between those of others as
 * its thread's would, and what it calls that blocks takes no time. */
static trp_status_t start_thread(void *user, trp_runtime_t *runtime, const trp_spawn_t *spawn,
                                 trp_pid_t spawner, trp_pid_t *pid)
{
    (void)user;
    return runtime_spawn_for(runtime, spawn, spawner, pid);
}

static const trp_placement_t thread_place = {.name = "thread", .start = start_thread};

/* Its runtime is there: one message a slice, and its edge is the first thread. */
static void adopt(sim_domain_t *domain, trp_runtime_t *runtime, edge_t *edge)
{
    domain->runtime = runtime;
    domain->edge = edge;
    domain->threads[0].worker = runtime->edge;
    if (domain->kind == SIM_NODE) {
        runtime_place(runtime, TRP_PLACE_THREAD, &thread_place);
    }
    for (uint32_t i = 0; i < runtime->worker_count; i++) {
        runtime->workers[i].slice_max = 1;
    }
}

static node_ground_t ground_of(sim_domain_t *domain)
{
    return (node_ground_t){.edge = {.transport = &transport_sim,
                                    .transport_how = &domain->place,
                                    .host = &domain->host},
                           .guardian = domain->kind == SIM_NODE ? &domain->port : NULL};
}

static trp_status_t start_tree(void *user, trp_runtime_t *runtime)
{
    sim_domain_t *domain = user;
    sim_machine_t *machine = domain->machine;
    if (machine->config == NULL) {
        return TRP_OK;
    }
    config_keep(runtime, machine->config);
    machine->keeper = (keeper_args_t){.config = machine->config, .tree = machine->tree};
    trp_pid_t keeper;
    const trp_spawn_t spawn = {.class = &keeper_class,
                               .name = KEEPER_NAME,
                               .args = &machine->keeper,
                               .args_size = sizeof(machine->keeper)};
    return runtime_spawn(runtime, &spawn, &keeper);
}

static void stop_tree(void *user, trp_runtime_t *runtime)
{
    const sim_domain_t *domain = user;
    trp_envelope_t *stop = domain->machine->config == NULL ? NULL : envelope_alloc();
    if (stop == NULL) {
        node_end(runtime, 0);
        return;
    }
    stop->to = runtime_whereis(runtime, KEEPER_NAME);
    stop->tag = TRP_TAG_STOP;
    if (runtime_send(runtime, stop) != TRP_OK) {
        envelope_free(stop);
        node_end(runtime, STATUS_FAILED);
    }
}

void sim_machine_start(trp_sim_t *sim, sim_machine_t *machine)
{
    static const trp_class_t *const none[] = {NULL};
    char error[256];
    sim_domain_t *domain = domain_make(sim, machine, SIM_NODE);
    snprintf(domain->name, sizeof(domain->name), "%s", machine->spec.name);
    domain->child.node = machine->number;
    domain->child.incarnation = ++machine->incarnation;
    machine->node = domain;
    machine->start_at_ns = SIM_NEVER;
    sim_trace_add(sim, "guardian", domain->name, "starts %s", domain->name);
    const node_options_t options = {
        .classes = machine->spec.classes == NULL ? none : machine->spec.classes,
        .threads = machine->spec.threads == 0 ? 1 : machine->spec.threads,
        .start = start_tree,
        .stop = stop_tree,
        .user = domain};
    const node_ground_t ground = ground_of(domain);
    const envelope_meter_t meter = envelope_meter();
    const trp_status_t status =
        node_create(&options, &domain->child, &ground, &domain->node, error);
    envelope_meter_set(meter);
    if (status != TRP_OK) {
        trp_sim_fail(sim, "node %s does not start: %s", domain->name, error);
        domain->is_alive = false;
        return;
    }
    adopt(domain, node_runtime(domain->node), node_edge(domain->node));
}

static void refuse(trp_sim_t *sim, const sim_birth_t *birth, int code)
{
    say(sim, birth->parent,
        &(guardian_message_t){.kind = GUARDIAN_REFUSED,
                              .index = birth->request.index,
                              .incarnation = birth->request.incarnation,
                              .value = code});
}

static void start_worker(trp_sim_t *sim, const sim_birth_t *birth)
{
    char error[256];
    const guardian_message_t *request = &birth->request;
    sim_machine_t *machine = birth->parent->machine;
    const bool is_refused =
        !sim->calm && sim_happens(sim->fate_chance, sim->options.faults.refusal_share);
    if (is_refused || request->program[0] != '\0') {
        refuse(sim, birth, is_refused ? EAGAIN : ENOENT);
        return;
    }
    sim_domain_t *domain = domain_make(sim, machine, SIM_WORKER);
    snprintf(domain->name, sizeof(domain->name), "%.50s.%u", machine->spec.name, request->index);
    domain->child.node = machine->number | request->index;
    domain->child.incarnation = request->incarnation;
    memcpy(domain->child.token, request->token, sizeof(domain->child.token));
    sim_trace_add(sim, "guardian", domain->name, "starts %s", domain->name);
    const node_ground_t ground = ground_of(domain);
    const envelope_meter_t meter = envelope_meter();
    envelope_meter_set(domain->meter);
    const trp_status_t status =
        worker_create(machine->spec.classes, &domain->child, &ground, &domain->worker, error);
    domain->meter = envelope_meter();
    envelope_meter_set(meter);
    if (status != TRP_OK) {
        domain->is_alive = false;
        refuse(sim, birth, EAGAIN);
        return;
    }
    adopt(domain, worker_runtime(domain->worker), worker_edge(domain->worker));
    say(sim, birth->parent,
        &(guardian_message_t){.kind = GUARDIAN_SPAWNED,
                              .index = request->index,
                              .incarnation = request->incarnation,
                              .os_pid = domain->os_pid});
}

static void carry_out(trp_sim_t *sim, const sim_birth_t *birth)
{
    if (!birth->parent->is_alive) {
        return; /* its guardian does nothing for the dead */
    }
    if (birth->request.kind == GUARDIAN_SPAWN) {
        start_worker(sim, birth);
        return;
    }
    sim_domain_t *worker = worker_of(birth->parent->machine, sim, &birth->request);
    if (worker != NULL) {
        sim_domain_crash(worker, birth->request.value);
    }
}

/* ---- jobs that may block: a helper thread's, here between two steps ---- */

static void next_job_due(sim_domain_t *domain)
{
    trp_sim_t *sim = domain->sim;
    const trp_sim_faults_t *faults = &sim->options.faults;
    const bool is_slow = !sim->calm && sim_happens(sim->fate_chance, faults->job_slow_share);
    domain->job_due_ns = domain->jobs == NULL
                             ? SIM_NEVER
                             : soon_ns(sim, is_slow ? faults->slow_ms * 1000 : REPORT_US);
}

void sim_job_add(sim_domain_t *domain, host_job_t *job)
{
    host_job_t **at = &domain->jobs;
    const bool is_first = *at == NULL;
    while (*at != NULL) {
        at = &(*at)->next;
    }
    job->next = NULL;
    *at = job;
    if (is_first) {
        next_job_due(domain);
    }
}

static void run_job(sim_domain_t *domain)
{
    host_job_t *job = domain->jobs;
    domain->jobs = job->next;
    next_job_due(domain);
    job->run(job);
}

void sim_births(trp_sim_t *sim)
{
    sim_store_turn(sim);
    for (sim_domain_t *domain = sim->domains; domain != NULL; domain = domain->next) {
        while (domain->is_alive && domain->jobs != NULL && domain->job_due_ns <= sim->now_ns) {
            run_job(domain);
        }
    }
    for (sim_birth_t **at = &sim->births; *at != NULL;) {
        sim_birth_t *birth = *at;
        if (birth->due_ns > sim->now_ns) {
            at = &birth->next;
            continue;
        }
        *at = birth->next;
        carry_out(sim, birth);
        free(birth);
        at = &sim->births; /* the list may have changed */
    }
    for (sim_machine_t *machine = sim->machines; machine != NULL; machine = machine->next) {
        if (machine->start_at_ns <= sim->now_ns) {
            sim_machine_start(sim, machine);
        }
    }
}

int64_t sim_births_next_ns(const trp_sim_t *sim)
{
    int64_t next = SIM_NEVER;
    for (const sim_domain_t *domain = sim->domains; domain != NULL; domain = domain->next) {
        const bool has_jobs = domain->is_alive && domain->jobs != NULL;
        next = has_jobs && domain->job_due_ns < next ? domain->job_due_ns : next;
    }
    for (const sim_birth_t *birth = sim->births; birth != NULL; birth = birth->next) {
        next = birth->due_ns < next ? birth->due_ns : next;
    }
    for (const sim_machine_t *machine = sim->machines; machine != NULL; machine = machine->next) {
        next = machine->start_at_ns < next ? machine->start_at_ns : next;
    }
    return next;
}

/* ---- death ---- */

/* Threads that will not step again. */
static void end_threads(sim_domain_t *domain)
{
    for (uint32_t i = 1; i < domain->thread_count; i++) {
        sim_thread_t *thread = &domain->threads[i];
        thread->is_done = true;
        worker_ended(thread->worker);
    }
}

void sim_domain_free(sim_domain_t *domain)
{
    while (domain->reports != NULL) {
        sim_report_t *report = domain->reports;
        domain->reports = report->next;
        free(report);
    }
    if (domain->runtime != NULL) {
        const envelope_meter_t meter = envelope_meter();
        end_threads(domain);
        domain->runtime = NULL;
        if (domain->node != NULL) {
            node_destroy(&domain->node);
        }
        worker_destroy(&domain->worker);
        while (domain->jobs != NULL) {
            run_job(domain); /* nobody waits for it any more */
        }
        envelope_meter_set(meter);
    }
}

/* The worker processes of a node end with it. */
static void sweep(trp_sim_t *sim, const sim_machine_t *machine)
{
    for (sim_domain_t *domain = sim->domains; domain != NULL; domain = domain->next) {
        if (domain->is_alive && domain->kind == SIM_WORKER && domain->machine == machine) {
            sim_domain_crash(domain, SIGKILL);
        }
    }
}

static void bury(sim_domain_t *domain, int wait_status)
{
    trp_sim_t *sim = domain->sim;
    sim_machine_t *machine = domain->machine;
    sim_domain_free(domain);
    if (domain->kind == SIM_WORKER) {
        say(sim, machine->node,
            &(guardian_message_t){.kind = GUARDIAN_EXITED,
                                  .index = domain->child.node & GUARDIAN_INDEX_MAX,
                                  .incarnation = domain->child.incarnation,
                                  .os_pid = domain->os_pid,
                                  .value = wait_status});
        return;
    }
    machine->node = NULL;
    sweep(sim, machine);
    if (WIFSIGNALED(wait_status)) {
        sim_store_machine_died(sim, machine->spec.name);
    }
    if (WIFSIGNALED(wait_status) && machine->spec.restart_ms > 0 && !sim->closing) {
        machine->start_at_ns = sim->now_ns + machine->spec.restart_ms * NS_PER_MS;
    }
}

static void die(sim_domain_t *domain, int wait_status)
{
    domain->is_alive = false;
    sim_net_crash(domain->sim->net, &domain->place);
    bury(domain, wait_status);
}

void sim_domain_crash(sim_domain_t *domain, int signal_number)
{
    sim_trace_add(domain->sim, "kernel", domain->name, "signal %d", signal_number);
    die(domain, signal_number);
}

void sim_domain_exit(sim_domain_t *domain, int status)
{
    sim_trace_add(domain->sim, domain->name, NULL, "exits %d", status);
    if (domain->is_leaving) {
        die(domain, status << 8); /* _exit: without a last word */
        return;
    }
    domain->is_alive = false;
    bury(domain, status << 8);
}
