/* SPDX-License-Identifier: MIT */
#include "runtime/core/lease.h"
#include "tests/runtime/fixture.h"

enum { TAG_PIECE = 0x1020, TAG_IDLE, TAG_ASK, TAG_ANSWER };

static void open_node(void)
{
    node_open(false);
}

TestSuite(defer, .init = open_node, .fini = node_close);

static probe_t keeper, asker, third;
static bool open_now;
static uint32_t count_max;
static size_t size_max;
static trp_status_t deferred[SEEN_MAX];
static int tries;

/* Defers all that is shown until the test opens it. */
static trp_status_t keep(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    (void)probe;
    if (!open_now) {
        deferred[tries++] = trp_defer(ctx, message, count_max, size_max);
    }
    return TRP_OK;
}

static void recall(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    open_now = true;
    trp_recall(ctx);
}

static void stop(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    trp_stop(ctx, NULL);
}

static void kill_other(trp_ctx_t *ctx, probe_t *probe)
{
    trp_reason_t reason = trp_reason(TRP_REASON_KILLED, 0, NULL);
    trp_exit(ctx, probe->other, &reason);
}

static void ask(trp_ctx_t *ctx, probe_t *probe)
{
    trp_request_t request = {.to = probe->other, .tag = TAG_ASK, .timeout_ms = 100};
    probe->status = trp_request(ctx, &request, &probe->ref);
}

static void send_large(trp_ctx_t *ctx, probe_t *probe)
{
    static const char large[5000];
    probe->status = trp_send(ctx, probe->other, TAG_NOTE, large, sizeof(large));
}

static void start(void)
{
    open_now = false;
    tries = 0;
    count_max = 3;
    size_max = 10000;
    probe_spawn(&keeper, &(trp_spawn_t){.depth_max = 4});
    probe_spawn(&asker, NULL);
    node_settle();
    keeper.receive = keep;
    asker.other = keeper.pid;
}

static runtime_ledger_t ledger(void)
{
    runtime_ledger_t sums;
    runtime_ledger(node, &sums);
    return sums;
}

static void note(int value)
{
    cr_assert_eq(probe_note(&keeper, value), TRP_OK);
    node_settle();
}

Test(defer, what_was_deferred_is_shown_in_order_before_what_is_queued)
{
    start();
    note(1);
    note(2);
    probe_act_t act = recall;
    trp_envelope_t *call = envelope_alloc();
    call->to = keeper.pid;
    call->tag = TAG_DO;
    cr_assert_eq(envelope_set(call, &act, sizeof(act)), TRP_OK);
    cr_assert_eq(runtime_send(node, call), TRP_OK);
    cr_assert_eq(probe_note(&keeper, 3), TRP_OK);

    node_settle();

    cr_assert_eq(keeper.count, 5);
    cr_assert_eq(keeper.seen[2].note, 1);
    cr_assert_eq(keeper.seen[3].note, 2);
    cr_assert_eq(keeper.seen[4].note, 3);
}

Test(defer, the_ledger_counts_what_is_deferred_as_queued_until_it_is_handled)
{
    start();
    runtime_ledger_t before = ledger();

    note(1);
    note(2);
    runtime_ledger_t kept = ledger();
    probe_do(&keeper, recall);
    runtime_ledger_t after = ledger();

    cr_assert_eq(kept.queued, before.queued + 2);
    cr_assert_eq(kept.handled, before.handled);
    cr_assert_eq(after.queued, before.queued);
    cr_assert_eq(after.handled, before.handled + 3);
}

Test(defer, past_the_count_it_is_refused_and_the_handler_sees_it)
{
    start();

    for (int i = 0; i < 4; i++) {
        note(i);
    }

    cr_assert_eq(deferred[2], TRP_OK);
    cr_assert_eq(deferred[3], TRP_FULL);
    cr_assert_eq(ledger().queued, 3);
}

Test(defer, past_the_bytes_it_is_refused)
{
    start();

    probe_do(&asker, send_large);
    probe_do(&asker, send_large);
    probe_do(&asker, send_large);

    cr_assert_eq(deferred[1], TRP_OK);
    cr_assert_eq(deferred[2], TRP_FULL);
}

Test(defer, what_is_deferred_takes_room_in_the_mailbox)
{
    start();
    for (int i = 0; i < 3; i++) {
        note(i);
    }

    trp_status_t fourth = probe_note(&keeper, 3);
    trp_status_t fifth = probe_note(&keeper, 4);

    cr_assert_eq(fourth, TRP_OK);
    cr_assert_eq(fifth, TRP_FULL);
}

Test(defer, only_the_message_of_the_callback_can_be_deferred_and_once)
{
    start();
    count_max = 0;
    note(1);
    trp_envelope_t other = {.tag = TAG_NOTE};
    trp_ctx_t *ctx = &node->workers[0].ctx;

    cr_assert_eq(deferred[0], TRP_FULL);
    ctx->cell = cell_at(&node->table, keeper.pid.slot);
    lease_open(ctx);
    cr_assert_eq(trp_defer(ctx, &other, 1, 100), TRP_STATE);
    cr_assert_eq(trp_defer(ctx, NULL, 1, 100), TRP_STATE);
    cr_assert(lease_close(ctx));
}

Test(defer, a_stop_makes_it_dead_and_the_asker_hears_of_it)
{
    start();
    probe_do(&asker, ask);
    probe_do(&asker, send_large);
    uint64_t dead = ledger().dead;

    probe_do(&keeper, stop);

    cr_assert_eq(ledger().dead, dead + 2);
    cr_assert_eq(ledger().queued, 0);
    cr_assert_eq(probe_last(&asker)->tag, TRP_TAG_DOWN);
    cr_assert_eq(probe_last(&asker)->request_id, asker.ref);
}

Test(defer, a_kill_frees_it_too)
{
    start();
    probe_do(&asker, ask);
    probe_do(&asker, send_large);

    probe_do(&asker, kill_other);

    cr_assert_not(probe_lives(&keeper));
    cr_assert_eq(ledger().queued, 0);
    cr_assert_eq(probe_last(&asker)->tag, TRP_TAG_DOWN);
    cr_assert_eq(asker.count, 1);
}

Test(defer, a_runtime_that_ends_frees_it)
{
    start();

    probe_do(&asker, send_large); /* the leak checker looks after the rest */

    cr_assert_eq(ledger().queued, 1);
}

Test(defer, what_expires_meanwhile_is_never_shown_again)
{
    start();
    probe_do(&asker, ask);
    node_advance_ms(200);
    uint64_t dead = ledger().dead;
    int before = keeper.count;

    probe_do(&keeper, recall);

    cr_assert_eq(keeper.count, before);
    cr_assert_eq(ledger().dead, dead + 1);
    cr_assert_eq(probe_last(&asker)->tag, TRP_TAG_TIMEOUT);
    cr_assert_eq(asker.count, 1);
}

static trp_status_t answer(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    (void)probe;
    return trp_reply(ctx, message, TAG_ANSWER, NULL, 0);
}

Test(defer, a_reply_and_a_time_out_can_be_deferred)
{
    start();
    probe_spawn(&third, NULL);
    node_settle();
    third.receive = answer;
    keeper.other = third.pid;
    probe_do(&keeper, ask);
    third.receive = NULL;
    probe_do(&keeper, ask);
    node_advance_ms(200);

    probe_do(&keeper, recall);

    cr_assert_eq(keeper.count, 4);
    cr_assert_eq(keeper.seen[2].tag, TAG_ANSWER);
    cr_assert_eq(keeper.seen[3].tag, TRP_TAG_TIMEOUT);
    cr_assert_eq(keeper.seen[3].request_id, keeper.ref);
}

/* In a worker process credit must flow, or what the actor waits for might never come. */
Test(defer, a_metered_message_counts_as_handled_when_it_is_deferred)
{
    start();
    uint64_t before = envelope_meter().messages;
    trp_envelope_t *metered = envelope_alloc();
    metered->to = keeper.pid;
    metered->tag = TAG_NOTE;
    metered->flags |= TRP_ENVELOPE_METERED;
    cr_assert_eq(runtime_send(node, metered), TRP_OK);

    node_settle();
    uint64_t kept = envelope_meter().messages;
    probe_do(&keeper, recall);

    cr_assert_eq(deferred[0], TRP_OK);
    cr_assert_eq(kept, before + 1);
    cr_assert_eq(envelope_meter().messages, kept);
    cr_assert_eq(keeper.count, 2);
}

/* ---- continue ---- */

static trp_status_t piece(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    int left = probe_last(probe)->note;
    if (message->tag != TAG_PIECE || left == 0) {
        return TRP_OK;
    }
    left--;
    return trp_continue(ctx, TAG_PIECE, &left, sizeof(left));
}

static void begin_pieces(trp_ctx_t *ctx, probe_t *probe)
{
    int left = 3;
    probe->status = trp_continue(ctx, TAG_PIECE, &left, sizeof(left));
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(trp_send(ctx, trp_self(ctx), TAG_NOTE, &i, sizeof(i)), TRP_OK);
    }
}

Test(defer, continue_comes_behind_what_is_queued)
{
    start();
    keeper.receive = piece;

    probe_do(&keeper, begin_pieces);

    static const uint16_t order[] = {TAG_PIECE, TAG_NOTE,  TAG_NOTE, TAG_NOTE,
                                     TAG_PIECE, TAG_PIECE, TAG_PIECE};
    cr_assert_eq(keeper.count, 7);
    for (int i = 0; i < 7; i++) {
        cr_assert_eq(keeper.seen[i].tag, order[i], "at %d", i);
    }
    cr_assert_eq(probe_last(&keeper)->note, 0);
}

static void fill_and_continue(trp_ctx_t *ctx, probe_t *probe)
{
    int value = 0;
    while (trp_send(ctx, trp_self(ctx), TAG_NOTE, &value, sizeof(value)) == TRP_OK) {
    }
    probe->status = trp_continue(ctx, TAG_PIECE, &value, sizeof(value));
}

Test(defer, continue_is_not_bound_by_a_full_mailbox)
{
    start();
    keeper.receive = NULL;

    probe_do(&keeper, fill_and_continue);

    cr_assert_eq(keeper.status, TRP_OK);
    cr_assert_eq(probe_last(&keeper)->tag, TAG_PIECE);
}

Test(defer, continue_lets_another_actor_have_its_turn)
{
    start();
    keeper.receive = piece;
    int left = 3;
    trp_envelope_t *first = envelope_alloc();
    first->to = keeper.pid;
    first->tag = TAG_PIECE;
    cr_assert_eq(envelope_set(first, &left, sizeof(left)), TRP_OK);
    cr_assert_eq(runtime_send(node, first), TRP_OK);
    cr_assert_eq(probe_note(&asker, 1), TRP_OK);

    node_step();
    node_step();

    cr_assert_leq(keeper.count, 2);
    cr_assert_eq(asker.count, 1);
    node_settle();
    cr_assert_eq(keeper.count, 4);
}

static void continue_and_stop(trp_ctx_t *ctx, probe_t *probe)
{
    probe->status = trp_continue(ctx, TAG_PIECE, NULL, 0);
    trp_stop(ctx, NULL);
}

Test(defer, a_continue_of_an_actor_that_ends_is_a_dead_letter)
{
    start();
    uint64_t dead = ledger().dead;

    probe_do(&keeper, continue_and_stop);

    cr_assert_eq(ledger().dead, dead + 1);
}

/* ---- idle ---- */

static void idle(trp_ctx_t *ctx, probe_t *probe)
{
    probe->status = trp_idle_after(ctx, 800, TAG_IDLE);
}

static void never_idle(trp_ctx_t *ctx, probe_t *probe)
{
    probe->status = trp_idle_after(ctx, 0, 0);
}

static void pass_ms(int64_t ms)
{
    for (; ms > 0; ms -= 50) {
        node_advance_ms(50);
    }
}

Test(defer, idle_is_told_once_after_its_time_and_at_most_an_eighth_later)
{
    start();
    keeper.receive = NULL;
    probe_do(&keeper, idle);

    pass_ms(750);
    int before = keeper.count;
    pass_ms(200);
    int after = keeper.count;
    pass_ms(5000);

    cr_assert_eq(before, 0);
    cr_assert_eq(after, 1);
    cr_assert_eq(probe_last(&keeper)->tag, TAG_IDLE);
    cr_assert_eq(keeper.count, 1);
}

Test(defer, a_message_puts_idle_off)
{
    start();
    keeper.receive = NULL;
    probe_do(&keeper, idle);
    pass_ms(700);
    note(1);

    pass_ms(750);
    int before = keeper.count;
    pass_ms(200);

    cr_assert_eq(before, 1);
    cr_assert_eq(probe_last(&keeper)->tag, TAG_IDLE);
    cr_assert_eq(keeper.count, 2);
}

Test(defer, idle_can_be_ended_and_set_again)
{
    start();
    keeper.receive = NULL;
    probe_do(&keeper, idle);
    pass_ms(700);

    probe_do(&keeper, never_idle);
    pass_ms(5000);
    int ended = keeper.count;
    probe_do(&keeper, idle);
    probe_do(&keeper, idle);
    pass_ms(1000);

    cr_assert_eq(ended, 0);
    cr_assert_eq(keeper.count, 1);
}
