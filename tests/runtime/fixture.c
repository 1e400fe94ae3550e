/* SPDX-License-Identifier: MIT */
#include "tests/runtime/fixture.h"

#include <stdlib.h>
#include <string.h>

trp_runtime_t *node;
static int64_t clock_ns;
static uint64_t chance;
static probe_t *crowd; /* freed with the node */

static int64_t virtual_now_ns(void *user)
{
    (void)user;
    return clock_ns;
}

static int64_t virtual_epoch_ms(void *user)
{
    (void)user;
    return clock_ns / 1000000;
}

static uint64_t virtual_chance(void *user)
{
    (void)user;
    return chance += 0x9e3779b97f4a7c15u;
}

static void virtual_sleep(void *user, host_word_t *word, uint32_t expected, int64_t until_ns)
{
    (void)user;
    (void)word;
    (void)expected;
    (void)until_ns;
    cr_assert_fail("a stepped node must not sleep");
}

static void virtual_wake(void *user, host_word_t *word)
{
    (void)user;
    (void)word;
}

static void virtual_join(void *user, host_thread_t **thread)
{
    (void)user;
    (void)thread;
}

static uint32_t virtual_processors(void *user)
{
    (void)user;
    return 1;
}

static int32_t virtual_process_id(void *user)
{
    (void)user;
    return 1;
}

static const trp_host_t virtual_host = {.now_ns = virtual_now_ns,
                                        .epoch_ms = virtual_epoch_ms,
                                        .chance = virtual_chance,
                                        .sleep = virtual_sleep,
                                        .wake = virtual_wake,
                                        .thread_join = virtual_join,
                                        .processors = virtual_processors,
                                        .process_id = virtual_process_id,
                                        .parent_id = virtual_process_id};

static void no_poll(void *user)
{
    (void)user;
}

static void no_park(void *user, int64_t until_ns)
{
    (void)user;
    (void)until_ns;
}

void node_open(bool edge)
{
    clock_ns = 1000000000;
    chance = 1;
    runtime_options_t options = {
        .node = 7 << 16, .incarnation = 3, .cells_max = 4096, .host = &virtual_host};
    if (edge) {
        options.edge = (scheduler_park_t){.poll = no_poll, .park = no_park, .wake = no_poll};
    } else {
        options.threads = 1;
    }
    cr_assert_eq(runtime_create(&options, &node), TRP_OK);
    scheduler_enter(&node->workers[0]);
}

void node_close(void)
{
    node_settle();
    runtime_ledger_t ledger;
    runtime_ledger(node, &ledger);
    const uint64_t found =
        ledger.handled + ledger.queued + ledger.refused + ledger.dropped + ledger.dead;
    if (ledger.sent != found) { /* Criterion lets a test pass whose end finds a failure */
        fprintf(stderr,
                "the ledger: sent %lu handled %lu queued %lu refused %lu dropped %lu dead %lu\n",
                ledger.sent, ledger.handled, ledger.queued, ledger.refused, ledger.dropped,
                ledger.dead);
        abort();
    }
    scheduler_enter(NULL);
    runtime_destroy(&node);
    cr_assert_null(node);
    free(crowd);
    crowd = NULL;
}

bool node_step(void)
{
    return scheduler_step(&node->workers[0]);
}

void node_settle(void)
{
    for (int steps = 0; node_step(); steps++) {
        cr_assert_lt(steps, 100000, "the node does not come to rest");
    }
}

void node_skip_ms(int64_t ms)
{
    clock_ns += ms * 1000000;
}

void node_advance_ms(int64_t ms)
{
    node_skip_ms(ms);
    node_settle();
}

static trp_status_t probe_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    size_t size = 0;
    probe_t *probe = NULL;
    memcpy(&probe, trp_message_data(args, &size), sizeof(void *));
    *(probe_t **)state = probe;
    probe->pid = trp_self(ctx);
    probe->inits++;
    return probe->init_status;
}

static trp_status_t probe_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    probe_t *probe = *(probe_t **)state;
    size_t size = 0;
    const void *data = trp_message_data(message, &size);
    if (message->tag == TAG_DO && (message->flags & TRP_ENVELOPE_REPLY) == 0) {
        probe_act_t act = NULL;
        memcpy(&act, data, sizeof(act));
        act(ctx, probe);
        return TRP_OK;
    }
    cr_assert_lt(probe->count, SEEN_MAX);
    seen_t *seen = &probe->seen[probe->count++];
    *seen = (seen_t){.tag = message->tag,
                     .flags = message->flags,
                     .request_id = message->request_id,
                     .from = message->from};
    if (size == sizeof(trp_reason_t)) {
        memcpy(&seen->reason, data, size);
    } else if (size == sizeof(int)) {
        memcpy(&seen->note, data, size);
    }
    return probe->receive == NULL ? TRP_OK : probe->receive(ctx, probe, message);
}

static void probe_terminate(trp_ctx_t *ctx, void *state, const trp_reason_t *reason)
{
    (void)ctx;
    probe_t *probe = *(probe_t **)state;
    probe->terminations++;
    probe->end = *reason;
}

const trp_class_t probe_class = {.name = "probe",
                                 .version = 1,
                                 .state_size = sizeof(probe_t *),
                                 .init = probe_init,
                                 .receive = probe_receive,
                                 .terminate = probe_terminate};

const trp_class_t probe_proxy_class = {.name = "probe_proxy",
                                       .version = 1,
                                       .state_size = sizeof(probe_t *),
                                       .init = probe_init,
                                       .receive = probe_receive,
                                       .terminate = probe_terminate,
                                       .flags = TRP_CLASS_PROXY | TRP_CLASS_EDGE};

static trp_spawn_t spawn_of(probe_t *const *probe, const trp_spawn_t *spawn)
{
    trp_spawn_t filled = spawn == NULL ? (trp_spawn_t){0} : *spawn;
    filled.class = filled.class == NULL ? &probe_class : filled.class;
    filled.args_tag = TAG_DO;
    filled.args = probe;
    filled.args_size = sizeof(*probe);
    return filled;
}

probe_t *probes_new(size_t count)
{
    cr_assert_null(crowd);
    crowd = calloc(count, sizeof(*crowd));
    cr_assert_not_null(crowd);
    return crowd;
}

void probe_spawn(probe_t *probe, const trp_spawn_t *spawn)
{
    trp_spawn_t filled = spawn_of(&probe, spawn);
    cr_assert_eq(runtime_spawn(node, &filled, &probe->pid), TRP_OK);
}

trp_status_t probe_spawn_by(trp_ctx_t *ctx, probe_t *probe, trp_spawn_t spawn)
{
    trp_spawn_t filled = spawn_of(&probe, &spawn);
    return trp_spawn(ctx, &filled, &probe->pid);
}

static trp_status_t send_bytes(trp_pid_t to, uint16_t tag, const void *data, size_t size)
{
    trp_envelope_t *envelope = envelope_alloc();
    envelope->to = to;
    envelope->tag = tag;
    cr_assert_eq(envelope_set(envelope, data, size), TRP_OK);
    trp_status_t status = runtime_send(node, envelope);
    if (status != TRP_OK) {
        envelope_free(envelope);
    }
    return status;
}

void probe_do(probe_t *probe, probe_act_t act)
{
    cr_assert_eq(send_bytes(probe->pid, TAG_DO, &act, sizeof(act)), TRP_OK);
    node_settle();
}

trp_status_t probe_note(const probe_t *probe, int note)
{
    return send_bytes(probe->pid, TAG_NOTE, &note, sizeof(note));
}

const seen_t *probe_last(const probe_t *probe)
{
    cr_assert_gt(probe->count, 0, "the probe has seen nothing");
    return &probe->seen[probe->count - 1];
}

static void match(void *user, const actor_info_t *info)
{
    trp_pid_t *pid = user;
    if (trp_pid_equal(*pid, info->pid)) {
        *pid = TRP_PID_NONE;
    }
}

bool probe_lives(const probe_t *probe)
{
    trp_pid_t pid = probe->pid;
    runtime_each(node, match, &pid);
    return trp_pid_is_none(pid);
}
