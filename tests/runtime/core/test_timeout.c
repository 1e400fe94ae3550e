/* SPDX-License-Identifier: MIT */
/* The timers of requests' limits: one that is answered leaves its own for the next. */
#include "tests/runtime/fixture.h"

enum { TAG_ASK = 0x1010, TAG_ANSWER };

static probe_t asker, server;
static bool answers;
static int64_t limit_ms;

static trp_status_t serve(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    (void)probe;
    return answers ? trp_reply(ctx, message, TAG_ANSWER, NULL, 0) : TRP_OK;
}

static void open_pair(void)
{
    node_open(false);
    probe_spawn(&asker, NULL);
    probe_spawn(&server, NULL);
    node_settle();
    asker.other = server.pid;
    server.receive = serve;
    answers = true;
    limit_ms = 100;
}

TestSuite(timeout, .init = open_pair, .fini = node_close);

static void ask(trp_ctx_t *ctx, probe_t *probe)
{
    trp_request_t request = {.to = probe->other, .tag = TAG_ASK, .timeout_ms = limit_ms};
    cr_assert_eq(trp_request(ctx, &request, &probe->ref), TRP_OK);
}

static void stop(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    trp_stop(ctx, NULL);
}

static uint32_t timers(void)
{
    return atomic_load_explicit(&node->workers[0].wheel.count, memory_order_relaxed);
}

Test(timeout, an_answered_request_leaves_its_timer_for_the_next)
{
    for (int i = 0; i < 10; i++) {
        probe_do(&asker, ask);
    }

    cr_expect_eq(asker.count, 10);
    cr_expect_eq(timers(), 1);
}

Test(timeout, the_one_that_is_left_fires_for_nobody_and_is_gone)
{
    probe_do(&asker, ask);

    node_advance_ms(1000);

    cr_expect_eq(asker.count, 1, "the answer alone");
    cr_expect_eq(timers(), 0);
}

Test(timeout, a_request_that_took_one_over_is_told_at_its_own_time)
{
    probe_do(&asker, ask);
    node_skip_ms(60);
    answers = false;
    probe_do(&asker, ask);
    cr_assert_eq(timers(), 1);

    node_advance_ms(99);
    cr_expect_eq(asker.count, 1, "the timer has fired for the first, 59 ms ago");
    node_advance_ms(2);

    cr_assert_eq(asker.count, 2);
    cr_expect_eq(probe_last(&asker)->tag, TRP_TAG_TIMEOUT);
    cr_expect_eq(probe_last(&asker)->request_id, asker.ref);
    cr_expect(trp_pid_equal(probe_last(&asker)->from, server.pid));
    cr_expect_eq(timers(), 0);
}

Test(timeout, one_that_is_due_sooner_than_what_is_left_has_its_own)
{
    limit_ms = 1000;
    probe_do(&asker, ask);
    limit_ms = 10;
    answers = false;

    probe_do(&asker, ask);
    node_advance_ms(11);

    cr_assert_eq(asker.count, 2);
    cr_expect_eq(probe_last(&asker)->tag, TRP_TAG_TIMEOUT);
}

Test(timeout, of_two_at_once_each_is_told)
{
    probe_do(&asker, ask);
    answers = false;

    probe_do(&asker, ask);
    probe_do(&asker, ask);
    node_advance_ms(101);

    cr_expect_eq(asker.count, 3);
    cr_expect_eq(timers(), 0);
}

Test(timeout, one_that_fired_just_before_the_answer_serves_the_next)
{
    answers = false;
    probe_do(&asker, ask);
    node_skip_ms(101);
    scheduler_tick(&node->workers[0]); /* its signal waits in the mailbox */
    const uint64_t first = asker.ref;
    trp_envelope_t *reply = envelope_alloc();
    cr_assert_not_null(reply);
    reply->to = asker.pid;
    reply->from = server.pid;
    reply->tag = TAG_ANSWER;
    reply->request_id = first;
    reply->flags = TRP_ENVELOPE_REPLY;
    cr_assert_eq(runtime_send(node, reply), TRP_OK);
    node_settle();

    probe_do(&asker, ask);
    node_advance_ms(101);

    cr_expect_eq(asker.count, 2, "a time-out each; the answer came behind the first");
    cr_expect_eq(probe_last(&asker)->request_id, asker.ref);
}

Test(timeout, ends_with_its_actor)
{
    probe_do(&asker, ask);
    cr_assert_eq(timers(), 1);

    probe_do(&asker, stop);

    cr_expect_eq(timers(), 0);
}
