/* SPDX-License-Identifier: MIT */
#include "runtime/guardian/guardian_queue.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int ends[2];
static guardian_queue_t queue;

static void set_up(void)
{
    cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends), 0);
    cr_assert(guardian_queue_init(&queue));
}

static void tear_down(void)
{
    guardian_queue_fini(&queue);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

TestSuite(guardian_queue, .init = set_up, .fini = tear_down);

static bool push(uint32_t index, int64_t now_ns)
{
    const guardian_message_t message = {.kind = GUARDIAN_SPAWNED, .index = index};
    return guardian_queue_push(&queue, ends[0], &message, now_ns);
}

/* Pushes until one has to wait. */
static uint32_t fill(void)
{
    uint32_t index = 0;
    while (queue.count == 0) {
        cr_assert(push(++index, 7));
    }
    return index;
}

Test(guardian_queue, what_the_reader_takes_does_not_wait)
{
    guardian_message_t message;

    cr_assert(push(3, 1));

    cr_expect_eq(queue.count, 0);
    cr_assert_eq(guardian_receive(ends[1], &message), TRP_OK);
    cr_expect_eq(message.index, 3);
}

Test(guardian_queue, what_waits_says_since_when_and_arrives_in_order)
{
    guardian_message_t message;
    const uint32_t last = fill();
    cr_assert(push(last + 1, 8));
    cr_expect_eq(queue.since_ns, 7);

    for (uint32_t index = 1; index <= last + 1; index++) {
        guardian_queue_flush(&queue, ends[0], 9);
        cr_assert_eq(guardian_receive(ends[1], &message), TRP_OK);
        cr_assert_eq(message.index, index);
    }

    cr_expect_eq(queue.count, 0);
    cr_expect_eq(queue.since_ns, 9);
}

Test(guardian_queue, a_full_queue_refuses)
{
    (void)fill();
    while (queue.count < GUARDIAN_QUEUE_MAX) {
        cr_assert(push(1, 7));
    }

    cr_expect_not(push(1, 7));
}

Test(guardian_queue, a_packet_of_another_size_is_no_message)
{
    guardian_message_t message;
    char bytes[sizeof(message) + 1] = {0};
    cr_assert_eq(send(ends[0], bytes, 5, 0), 5);
    cr_assert_eq(send(ends[0], bytes, sizeof(bytes), 0), (ssize_t)sizeof(bytes));

    cr_expect_eq(guardian_receive(ends[1], &message), TRP_PROTOCOL);
    cr_expect_eq(guardian_receive(ends[1], &message), TRP_PROTOCOL);
    cr_expect_eq(guardian_receive(ends[1], &message), TRP_BUSY);
}

Test(guardian_queue, a_program_that_does_not_end_is_no_message)
{
    guardian_message_t message = {.kind = GUARDIAN_SPAWN};
    memset(message.program, 'x', sizeof(message.program));
    cr_assert_eq(send(ends[0], &message, sizeof(message), 0), (ssize_t)sizeof(message));

    cr_expect_eq(guardian_receive(ends[1], &message), TRP_PROTOCOL);
}

Test(guardian_queue, an_end_that_closed_is_gone)
{
    guardian_message_t message = {.kind = GUARDIAN_STOP};
    (void)close(ends[0]);
    ends[0] = -1;

    cr_expect_eq(guardian_receive(ends[1], &message), TRP_GONE);
    cr_expect_eq(guardian_send(ends[1], &message), TRP_GONE);
}
