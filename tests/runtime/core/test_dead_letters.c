/* SPDX-License-Identifier: MIT */
#include "runtime/core/send.h"

#include <string.h>

#include "tests/runtime/fixture.h"

static void open_node(void)
{
    node_open(false);
}

TestSuite(dead_letters, .init = open_node, .fini = node_close);

static probe_t a, b, c;
static trp_dead_letter_t letter;
static int notices;

static trp_status_t keep_letter(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    (void)ctx;
    (void)probe;
    if (message->tag == TRP_TAG_DEAD_LETTER) {
        size_t size = 0;
        const void *data = trp_message_data(message, &size);
        cr_assert_eq(size, sizeof(letter));
        memcpy(&letter, data, size);
        notices++;
    }
    return TRP_OK;
}

static void hear(trp_ctx_t *ctx, probe_t *probe)
{
    probe->status = trp_dead_letters(ctx, true);
}

static void ignore(trp_ctx_t *ctx, probe_t *probe)
{
    probe->status = trp_dead_letters(ctx, false);
}

static void stop(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    trp_stop(ctx, NULL);
}

static void note_other(trp_ctx_t *ctx, probe_t *probe)
{
    int note = 5;
    probe->status = trp_send(ctx, probe->other, TAG_NOTE, &note, sizeof(note));
}

/* `a` hears of dead letters, `b` writes to `c`, which has ended. */
static void spawn_three(void)
{
    probe_spawn(&a, NULL);
    probe_spawn(&b, NULL);
    probe_spawn(&c, NULL);
    node_settle();
    a.receive = keep_letter;
    b.other = c.pid;
    probe_do(&c, stop);
    probe_do(&a, hear);
    cr_assert_eq(a.status, TRP_OK);
}

static uint64_t dead(void)
{
    runtime_ledger_t ledger;
    runtime_ledger(node, &ledger);
    return ledger.dead;
}

Test(dead_letters, a_subscriber_hears_of_a_message_to_an_ended_actor)
{
    spawn_three();

    probe_do(&b, note_other);

    cr_assert_eq(notices, 1);
    cr_assert(trp_pid_equal(letter.to, c.pid));
    cr_assert(trp_pid_equal(letter.from, b.pid));
    cr_assert_eq(letter.tag, TAG_NOTE);
    cr_assert_eq(letter.size, sizeof(int));
    cr_assert_eq(letter.request_id, 0);
    cr_assert_str_eq(letter.why, "stale");
    cr_assert(trp_pid_is_none(probe_last(&a)->from));
    cr_assert_eq(probe_last(&a)->flags & TRP_ENVELOPE_SIGNAL, 0, "it is bounded as a message is");
}

Test(dead_letters, it_hears_of_what_was_queued_when_an_actor_ended)
{
    spawn_three();
    probe_act_t act = stop;
    trp_envelope_t *order = envelope_alloc();
    order->to = b.pid;
    order->tag = TAG_DO;
    cr_assert_eq(envelope_set(order, &act, sizeof(act)), TRP_OK);

    cr_assert_eq(runtime_send(node, order), TRP_OK);
    cr_assert_eq(probe_note(&b, 1), TRP_OK);
    node_settle();

    cr_assert_eq(notices, 1);
    cr_assert(trp_pid_equal(letter.to, b.pid));
    cr_assert(trp_pid_is_none(letter.from));
    cr_assert_str_eq(letter.why, "ended");
}

static void note_far(trp_ctx_t *ctx, probe_t *probe)
{
    trp_pid_t far = {.node = 99 << 16, .slot = 1, .generation = 1, .incarnation = 1};
    probe->status = trp_send(ctx, far, TAG_NOTE, NULL, 0);
}

Test(dead_letters, it_hears_of_what_has_no_way_to_its_node)
{
    spawn_three();

    probe_do(&b, note_far);

    cr_assert_eq(notices, 1);
    cr_assert_str_eq(letter.why, "unreachable");
}

static trp_envelope_t *note_to(trp_pid_t to)
{
    trp_envelope_t *envelope = envelope_alloc();
    envelope->to = to;
    envelope->tag = TAG_NOTE;
    return envelope;
}

Test(dead_letters, it_hears_of_what_expired_before_its_turn)
{
    spawn_three();
    trp_envelope_t *expired = note_to(b.pid);
    expired->deadline_ns = 1;

    cr_assert_eq(runtime_send(node, expired), TRP_OK);
    node_settle();

    cr_assert_eq(notices, 1);
    cr_assert_str_eq(letter.why, "expired");
}

Test(dead_letters, it_hears_of_an_answer_that_nobody_awaits)
{
    spawn_three();
    trp_envelope_t *answer = note_to(b.pid);
    answer->flags = TRP_ENVELOPE_REPLY;
    answer->request_id = 12345;

    cr_assert_eq(runtime_send(node, answer), TRP_OK);
    node_settle();

    cr_assert_eq(notices, 1);
    cr_assert_eq(letter.request_id, 12345);
    cr_assert_str_eq(letter.why, "late");
}

Test(dead_letters, it_hears_of_what_died_with_a_worker_process)
{
    spawn_three();
    trp_reason_t reason = trp_reason(TRP_REASON_NO_PROCESS, 0, NULL);

    proxy_dead(node, note_to(b.pid), TRP_DEAD_WORKER, &reason);
    node_settle();

    cr_assert_eq(notices, 1);
    cr_assert_str_eq(letter.why, "worker");
}

static void request_other(trp_ctx_t *ctx, probe_t *probe)
{
    trp_request_t request = {.to = probe->other, .tag = TAG_NOTE};
    probe->status = trp_request(ctx, &request, &probe->ref);
}

Test(dead_letters, who_asked_still_hears_that_its_request_died)
{
    spawn_three();

    probe_do(&b, request_other);

    cr_assert_eq(letter.request_id, b.ref);
    cr_assert_eq(probe_last(&b)->tag, TRP_TAG_DOWN);
    cr_assert_eq(probe_last(&b)->request_id, b.ref);
}

Test(dead_letters, signals_are_not_letters)
{
    spawn_three();
    trp_reason_t reason = trp_reason(TRP_REASON_SHUTDOWN, 0, NULL);

    send_signal(&node->workers[0].sender,
                signal_make_reason(signal_make(b.pid, c.pid, TRP_SIGNAL_EXIT, 0), &reason));
    node_settle();

    cr_assert_eq(notices, 0);
}

Test(dead_letters, nothing_is_heard_after_the_subscription_has_ended)
{
    spawn_three();
    probe_do(&a, hear); /* twice is once */

    probe_do(&b, note_other);
    probe_do(&a, ignore);
    probe_do(&b, note_other);

    cr_assert_eq(notices, 1);
    cr_assert_eq(node->groups.listener_count, 0);
}

Test(dead_letters, a_subscriber_that_ends_is_forgotten)
{
    spawn_three();

    probe_do(&a, stop);
    probe_do(&b, note_other);

    cr_assert_eq(node->groups.listener_count, 0);
    cr_assert_eq(dead(), 1, "the note, and no notice");
}

static void flood_and_ignore(trp_ctx_t *ctx, probe_t *probe)
{
    trp_reason_t reason = trp_reason(TRP_REASON_KILLED, 0, NULL);
    note_other(ctx, probe);
    note_other(ctx, probe);
    trp_exit(ctx, a.pid, &reason);
}

Test(dead_letters, a_notice_that_dies_is_only_counted)
{
    static probe_t other;
    spawn_three();
    probe_spawn(&other, NULL);
    node_settle();
    probe_do(&other, hear);

    probe_do(&b, flood_and_ignore); /* a is killed before it has read its two notices */

    cr_assert_eq(notices, 0);
    cr_assert(!probe_lives(&a));
    cr_assert_eq(other.count, 2, "of the notes alone");
    cr_assert_eq(dead(), 4, "two notes and two notices");
}

Test(dead_letters, a_full_subscriber_loses_notices_and_nobody_suffers)
{
    static probe_t small;
    spawn_three();
    probe_do(&a, ignore);
    probe_spawn(&small, &(trp_spawn_t){.depth_max = 1});
    node_settle();
    probe_do(&small, hear);
    cr_assert_eq(probe_note(&small, 1), TRP_OK);

    trp_status_t status = runtime_send(node, note_to(c.pid));
    runtime_ledger_t ledger;
    runtime_ledger(node, &ledger);
    node_settle();

    cr_assert_eq(status, TRP_OK);
    cr_assert_eq(ledger.refused, 1);
    cr_assert_eq(small.count, 1);
    cr_assert_eq(small.seen[0].tag, TAG_NOTE);
}

Test(dead_letters, the_seventeenth_subscriber_is_refused)
{
    probe_t *many = probes_new(GROUP_LISTENERS_MAX + 1);

    for (int i = 0; i <= GROUP_LISTENERS_MAX; i++) {
        probe_spawn(&many[i], NULL);
        node_settle();
        probe_do(&many[i], hear);
        cr_assert_eq(many[i].status, i < GROUP_LISTENERS_MAX ? TRP_OK : TRP_FULL);
    }
    probe_do(&many[GROUP_LISTENERS_MAX], stop); /* takes nobody else's place with it */
    cr_assert_eq(node->groups.listener_count, GROUP_LISTENERS_MAX);
    probe_do(&many[3], ignore);
    probe_do(&many[3], hear);

    cr_assert_eq(many[3].status, TRP_OK);
}
