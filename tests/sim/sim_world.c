/* SPDX-License-Identifier: MIT */
/* A world's life, and its time. */
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/log.h"
#include "tests/sim/sim.h"

#define STEPS_MAX  1000000
#define BEGIN_NS   NS_PER_S /* no clock of ours begins at 0 */
#define STEP_NS    1000     /* of world time, that a step takes */
#define SETTLE_MS  1
#define CLOSE_MS   60000 /* for all that was begun to come to an end */
#define NODE_SHIFT 16

/* Log lines belong to the trace. */
static void take_log(void *user, int level, const log_field_t *fields)
{
    trp_sim_t *sim = user;
    const char *name = sim->current == NULL ? "world" : sim->current->name;
    char line[160] = "";
    size_t size = 0;
    for (const log_field_t *field = fields; field->kind != LOG_KIND_END; field++) {
        int wrote = 0;
        if (field->kind == LOG_KIND_TEXT) {
            wrote = snprintf(line + size, sizeof(line) - size, " %s", field->value.text);
        } else if (field->kind == LOG_KIND_INT) {
            wrote = snprintf(line + size, sizeof(line) - size, " %s=%lld", field->key,
                             (long long)field->value.integer);
        }
        size += wrote > 0 ? (size_t)wrote : 0;
        if (size >= sizeof(line)) {
            break;
        }
    }
    sim_trace_add(sim, name, NULL, "log %d%s", level, line);
}

static int64_t net_now(void *user)
{
    return ((const trp_sim_t *)user)->now_ns;
}

static void net_told(void *user, sim_net_event_t event, const sim_way_t *way)
{
    static const char *const verbs[] = {"sends", "loses", "reads", "hears the end of"};
    trp_sim_t *sim = user;
    sim_hash_add(sim, (uint64_t)event << 48 | way->bytes);
    const bool in = event == SIM_NET_CAME || event == SIM_NET_DOWN;
    sim_trace_add(sim, in ? way->to : way->from, in ? way->from : way->to, "%s %zu bytes",
                  verbs[event], way->bytes);
}

trp_sim_t *trp_sim_open(const trp_sim_options_t *options)
{
    trp_sim_t *sim = calloc(1, sizeof(*sim));
    if (sim == NULL) {
        abort();
    }
    sim->options = options == NULL ? (trp_sim_options_t){.seed = 1} : *options;
    sim->options.seed = sim->options.seed == 0 ? 1 : sim->options.seed;
    sim->options.steps_max = sim->options.steps_max == 0 ? STEPS_MAX : sim->options.steps_max;
    sim->now_ns = sim->began_ns = BEGIN_NS;
    sim->hash = 14695981039346656037u;
    sim_chance_seed(sim->schedule_chance, sim->options.seed * 4);
    sim_chance_seed(sim->fate_chance, sim->options.seed * 4 + 1);
    sim_chance_seed(sim->host_chance, sim->options.seed * 4 + 2);
    sim_chance_seed(sim->user_chance, sim->options.seed * 4 + 3);
    sim->trace = sim_trace_make(sim->options.keep_trace);
    sim->net = sim_net_create(&(sim_net_options_t){.now_ns = net_now,
                                                   .fate = sim_fault_fate,
                                                   .blocked = sim_fault_blocks,
                                                   .told = net_told,
                                                   .user = sim});
    if (sim->trace == NULL || sim->net == NULL) {
        abort();
    }
    log_redirect(take_log, sim);
    sim_schedule_init(sim);
    sim_fault_plan(sim);
    if (sim->options.script != NULL) {
        sim_script_read(sim, sim->options.script);
    }
    if (options == NULL) {
        trp_sim_node(sim, &(trp_sim_node_t){.name = "node"});
    }
    return sim;
}

/* ---- nodes ---- */

static bool read_config(trp_sim_t *sim, sim_machine_t *machine)
{
    config_fault_t fault;
    trp_status_t status = config_read(machine->spec.config, machine->spec.name,
                                      machine->spec.classes, &machine->config, &fault);
    if (status != TRP_OK) {
        trp_sim_fail(sim, "%s: line %d: %s: expected %s", machine->spec.name, fault.line,
                     fault.option, fault.rule);
        return false;
    }
    snprintf(machine->config->node.run_dir, sizeof(machine->config->node.run_dir), "%s",
             machine->run_dir);
    status = tree_build(machine->config, machine->spec.classes, &machine->tree, &fault);
    if (status != TRP_OK) {
        trp_sim_fail(sim, "%s: line %d: %s: expected %s", machine->spec.name, fault.line,
                     fault.option, fault.rule);
        return false;
    }
    return true;
}

static int64_t node_skew(trp_sim_t *sim)
{
    const int64_t most = sim->options.faults.skew_ms;
    return most == 0 ? 0 : (int64_t)sim_below(sim->fate_chance, (uint64_t)most * 2) - most;
}

void trp_sim_node(trp_sim_t *sim, const trp_sim_node_t *node)
{
    sim_machine_t *machine = calloc(1, sizeof(*machine));
    if (machine == NULL) {
        abort();
    }
    machine->spec = *node;
    machine->start_at_ns = SIM_NEVER;
    machine->number =
        (sim->last_machine == NULL ? 1 : (sim->last_machine->number >> NODE_SHIFT) + 1)
        << NODE_SHIFT;
    machine->epoch_skew_ms = node_skew(sim);
    snprintf(machine->run_dir, sizeof(machine->run_dir), "/sim/%.50s", node->name);
    if (sim->last_machine == NULL) {
        sim->machines = machine;
    } else {
        sim->last_machine->next = machine;
    }
    sim->last_machine = machine;
    if (node->config == NULL || read_config(sim, machine)) {
        sim_machine_start(sim, machine);
        if (sim->probe == NULL && machine->node != NULL) {
            sim_probe_open(sim);
        }
    }
}

static void free_machines(trp_sim_t *sim)
{
    while (sim->machines != NULL) {
        sim_machine_t *machine = sim->machines;
        sim->machines = machine->next;
        tree_free(&machine->tree);
        config_free(&machine->config);
        free(machine);
    }
}

/* ---- time ---- */

static int64_t next_ns(const trp_sim_t *sim)
{
    int64_t next = sim_net_next_ns(sim->net);
    const int64_t others[] = {sim_births_next_ns(sim), sim_fault_next_ns(sim),
                              sim_worker_next_ns(sim)};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        next = others[i] < next ? others[i] : next;
    }
    for (const sim_domain_t *domain = sim->domains; domain != NULL; domain = domain->next) {
        for (uint32_t i = 0; i < domain->thread_count; i++) {
            const int64_t at = sim_thread_next_ns(&domain->threads[i]);
            next = at > sim->now_ns && at < next ? at : next;
        }
    }
    return next;
}

static void check_steps(trp_sim_t *sim)
{
    if (sim->steps >= sim->options.steps_max) {
        trp_sim_fail(sim, "the world does not come to rest: %llu steps",
                     (unsigned long long)sim->steps);
    }
    if (sim->options.calm_after != 0 && sim->steps >= sim->options.calm_after && !sim->calm) {
        sim->calm = true;
        sim_fault_end_all(sim);
    }
}

bool trp_sim_step(trp_sim_t *sim)
{
    if (sim->has_failed) {
        return false;
    }
    sim_fault_due(sim);
    sim_births(sim);
    if (sim_client_ready(sim)) {
        sim_client_step(sim);
        return true;
    }
    if (sim_worker_ready(sim)) {
        sim_worker_step(sim);
        return true;
    }
    sim_thread_t *thread = sim_schedule_next(sim);
    if (thread == NULL) {
        return false;
    }
    sim_thread_step(thread);
    sim->steps++;
    sim->now_ns += STEP_NS;
    check_steps(sim);
    if (sim->options.check != NULL && !sim->has_failed) {
        sim->options.check(sim->options.user, sim);
    }
    return !sim->has_failed;
}

/* To the next moment at which something happens, at most `until_ns`. False: that is past. */
static bool jump(trp_sim_t *sim, int64_t until_ns)
{
    const int64_t next = next_ns(sim);
    if (next > until_ns || sim->has_failed) {
        return false;
    }
    sim->now_ns = next > sim->now_ns ? next : sim->now_ns;
    return true;
}

/* All that happens until then, and not more. */
static void run(trp_sim_t *sim, int64_t until_ns)
{
    while (!sim->has_failed) {
        if (!trp_sim_step(sim) && !jump(sim, until_ns)) {
            break;
        }
    }
}

void trp_sim_settle(trp_sim_t *sim)
{
    const int64_t until_ns = sim->now_ns + SETTLE_MS * NS_PER_MS;
    while (!sim->has_failed && (trp_sim_step(sim) || jump(sim, until_ns))) {
    }
    sim_check_rest(sim);
}

void trp_sim_advance(trp_sim_t *sim, int64_t ms)
{
    const int64_t until_ns = sim->now_ns + ms * NS_PER_MS;
    while (!sim->has_failed && sim->now_ns < until_ns) {
        if (!trp_sim_step(sim)) {
            sim_check_rest(sim);
            if (!jump(sim, until_ns)) {
                sim->now_ns = until_ns;
            }
        }
    }
    trp_sim_settle(sim);
}

bool trp_sim_until(trp_sim_t *sim, bool (*done)(void *user, trp_sim_t *sim), void *user,
                   int64_t limit_ms)
{
    const int64_t until_ns = sim->now_ns + limit_ms * NS_PER_MS;
    while (!sim->has_failed) {
        if (done(user, sim)) {
            return true;
        }
        if (sim->now_ns >= until_ns || (!trp_sim_step(sim) && !jump(sim, until_ns))) {
            return false;
        }
    }
    return false;
}

int64_t trp_sim_now_ms(const trp_sim_t *sim)
{
    return (sim->now_ns - sim->began_ns) / NS_PER_MS;
}

uint64_t trp_sim_steps(const trp_sim_t *sim)
{
    return sim->steps;
}

uint64_t trp_sim_hash(const trp_sim_t *sim)
{
    return sim->hash;
}

uint64_t trp_sim_random(trp_sim_t *sim)
{
    return sim_chance(sim->user_chance);
}

uint64_t trp_sim_handled(const trp_sim_t *sim, uint16_t tag)
{
    return sim->handled[tag];
}

/* ---- failure ---- */

void trp_sim_fail(trp_sim_t *sim, const char *format, ...)
{
    if (sim->has_failed) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sim->failure, sizeof(sim->failure), format, arguments);
    va_end(arguments);
    sim->has_failed = true;
    sim_trace_add(sim, sim->current == NULL ? "world" : sim->current->name, NULL, "FAILS: %s",
                  sim->failure);
    if (sim->options.failed != NULL) {
        sim->options.failed(sim->options.user, sim);
        return;
    }
    trp_sim_print(sim, false);
    fprintf(stderr, "seed %llu, step %llu: %s\n", (unsigned long long)sim->options.seed,
            (unsigned long long)sim->steps, sim->failure);
    abort();
}

const char *trp_sim_failure(const trp_sim_t *sim)
{
    return sim->has_failed ? sim->failure : NULL;
}

/* ---- end ---- */

static void free_domains(trp_sim_t *sim)
{
    for (sim_domain_t *domain = sim->domains; domain != NULL; domain = domain->next) {
        domain->is_alive = false;
        sim_net_crash(sim->net, &domain->place);
        sim_domain_free(domain);
    }
    while (sim->births != NULL) {
        sim_birth_t *birth = sim->births;
        sim->births = birth->next;
        free(birth);
    }
}

bool trp_sim_close(trp_sim_t **pointer)
{
    trp_sim_t *sim = *pointer;
    *pointer = NULL;
    sim->closing = true;
    sim->calm = true;
    sim_fault_end_all(sim);
    if (!sim->has_failed) {
        run(sim, sim->now_ns + CLOSE_MS * NS_PER_MS);
        sim_check_rest(sim);
        sim_client_check(sim);
    }
    const bool passed = !sim->has_failed;
    sim_client_free_all(sim);
    sim_worker_free_all(sim);
    sim_probe_free(sim);
    free_domains(sim);
    while (sim->domains != NULL) {
        sim_domain_t *domain = sim->domains;
        sim->domains = domain->next;
        free(domain);
    }
    sim_store_free_all(sim);
    sim_net_destroy(&sim->net);
    free_machines(sim);
    log_redirect(NULL, NULL);
    sim_trace_free(sim->trace);
    free(sim);
    return passed;
}
