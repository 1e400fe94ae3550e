/* SPDX-License-Identifier: MIT */
/* When a callback may lose its cell: the handler's side of it, without a signal, on this thread. */
#include "runtime/core/lease.h"

#include <criterion/criterion.h>

#include "runtime/core/life.h"
#include "tests/runtime/fixture.h"

static probe_t victim, watcher;
static lease_lost_t lost;

static void open_stepped(void)
{
    node_open(false);
    probe_spawn(&victim, NULL);
    probe_spawn(&watcher, NULL);
    node_settle();
}

TestSuite(lease, .init = open_stepped, .fini = node_close);

static void kill_oneself(trp_ctx_t *ctx)
{
    const trp_reason_t killed = trp_reason(TRP_REASON_KILLED, 0, NULL);
    trp_exit(ctx, trp_self(ctx), &killed);
}

static void lose_without_kill(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    cr_expect_not(lease_revoke(ctx, ctx->cell, &lost));
}

Test(lease, without_a_kill_that_waits_the_cell_stays)
{
    probe_do(&victim, lose_without_kill);

    cr_expect(probe_lives(&victim));
}

static void kill_another(trp_ctx_t *ctx, probe_t *probe)
{
    const trp_reason_t killed = trp_reason(TRP_REASON_KILLED, 0, NULL);
    /* one that the cell had before, or will have */
    trp_envelope_t *signal = signal_make(trp_self(ctx), trp_self(ctx), TRP_SIGNAL_KILL, 0);
    signal->to.generation++;
    (void)mailbox_push_urgent(&ctx->cell->mailbox, signal_make_reason(signal, &killed));
    (void)probe;
    cr_expect_not(lease_revoke(ctx, ctx->cell, &lost));
}

Test(lease, a_kill_of_another_actor_of_the_same_cell_does_not_count)
{
    probe_do(&victim, kill_another);

    cr_expect(probe_lives(&victim));
}

static trp_status_t lose_inside_of_a_call(trp_ctx_t *ctx)
{
    LEASE_CALL(ctx, TRP_GONE)
    cr_expect_not(lease_revoke(ctx, ctx->cell, &lost));
    return TRP_OK;
}

static void lose_in_call(trp_ctx_t *ctx, probe_t *probe)
{
    kill_oneself(ctx);
    probe->status = lose_inside_of_a_call(ctx);
    cr_expect_eq(ctx->calls, 0);
}

Test(lease, in_the_middle_of_a_call_the_cell_stays)
{
    probe_do(&victim, lose_in_call);

    cr_expect_eq(victim.status, TRP_OK);
    cr_expect_not(probe_lives(&victim), "the kill itself still comes");
}

Test(lease, outside_of_a_callback_there_is_nothing_to_lose)
{
    trp_ctx_t *ctx = &node->workers[0].ctx;
    cell_t *cell = &node->table.cells[victim.pid.slot];
    ctx->cell = cell;

    cr_expect_not(lease_revoke(ctx, cell, &lost));

    ctx->cell = NULL;
}

static void be_written_off(trp_ctx_t *ctx, probe_t *probe)
{
    uint64_t ref = 0;
    kill_oneself(ctx);
    cr_assert(lease_revoke(ctx, ctx->cell, &lost));
    cr_expect_not(lease_revoke(ctx, ctx->cell, &lost), "once");
    life_write_off(&node->outsider, ctx->cell, &lost);

    const trp_request_t request = {.to = watcher.pid, .tag = TAG_NOTE};
    const trp_spawn_t spawn = {.class = &probe_class, .link = true};
    cr_expect_eq(trp_send(ctx, watcher.pid, TAG_NOTE, NULL, 0), TRP_GONE);
    cr_expect_eq(trp_spawn(ctx, &spawn, &probe->other), TRP_GONE);
    cr_expect_eq(trp_link(ctx, watcher.pid), TRP_GONE);
    cr_expect_eq(trp_monitor(ctx, watcher.pid, &ref), TRP_GONE);
    cr_expect_eq(trp_request(ctx, &request, &ref), TRP_GONE);
    cr_expect_eq(trp_reply(ctx, ctx->message, TAG_NOTE, NULL, 0), TRP_GONE);
    cr_expect_eq(trp_forward(ctx, ctx->message, watcher.pid), TRP_GONE);
    cr_expect_eq(trp_defer(ctx, ctx->message, 10, 1000), TRP_GONE);
    cr_expect_eq(trp_continue(ctx, TAG_NOTE, NULL, 0), TRP_GONE);
    cr_expect_eq(trp_idle_after(ctx, 10, TAG_NOTE), TRP_GONE);
    cr_expect_eq(trp_timer_start(ctx, 10, 0, TAG_NOTE, &ref), TRP_GONE);
    cr_expect_eq(trp_register(ctx, "late"), TRP_GONE);
    cr_expect_eq(trp_group_join(ctx, "late"), TRP_GONE);
    cr_expect_eq(trp_dead_letters(ctx, true), TRP_GONE);
    cr_expect_eq(trp_publish(ctx, &(trp_publication_t){.topic = "late"}, NULL), TRP_GONE);
    trp_ready(ctx);
    trp_unlink(ctx, watcher.pid);
    trp_demonitor(ctx, 1);
    trp_trap_exit(ctx, true);
    trp_request_cancel(ctx, 1);
    trp_timer_cancel(ctx, 1);
    trp_recall(ctx);
    trp_group_leave(ctx, "late");
    trp_describe(ctx, "late");
    trp_exit(ctx, watcher.pid, NULL);
    cr_expect(trp_pid_equal(trp_self(ctx), probe->pid));
}

static void watch_victim(trp_ctx_t *ctx, probe_t *probe)
{
    cr_assert_eq(trp_monitor(ctx, victim.pid, &probe->ref), TRP_OK);
}

Test(lease, who_was_written_off_is_gone_for_all_and_its_calls_answer_that)
{
    probe_do(&watcher, watch_victim);

    probe_do(&victim, be_written_off);

    cr_expect_eq(probe_last(&watcher)->tag, TRP_TAG_DOWN);
    cr_expect_eq(probe_last(&watcher)->reason.kind, TRP_REASON_KILLED);
    cr_expect_str_eq(probe_last(&watcher)->reason.text, "stuck");
    cr_expect_eq(watcher.count, 1);
    cr_expect_eq(victim.terminations, 0);
    cr_expect_not(probe_lives(&victim), "it has returned");
    cr_expect(trp_pid_is_none(runtime_whereis(node, "late")));
}

static trp_status_t receive_and_lose(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    (void)probe;
    (void)message;
    kill_oneself(ctx);
    cr_assert(lease_revoke(ctx, ctx->cell, &lost));
    life_write_off(&node->outsider, ctx->cell, &lost);
    return TRP_OK;
}

static void ask_victim(trp_ctx_t *ctx, probe_t *probe)
{
    const trp_request_t request = {.to = victim.pid, .tag = TAG_NOTE};
    cr_assert_eq(trp_request(ctx, &request, &probe->ref), TRP_OK);
    cr_assert_eq(trp_send(ctx, victim.pid, TAG_NOTE, NULL, 0), TRP_OK);
}

Test(lease, who_asked_hears_of_it_and_what_was_queued_is_dead)
{
    victim.receive = receive_and_lose;

    probe_do(&watcher, ask_victim);

    cr_expect_eq(probe_last(&watcher)->tag, TRP_TAG_DOWN);
    cr_expect_eq(probe_last(&watcher)->request_id, watcher.ref);
    cr_expect_eq(watcher.count, 1);
    cr_expect_eq(victim.count, 1, "what was queued behind it is not handled");
}
