/* SPDX-License-Identifier: MIT */
#include "runtime/gather.h"

#include "tests/runtime/fixture.h"

enum { TAG_ASK = 0x1030, TAG_ANSWER };

#define PARTS 3

static probe_t asker, servers[PARTS];
static trp_gather_t gather;
static trp_gather_part_t parts[PARTS];
static trp_gather_mode_t mode;
static trp_gathered_t took[SEEN_MAX];
static uint32_t which[SEEN_MAX];
static trp_status_t sent[PARTS];

static trp_status_t answer(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    (void)probe;
    return trp_reply(ctx, message, TAG_ANSWER, NULL, 0);
}

static trp_status_t fail(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    (void)ctx;
    (void)probe;
    (void)message;
    return TRP_FAILED;
}

static trp_status_t take(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    int at = probe->count - 1;
    took[at] = trp_gather_take(ctx, &gather, message, &which[at]);
    return TRP_OK;
}

static void begin(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    trp_gather_open(&gather, parts, PARTS, mode, 100);
    for (int i = 0; i < PARTS; i++) {
        trp_request_t request = {.to = servers[i].pid, .tag = TAG_ASK};
        sent[i] = trp_gather_request(ctx, &gather, &request);
    }
}

static void one_more(trp_ctx_t *ctx, probe_t *probe)
{
    trp_request_t request = {.to = servers[0].pid, .tag = TAG_ASK};
    probe->status = trp_gather_request(ctx, &gather, &request);
}

static void cancel(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    trp_gather_cancel(ctx, &gather);
}

static void open_node(void)
{
    node_open(false);
    mode = TRP_GATHER_ALL;
    probe_spawn(&asker, NULL);
    asker.receive = take;
    for (int i = 0; i < PARTS; i++) {
        probe_spawn(&servers[i], NULL);
        servers[i].receive = answer;
    }
    node_settle();
}

TestSuite(gather, .init = open_node, .fini = node_close);

Test(gather, all_is_done_with_the_last_reply)
{
    probe_do(&asker, begin);

    cr_assert_eq(asker.count, PARTS);
    cr_assert_eq(took[0], TRP_GATHER_MORE);
    cr_assert_eq(took[1], TRP_GATHER_MORE);
    cr_assert_eq(took[2], TRP_GATHER_DONE);
    cr_assert_eq(which[0] + which[1] + which[2], 3);
    cr_assert_eq(gather.replies, PARTS);
    cr_assert_eq(parts[1].status, TRP_OK);
}

Test(gather, one_limit_ends_what_has_no_answer)
{
    servers[1].receive = NULL;
    probe_do(&asker, begin);

    node_advance_ms(99);
    int before = asker.count;
    node_advance_ms(2);

    cr_assert_eq(before, 2);
    cr_assert_eq(took[2], TRP_GATHER_DONE);
    cr_assert_eq(which[2], 1);
    cr_assert_eq(parts[1].status, TRP_TIMEOUT);
    cr_assert_eq(gather.replies, 2);
}

Test(gather, the_limit_runs_from_the_first_request)
{
    for (int i = 0; i < PARTS; i++) {
        servers[i].receive = NULL;
    }
    probe_do(&asker, begin);
    gather.count = 2; /* as if the third had not been asked */
    gather.open = 2;
    node_advance_ms(60);
    probe_do(&asker, one_more);

    node_advance_ms(45);

    cr_assert_eq(asker.status, TRP_OK);
    cr_assert_eq(parts[2].status, TRP_TIMEOUT);
    cr_assert_eq(gather.open, 0);
}

Test(gather, a_request_after_the_limit_is_not_sent)
{
    servers[0].receive = NULL;
    probe_do(&asker, begin);
    gather.count = 2;
    node_advance_ms(200);

    probe_do(&asker, one_more);

    cr_assert_eq(asker.status, TRP_TIMEOUT);
    cr_assert_eq(gather.count, 2);
}

Test(gather, a_receiver_that_ends_is_gone)
{
    servers[2].receive = fail;

    probe_do(&asker, begin);

    cr_assert_eq(parts[2].status, TRP_GONE);
    cr_assert_eq(gather.open, 0);
    cr_assert_eq(gather.replies, 2);
}

Test(gather, first_is_done_with_one_reply_and_cancels_the_rest)
{
    mode = TRP_GATHER_FIRST;
    servers[0].receive = fail;

    probe_do(&asker, begin);
    node_advance_ms(1000);

    cr_assert_eq(gather.replies, 1);
    cr_assert_eq(took[asker.count - 1], TRP_GATHER_DONE);
    cr_assert_leq(asker.count, 2);
    cr_assert_eq(gather.open, 0);
}

Test(gather, first_of_none_is_done_with_no_reply)
{
    mode = TRP_GATHER_FIRST;
    for (int i = 0; i < PARTS; i++) {
        servers[i].receive = fail;
    }

    probe_do(&asker, begin);

    cr_assert_eq(gather.replies, 0);
    cr_assert_eq(took[2], TRP_GATHER_DONE);
}

Test(gather, nothing_is_asked_after_the_first_reply_or_past_the_parts)
{
    probe_do(&asker, begin);
    probe_do(&asker, one_more);
    trp_status_t full = asker.status;
    mode = TRP_GATHER_FIRST;
    probe_do(&asker, begin);
    gather.count = 1;

    probe_do(&asker, one_more);

    cr_assert_eq(full, TRP_FULL);
    cr_assert_eq(asker.status, TRP_STATE);
}

Test(gather, what_is_cancelled_is_never_seen)
{
    for (int i = 0; i < PARTS; i++) {
        servers[i].receive = NULL;
    }
    probe_do(&asker, begin);

    probe_do(&asker, cancel);
    node_advance_ms(1000);

    cr_assert_eq(asker.count, 0);
    cr_assert_eq(parts[0].status, TRP_CANCELLED);
}

Test(gather, other_messages_are_none_of_it)
{
    servers[0].receive = NULL;
    probe_do(&asker, begin);
    int before = asker.count;

    cr_assert_eq(probe_note(&asker, 1), TRP_OK);
    node_settle();

    cr_assert_eq(took[before], TRP_GATHER_OTHER);
    cr_assert_eq(gather.open, 1);
}
