/* SPDX-License-Identifier: MIT */
/* Two ends of a channel in one process: what one sends is handed to the other by `carry`. */
#include "runtime/edge/channel.h"

#include <criterion/criterion.h>
#include <string.h>

#define PIPE_MAX 64

typedef struct end {
    channel_t channel;
    struct end *other;
    zmq_msg_t pipe[PIPE_MAX][8]; /* sent and not carried yet */
    size_t frames[PIPE_MAX];
    size_t sent;
    unsigned delivered, signals;
    uint64_t credited, credited_bytes;
    uint16_t last_tag;
    size_t last_size;
    uint16_t order[512];
} end_t;

static end_t node_end, worker_end;

static trp_status_t to_pipe(void *user, zmq_msg_t *frames, size_t count)
{
    end_t *end = user;
    cr_assert_lt(end->sent, PIPE_MAX);
    cr_assert_leq(count, 8);
    for (size_t i = 0; i < count; i++) {
        zmq_msg_init(&end->pipe[end->sent][i]);
        zmq_msg_move(&end->pipe[end->sent][i], &frames[i]);
    }
    end->frames[end->sent++] = count;
    return TRP_OK;
}

static void take(void *user, trp_envelope_t *envelope)
{
    end_t *end = user;
    if ((envelope->flags & TRP_ENVELOPE_SIGNAL) != 0) {
        end->signals++;
    }
    end->order[end->delivered++ % 512] = envelope->tag;
    end->last_tag = envelope->tag;
    (void)trp_message_data(envelope, &end->last_size);
    envelope_free(envelope);
}

static void count_credit(void *user, uint64_t messages, uint64_t bytes)
{
    end_t *end = user;
    end->credited += messages;
    end->credited_bytes += bytes;
}

static void end_init(end_t *end, end_t *other, channel_role_t role)
{
    const channel_options_t options = {
        .role = role, .send = to_pipe, .deliver = take, .credit = count_credit, .user = end};
    memset(end, 0, sizeof(*end));
    end->other = other;
    channel_init(&end->channel, &options);
}

/* Hands all that `end` has sent to the other end; the status of the last. */
static trp_status_t carry(end_t *end)
{
    trp_status_t status = TRP_OK;
    for (size_t i = 0; i < end->sent; i++) {
        wire_reader_t reader;
        status = channel_receive(&end->other->channel, end->pipe[i], end->frames[i], &reader);
        for (size_t j = 0; j < end->frames[i]; j++) {
            zmq_msg_close(&end->pipe[i][j]);
        }
    }
    end->sent = 0;
    return status;
}

static void say(end_t *end, wire_kind_t kind)
{
    cr_assert_eq(channel_send(&end->channel, kind, NULL, 0), TRP_OK);
}

static void open_pair(void)
{
    end_init(&node_end, &worker_end, CHANNEL_NODE);
    end_init(&worker_end, &node_end, CHANNEL_WORKER);
}

static void open_and_start(void)
{
    open_pair();
    say(&worker_end, WIRE_HELLO);
    cr_assert_eq(carry(&worker_end), TRP_OK);
    say(&node_end, WIRE_WELCOME);
    say(&node_end, WIRE_START);
    cr_assert_eq(carry(&node_end), TRP_OK);
}

static void close_pair(void)
{
    channel_fini(&node_end.channel);
    channel_fini(&worker_end.channel);
}

static void push(end_t *end, uint16_t tag, size_t size, uint8_t flags)
{
    static const unsigned char bytes[2 << 20];
    trp_envelope_t *envelope = envelope_alloc();
    cr_assert_eq(envelope_set(envelope, bytes, size), TRP_OK);
    envelope->tag = tag;
    envelope->flags |= flags;
    envelope->to = (trp_pid_t){1, 1, 1, 1};
    envelope->from = (trp_pid_t){1, 2, 1, 1};
    channel_push(&end->channel, envelope);
}

Test(channel, hand_shake_ends_in_ready)
{
    open_and_start();

    say(&worker_end, WIRE_READY);

    cr_expect_eq(carry(&worker_end), TRP_OK);
    cr_expect_eq(node_end.channel.state, CHANNEL_READY);
    close_pair();
}

Test(channel, data_before_the_start_is_refused)
{
    open_pair();
    worker_end.channel.state = CHANNEL_STARTED; /* a worker that cheats */
    push(&worker_end, 0x1000, 4, 0);
    channel_flush(&worker_end.channel);

    cr_expect_eq(carry(&worker_end), TRP_PROTOCOL);
    cr_expect_eq(node_end.delivered, 0);
    close_pair();
}

Test(channel, a_second_hello_is_refused)
{
    open_and_start();

    say(&worker_end, WIRE_HELLO);

    cr_expect_eq(carry(&worker_end), TRP_PROTOCOL);
    close_pair();
}

Test(channel, a_frame_after_bye_is_refused)
{
    open_and_start();
    say(&worker_end, WIRE_BYE);
    cr_assert_eq(carry(&worker_end), TRP_OK);

    say(&worker_end, WIRE_REPORT);

    cr_expect_eq(carry(&worker_end), TRP_PROTOCOL);
    close_pair();
}

Test(channel, garbage_is_refused)
{
    zmq_msg_t frame;
    wire_reader_t reader;
    open_and_start();
    zmq_msg_init_size(&frame, 100);
    memset(zmq_msg_data(&frame), 'x', 100);

    cr_expect_eq(channel_receive(&node_end.channel, &frame, 1, &reader), TRP_PROTOCOL);

    zmq_msg_close(&frame);
    close_pair();
}

Test(channel, what_waits_until_the_start_goes_in_one_frame_and_in_order)
{
    open_pair();
    for (uint16_t i = 0; i < 20; i++) {
        push(&node_end, (uint16_t)(0x1000 + i), 10, 0);
    }
    channel_flush(&node_end.channel);
    cr_expect_eq(node_end.sent, 0);
    say(&worker_end, WIRE_HELLO);
    cr_assert_eq(carry(&worker_end), TRP_OK);
    say(&node_end, WIRE_WELCOME);
    say(&node_end, WIRE_START);
    cr_assert_eq(carry(&node_end), TRP_OK);

    channel_flush(&node_end.channel);

    cr_expect_eq(node_end.sent, 1);
    cr_assert_eq(carry(&node_end), TRP_OK);
    cr_expect_eq(worker_end.delivered, 20);
    for (uint16_t i = 0; i < 20; i++) {
        cr_expect_eq(worker_end.order[i], 0x1000 + i);
    }
    close_pair();
}

Test(channel, no_more_than_the_window_is_under_way)
{
    open_and_start();
    for (unsigned i = 0; i < 300; i++) {
        push(&node_end, 0x1000, 1, 0);
    }

    channel_flush(&node_end.channel);
    cr_assert_eq(carry(&node_end), TRP_OK);

    cr_expect_eq(worker_end.delivered, CHANNEL_WINDOW_MESSAGES);
    cr_expect_eq(node_end.channel.waiting, 300 - CHANNEL_WINDOW_MESSAGES);
    close_pair();
}

Test(channel, a_large_message_does_not_wait_for_a_report_that_is_not_due)
{
    open_and_start();
    const size_t less = CHANNEL_WINDOW_BYTES * 2 / 5;
    push(&node_end, 0x1000, less, 0);
    channel_flush(&node_end.channel);
    cr_assert_eq(carry(&node_end), TRP_OK);
    channel_handled(&worker_end.channel, 1, less);
    channel_flush(&worker_end.channel);
    cr_assert_eq(worker_end.sent, 0, "less than half a window is not reported");

    push(&node_end, 0x1001, CHANNEL_WINDOW_BYTES * 4 / 5, 0);
    channel_flush(&node_end.channel);
    cr_assert_eq(carry(&node_end), TRP_OK);

    cr_expect_eq(worker_end.last_tag, 0x1001);
    close_pair();
}

Test(channel, the_oldest_message_that_waits_is_taken_and_signals_stay)
{
    open_pair();
    push(&node_end, 0x20, 0, TRP_ENVELOPE_SIGNAL);
    push(&node_end, 0x1000, 1, 0);
    push(&node_end, 0x1001, 1, 0);

    trp_envelope_t *first = channel_take_message(&node_end.channel);
    trp_envelope_t *second = channel_take_message(&node_end.channel);

    cr_expect_eq(first->tag, 0x1000);
    cr_expect_eq(second->tag, 0x1001);
    cr_expect_null(channel_take_message(&node_end.channel));
    cr_expect_eq(node_end.channel.waiting, 1);
    cr_expect_eq(node_end.channel.last, node_end.channel.first);
    envelope_free(first);
    envelope_free(second);
    close_pair();
}

Test(channel, a_report_lets_the_rest_follow)
{
    open_and_start();
    for (unsigned i = 0; i < 200; i++) {
        push(&node_end, 0x1000, 1, 0);
    }
    channel_flush(&node_end.channel);
    cr_assert_eq(carry(&node_end), TRP_OK);

    channel_handled(&worker_end.channel, 100, 100);
    channel_flush(&worker_end.channel);
    cr_expect_eq(worker_end.sent, 1);
    cr_assert_eq(carry(&worker_end), TRP_OK);
    channel_flush(&node_end.channel);
    cr_assert_eq(carry(&node_end), TRP_OK);

    cr_expect_eq(node_end.credited, 100);
    cr_expect_eq(node_end.credited_bytes, 100);
    cr_expect_eq(worker_end.delivered, 200);
    close_pair();
}

Test(channel, a_reply_carries_the_report_and_no_frame_of_its_own_is_sent)
{
    open_and_start();
    push(&node_end, 0x1000, 8, 0);
    channel_flush(&node_end.channel);
    cr_assert_eq(carry(&node_end), TRP_OK);

    channel_handled(&worker_end.channel, 1, 8);
    push(&worker_end, 0x1001, 8, TRP_ENVELOPE_REPLY);
    channel_flush(&worker_end.channel);

    cr_expect_eq(worker_end.sent, 1);
    cr_assert_eq(carry(&worker_end), TRP_OK);
    cr_expect_eq(node_end.credited, 1);
    channel_flush(&worker_end.channel);
    cr_expect_eq(worker_end.sent, 0);
    close_pair();
}

Test(channel, a_few_handled_messages_are_not_worth_a_report)
{
    open_and_start();

    channel_handled(&worker_end.channel, CHANNEL_WINDOW_MESSAGES / 2 - 1, 100);
    channel_flush(&worker_end.channel);

    cr_expect_eq(worker_end.sent, 0);
    close_pair();
}

Test(channel, a_report_of_more_than_was_sent_is_refused)
{
    open_and_start();

    channel_handled(&worker_end.channel, 64, 0);
    channel_flush(&worker_end.channel);

    cr_expect_eq(carry(&worker_end), TRP_PROTOCOL);
    close_pair();
}

Test(channel, signals_need_no_credit)
{
    open_and_start();
    for (unsigned i = 0; i < CHANNEL_WINDOW_MESSAGES; i++) {
        push(&node_end, 0x1000, 1, 0);
    }
    push(&node_end, 0x20, 56, TRP_ENVELOPE_SIGNAL);

    channel_flush(&node_end.channel);
    cr_assert_eq(carry(&node_end), TRP_OK);

    cr_expect_eq(worker_end.signals, 1);
    cr_expect_eq(worker_end.last_tag, 0x20);
    close_pair();
}

Test(channel, a_message_larger_than_the_window_waits_until_half_of_it_is_free)
{
    open_and_start();
    push(&node_end, 0x1000, 600000, 0);
    push(&node_end, 0x1001, 2 << 20, 0);

    channel_flush(&node_end.channel);
    cr_assert_eq(carry(&node_end), TRP_OK);
    cr_expect_eq(worker_end.delivered, 1);
    channel_handled(&worker_end.channel, 1, 600000);
    say(&worker_end, WIRE_REPORT);
    cr_assert_eq(carry(&worker_end), TRP_OK);
    channel_flush(&node_end.channel);
    cr_assert_eq(carry(&node_end), TRP_OK);

    cr_expect_eq(worker_end.delivered, 2);
    cr_expect_eq(worker_end.last_size, 2 << 20);
    close_pair();
}

Test(channel, what_waits_can_be_taken_back)
{
    unsigned count = 0;
    open_pair();
    push(&node_end, 0x1000, 1, 0);
    push(&node_end, 0x1001, 100, 0);

    for (trp_envelope_t *envelope = channel_take(&node_end.channel); envelope != NULL;) {
        trp_envelope_t *next = envelope->next;
        envelope_free(envelope);
        envelope = next;
        count++;
    }

    cr_expect_eq(count, 2);
    cr_expect_eq(node_end.channel.waiting, 0);
    close_pair();
}
