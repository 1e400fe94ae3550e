/* SPDX-License-Identifier: MIT */
#include "runtime/core/signal.h"

#include "tests/runtime/fixture.h"

static void open_node(void)
{
    node_open(false);
}

TestSuite(signal, .init = open_node, .fini = node_close);

static probe_t a, b, c;

static void link_other(trp_ctx_t *ctx, probe_t *probe)
{
    cr_assert_eq(trp_link(ctx, probe->other), TRP_OK);
}

static void unlink_other(trp_ctx_t *ctx, probe_t *probe)
{
    trp_unlink(ctx, probe->other);
}

static void monitor_other(trp_ctx_t *ctx, probe_t *probe)
{
    cr_assert_eq(trp_monitor(ctx, probe->other, &probe->ref), TRP_OK);
}

static void demonitor(trp_ctx_t *ctx, probe_t *probe)
{
    trp_demonitor(ctx, probe->ref);
}

static void trap(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    trp_trap_exit(ctx, true);
}

static void stop_normal(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    trp_stop(ctx, NULL);
}

static void stop_shutdown(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    trp_reason_t reason = trp_reason(TRP_REASON_SHUTDOWN, 0, "drain");
    trp_stop(ctx, &reason);
}

static void exit_other(trp_ctx_t *ctx, probe_t *probe)
{
    trp_reason_t reason = trp_reason(TRP_REASON_SHUTDOWN, 0, NULL);
    trp_exit(ctx, probe->other, &reason);
}

static void exit_other_normal(trp_ctx_t *ctx, probe_t *probe)
{
    trp_exit(ctx, probe->other, NULL);
}

static void kill_other(trp_ctx_t *ctx, probe_t *probe)
{
    trp_reason_t reason = trp_reason(TRP_REASON_KILLED, 0, NULL);
    trp_exit(ctx, probe->other, &reason);
}

static void pair(void)
{
    probe_spawn(&a, NULL);
    probe_spawn(&b, NULL);
    node_settle();
    a.other = b.pid;
    b.other = a.pid;
}

Test(signal, a_link_takes_both_down_with_the_same_reason)
{
    pair();
    probe_do(&a, link_other);

    probe_do(&b, stop_shutdown);

    cr_assert(!probe_lives(&a));
    cr_assert_eq(a.terminations, 1);
    cr_assert_eq(a.end.kind, TRP_REASON_SHUTDOWN);
    cr_assert_str_eq(a.end.text, "drain");
}

Test(signal, a_link_works_in_the_other_direction_too)
{
    pair();
    probe_do(&a, link_other);

    probe_do(&a, stop_shutdown);

    cr_assert(!probe_lives(&b));
    cr_assert_eq(b.end.kind, TRP_REASON_SHUTDOWN);
}

Test(signal, a_normal_end_leaves_who_is_linked_alone)
{
    pair();
    probe_do(&a, link_other);

    probe_do(&b, stop_normal);

    cr_assert(probe_lives(&a));
    cr_assert_eq(a.count, 0);
}

Test(signal, who_traps_sees_the_end_of_a_link_as_a_message)
{
    pair();
    probe_do(&a, trap);
    probe_do(&a, link_other);

    probe_do(&b, stop_normal);

    cr_assert(probe_lives(&a));
    cr_assert_eq(probe_last(&a)->tag, TRP_TAG_EXIT);
    cr_assert(trp_pid_equal(probe_last(&a)->from, b.pid));
    cr_assert_eq(probe_last(&a)->reason.kind, TRP_REASON_NORMAL);
}

Test(signal, after_unlink_neither_side_hears_of_the_other)
{
    pair();
    probe_do(&a, link_other);
    probe_do(&a, unlink_other);

    probe_do(&b, stop_shutdown);

    cr_assert(probe_lives(&a));
}

static void unlink_late(trp_ctx_t *ctx, probe_t *probe)
{
    probe->status = probe_note(probe, 1); /* behind it the exit signal of b is queued already */
    trp_unlink(ctx, probe->other);
}

static void spawn_linked_that_fails(trp_ctx_t *ctx, probe_t *probe)
{
    c.init_status = TRP_CONFIG;
    cr_assert_eq(probe_spawn_by(ctx, &c, (trp_spawn_t){.link = true}), TRP_OK);
    probe->other = c.pid;
}

Test(signal, an_exit_that_was_queued_before_the_unlink_is_not_seen)
{
    pair();
    probe_do(&a, trap);
    probe_do(&a, link_other);
    probe_act_t act = unlink_late;
    trp_envelope_t *message = envelope_alloc();
    message->to = a.pid;
    message->tag = TAG_DO;
    cr_assert_eq(envelope_set(message, &act, sizeof(act)), TRP_OK);
    cr_assert_eq(runtime_send(node, message), TRP_OK);
    trp_reason_t reason = trp_reason(TRP_REASON_SHUTDOWN, 0, NULL);
    trp_envelope_t *exit = signal_make(b.pid, a.pid, TRP_SIGNAL_EXIT, SIGNAL_LINK_END);
    send_signal(&node->outsider, signal_make_reason(exit, &reason));

    node_settle();

    cr_assert(probe_lives(&a));
    cr_assert_eq(a.count, 1);
    cr_assert_eq(probe_last(&a)->tag, TAG_NOTE);
}

Test(signal, a_link_to_the_dead_ends_who_does_not_trap_with_noproc)
{
    pair();
    probe_do(&b, stop_normal);

    probe_do(&a, link_other);

    cr_assert(!probe_lives(&a));
    cr_assert_eq(a.end.kind, TRP_REASON_NO_PROCESS);
}

Test(signal, a_monitor_fires_once_with_the_reason)
{
    pair();
    probe_do(&a, monitor_other);

    probe_do(&b, stop_shutdown);

    cr_assert_eq(a.count, 1);
    cr_assert_eq(probe_last(&a)->tag, TRP_TAG_DOWN);
    cr_assert_eq(probe_last(&a)->request_id, a.ref);
    cr_assert(trp_pid_equal(probe_last(&a)->from, b.pid));
    cr_assert_eq(probe_last(&a)->reason.kind, TRP_REASON_SHUTDOWN);
}

Test(signal, a_monitor_of_the_dead_fires_at_once_with_noproc)
{
    pair();
    probe_do(&b, stop_normal);

    probe_do(&a, monitor_other);

    cr_assert_eq(probe_last(&a)->tag, TRP_TAG_DOWN);
    cr_assert_eq(probe_last(&a)->request_id, a.ref);
    cr_assert_eq(probe_last(&a)->reason.kind, TRP_REASON_NO_PROCESS);
}

Test(signal, two_monitors_of_one_actor_fire_both)
{
    pair();
    probe_do(&a, monitor_other);
    uint64_t first = a.ref;
    probe_do(&a, monitor_other);

    probe_do(&b, stop_normal);

    cr_assert_neq(first, a.ref);
    cr_assert_eq(a.count, 2);
    cr_assert_eq(a.seen[0].request_id + a.seen[1].request_id, first + a.ref);
}

Test(signal, a_monitor_that_was_ended_does_not_fire)
{
    pair();
    probe_do(&a, monitor_other);
    probe_do(&a, demonitor);

    probe_do(&b, stop_normal);

    cr_assert_eq(a.count, 0);
}

static void monitor_and_spoil(trp_ctx_t *ctx, probe_t *probe)
{
    monitor_other(ctx, probe); /* b is dead: DOWN is queued at once */
    trp_demonitor(ctx, probe->ref);
}

Test(signal, a_down_that_is_queued_already_is_not_seen_after_demonitor)
{
    pair();
    probe_do(&b, stop_normal);

    probe_do(&a, monitor_and_spoil);

    cr_assert_eq(a.count, 0);
}

Test(signal, an_exit_request_ends_who_does_not_trap)
{
    pair();

    probe_do(&a, exit_other);

    cr_assert(!probe_lives(&b));
    cr_assert_eq(b.terminations, 1);
    cr_assert_eq(b.end.kind, TRP_REASON_SHUTDOWN);
}

Test(signal, an_exit_request_with_reason_normal_is_ignored)
{
    pair();

    probe_do(&a, exit_other_normal);

    cr_assert(probe_lives(&b));
}

Test(signal, a_kill_is_not_trapped_and_terminate_is_not_called)
{
    pair();
    probe_do(&b, trap);
    probe_do(&a, monitor_other);

    probe_do(&a, kill_other);

    cr_assert(!probe_lives(&b));
    cr_assert_eq(b.terminations, 0);
    cr_assert_eq(probe_last(&a)->reason.kind, TRP_REASON_KILLED);
}

static void bear_and_kill(trp_ctx_t *ctx, probe_t *probe)
{
    trp_spawn_t spawn = {.monitor = true, .monitor_ref = &probe->ref};
    cr_assert_eq(probe_spawn_by(ctx, &b, spawn), TRP_OK);
    probe->other = b.pid;
    kill_other(ctx, probe);
}

Test(signal, who_is_killed_before_its_first_turn_is_never_started)
{
    probe_spawn(&a, NULL);

    probe_do(&a, bear_and_kill);

    cr_assert_eq(b.inits, 0);
    cr_assert_eq(b.terminations, 0);
    cr_assert_eq(probe_last(&a)->tag, TRP_TAG_DOWN);
    cr_assert_eq(probe_last(&a)->request_id, a.ref);
    cr_assert_eq(probe_last(&a)->reason.kind, TRP_REASON_KILLED);
}

Test(signal, a_kill_goes_before_messages_and_the_end_of_a_killed_one_can_be_trapped)
{
    pair();
    probe_do(&a, trap);
    probe_do(&a, link_other);
    for (int i = 0; i < 10; i++) {
        cr_assert_eq(probe_note(&b, i), TRP_OK);
    }

    probe_do(&a, kill_other);

    cr_assert_leq(b.count, 10);
    cr_assert_eq(probe_last(&a)->tag, TRP_TAG_EXIT);
    cr_assert_eq(probe_last(&a)->reason.kind, TRP_REASON_KILLED);
}

Test(signal, an_exit_signal_in_the_inbox_ends_the_actor_before_the_messages_ahead_of_it)
{
    pair();
    cr_assert_eq(probe_note(&b, 1), TRP_OK);
    trp_reason_t reason = trp_reason(TRP_REASON_SHUTDOWN, 0, NULL);
    trp_envelope_t *exit = signal_make(a.pid, b.pid, TRP_SIGNAL_EXIT, 0);
    send_signal(&node->outsider, signal_make_reason(exit, &reason));

    node_settle();

    cr_assert(!probe_lives(&b));
    cr_assert_eq(b.count, 0);
}

Test(signal, a_failed_init_reaches_a_link)
{
    pair();
    probe_do(&a, trap);

    probe_do(&a, spawn_linked_that_fails);

    cr_assert_eq(probe_last(&a)->tag, TRP_TAG_EXIT);
    cr_assert_eq(probe_last(&a)->reason.kind, TRP_REASON_START_FAILED);
    cr_assert_eq(probe_last(&a)->reason.code, TRP_CONFIG);
    cr_assert_eq(c.terminations, 0);
}

static void spawn_monitored_that_fails(trp_ctx_t *ctx, probe_t *probe)
{
    c.init_status = TRP_SYSTEM;
    cr_assert_eq(
        probe_spawn_by(ctx, &c, (trp_spawn_t){.monitor = true, .monitor_ref = &probe->ref}),
        TRP_OK);
}

Test(signal, a_failed_init_reaches_a_monitor)
{
    pair();

    probe_do(&a, spawn_monitored_that_fails);

    cr_assert_eq(probe_last(&a)->tag, TRP_TAG_DOWN);
    cr_assert_eq(probe_last(&a)->request_id, a.ref);
    cr_assert_eq(probe_last(&a)->reason.kind, TRP_REASON_START_FAILED);
}

static void spawn_with_ack_that_fails(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    c.init_status = TRP_SYSTEM;
    cr_assert_eq(probe_spawn_by(ctx, &c, (trp_spawn_t){.ack = true}), TRP_OK);
}

Test(signal, a_failed_init_reaches_who_only_wanted_to_hear_of_readiness)
{
    pair();

    probe_do(&a, spawn_with_ack_that_fails);

    cr_assert_eq(probe_last(&a)->tag, TRP_TAG_DOWN);
    cr_assert_eq(probe_last(&a)->request_id, 0);
    cr_assert(trp_pid_equal(probe_last(&a)->from, c.pid));
}
