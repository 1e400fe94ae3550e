/* SPDX-License-Identifier: MIT */
/* The test's own actor: it does what the test says, and keeps what it gets. */
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"

#define TAG_DO      0xfffeu /* payload: a command */
#define WATCHED_MAX 1024
#define COMMAND_MS  60000 /* at most, until the test's actor has done what it was told */

typedef enum command_kind { COMMAND_MONITOR, COMMAND_REQUEST, COMMAND_WATCH } command_kind_t;

typedef struct command {
    command_kind_t kind;
    trp_pid_t pid;
    const trp_request_t *request;
    uint64_t id;
    trp_status_t status;
    bool is_done;
} command_t;

/* An actor that the test started. */
typedef struct watched {
    trp_pid_t pid;
    uint64_t ref;
    bool has_ended;
    trp_reason_t reason;
} watched_t;

struct sim_probe {
    trp_sim_t *sim;
    trp_pid_t pid;
    trp_envelope_t *first, *last; /* got, oldest first */
    trp_envelope_t *shown;
    watched_t watched[WATCHED_MAX];
    size_t watched_count;
};

static trp_status_t probe_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    size_t size = 0;
    memcpy(state, trp_message_data(args, &size), sizeof(sim_probe_t *));
    trp_trap_exit(ctx, true);
    return TRP_OK;
}

static void obey(trp_ctx_t *ctx, sim_probe_t *probe, command_t *command)
{
    if (command->kind == COMMAND_REQUEST) {
        command->status = trp_request(ctx, command->request, &command->id);
    } else {
        command->status = trp_monitor(ctx, command->pid, &command->id);
    }
    if (command->kind == COMMAND_WATCH && probe->watched_count < WATCHED_MAX) {
        probe->watched[probe->watched_count++] =
            (watched_t){.pid = command->pid, .ref = command->id};
    }
    command->is_done = true;
}

/* The end of an actor that the test started is kept for trp_sim_ended. */
static bool note_end(sim_probe_t *probe, const trp_envelope_t *message)
{
    for (size_t i = 0; i < probe->watched_count && message->tag == TRP_TAG_DOWN; i++) {
        watched_t *watched = &probe->watched[i];
        if (watched->ref == message->request_id) {
            size_t size = 0;
            const void *data = trp_message_data(message, &size);
            watched->has_ended = true;
            return trp_reason_read(data, size, &watched->reason) == TRP_OK;
        }
    }
    return false;
}

static trp_status_t probe_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    sim_probe_t *probe = *(sim_probe_t **)state;
    if (message->tag == TAG_DO) {
        command_t *command = NULL;
        size_t size = 0;
        memcpy(&command, trp_message_data(message, &size), sizeof(command_t *));
        obey(ctx, probe, command);
        return TRP_OK;
    }
    if (note_end(probe, message)) {
        return TRP_OK;
    }
    trp_envelope_t *kept = envelope_copy(message);
    if (kept == NULL) {
        return TRP_NO_MEMORY;
    }
    if (probe->last == NULL) {
        probe->first = kept;
    } else {
        probe->last->next = kept;
    }
    probe->last = kept;
    return TRP_OK;
}

static const trp_class_t probe_class = {.name = "test",
                                        .version = 1,
                                        .state_size = sizeof(sim_probe_t *),
                                        .init = probe_init,
                                        .receive = probe_receive};

static trp_runtime_t *first_runtime(const trp_sim_t *sim)
{
    const sim_domain_t *domain = sim->machines->node;
    return domain == NULL ? NULL : domain->runtime;
}

/* Runs `body` of the first node's as if its thread did. */
static bool post(trp_sim_t *sim, trp_envelope_t *envelope)
{
    trp_runtime_t *runtime = first_runtime(sim);
    if (runtime != NULL && runtime_send(runtime, envelope) == TRP_OK) {
        return true;
    }
    envelope_free(envelope);
    trp_sim_fail(sim, "the test could not send");
    return false;
}

void sim_probe_open(trp_sim_t *sim)
{
    sim_probe_t *probe = calloc(1, sizeof(*probe));
    if (probe == NULL) {
        abort();
    }
    probe->sim = sim;
    sim->probe = probe;
    const trp_spawn_t spawn = {.class = &probe_class, .args = &probe, .args_size = sizeof(probe)};
    if (runtime_spawn(first_runtime(sim), &spawn, &probe->pid) != TRP_OK) {
        trp_sim_fail(sim, "no room for the test's actor");
    }
}

static void drop_shown(sim_probe_t *probe)
{
    if (probe->shown != NULL) {
        envelope_free(probe->shown);
        probe->shown = NULL;
    }
}

void sim_probe_free(trp_sim_t *sim)
{
    sim_probe_t *probe = sim->probe;
    if (probe == NULL) {
        return;
    }
    drop_shown(probe);
    while (probe->first != NULL) {
        trp_envelope_t *next = probe->first->next;
        envelope_free(probe->first);
        probe->first = next;
    }
    free(probe);
    sim->probe = NULL;
}

static bool is_obeyed(void *user, trp_sim_t *sim)
{
    (void)sim;
    return ((const command_t *)user)->is_done;
}

static void command(trp_sim_t *sim, command_t *order)
{
    trp_envelope_t *envelope = envelope_alloc();
    if (envelope == NULL) {
        abort();
    }
    envelope->to = sim->probe->pid;
    envelope->tag = TAG_DO;
    const command_t *pointer = order;
    (void)!envelope_set(envelope, &pointer, sizeof(pointer));
    if (!post(sim, envelope)) {
        return;
    }
    /* The node may stand still for a while. */
    (void)trp_sim_until(sim, is_obeyed, order, COMMAND_MS);
    if (!order->is_done || order->status != TRP_OK) {
        trp_sim_fail(sim, "the test's actor could not do what it was told: %s",
                     trp_status_name(order->status));
    }
}

/* ---- what a test may do ---- */

trp_pid_t trp_sim_self(trp_sim_t *sim)
{
    return sim->probe->pid;
}

trp_pid_t trp_sim_spawn(trp_sim_t *sim, const char *node, const trp_spawn_t *spawn)
{
    trp_pid_t pid = TRP_PID_NONE;
    sim_domain_t *domain = sim_domain_of(sim, node);
    if (domain == NULL) {
        trp_sim_fail(sim, "there is no node %s", node);
        return pid;
    }
    const trp_status_t status = runtime_spawn(domain->runtime, spawn, &pid);
    if (status != TRP_OK) {
        trp_sim_fail(sim, "%s could not be started: %s", spawn->class->name,
                     trp_status_name(status));
    } else if (domain == sim->machines->node) {
        command(sim, &(command_t){.kind = COMMAND_WATCH, .pid = pid});
    }
    return pid;
}

void trp_sim_send(trp_sim_t *sim, trp_pid_t to, uint16_t tag, const void *data, size_t size)
{
    trp_envelope_t *envelope = envelope_alloc();
    if (envelope == NULL || envelope_set(envelope, data, size) != TRP_OK) {
        abort();
    }
    envelope->to = to;
    envelope->from = sim->probe->pid;
    envelope->tag = tag;
    (void)post(sim, envelope);
}

uint64_t trp_sim_request(trp_sim_t *sim, const trp_request_t *request)
{
    command_t order = {.kind = COMMAND_REQUEST, .request = request};
    command(sim, &order);
    return order.id;
}

void trp_sim_monitor(trp_sim_t *sim, trp_pid_t pid)
{
    command(sim, &(command_t){.kind = COMMAND_MONITOR, .pid = pid});
}

const trp_envelope_t *trp_sim_expect(trp_sim_t *sim, uint16_t tag)
{
    sim_probe_t *probe = sim->probe;
    drop_shown(probe);
    trp_sim_settle(sim);
    if (probe->first == NULL) {
        trp_sim_fail(sim, "expected a message 0x%04x, got nothing", tag);
        return NULL;
    }
    probe->shown = probe->first;
    probe->first = probe->first->next;
    probe->last = probe->first == NULL ? NULL : probe->last;
    if (probe->shown->tag != tag) {
        trp_sim_fail(sim, "expected a message 0x%04x, got 0x%04x", tag, probe->shown->tag);
    }
    return probe->shown;
}

void trp_sim_expect_nothing(trp_sim_t *sim)
{
    trp_sim_settle(sim);
    if (sim->probe->first != NULL) {
        trp_sim_fail(sim, "expected nothing, got 0x%04x", sim->probe->first->tag);
    }
}

/* ---- looking ---- */

typedef struct search {
    trp_pid_t pid;
    bool found;
} search_t;

static void compare(void *user, const actor_info_t *info)
{
    search_t *search = user;
    search->found |= trp_pid_equal(search->pid, info->pid);
}

bool trp_sim_lives(trp_sim_t *sim, trp_pid_t pid)
{
    search_t search = {.pid = pid};
    for (const sim_domain_t *domain = sim->domains; domain != NULL; domain = domain->next) {
        if (domain->is_alive && domain->runtime != NULL) {
            runtime_each(domain->runtime, compare, &search);
        }
    }
    return search.found;
}

bool trp_sim_ended(trp_sim_t *sim, trp_pid_t pid, trp_reason_t *reason)
{
    trp_sim_settle(sim);
    const sim_probe_t *probe = sim->probe;
    for (size_t i = 0; i < probe->watched_count; i++) {
        const watched_t *watched = &probe->watched[i];
        if (trp_pid_equal(watched->pid, pid) && watched->has_ended) {
            *reason = watched->reason;
            return true;
        }
    }
    return false;
}

trp_pid_t trp_sim_whereis(trp_sim_t *sim, const char *node, const char *name)
{
    const sim_domain_t *domain = sim_domain_of(sim, node);
    return domain == NULL ? TRP_PID_NONE : runtime_whereis(domain->runtime, name);
}
