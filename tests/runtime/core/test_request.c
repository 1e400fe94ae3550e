/* SPDX-License-Identifier: MIT */
#include "tests/runtime/fixture.h"

enum { TAG_ASK = 0x1010, TAG_ANSWER };

static void open_node(void)
{
    node_open(false);
}

TestSuite(request, .init = open_node, .fini = node_close);

static probe_t asker, server, third;
static trp_reply_address_t later;

static void ask(trp_ctx_t *ctx, probe_t *probe)
{
    trp_request_t request = {.to = probe->other, .tag = TAG_ASK, .timeout_ms = 100};
    probe->status = trp_request(ctx, &request, &probe->ref);
}

static void cancel(trp_ctx_t *ctx, probe_t *probe)
{
    trp_request_cancel(ctx, probe->ref);
}

static void answer_late(trp_ctx_t *ctx, probe_t *probe)
{
    zmq_msg_t empty;
    zmq_msg_init(&empty);
    probe->status = trp_reply_to(ctx, later, TAG_ANSWER, &empty);
}

static void stop(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    trp_reason_t reason = trp_reason(TRP_REASON_SHUTDOWN, 0, NULL);
    trp_stop(ctx, &reason);
}

static trp_status_t answer(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    (void)probe;
    return trp_reply(ctx, message, TAG_ANSWER, "yes", 3);
}

static trp_status_t put_off(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    (void)ctx;
    (void)probe;
    later = trp_reply_address(message);
    return TRP_OK;
}

static trp_status_t pass_on(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    return trp_forward(ctx, message, probe->other);
}

static trp_status_t fail(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    (void)ctx;
    (void)probe;
    (void)message;
    return TRP_FAILED;
}

static void pair(trp_status_t (*receive)(trp_ctx_t *, probe_t *, const trp_envelope_t *))
{
    probe_spawn(&asker, NULL);
    probe_spawn(&server, NULL);
    probe_spawn(&third, NULL);
    node_settle();
    asker.other = server.pid;
    server.other = third.pid;
    server.receive = receive;
}

static uint64_t dead_letters(void)
{
    runtime_ledger_t ledger;
    runtime_ledger(node, &ledger);
    return ledger.dead;
}

Test(request, the_reply_carries_the_id_of_its_request)
{
    pair(answer);

    probe_do(&asker, ask);

    cr_assert_eq(asker.count, 1);
    cr_assert_eq(probe_last(&asker)->tag, TAG_ANSWER);
    cr_assert_eq(probe_last(&asker)->request_id, asker.ref);
    cr_assert((probe_last(&asker)->flags & TRP_ENVELOPE_REPLY) != 0);
}

Test(request, without_a_reply_the_time_limit_is_told_once)
{
    pair(put_off);
    probe_do(&asker, ask);

    node_advance_ms(99);
    int before = asker.count;
    node_advance_ms(2);
    node_advance_ms(1000);

    cr_assert_eq(before, 0);
    cr_assert_eq(asker.count, 1);
    cr_assert_eq(probe_last(&asker)->tag, TRP_TAG_TIMEOUT);
    cr_assert_eq(probe_last(&asker)->request_id, asker.ref);
    cr_assert(trp_pid_equal(probe_last(&asker)->from, server.pid));
}

Test(request, a_reply_after_the_time_limit_is_a_dead_letter)
{
    pair(put_off);
    probe_do(&asker, ask);
    node_advance_ms(200);
    uint64_t dead = dead_letters();

    probe_do(&server, answer_late);

    cr_assert_eq(asker.count, 1, "the time limit and nothing else");
    cr_assert_eq(server.status, TRP_OK);
    cr_assert_eq(dead_letters(), dead + 1);
}

Test(request, a_second_reply_is_a_dead_letter)
{
    pair(put_off);
    probe_do(&asker, ask);
    probe_do(&server, answer_late);

    probe_do(&server, answer_late);

    cr_assert_eq(asker.count, 1);
}

Test(request, a_reply_given_later_stops_the_clock)
{
    pair(put_off);
    probe_do(&asker, ask);
    probe_do(&server, answer_late);

    node_advance_ms(1000);

    cr_assert_eq(asker.count, 1);
    cr_assert_eq(probe_last(&asker)->tag, TAG_ANSWER);
}

Test(request, a_cancelled_one_gives_neither_reply_nor_time_out)
{
    pair(put_off);
    probe_do(&asker, ask);

    probe_do(&asker, cancel);
    probe_do(&server, answer_late);
    node_advance_ms(1000);

    cr_assert_eq(asker.count, 0);
}

Test(request, to_the_dead_is_down_at_once)
{
    pair(answer);
    probe_do(&server, stop);

    probe_do(&asker, ask);
    node_advance_ms(1000);

    cr_assert_eq(asker.count, 1);
    cr_assert_eq(probe_last(&asker)->tag, TRP_TAG_DOWN);
    cr_assert_eq(probe_last(&asker)->request_id, asker.ref);
    cr_assert_eq(probe_last(&asker)->reason.kind, TRP_REASON_NO_PROCESS);
}

Test(request, whose_handler_fails_is_down_with_that_reason)
{
    pair(fail);

    probe_do(&asker, ask);

    cr_assert_eq(asker.count, 1);
    cr_assert_eq(probe_last(&asker)->tag, TRP_TAG_DOWN);
    cr_assert_eq(probe_last(&asker)->reason.kind, TRP_REASON_ERROR);
    cr_assert_eq(probe_last(&asker)->reason.code, TRP_FAILED);
}

Test(request, put_off_by_an_actor_that_ends_is_down)
{
    pair(put_off);
    probe_do(&asker, ask);

    probe_do(&server, stop);
    node_advance_ms(1000);

    cr_assert_eq(asker.count, 1);
    cr_assert_eq(probe_last(&asker)->tag, TRP_TAG_DOWN);
    cr_assert_eq(probe_last(&asker)->reason.kind, TRP_REASON_SHUTDOWN);
}

Test(request, forwarded_is_answered_by_the_last_receiver)
{
    pair(pass_on);
    third.receive = answer;

    probe_do(&asker, ask);

    cr_assert_eq(probe_last(&asker)->tag, TAG_ANSWER);
    cr_assert(trp_pid_equal(probe_last(&asker)->from, third.pid));
}

Test(request, forwarded_hears_of_the_end_of_who_owes_the_answer_now)
{
    pair(pass_on);
    third.receive = put_off;
    probe_do(&asker, ask);

    probe_do(&server, stop);
    int after_server = asker.count;
    probe_do(&third, stop);

    cr_assert_eq(after_server, 0);
    cr_assert_eq(asker.count, 1);
    cr_assert_eq(probe_last(&asker)->tag, TRP_TAG_DOWN);
}

static void ask_full(trp_ctx_t *ctx, probe_t *probe)
{
    zmq_msg_t body;
    cr_assert_eq(zmq_msg_init_size(&body, 100), 0);
    trp_request_t request = {.to = probe->other, .tag = TAG_ASK, .message = &body};
    probe->status = trp_request(ctx, &request, &probe->ref);
    cr_assert_eq(zmq_msg_size(&body), probe->status == TRP_OK ? 0 : 100);
    zmq_msg_close(&body);
}

static void ask_full_twice(trp_ctx_t *ctx, probe_t *probe)
{
    ask_full(ctx, probe);
    cr_assert_eq(probe->status, TRP_OK);
    ask_full(ctx, probe);
}

Test(request, refused_by_a_full_mailbox_leaves_the_message_and_no_timer)
{
    probe_spawn(&asker, NULL);
    probe_spawn(&server, &(trp_spawn_t){.depth_max = 1});
    node_settle();
    asker.other = server.pid;
    server.receive = answer;

    probe_do(&asker, ask_full_twice);
    node_advance_ms(10000);

    cr_assert_eq(asker.status, TRP_FULL);
    cr_assert_eq(asker.count, 1, "the answer to the first, nothing of the second");
    cr_assert_eq(probe_last(&asker)->tag, TAG_ANSWER);
}

static void ask_slow(trp_ctx_t *ctx, probe_t *probe)
{
    trp_request_t request = {.to = probe->other, .tag = TAG_ASK, .timeout_ms = 100};
    cr_assert_eq(trp_request(ctx, &request, &probe->ref), TRP_OK);
    node_skip_ms(200); /* the receiver gets its turn too late */
}

Test(request, whose_deadline_has_passed_is_never_handled)
{
    pair(answer);

    probe_do(&asker, ask_slow);
    node_advance_ms(1);

    cr_assert_eq(server.count, 0);
    cr_assert_eq(asker.count, 1);
    cr_assert_eq(probe_last(&asker)->tag, TRP_TAG_TIMEOUT);
}

Test(request, to_a_proxy_hears_of_its_end_although_it_was_passed_on)
{
    probe_spawn(&asker, NULL);
    probe_spawn(&server, &(trp_spawn_t){.class = &probe_proxy_class});
    node_settle();
    asker.other = server.pid;
    probe_do(&asker, ask);

    probe_do(&server, stop);

    cr_assert_eq(server.seen[0].tag, TAG_ASK);
    cr_assert_eq(asker.count, 1);
    cr_assert_eq(probe_last(&asker)->tag, TRP_TAG_DOWN);
    cr_assert_eq(probe_last(&asker)->request_id, asker.ref);
}

/* ---- forwarding what only its receiver awaited ---- */

static void start_timer(trp_ctx_t *ctx, probe_t *probe)
{
    cr_assert_eq(trp_timer_start(ctx, 10, 0, TAG_NOTE, &probe->ref), TRP_OK);
}

Test(request, a_timer_that_is_forwarded_is_a_plain_message)
{
    pair(NULL);
    asker.receive = pass_on;
    asker.other = third.pid;
    probe_do(&asker, start_timer);

    node_advance_ms(20);

    cr_assert_eq(third.count, 1);
    cr_expect_eq(third.seen[0].tag, TAG_NOTE);
    cr_expect_eq(third.seen[0].flags & (TRP_ENVELOPE_SIGNAL | TRP_ENVELOPE_REPLY), 0);
    cr_expect_eq(third.seen[0].request_id, 0);
}

static void ask_and_pass_on(trp_ctx_t *ctx, probe_t *probe)
{
    const trp_request_t request = {.to = server.pid, .tag = TAG_NOTE};
    cr_assert_eq(trp_request(ctx, &request, &probe->ref), TRP_OK);
    probe->other = third.pid;
}

Test(request, an_answer_that_is_forwarded_is_a_plain_message_and_not_late)
{
    pair(answer);
    asker.receive = pass_on;

    probe_do(&asker, ask_and_pass_on);

    cr_assert_eq(third.count, 1);
    cr_expect_eq(third.seen[0].tag, TAG_ANSWER);
    cr_expect_eq(third.seen[0].request_id, 0);
    cr_expect(trp_pid_equal(third.seen[0].from, server.pid));
}
