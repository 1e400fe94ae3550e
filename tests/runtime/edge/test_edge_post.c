/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "runtime/edge/edge.h"

#define SECOND_NS 1000000000LL
#define POSTS     1000 /* more than a turn keeps */

typedef struct fixture {
    edge_t *edge;
    edge_socket_t *server, *client;
    edge_peer_t peer;           /* the client's, once it has said something */
    unsigned heard;             /* by the server */
    unsigned got, out_of_order; /* by the client: numbers, that count up */
    unsigned unsent;
    trp_status_t why;
    char endpoint[80];
} fixture_t;

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SECOND_NS + now.tv_nsec;
}

static void note_peer(void *user, const edge_peer_t *peer, zmq_msg_t *frames, size_t count)
{
    fixture_t *fixture = user;
    (void)frames;
    (void)count;
    fixture->peer = *peer;
    fixture->heard++;
}

static void note_number(void *user, const edge_peer_t *peer, zmq_msg_t *frames, size_t count)
{
    fixture_t *fixture = user;
    unsigned number = 0;
    (void)peer;
    cr_assert_eq(count, 2);
    memcpy(&number, zmq_msg_data(&frames[1]), sizeof(number));
    fixture->out_of_order += number != fixture->got;
    fixture->got++;
}

static void note_unsent(void *user, const edge_peer_t *peer, trp_status_t why)
{
    fixture_t *fixture = user;
    (void)peer;
    fixture->unsent++;
    fixture->why = why;
}

static bool turn_until(fixture_t *fixture, const unsigned *count, unsigned wanted)
{
    const scheduler_park_t park = edge_park(fixture->edge);
    const int64_t until_ns = now_ns() + 2 * SECOND_NS;
    while (*count < wanted && now_ns() < until_ns) {
        park.park(park.user, until_ns);
    }
    return *count >= wanted;
}

/* A server that knows its client. */
static void fixture_init(fixture_t *fixture)
{
    static const edge_peer_t self = {.size = 1, .id = "c"};
    char error[256] = "";
    zmq_msg_t hello;
    memset(fixture, 0, sizeof(*fixture));
    snprintf(fixture->endpoint, sizeof(fixture->endpoint), "ipc:///tmp/troupe-post-%d",
             (int)getpid());
    cr_assert_eq(edge_create(&fixture->edge), TRP_OK);
    edge_socket_options_t options = {.name = "server",
                                     .endpoint = fixture->endpoint,
                                     .queue_max = -1,
                                     .on_message = note_peer,
                                     .on_unsent = note_unsent,
                                     .user = fixture};
    cr_assert_eq(edge_bind(fixture->edge, &options, &fixture->server, error), TRP_OK, "%s", error);
    options.on_message = note_number;
    cr_assert_eq(edge_connect(fixture->edge, &options, &self, &fixture->client, error), TRP_OK);
    zmq_msg_init(&hello);
    cr_assert_eq(edge_send(fixture->client, NULL, &hello, 1), TRP_OK);
    cr_assert(turn_until(fixture, &fixture->heard, 1));
}

/* A number, and a frame of `size` bytes. */
static void make_frames(zmq_msg_t frames[2], unsigned number, size_t size)
{
    cr_assert_eq(zmq_msg_init_size(&frames[0], size), 0);
    memset(zmq_msg_data(&frames[0]), 'x', size);
    cr_assert_eq(zmq_msg_init_size(&frames[1], sizeof(number)), 0);
    memcpy(zmq_msg_data(&frames[1]), &number, sizeof(number));
}

static void post_number(fixture_t *fixture, unsigned number, size_t size)
{
    zmq_msg_t frames[2];
    make_frames(frames, number, size);
    edge_post(fixture->server, &fixture->peer, frames, 2);
}

Test(edge_post, more_than_a_turn_keeps_arrives_whole_and_in_order)
{
    fixture_t fixture;
    fixture_init(&fixture);

    for (unsigned i = 0; i < POSTS; i++) {
        post_number(&fixture, i, i % 1500); /* with and without content, kept and not */
    }

    cr_expect(turn_until(&fixture, &fixture.got, POSTS));
    cr_expect_eq(fixture.out_of_order, 0);
    cr_expect_eq(fixture.unsent, 0);
    edge_destroy(&fixture.edge);
}

Test(edge_post, what_was_posted_goes_before_what_is_sent_later)
{
    fixture_t fixture;
    zmq_msg_t frames[2];
    fixture_init(&fixture);

    post_number(&fixture, 0, 100);
    post_number(&fixture, 1, 100);
    make_frames(frames, 2, 100);
    cr_assert_eq(edge_send(fixture.server, &fixture.peer, frames, 2), TRP_OK);

    cr_expect(turn_until(&fixture, &fixture.got, 3));
    cr_expect_eq(fixture.out_of_order, 0);
    edge_destroy(&fixture.edge);
}

Test(edge_post, nothing_is_tried_before_the_end_of_the_turn)
{
    fixture_t fixture;
    fixture_init(&fixture);
    const scheduler_park_t park = edge_park(fixture.edge);
    fixture.peer = (edge_peer_t){.size = 4, .id = "none"};

    post_number(&fixture, 0, 100);
    post_number(&fixture, 1, 100);
    cr_expect_eq(fixture.unsent, 0);
    park.poll(park.user);

    cr_expect_eq(fixture.unsent, 2, "who is not there is told of, once for each message");
    edge_destroy(&fixture.edge);
}

Test(edge_post, a_socket_that_is_closed_sends_what_was_posted)
{
    fixture_t fixture;
    fixture_init(&fixture);
    fixture.peer = (edge_peer_t){.size = 4, .id = "none"};

    post_number(&fixture, 0, 100);
    edge_close(&fixture.server);

    cr_expect_eq(fixture.unsent, 1, "it was tried");
    edge_destroy(&fixture.edge);
}

Test(edge_post, a_message_of_very_many_frames_is_sent_as_well)
{
    enum { MANY = 900 };
    fixture_t fixture;
    zmq_msg_t frames[MANY];
    fixture_init(&fixture);
    fixture.peer = (edge_peer_t){.size = 4, .id = "none"};
    for (unsigned i = 0; i < MANY; i++) {
        zmq_msg_init_size(&frames[i], 100);
    }

    edge_post(fixture.server, &fixture.peer, frames, MANY);

    cr_expect_eq(fixture.unsent, 1, "it was tried at once");
    edge_destroy(&fixture.edge);
}
