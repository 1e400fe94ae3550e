/* SPDX-License-Identifier: MIT */
#include "runtime/core/overflow.h"

#include <string.h>

#include "tests/runtime/fixture.h"

static void open_node(void)
{
    node_open(true);
}

TestSuite(overflow, .init = open_node, .fini = node_close);

static probe_t a, b;

static void spawn_narrow(trp_overflow_t overflow, uint32_t depth_max)
{
    probe_spawn(&a, NULL);
    probe_spawn(&b, &(trp_spawn_t){.overflow = overflow, .depth_max = depth_max});
    node_settle();
    a.other = b.pid;
}

/* Sends notes 1..count; how many were taken. */
static int note_all(int count)
{
    int sent = 0;
    for (int note = 1; note <= count; note++) {
        trp_status_t status = probe_note(&b, note);
        cr_assert(status == TRP_OK || status == TRP_FULL);
        sent += status == TRP_OK;
    }
    return sent;
}

static runtime_ledger_t ledger(void)
{
    runtime_ledger_t result;
    runtime_ledger(node, &result);
    return result;
}

static void find_b(void *user, const actor_info_t *info)
{
    if (trp_pid_equal(info->pid, b.pid)) {
        *(actor_info_t *)user = *info;
    }
}

static actor_info_t info_of_b(void)
{
    actor_info_t info = {0};
    runtime_each(node, find_b, &info);
    return info;
}

Test(overflow, by_default_a_full_mailbox_refuses)
{
    spawn_narrow(TRP_OVERFLOW_REFUSE, 3);

    int sent = note_all(5);
    node_settle();

    cr_assert_eq(sent, 3);
    cr_assert_eq(b.count, 3);
    cr_assert_eq(ledger().refused, 2);
    cr_assert_eq(info_of_b().refused, 2);
}

Test(overflow, drop_new_keeps_the_first_and_the_sender_sees_nothing)
{
    spawn_narrow(TRP_OVERFLOW_DROP_NEW, 3);

    int sent = note_all(5);
    node_settle();

    cr_assert_eq(sent, 5);
    cr_assert_eq(b.count, 3);
    cr_assert_eq(b.seen[2].note, 3);
    cr_assert_eq(ledger().dropped, 2);
    cr_assert_eq(ledger().dead_by[TRP_DEAD_DROP_NEW], 2);
    cr_assert_eq(ledger().dead, 0, "a drop is not a dead receiver");
    cr_assert_eq(info_of_b().refused, 2);
}

Test(overflow, drop_old_keeps_the_last)
{
    spawn_narrow(TRP_OVERFLOW_DROP_OLD, 3);

    int sent = note_all(5);
    node_settle();

    cr_assert_eq(sent, 5);
    cr_assert_eq(b.count, 3);
    cr_assert_eq(b.seen[0].note, 3);
    cr_assert_eq(b.seen[2].note, 5);
    cr_assert_eq(ledger().dead_by[TRP_DEAD_DROP_OLD], 2);
    cr_assert_eq(info_of_b().died, 2);
}

Test(overflow, who_drops_old_refuses_at_twice_the_bound)
{
    spawn_narrow(TRP_OVERFLOW_DROP_OLD, 3);

    int sent = note_all(10);
    node_settle();

    cr_assert_eq(sent, 6);
    cr_assert_eq(b.count, 3);
    cr_assert_eq(b.seen[2].note, 6);
    cr_assert_eq(ledger().refused, 4);
    cr_assert_eq(ledger().dropped, 3);
}

static trp_status_t send_size(size_t size)
{
    trp_envelope_t *envelope = envelope_alloc();
    envelope->to = b.pid;
    envelope->tag = TAG_NOTE;
    cr_assert_eq(zmq_msg_init_size(&envelope->payload.message, size), 0);
    memset(zmq_msg_data(&envelope->payload.message), 0, size);
    envelope->flags = TRP_ENVELOPE_SHARED;
    trp_status_t status = runtime_send(node, envelope);
    if (status != TRP_OK) {
        envelope_free(envelope);
    }
    return status;
}

Test(overflow, drop_old_holds_the_bound_of_bytes)
{
    probe_spawn(&b, &(trp_spawn_t){.overflow = TRP_OVERFLOW_DROP_OLD, .size_max = 1000});
    node_settle();

    for (int i = 0; i < 4; i++) {
        cr_assert_eq(send_size(450), TRP_OK);
    }
    node_settle();

    cr_assert_eq(b.count, 2);
    cr_assert_eq(ledger().dropped, 2);
}

Test(overflow, what_never_fits_is_too_large_and_not_full)
{
    probe_spawn(&b, &(trp_spawn_t){.size_max = 1000});
    node_settle();

    trp_status_t fits = send_size(1000);
    trp_status_t full = send_size(1000);
    trp_status_t large = send_size(1001);
    node_settle();

    cr_assert_eq(fits, TRP_OK);
    cr_assert_eq(full, TRP_FULL);
    cr_assert_eq(large, TRP_TOO_LARGE);
    cr_assert_eq(ledger().refused, 2);
}

Test(overflow, what_never_fits_is_too_large_for_who_drops_as_well)
{
    probe_spawn(&b, &(trp_spawn_t){.overflow = TRP_OVERFLOW_DROP_NEW, .size_max = 1000});
    node_settle();

    cr_assert_eq(send_size(1001), TRP_TOO_LARGE);
    cr_assert_eq(ledger().dropped, 0);
}

static void flood_and_ask(trp_ctx_t *ctx, probe_t *probe)
{
    int note = 0;
    trp_request_t request = {.to = probe->other, .tag = TAG_NOTE};
    probe->status = trp_send(ctx, probe->other, TAG_NOTE, &note, sizeof(note));
    cr_assert_eq(trp_request(ctx, &request, &probe->ref), TRP_OK);
}

Test(overflow, who_asked_hears_that_its_request_was_dropped)
{
    spawn_narrow(TRP_OVERFLOW_DROP_NEW, 1);

    probe_do(&a, flood_and_ask);

    cr_assert_eq(probe_last(&a)->tag, TRP_TAG_DOWN);
    cr_assert_eq(probe_last(&a)->request_id, a.ref);
    cr_assert_eq(probe_last(&a)->reason.code, TRP_FULL);
    cr_assert_str_eq(probe_last(&a)->reason.text, "drop_new");
    cr_assert_eq(a.count, 1);
}

static void monitor_other(trp_ctx_t *ctx, probe_t *probe)
{
    probe->status = trp_monitor(ctx, probe->other, &probe->ref);
}

static void exit_other(trp_ctx_t *ctx, probe_t *probe)
{
    trp_reason_t reason = trp_reason(TRP_REASON_SHUTDOWN, 0, NULL);
    trp_exit(ctx, probe->other, &reason);
}

static void trap(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    trp_trap_exit(ctx, true);
}

Test(overflow, signals_get_in_and_are_never_dropped)
{
    spawn_narrow(TRP_OVERFLOW_DROP_OLD, 1);
    probe_do(&b, trap);
    probe_act_t act = exit_other;
    trp_envelope_t *order = envelope_alloc();
    order->to = a.pid;
    order->tag = TAG_DO;
    cr_assert_eq(envelope_set(order, &act, sizeof(act)), TRP_OK);
    cr_assert_eq(runtime_send(node, order), TRP_OK);
    node_step(); /* the exit signal is the first in b's mailbox */

    int sent = note_all(2);
    node_settle();

    cr_assert_eq(sent, 2);
    cr_assert_eq(b.count, 2);
    cr_assert_eq(b.seen[0].tag, TRP_TAG_EXIT);
    cr_assert_eq(b.seen[1].note, 2);
}

Test(overflow, a_full_mailbox_is_still_monitored_and_ended)
{
    spawn_narrow(TRP_OVERFLOW_REFUSE, 1);
    probe_do(&a, monitor_other);
    cr_assert_eq(note_all(2), 1);

    probe_do(&a, exit_other);

    cr_assert_eq(probe_last(&a)->tag, TRP_TAG_DOWN);
}

Test(overflow, an_unknown_policy_is_refused)
{
    trp_pid_t pid;
    trp_spawn_t spawn = {.class = &probe_class, .overflow = TRP_OVERFLOW_COUNT};

    cr_assert_eq(runtime_spawn(node, &spawn, &pid), TRP_INVALID);
}

/* ---- proxies: what they took counts until it is credited ---- */

static trp_envelope_t *held[8];
static unsigned held_count;

static trp_status_t hold(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    (void)probe;
    while (proxy_is_over(ctx) && held_count > 0) {
        proxy_drop(ctx, held[0]);
        memmove(held, held + 1, --held_count * sizeof(held[0]));
    }
    held[held_count++] = proxy_take(ctx, message);
    return TRP_OK;
}

Test(overflow, a_proxy_drops_what_it_holds_longest)
{
    b.receive = hold;
    probe_spawn(&b, &(trp_spawn_t){.class = &probe_proxy_class,
                                   .overflow = TRP_OVERFLOW_DROP_OLD,
                                   .depth_max = 2});
    node_settle();

    for (int note = 1; note <= 5; note++) {
        cr_assert_eq(probe_note(&b, note), TRP_OK);
        node_settle();
    }

    int first = 0;
    size_t size = 0;
    memcpy(&first, trp_message_data(held[0], &size), sizeof(first));
    cr_assert_eq(held_count, 2);
    cr_assert_eq(first, 4);
    cr_assert_eq(ledger().dead_by[TRP_DEAD_DROP_OLD], 3);
    cr_assert_eq(ledger().queued, 2);
    envelope_free(held[0]);
    envelope_free(held[1]);
}

Test(overflow, a_proxy_drops_new_as_any_actor)
{
    b.receive = hold;
    probe_spawn(&b, &(trp_spawn_t){.class = &probe_proxy_class,
                                   .overflow = TRP_OVERFLOW_DROP_NEW,
                                   .depth_max = 2});
    node_settle();

    int sent = note_all(5);
    node_settle();

    cr_assert_eq(sent, 5);
    cr_assert_eq(held_count, 2);
    cr_assert_eq(ledger().dead_by[TRP_DEAD_DROP_NEW], 3);
    envelope_free(held[0]);
    envelope_free(held[1]);
}
