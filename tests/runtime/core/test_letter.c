/* SPDX-License-Identifier: MIT */
#include "runtime/letter.h"

#include "runtime/core/context.h"
#include "tests/runtime/fixture.h"

static void open_node(void)
{
    node_open(false);
}

TestSuite(letter, .init = open_node, .fini = node_close);

static probe_t a, b, c;
static int64_t within_ms;
static int64_t left_ns;

static void spawn_three(void)
{
    probe_spawn(&a, NULL);
    probe_spawn(&b, NULL);
    probe_spawn(&c, NULL);
    node_settle();
    a.other = b.pid;
    b.other = c.pid;
}

static trp_letter_t letter_to(trp_pid_t to)
{
    static const int note = 7;
    return (trp_letter_t){
        .to = to, .tag = TAG_NOTE, .data = &note, .size = sizeof(note), .within_ms = within_ms};
}

static void send_letter(trp_ctx_t *ctx, probe_t *probe)
{
    trp_letter_t letter = letter_to(probe->other);
    probe->status = trp_send_within(ctx, &letter);
    node_skip_ms(10); /* before the receiver has its turn */
}

static uint64_t expired(void)
{
    runtime_ledger_t ledger;
    runtime_ledger(node, &ledger);
    return ledger.dead_by[TRP_DEAD_EXPIRED];
}

Test(letter, what_is_in_time_is_handled)
{
    spawn_three();
    within_ms = 11;

    probe_do(&a, send_letter);

    cr_assert_eq(a.status, TRP_OK);
    cr_assert_eq(probe_last(&b)->note, 7);
    cr_assert_eq(expired(), 0);
}

Test(letter, what_has_expired_is_never_handled)
{
    spawn_three();
    within_ms = 9;

    probe_do(&a, send_letter);

    cr_assert_eq(a.status, TRP_OK);
    cr_assert_eq(b.count, 0);
    cr_assert_eq(expired(), 1);
}

Test(letter, without_a_limit_it_is_a_plain_message)
{
    spawn_three();
    within_ms = 0;

    probe_do(&a, send_letter);

    cr_assert_eq(probe_last(&b)->note, 7);
}

static trp_status_t note_time_left(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    (void)probe;
    left_ns = trp_time_left_ns(ctx, message);
    return TRP_OK;
}

Test(letter, the_receiver_sees_how_much_time_is_left)
{
    spawn_three();
    b.receive = note_time_left;
    within_ms = 25;
    probe_do(&a, send_letter);
    cr_assert_eq(left_ns, 15 * 1000000);

    within_ms = 0;
    probe_do(&a, send_letter);
    cr_assert_eq(left_ns, INT64_MAX);
}

/* Passes a letter of a longer time on, within that of what it handles. */
static trp_status_t inherit(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    (void)message;
    within_ms = 1000;
    trp_letter_t letter = letter_to(probe->other);
    letter.inherit = true;
    return trp_send_within(ctx, &letter);
}

Test(letter, an_inherited_deadline_shrinks_over_hops)
{
    spawn_three();
    b.receive = inherit;
    c.receive = note_time_left;
    within_ms = 25;

    probe_do(&a, send_letter);

    cr_assert_eq(left_ns, 15 * 1000000);
}

static trp_status_t forward(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    node_skip_ms(10);
    return trp_forward(ctx, message, probe->other);
}

Test(letter, a_forwarded_message_keeps_its_deadline)
{
    spawn_three();
    b.receive = forward;
    c.receive = note_time_left;
    within_ms = 25;

    probe_do(&a, send_letter);

    cr_assert_eq(left_ns, 5 * 1000000);
}

static trp_status_t ask_within(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    if (message->tag == TAG_NOTE) {
        trp_request_t request = {
            .to = probe->other, .tag = TAG_NOTE, .timeout_ms = 1000, .inherit = true};
        return trp_request(ctx, &request, &probe->ref);
    }
    return TRP_OK;
}

Test(letter, an_inherited_request_times_out_with_what_it_serves)
{
    spawn_three();
    b.receive = ask_within;
    within_ms = 25;
    probe_do(&a, send_letter);

    node_advance_ms(14);
    int before = b.count;
    node_advance_ms(2);

    cr_assert_eq(before, 1);
    cr_assert_eq(probe_last(&b)->tag, TRP_TAG_TIMEOUT);
    cr_assert_eq(probe_last(&b)->request_id, b.ref);
}

static void ask_briefly(trp_ctx_t *ctx, probe_t *probe)
{
    trp_request_t request = {.to = probe->other, .tag = TAG_NOTE, .timeout_ms = 5};
    probe->status = trp_request(ctx, &request, &probe->ref);
    node_skip_ms(10);
}

Test(letter, who_asked_hears_that_its_request_has_expired)
{
    spawn_three();

    probe_do(&a, ask_briefly);
    node_advance_ms(1);

    cr_assert_eq(b.count, 0);
    cr_assert_eq(expired(), 1);
    cr_assert_eq(a.count, 1);
    cr_assert_eq(probe_last(&a)->tag, TRP_TAG_TIMEOUT);
}

static void ask_something_brief(trp_ctx_t *ctx, probe_t *probe)
{
    trp_request_t request = {
        .to = probe->other, .tag = TAG_NOTE, .timeout_ms = 1000, .within_ms = 5};
    probe->status = trp_request(ctx, &request, &probe->ref);
    node_skip_ms(10);
}

Test(letter, who_would_wait_for_longer_hears_that_its_request_has_expired)
{
    spawn_three();

    probe_do(&a, ask_something_brief);
    node_advance_ms(1);

    cr_assert_eq(b.count, 0);
    cr_assert_eq(expired(), 1);
    cr_assert_eq(a.count, 1);
    cr_assert_eq(probe_last(&a)->tag, TRP_TAG_DOWN);
    cr_assert_eq(probe_last(&a)->request_id, a.ref);
    cr_assert_eq(probe_last(&a)->reason.code, TRP_EXPIRED);
    node_advance_ms(2000);
    cr_assert_eq(a.count, 1, "and not of its time limit as well");
}

static void ask_in_time(trp_ctx_t *ctx, probe_t *probe)
{
    trp_request_t request = {
        .to = probe->other, .tag = TAG_NOTE, .timeout_ms = 5, .within_ms = 1000};
    probe->status = trp_request(ctx, &request, &probe->ref);
}

Test(letter, a_deadline_of_its_own_is_never_later_than_the_requests)
{
    spawn_three();

    probe_do(&a, ask_in_time);
    node_advance_ms(10);

    cr_assert_eq(b.count, 1);
    cr_assert_eq(probe_last(&a)->tag, TRP_TAG_TIMEOUT);
}

static void send_large(trp_ctx_t *ctx, probe_t *probe)
{
    zmq_msg_t message;
    zmq_msg_init_size(&message, 1000);
    trp_letter_t letter = letter_to(probe->other);
    letter.message = &message;
    probe->status = trp_send_within(ctx, &letter);
    probe->ref = zmq_msg_size(&message);
    zmq_msg_close(&message);
}

Test(letter, a_moved_message_is_untouched_by_a_refusal)
{
    spawn_three();
    probe_t narrow = {0};
    probe_spawn(&narrow, &(trp_spawn_t){.size_max = 500});
    node_settle();
    a.other = narrow.pid;

    probe_do(&a, send_large);

    cr_assert_eq(a.status, TRP_TOO_LARGE);
    cr_assert_eq(a.ref, 1000);
}

/* ---- the ledger ---- */

static void find_b(void *user, const actor_info_t *info)
{
    if (trp_pid_equal(info->pid, b.pid)) {
        *(actor_info_t *)user = *info;
    }
}

Test(letter, the_books_of_an_actor_add_up)
{
    actor_info_t info = {0};
    probe_spawn(&a, NULL);
    probe_spawn(&b, &(trp_spawn_t){.depth_max = 3, .overflow = TRP_OVERFLOW_DROP_OLD});
    node_settle();
    a.other = b.pid;
    within_ms = 5;
    probe_do(&a, send_letter); /* expires */
    int taken = 1;
    for (int note = 0; note < 10; note++) {
        taken += probe_note(&b, note) == TRP_OK; /* six; three of them are dropped */
    }
    node_settle();
    taken += probe_note(&b, 10) == TRP_OK; /* stays queued */

    runtime_each(node, find_b, &info);

    cr_assert_eq(taken, 8);
    cr_assert_eq(info.handled, 3);
    cr_assert_eq(info.died, 4);
    cr_assert_eq(info.mailbox, 1);
    cr_assert_eq(info.refused, 4);
    cr_assert_eq(info.handled + info.died + info.mailbox, (uint64_t)taken);
}
