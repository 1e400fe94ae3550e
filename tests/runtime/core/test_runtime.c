/* SPDX-License-Identifier: MIT */
#include "runtime/core/runtime.h"

#include <string.h>

#include "tests/runtime/fixture.h"

static void open_node(void)
{
    node_open(false);
}

TestSuite(runtime, .init = open_node, .fini = node_close);

static probe_t a, b, c;

static void stop(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    trp_stop(ctx, NULL);
}

static void send_hundred(trp_ctx_t *ctx, probe_t *probe)
{
    for (int i = 0; i < 100; i++) {
        cr_assert_eq(trp_send(ctx, probe->other, TAG_NOTE, &i, sizeof(i)), TRP_OK);
    }
}

Test(runtime, messages_of_one_sender_keep_their_order)
{
    probe_spawn(&a, NULL);
    probe_spawn(&b, NULL);
    node_settle();
    a.other = b.pid;

    probe_do(&a, send_hundred);

    cr_assert_eq(b.count, 100);
    for (int i = 0; i < 100; i++) {
        cr_assert_eq(b.seen[i].note, i);
    }
}

Test(runtime, messages_sent_before_init_ran_are_handled_after_it)
{
    probe_spawn(&a, NULL);

    trp_status_t status = probe_note(&a, 5);
    int inits = a.inits;
    node_settle();

    cr_assert_eq(status, TRP_OK);
    cr_assert_eq(inits, 0);
    cr_assert_eq(a.inits, 1);
    cr_assert_eq(probe_last(&a)->note, 5);
}

Test(runtime, a_full_mailbox_refuses_exactly_at_its_bound)
{
    probe_spawn(&a, &(trp_spawn_t){.depth_max = 20});
    node_settle();

    for (int i = 0; i < 20; i++) {
        cr_assert_eq(probe_note(&a, i), TRP_OK, "message %d", i);
    }
    cr_assert_eq(probe_note(&a, 20), TRP_FULL);
    node_settle();

    cr_assert_eq(a.count, 20);
    cr_assert_eq(probe_note(&a, 21), TRP_OK);
    node_settle();
}

Test(runtime, a_mailbox_is_bounded_by_bytes_too)
{
    probe_spawn(&a, &(trp_spawn_t){.size_max = 10});
    node_settle();

    cr_assert_eq(probe_note(&a, 1), TRP_OK);
    cr_assert_eq(probe_note(&a, 2), TRP_OK);
    cr_assert_eq(probe_note(&a, 3), TRP_FULL, "12 bytes do not fit into 10");
    node_settle();
}

static void exit_full(trp_ctx_t *ctx, probe_t *probe)
{
    trp_reason_t reason = trp_reason(TRP_REASON_SHUTDOWN, 0, NULL);
    trp_exit(ctx, probe->other, &reason);
}

Test(runtime, signals_reach_a_full_mailbox)
{
    probe_spawn(&a, NULL);
    probe_spawn(&b, &(trp_spawn_t){.depth_max = 1});
    node_settle();
    a.other = b.pid;
    cr_assert_eq(probe_note(&b, 1), TRP_OK);

    probe_do(&a, exit_full);

    cr_assert(!probe_lives(&b));
}

Test(runtime, a_send_to_a_stale_pid_is_a_dead_letter_and_not_the_next_actors_message)
{
    probe_spawn(&a, NULL);
    node_settle();
    trp_pid_t stale = a.pid;
    probe_do(&a, stop);
    probe_spawn(&b, NULL);
    node_settle();

    trp_status_t status = probe_note(&a, 1);
    node_settle();

    cr_assert_eq(b.pid.slot, stale.slot, "the cell is used again");
    cr_assert_neq(b.pid.generation, stale.generation);
    cr_assert_eq(status, TRP_OK);
    cr_assert_eq(b.count, 0);
}

Test(runtime, pids_that_were_never_given_out_are_dead)
{
    const trp_pid_t made_up[] = {
        {7 << 16, 1, 0, 3}, {7 << 16, 4000, 1, 3}, {7 << 16, UINT32_MAX, 1, 3},
        {7 << 16, 0, 0, 3}, {7 << 16, 1, 1, 2},    {9 << 16, 1, 1, 3},
        TRP_PID_NONE};

    for (size_t i = 0; i < sizeof(made_up) / sizeof(made_up[0]); i++) {
        a.pid = made_up[i];
        cr_assert_eq(probe_note(&a, 1), TRP_OK);
    }

    runtime_ledger_t ledger;
    runtime_ledger(node, &ledger);
    cr_assert_eq(ledger.dead, sizeof(made_up) / sizeof(made_up[0]));
}

Test(runtime, a_name_is_found_refused_to_others_and_free_after_the_end)
{
    probe_spawn(&a, &(trp_spawn_t){.name = "store"});
    node_settle();
    trp_pid_t pid;
    trp_spawn_t again = {.class = &probe_class, .name = "store"};

    cr_assert(trp_pid_equal(runtime_whereis(node, "store"), a.pid));
    cr_assert_eq(runtime_spawn(node, &again, &pid), TRP_EXISTS);
    probe_do(&a, stop);

    cr_assert(trp_pid_is_none(runtime_whereis(node, "store")));
    probe_spawn(&b, &(trp_spawn_t){.name = "store"});
    cr_assert(trp_pid_equal(runtime_whereis(node, "store"), b.pid));
    node_settle();
}

static void take_name(trp_ctx_t *ctx, probe_t *probe)
{
    probe->status = trp_register(ctx, "late");
}

Test(runtime, an_actor_may_name_itself_once)
{
    probe_spawn(&a, NULL);

    probe_do(&a, take_name);
    trp_status_t first = a.status;
    probe_do(&a, take_name);

    cr_assert_eq(first, TRP_OK);
    cr_assert_eq(a.status, TRP_EXISTS);
    cr_assert(trp_pid_equal(runtime_whereis(node, "late"), a.pid));
}

Test(runtime, bad_spawns_are_refused_and_cost_no_cell)
{
    static const trp_class_t deaf = {.name = "deaf"};
    static char long_name[TRP_NAME_MAX + 1];
    memset(long_name, 'x', TRP_NAME_MAX);
    const trp_spawn_t bad[] = {{.class = NULL},
                               {.class = &deaf},
                               {.class = &probe_class, .name = ""},
                               {.class = &probe_class, .name = long_name},
                               {.class = &probe_class, .args = NULL, .args_size = 4}};
    trp_pid_t pid;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_assert_eq(runtime_spawn(node, &bad[i], &pid), TRP_INVALID, "spawn %zu", i);
    }
    trp_spawn_t elsewhere = {.class = &probe_class, .place = TRP_PLACE_PROCESS};
    cr_assert_eq(runtime_spawn(node, &elsewhere, &pid), TRP_UNSUPPORTED);

    probe_spawn(&a, NULL);
    node_settle();
    cr_assert(probe_lives(&a));
}

Test(runtime, when_all_cells_are_in_use_a_spawn_is_refused)
{
    probe_t *all = probes_new(4096);
    for (int i = 0; i < 4096; i++) {
        probe_spawn(&all[i], NULL);
    }
    trp_spawn_t one_more = {.class = &probe_class};
    trp_pid_t pid;

    cr_assert_eq(runtime_spawn(node, &one_more, &pid), TRP_NO_MEMORY);
    node_settle();
    probe_do(&all[17], stop);

    probe_spawn(&a, NULL);
    node_settle();
    cr_assert_eq(a.pid.slot, all[17].pid.slot);
}

static trp_status_t fail(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    (void)ctx;
    (void)probe;
    (void)message;
    return TRP_PAYLOAD;
}

Test(runtime, a_status_from_receive_ends_the_actor_with_it)
{
    probe_spawn(&a, NULL);
    a.receive = fail;

    cr_assert_eq(probe_note(&a, 1), TRP_OK);
    cr_assert_eq(probe_note(&a, 2), TRP_OK);
    node_settle();

    cr_assert_eq(a.count, 1, "the second is a dead letter");
    cr_assert_eq(a.terminations, 1);
    cr_assert_eq(a.end.kind, TRP_REASON_ERROR);
    cr_assert_eq(a.end.code, TRP_PAYLOAD);
}

static void spawn_with_ack(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    cr_assert_eq(probe_spawn_by(ctx, &b, (trp_spawn_t){.ack = true}), TRP_OK);
}

static void ready(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    trp_ready(ctx);
}

Test(runtime, ack_tells_the_spawner_when_init_has_succeeded)
{
    probe_spawn(&a, NULL);

    probe_do(&a, spawn_with_ack);

    cr_assert_eq(a.count, 1);
    cr_assert_eq(probe_last(&a)->tag, TRP_TAG_STARTED);
    cr_assert(trp_pid_equal(probe_last(&a)->from, b.pid));
}

Test(runtime, a_pending_init_is_ready_only_when_it_says_so)
{
    probe_spawn(&a, NULL);
    b.init_status = TRP_PENDING;

    probe_do(&a, spawn_with_ack);
    int before = a.count;
    probe_do(&b, ready);
    probe_do(&b, ready);

    cr_assert_eq(before, 0);
    cr_assert_eq(a.count, 1);
    cr_assert_eq(probe_last(&a)->tag, TRP_TAG_STARTED);
}

Test(runtime, an_actor_that_ends_before_it_is_ready_is_heard_of)
{
    probe_spawn(&a, NULL);
    b.init_status = TRP_PENDING;
    probe_do(&a, spawn_with_ack);

    probe_do(&b, stop);

    cr_assert_eq(a.count, 1);
    cr_assert_eq(probe_last(&a)->tag, TRP_TAG_DOWN);
    cr_assert_eq(b.terminations, 1);
}

static trp_status_t send_to_self(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    (void)message;
    if (probe->count < SEEN_MAX - 1) {
        int note = 0;
        return trp_send(ctx, trp_self(ctx), TAG_NOTE, &note, sizeof(note));
    }
    return TRP_OK;
}

Test(runtime, an_actor_that_never_rests_gives_way_to_others)
{
    probe_spawn(&a, NULL);
    probe_spawn(&b, NULL);
    node_settle();
    a.receive = send_to_self;
    cr_assert_eq(probe_note(&a, 1), TRP_OK);
    cr_assert_eq(probe_note(&b, 1), TRP_OK);

    for (int i = 0; i < 4; i++) {
        node_step();
    }

    cr_assert_eq(b.count, 1);
    cr_assert_lt(a.count, SEEN_MAX - 1);
    node_settle();
}

static trp_status_t bounce(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    (void)message;
    int note = 0;
    return probe->count < 400 ? trp_send(ctx, probe->other, TAG_NOTE, &note, sizeof(note)) : TRP_OK;
}

Test(runtime, two_that_wake_each_other_do_not_starve_a_third)
{
    probe_spawn(&a, NULL);
    probe_spawn(&b, NULL);
    probe_spawn(&c, NULL);
    node_settle();
    a.other = b.pid;
    b.other = a.pid;
    a.receive = bounce;
    b.receive = bounce;
    cr_assert_eq(probe_note(&a, 1), TRP_OK);
    node_step();
    cr_assert_eq(probe_note(&c, 1), TRP_OK);

    for (int i = 0; i < 64 && c.count == 0; i++) {
        node_step();
    }

    cr_assert_eq(c.count, 1);
    cr_assert_lt(a.count, 64);
    node_settle();
}

static actor_info_t found;

static void find_named(void *user, const actor_info_t *info)
{
    if (strcmp(info->name, user) == 0) {
        found = *info;
    }
}

static void describe(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    trp_describe(ctx, "counts sheep, and more than the row holds");
    runtime_each(node, find_named, "sleeper"); /* may look at itself */
}

Test(runtime, looking_in_shows_name_class_state_and_detail)
{
    probe_spawn(&a, &(trp_spawn_t){.name = "sleeper", .restarts = 4});
    runtime_each(node, find_named, "sleeper");
    cr_assert_str_eq(found.state, "starting");
    node_settle();

    probe_do(&a, describe);
    cr_assert_str_eq(found.state, "running");
    cr_assert_eq(probe_note(&a, 1), TRP_OK);
    runtime_each(node, find_named, "sleeper");
    cr_assert_str_eq(found.state, "ready");
    cr_assert_eq(found.mailbox, 1);
    node_settle();
    runtime_each(node, find_named, "sleeper");

    cr_assert_str_eq(found.state, "idle");
    cr_assert_str_eq(found.class_name, "probe");
    cr_assert_str_eq(found.detail, "counts sheep, and more than the");
    cr_assert_eq(found.restarts, 4);
    cr_assert_eq(found.handled, 2);
    cr_assert_eq(found.mailbox, 0);
    cr_assert(trp_pid_equal(found.pid, a.pid));
}

static int makes, ends;

static void *make(void *arg)
{
    makes++;
    return arg;
}

static void end(void *object)
{
    cr_assert_eq(*(int *)object, 42);
    ends++;
}

Test(runtime, what_is_kept_is_made_once_and_ends_with_the_runtime)
{
    static int object = 42;
    trp_runtime_t *runtime = NULL;
    runtime_options_t options = {.threads = 1, .cells_max = 10};
    cr_assert_eq(runtime_create(&options, &runtime), TRP_OK);

    void *first = runtime_keep(runtime, "thing", make, end, &object);
    void *second = runtime_keep(runtime, "thing", make, end, NULL);
    runtime_destroy(&runtime);

    cr_assert_eq(first, &object);
    cr_assert_eq(second, &object);
    cr_assert_eq(makes, 1);
    cr_assert_eq(ends, 1);
}

Test(runtime, options_without_a_worker_are_refused)
{
    trp_runtime_t *runtime = NULL;

    cr_assert_eq(runtime_create(&(runtime_options_t){.threads = 0}, &runtime), TRP_INVALID);
    cr_assert_eq(runtime_create(&(runtime_options_t){.threads = 64}, &runtime), TRP_INVALID);
    cr_assert_eq(
        runtime_create(&(runtime_options_t){.threads = 1, .cells_max = UINT32_MAX}, &runtime),
        TRP_INVALID);
    cr_assert_null(runtime);
}

static void no_poll(void *user)
{
    (void)user;
}

static void no_park(void *user, int64_t until_ns)
{
    (void)user;
    (void)until_ns;
}

Test(runtime, as_many_threads_as_the_idle_mask_has_room_for_beside_edge_and_spares)
{
    trp_runtime_t *runtime = NULL;
    scheduler_park_t edge = {.poll = no_poll, .park = no_park, .wake = no_poll};

    cr_assert_eq(runtime_create(&(runtime_options_t){.threads = 59, .edge = edge}, &runtime),
                 TRP_INVALID);
    cr_assert_eq(runtime_create(&(runtime_options_t){.threads = 58, .edge = edge}, &runtime),
                 TRP_OK);
    runtime_destroy(&runtime);
}

Test(runtime, started_threads_run_actors_and_stop)
{
    static probe_t probe;
    trp_runtime_t *runtime = NULL;
    runtime_options_t options = {.node = 1 << 16, .incarnation = 1, .threads = 2};
    cr_assert_eq(runtime_create(&options, &runtime), TRP_OK);
    probe_t *self = &probe;
    trp_spawn_t spawn = {.class = &probe_class, .args = &self, .args_size = sizeof(self)};

    cr_assert_eq(runtime_start(runtime), TRP_OK);
    cr_assert_eq(runtime_spawn(runtime, &spawn, &probe.pid), TRP_OK);
    trp_envelope_t *envelope = envelope_alloc();
    envelope->to = probe.pid;
    envelope->tag = TAG_NOTE;
    cr_assert_eq(runtime_send(runtime, envelope), TRP_OK);
    runtime_ledger_t ledger = {0};
    int64_t limit = host_os.now_ns(NULL) + 10000000000;
    while (ledger.handled == 0 && host_os.now_ns(NULL) < limit) {
        runtime_ledger(runtime, &ledger);
    }
    runtime_stop(runtime);
    runtime_destroy(&runtime);

    cr_assert_eq(ledger.handled, 1);
    cr_assert_eq(probe.count, 1);
}
