/* SPDX-License-Identifier: MIT */
#include "runtime/core/room.h"

#include "tests/runtime/fixture.h"

#define TAG_ROOM 0x1030
#define DEPTH    600 /* more than two slices */

static void open_node(void)
{
    node_open(false);
}

TestSuite(room, .init = open_node, .fini = node_close);

static probe_t sender, second, receiver;
static int handled, handled_when_told, sent;
static bool keeps;

static trp_status_t count_handled(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    probe->count = 0; /* more come than it can note */
    handled++;
    return keeps ? trp_defer(ctx, message, DEPTH, SIZE_MAX) : TRP_OK;
}

static trp_status_t note_room(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    (void)ctx;
    if (message->tag == TAG_ROOM) {
        handled_when_told = handled;
        probe->ref++;
        probe->other = message->from;
    }
    return TRP_OK;
}

static void fill_and_wait(trp_ctx_t *ctx, probe_t *probe)
{
    while (trp_send(ctx, receiver.pid, TAG_NOTE, NULL, 0) == TRP_OK) {
        sent++;
    }
    probe->status = trp_when_room(ctx, receiver.pid, TAG_ROOM);
}

static void only_wait(trp_ctx_t *ctx, probe_t *probe)
{
    probe->status = trp_when_room(ctx, receiver.pid, TAG_ROOM);
}

static void fill_wait_and_kill(trp_ctx_t *ctx, probe_t *probe)
{
    trp_reason_t reason = trp_reason(TRP_REASON_KILLED, 0, NULL);
    fill_and_wait(ctx, probe);
    trp_exit(ctx, receiver.pid, &reason);
}

/* The receiver's mailbox is full, but a signal reaches it. */
static trp_status_t recall(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    if (message->tag == TRP_TAG_EXIT) {
        keeps = false;
        probe->receive = count_handled;
        trp_recall(ctx);
        return TRP_OK;
    }
    return count_handled(ctx, probe, message);
}

static void ask_to_recall(trp_ctx_t *ctx, probe_t *probe)
{
    trp_reason_t reason = trp_reason(TRP_REASON_SHUTDOWN, 0, NULL);
    (void)probe;
    trp_exit(ctx, receiver.pid, &reason);
}

static void trap(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    trp_trap_exit(ctx, true);
}

static void stop(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    trp_stop(ctx, NULL);
}

static void spawn_all(void)
{
    probe_spawn(&sender, NULL);
    probe_spawn(&second, NULL);
    probe_spawn(&receiver, &(trp_spawn_t){.depth_max = DEPTH});
    node_settle();
    sender.receive = second.receive = note_room;
    receiver.receive = count_handled;
}

Test(room, a_refused_sender_is_told_once_when_half_is_handled)
{
    spawn_all();

    probe_do(&sender, fill_and_wait);

    cr_assert_eq(sent, DEPTH);
    cr_assert_eq(sender.ref, 1);
    cr_assert(trp_pid_equal(sender.other, receiver.pid));
    cr_assert_geq(handled_when_told, DEPTH / 2);
    cr_assert_lt(handled_when_told, DEPTH, "not only when it is empty");
}

Test(room, all_that_wait_are_told)
{
    spawn_all();

    probe_do(&sender, fill_and_wait);
    probe_do(&second, only_wait);

    cr_assert_eq(sender.ref, 1);
    cr_assert_eq(second.ref, 1, "there is room: at once");
}

Test(room, the_end_of_the_receiver_is_told_as_well)
{
    spawn_all();

    probe_do(&sender, fill_wait_and_kill);

    cr_assert(!probe_lives(&receiver));
    cr_assert_eq(sender.ref, 1);
    cr_assert_eq(handled, 0);
}

Test(room, there_is_always_room_at_the_dead)
{
    spawn_all();
    probe_do(&receiver, stop);

    probe_do(&sender, only_wait);

    cr_assert_eq(sender.ref, 1);
}

Test(room, what_is_put_off_takes_room_until_it_is_handled)
{
    spawn_all();
    probe_do(&receiver, trap);
    receiver.receive = recall;
    keeps = true;

    probe_do(&sender, fill_and_wait);
    uint64_t told = sender.ref;
    probe_do(&second, ask_to_recall);

    cr_assert_eq(told, 0);
    cr_assert_eq(sender.ref, 1);
    cr_assert_geq(handled_when_told, DEPTH + DEPTH / 2);
}
