/* SPDX-License-Identifier: MIT */
/* Routes to other nodes, and what proxies are shown. */
#include "runtime/core/runtime.h"

#include "tests/runtime/fixture.h"

#define FAR_NODE ((7u << 16) | 1u)

static void open_node(void)
{
    node_open(true);
}

TestSuite(proxy, .init = open_node, .fini = node_close);

static probe_t a, b, proxy;
static const trp_pid_t far = {FAR_NODE, 5, 2, 9};
static trp_envelope_t *taken;

static void start(void)
{
    probe_spawn(&a, NULL);
    probe_spawn(&b, NULL);
    probe_spawn(&proxy, &(trp_spawn_t){.class = &probe_proxy_class});
    node_settle();
    cr_assert_eq(runtime_route(node, FAR_NODE, far.incarnation, proxy.pid), TRP_OK);
    a.other = far;
}

static void note_other(trp_ctx_t *ctx, probe_t *probe)
{
    int note = 11;
    probe->status = trp_send(ctx, probe->other, TAG_NOTE, &note, sizeof(note));
}

static void link_other(trp_ctx_t *ctx, probe_t *probe)
{
    cr_assert_eq(trp_link(ctx, probe->other), TRP_OK);
}

static void monitor_other(trp_ctx_t *ctx, probe_t *probe)
{
    cr_assert_eq(trp_monitor(ctx, probe->other, &probe->ref), TRP_OK);
}

static void ask_other(trp_ctx_t *ctx, probe_t *probe)
{
    trp_request_t request = {.to = probe->other, .tag = TAG_NOTE, .timeout_ms = -1};
    cr_assert_eq(trp_request(ctx, &request, &probe->ref), TRP_OK);
}

static void trap(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    trp_trap_exit(ctx, true);
}

static void exit_other(trp_ctx_t *ctx, probe_t *probe)
{
    trp_reason_t reason = trp_reason(TRP_REASON_SHUTDOWN, 0, NULL);
    trp_exit(ctx, probe->other, &reason);
}

static void kill_other(trp_ctx_t *ctx, probe_t *probe)
{
    trp_reason_t reason = trp_reason(TRP_REASON_KILLED, 0, NULL);
    trp_exit(ctx, probe->other, &reason);
}

static void stop_as_worker(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    trp_reason_t reason = trp_reason(TRP_REASON_SIGNAL, 11, NULL);
    trp_stop(ctx, &reason);
}

Test(proxy, is_shown_what_is_sent_to_pids_of_its_node)
{
    start();

    probe_do(&a, note_other);
    probe_do(&a, monitor_other);
    probe_do(&a, kill_other);

    cr_assert_eq(proxy.count, 3);
    cr_assert_eq(proxy.seen[0].note, 11);
    cr_assert_eq(proxy.seen[1].tag, TRP_SIGNAL_MONITOR);
    cr_assert_eq(proxy.seen[1].request_id, a.ref);
    cr_assert_eq(proxy.seen[2].tag, TRP_SIGNAL_KILL);
    cr_assert(probe_lives(&proxy));
}

Test(proxy, pids_of_another_incarnation_of_its_node_are_dead)
{
    start();
    a.other.incarnation--;

    probe_do(&a, monitor_other);

    cr_assert_eq(proxy.count, 0);
    cr_assert_eq(probe_last(&a)->tag, TRP_TAG_DOWN);
    cr_assert_eq(probe_last(&a)->reason.kind, TRP_REASON_NO_PROCESS);
}

Test(proxy, exit_and_kill_to_itself_are_shown_and_do_not_end_it)
{
    start();
    a.other = proxy.pid;

    probe_do(&a, exit_other);
    probe_do(&a, kill_other);

    cr_assert_eq(proxy.count, 2);
    cr_assert_eq(proxy.seen[0].tag, TRP_SIGNAL_EXIT);
    cr_assert_eq(proxy.seen[0].reason.kind, TRP_REASON_SHUTDOWN);
    cr_assert_eq(proxy.seen[1].tag, TRP_SIGNAL_KILL);
    cr_assert(probe_lives(&proxy));
}

Test(proxy, its_watchers_see_the_reason_that_it_stops_with)
{
    start();
    a.other = proxy.pid;
    probe_do(&a, monitor_other);

    probe_do(&proxy, stop_as_worker);

    cr_assert_eq(proxy.count, 0, "the monitor is the cell's business");
    cr_assert_eq(probe_last(&a)->tag, TRP_TAG_DOWN);
    cr_assert_eq(probe_last(&a)->reason.kind, TRP_REASON_SIGNAL);
    cr_assert_eq(probe_last(&a)->reason.code, 11);
}

Test(proxy, answers_to_the_actor_that_it_stands_for_are_shown_to_it)
{
    start();
    trp_envelope_t *reply = envelope_alloc();
    reply->to = proxy.pid;
    reply->from = a.pid;
    reply->tag = TAG_NOTE;
    reply->request_id = 1;
    reply->flags = TRP_ENVELOPE_REPLY;

    cr_assert_eq(runtime_send(node, reply), TRP_OK);
    node_settle();

    cr_assert_eq(proxy.count, 1);
    cr_assert_eq(proxy.seen[0].request_id, 1);
}

static void run_down(trp_reason_kind_t kind)
{
    trp_reason_t reason = trp_reason(kind, 11, NULL);
    cr_assert_eq(runtime_route(node, FAR_NODE, far.incarnation, TRP_PID_NONE), TRP_OK);
    runtime_node_down(node, FAR_NODE, far.incarnation, &reason);
    node_settle();
}

Test(proxy, when_its_node_is_down_monitors_and_requests_hear_the_reason)
{
    start();
    probe_do(&a, monitor_other);
    uint64_t monitor = a.ref;
    probe_do(&a, ask_other);
    b.other = far;
    b.other.incarnation++;

    run_down(TRP_REASON_SIGNAL);

    cr_assert_eq(a.count, 2);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(a.seen[i].tag, TRP_TAG_DOWN);
        cr_assert_eq(a.seen[i].reason.kind, TRP_REASON_SIGNAL);
        cr_assert(trp_pid_equal(a.seen[i].from, far));
    }
    cr_assert_eq(a.seen[0].request_id + a.seen[1].request_id, monitor + a.ref);
}

Test(proxy, when_its_node_is_down_links_of_both_directions_break)
{
    start();
    probe_do(&a, trap);
    probe_do(&a, link_other);
    trp_envelope_t *link = envelope_alloc();
    link->to = b.pid;
    link->from = far;
    link->tag = TRP_SIGNAL_LINK;
    link->flags = TRP_ENVELOPE_SIGNAL;
    cr_assert_eq(runtime_send(node, link), TRP_OK);
    node_settle();

    run_down(TRP_REASON_SIGNAL);

    cr_assert_eq(probe_last(&a)->tag, TRP_TAG_EXIT);
    cr_assert_eq(probe_last(&a)->reason.kind, TRP_REASON_SIGNAL);
    cr_assert(!probe_lives(&b));
    cr_assert_eq(b.end.kind, TRP_REASON_SIGNAL);
}

Test(proxy, after_the_end_of_a_route_its_pids_answer_noproc)
{
    start();
    run_down(TRP_REASON_SIGNAL);

    probe_do(&a, monitor_other);

    cr_assert_eq(probe_last(&a)->tag, TRP_TAG_DOWN);
    cr_assert_eq(probe_last(&a)->reason.kind, TRP_REASON_NO_PROCESS);
}

static trp_status_t take(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    (void)probe;
    taken = proxy_take(ctx, message);
    cr_assert_eq(taken, message);
    return TRP_OK;
}

Test(proxy, what_it_took_counts_against_its_bound_until_it_gives_credit)
{
    start();
    probe_t narrow = {.receive = take};
    probe_spawn(&narrow, &(trp_spawn_t){.class = &probe_proxy_class, .depth_max = 1});
    node_settle();
    cr_assert_eq(probe_note(&narrow, 1), TRP_OK);
    node_settle();

    trp_status_t before = probe_note(&narrow, 2);
    proxy_credit(node, narrow.pid, 1, sizeof(int));
    envelope_free(taken);
    trp_status_t after = probe_note(&narrow, 3);
    node_settle();

    cr_assert_eq(before, TRP_FULL);
    cr_assert_eq(after, TRP_OK);
    envelope_free(taken);
}

Test(proxy, what_it_took_and_never_credited_is_dead_when_it_ends)
{
    start();
    proxy.receive = take;
    probe_do(&a, ask_other);
    trp_reason_t reason = trp_reason(TRP_REASON_SIGNAL, 9, NULL);
    runtime_ledger_t before;
    runtime_ledger(node, &before);

    proxy_dead(node, taken, TRP_DEAD_WORKER, &reason);
    probe_do(&proxy, stop_as_worker);

    runtime_ledger_t after;
    runtime_ledger(node, &after);
    cr_assert_eq(after.dead, before.dead + 1);
    cr_assert_eq(after.queued, 0);
    cr_assert_eq(probe_last(&a)->tag, TRP_TAG_DOWN);
    cr_assert_eq(probe_last(&a)->request_id, a.ref);
    cr_assert_eq(probe_last(&a)->reason.code, 9);
}

Test(proxy, credit_that_was_never_taken_is_not_given)
{
    start();

    proxy_credit(node, proxy.pid, 1, 0);
    proxy_credit(node, far, 1, 0);
    probe_do(&a, note_other);

    runtime_ledger_t ledger;
    runtime_ledger(node, &ledger);
    cr_assert_eq(ledger.queued, 0);
}

/* ---- a worker process ---- */

Test(proxy, a_root_actor_is_itself_by_the_pid_that_others_know)
{
    start();
    const trp_pid_t known = {9u << 16, 4, 4, 4};
    probe_t root = {.count = 0};
    probe_t *self = &root;
    trp_spawn_t spawn = {.class = &probe_class, .args = &self, .args_size = sizeof(self)};
    trp_pid_t local;

    cr_assert_eq(runtime_spawn_known(node, &spawn, TRP_PID_NONE, known, &local), TRP_OK);
    node_settle();
    a.other = known;
    probe_do(&a, note_other);
    a.other = local;
    probe_do(&a, note_other);
    a.other = known;
    probe_do(&a, monitor_other);
    a.other = known;
    probe_do(&a, exit_other);

    cr_assert(trp_pid_equal(root.pid, known));
    cr_assert_eq(local.node, 7u << 16);
    cr_assert_eq(root.count, 2);
    cr_assert_eq(probe_last(&a)->tag, TRP_TAG_DOWN);
    cr_assert(trp_pid_equal(probe_last(&a)->from, known));
    cr_assert_eq(probe_last(&a)->reason.kind, TRP_REASON_SHUTDOWN);
}

Test(proxy, pids_without_a_route_go_to_the_default_one)
{
    start();
    runtime_route_default(node, proxy.pid);
    a.other = (trp_pid_t){3u << 16, 1, 1, 1};

    probe_do(&a, note_other);

    cr_assert_eq(proxy.count, 1);
    cr_assert_eq(proxy.seen[0].note, 11);
    runtime_route_default(node, TRP_PID_NONE);
}
