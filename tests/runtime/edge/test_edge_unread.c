/* SPDX-License-Identifier: MIT */
#include "runtime/edge/edge_unread.h"

#include <criterion/criterion.h>
#include <string.h>

#define KIB 1024

static const trp_peer_t ann = {.size = 3, .id = "ann"};
static const trp_peer_t bob = {.size = 3, .id = "bob"};

/* A message of one frame, whose bytes are known again. */
static void make(zmq_msg_t *frame, size_t size)
{
    cr_assert_eq(zmq_msg_init_size(frame, size), 0);
    memset(zmq_msg_data(frame), 'x', size);
}

static trp_status_t count(edge_unread_t *unread, const trp_peer_t *peer, zmq_msg_t *frame,
                          size_t size)
{
    make(frame, size);
    return edge_unread_count(unread, peer, frame, 1);
}

Test(edge_unread, a_peer_that_reads_nothing_gets_no_more_than_the_bound)
{
    edge_unread_t *unread = edge_unread_new(10 * KIB, UNREAD_COUNTED);
    zmq_msg_t frames[3];

    cr_expect_eq(count(unread, &ann, &frames[0], 5 * KIB), TRP_OK);
    cr_expect_eq(count(unread, &ann, &frames[1], 5 * KIB), TRP_OK);
    cr_expect_eq(count(unread, &ann, &frames[2], KIB), TRP_BUSY);

    for (unsigned i = 0; i < 3; i++) {
        zmq_msg_close(&frames[i]);
    }
    edge_unread_free(&unread);
}

Test(edge_unread, what_was_read_makes_room)
{
    edge_unread_t *unread = edge_unread_new(10 * KIB, UNREAD_COUNTED);
    zmq_msg_t frames[2];
    cr_assert_eq(count(unread, &ann, &frames[0], 10 * KIB), TRP_OK);

    zmq_msg_close(&frames[0]); /* as the transport does */

    cr_expect_eq(count(unread, &ann, &frames[1], 10 * KIB), TRP_OK);
    zmq_msg_close(&frames[1]);
    edge_unread_free(&unread);
}

Test(edge_unread, one_peer_takes_no_room_from_another)
{
    edge_unread_t *unread = edge_unread_new(10 * KIB, UNREAD_COUNTED);
    zmq_msg_t frames[2];

    cr_expect_eq(count(unread, &ann, &frames[0], 10 * KIB), TRP_OK);
    cr_expect_eq(count(unread, &bob, &frames[1], 10 * KIB), TRP_OK);

    zmq_msg_close(&frames[0]);
    zmq_msg_close(&frames[1]);
    edge_unread_free(&unread);
}

Test(edge_unread, a_message_over_the_bound_goes_when_nothing_else_is_unread)
{
    edge_unread_t *unread = edge_unread_new(10 * KIB, UNREAD_COUNTED);
    zmq_msg_t frames[2];

    cr_expect_eq(count(unread, &ann, &frames[0], 30 * KIB), TRP_OK);
    cr_expect_eq(count(unread, &ann, &frames[1], 30 * KIB), TRP_BUSY);

    zmq_msg_close(&frames[0]);
    zmq_msg_close(&frames[1]);
    edge_unread_free(&unread);
}

Test(edge_unread, a_counted_frame_has_the_bytes_it_had)
{
    edge_unread_t *unread = edge_unread_new(100 * KIB, UNREAD_COUNTED);
    zmq_msg_t frame, copy;
    cr_assert_eq(count(unread, &ann, &frame, 20 * KIB), TRP_OK);

    zmq_msg_init(&copy);
    zmq_msg_copy(&copy, &frame);
    zmq_msg_close(&frame);

    cr_expect_eq(zmq_msg_size(&copy), 20 * KIB);
    cr_expect_eq(((char *)zmq_msg_data(&copy))[20 * KIB - 1], 'x');
    cr_expect_eq(count(unread, &ann, &frame, 90 * KIB), TRP_BUSY, "the copy is unread still");
    zmq_msg_close(&frame);
    zmq_msg_close(&copy);
    edge_unread_free(&unread);
}

Test(edge_unread, frames_may_outlive_the_count)
{
    edge_unread_t *unread = edge_unread_new(10 * KIB, UNREAD_COUNTED);
    zmq_msg_t frame;
    cr_assert_eq(count(unread, &ann, &frame, 5 * KIB), TRP_OK);

    edge_unread_free(&unread);

    cr_expect_eq(zmq_msg_size(&frame), 5 * KIB);
    zmq_msg_close(&frame); /* the sanitizers look */
}

Test(edge_unread, thousands_of_peers_that_have_read_all_are_forgotten)
{
    edge_unread_t *unread = edge_unread_new(10 * KIB, UNREAD_COUNTED);
    trp_peer_t peer = {.size = sizeof(unsigned)};
    zmq_msg_t slow, frame;
    cr_assert_eq(count(unread, &ann, &slow, 10 * KIB), TRP_OK);

    for (unsigned i = 0; i < 10000; i++) {
        memcpy(peer.id, &i, sizeof(i));
        cr_assert_eq(count(unread, &peer, &frame, 2 * KIB), TRP_OK);
        zmq_msg_close(&frame);
    }

    cr_expect_eq(count(unread, &ann, &frame, KIB), TRP_BUSY, "who has not, is not");
    zmq_msg_close(&frame);
    zmq_msg_close(&slow);
    edge_unread_free(&unread);
}

Test(edge_unread, small_frames_count_where_all_do_and_the_bytes_are_told)
{
    edge_unread_t *unread = edge_unread_new(4 * UNREAD_LEAST, 0);
    zmq_msg_t frames[5];

    for (unsigned i = 0; i < 4; i++) {
        cr_expect_eq(count(unread, &ann, &frames[i], i), TRP_OK);
    }
    cr_expect_eq(edge_unread_bytes(unread, &ann), 4 * UNREAD_LEAST);
    cr_expect_eq(edge_unread_bytes(unread, &bob), 0);
    cr_expect_eq(count(unread, &ann, &frames[4], 1), TRP_BUSY);

    for (unsigned i = 0; i < 5; i++) {
        zmq_msg_close(&frames[i]);
    }
    cr_expect_eq(edge_unread_bytes(unread, &ann), 0);
    edge_unread_free(&unread);
}
