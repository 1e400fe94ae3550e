/* SPDX-License-Identifier: MIT */
#include "runtime/edge/edge.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS 1000000000LL

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SECOND_NS + now.tv_nsec;
}

typedef struct echo {
    edge_socket_t *socket;
    unsigned received;
    bool close_first;
} echo_t;

static void echo_back(void *user, const edge_peer_t *peer, zmq_msg_t *frames, size_t count)
{
    echo_t *echo = user;
    echo->received++;
    if (echo->close_first) {
        edge_close(&echo->socket);
        return;
    }
    cr_expect_eq(edge_send(echo->socket, peer, frames, count), TRP_OK);
}

static void count_message(void *user, const edge_peer_t *peer, zmq_msg_t *frames, size_t count)
{
    (void)peer;
    (void)frames;
    (void)count;
    ++*(unsigned *)user;
}

/* Turns until *count reaches `wanted`; false after two seconds. */
static bool turn_until(edge_t *edge, const unsigned *count, unsigned wanted)
{
    const scheduler_park_t park = edge_park(edge);
    const int64_t until_ns = now_ns() + 2 * SECOND_NS;
    while (*count < wanted && now_ns() < until_ns) {
        park.park(park.user, until_ns);
    }
    return *count >= wanted;
}

typedef struct fixture {
    edge_t *edge;
    echo_t echo;
    edge_socket_t *client;
    unsigned replies;
    char path[64], endpoint[80];
} fixture_t;

static void fixture_init(fixture_t *fixture)
{
    static const edge_peer_t self = {.size = 1, .id = "c"};
    char error[256] = "";
    memset(fixture, 0, sizeof(*fixture));
    snprintf(fixture->path, sizeof(fixture->path), "/tmp/troupe-edge-%d", (int)getpid());
    snprintf(fixture->endpoint, sizeof(fixture->endpoint), "ipc://%s", fixture->path);
    cr_assert_eq(edge_create(&fixture->edge), TRP_OK);
    edge_socket_options_t options = {.name = "echo",
                                     .endpoint = fixture->endpoint,
                                     .mode = 0600,
                                     .on_message = echo_back,
                                     .user = &fixture->echo};
    cr_assert_eq(edge_bind(fixture->edge, &options, &fixture->echo.socket, error), TRP_OK, "%s",
                 error);
    options.on_message = count_message;
    options.user = &fixture->replies;
    cr_assert_eq(edge_connect(fixture->edge, &options, &self, &fixture->client, error), TRP_OK);
}

static void send_one(fixture_t *fixture)
{
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    cr_expect_eq(edge_send(fixture->client, NULL, &frame, 1), TRP_OK);
    zmq_msg_close(&frame);
}

Test(edge, a_send_that_ate_the_descriptors_signal_loses_no_message)
{
    fixture_t fixture;
    fixture_init(&fixture);

    for (unsigned i = 1; i <= 2000; i++) {
        send_one(&fixture);
        cr_assert(turn_until(fixture.edge, &fixture.replies, i), "stopped at %u", i);
    }

    cr_expect_eq(fixture.echo.received, 2000);
    edge_destroy(&fixture.edge);
}

Test(edge, a_burst_over_the_budget_of_a_turn_arrives_whole)
{
    fixture_t fixture;
    fixture_init(&fixture);

    for (unsigned i = 0; i < 900; i++) {
        send_one(&fixture);
    }

    cr_expect(turn_until(fixture.edge, &fixture.replies, 900));
    edge_destroy(&fixture.edge);
}

Test(edge, a_socket_may_be_closed_inside_its_callback)
{
    fixture_t fixture;
    fixture_init(&fixture);
    fixture.echo.close_first = true;

    send_one(&fixture);
    send_one(&fixture);
    cr_assert(turn_until(fixture.edge, &fixture.echo.received, 1));

    cr_expect_null(fixture.echo.socket);
    edge_destroy(&fixture.edge);
}

Test(edge, an_ipc_file_has_the_mode_asked_for_and_goes_with_its_socket)
{
    fixture_t fixture;
    struct stat found;
    fixture_init(&fixture);

    cr_assert_eq(stat(fixture.path, &found), 0);
    edge_destroy(&fixture.edge);

    cr_expect_eq(found.st_mode & 0777, 0600);
    cr_expect_neq(stat(fixture.path, &found), 0);
}

Test(edge, a_picked_port_is_told)
{
    edge_t *edge = NULL;
    edge_socket_t *socket = NULL;
    char error[256] = "";
    unsigned received = 0;
    int port = 0;
    const edge_socket_options_t options = {.name = "any",
                                           .endpoint = "tcp://127.0.0.1:0",
                                           .on_message = count_message,
                                           .user = &received};
    cr_assert_eq(edge_create(&edge), TRP_OK);

    cr_assert_eq(edge_bind(edge, &options, &socket, error), TRP_OK, "%s", error);

    cr_expect_eq(sscanf(edge_endpoint(socket), "tcp://127.0.0.1:%d", &port), 1);
    cr_expect_gt(port, 0);
    edge_destroy(&edge);
}

static void drain_and_count(void *user, int fd)
{
    uint64_t value;
    cr_expect_eq(read(fd, &value, sizeof(value)), (ssize_t)sizeof(value));
    ++*(unsigned *)user;
}

Test(edge, a_watched_descriptor_is_reported_until_its_watch_ends)
{
    edge_t *edge = NULL;
    unsigned ready = 0;
    const uint64_t one = 1;
    const int fd = eventfd(0, EFD_NONBLOCK);
    cr_assert_eq(edge_create(&edge), TRP_OK);
    const scheduler_park_t park = edge_park(edge);
    cr_assert_eq(edge_watch(edge, fd, drain_and_count, &ready), TRP_OK);

    cr_assert_eq(write(fd, &one, sizeof(one)), (ssize_t)sizeof(one));
    cr_expect(turn_until(edge, &ready, 1));
    cr_assert_eq(edge_watch(edge, fd, NULL, NULL), TRP_OK);
    cr_assert_eq(write(fd, &one, sizeof(one)), (ssize_t)sizeof(one));
    park.poll(park.user);

    cr_expect_eq(ready, 1);
    edge_destroy(&edge);
    close(fd);
}

static void *wake_it(void *edge)
{
    const scheduler_park_t park = edge_park(edge);
    park.wake(park.user);
    return NULL;
}

Test(edge, a_wake_from_another_thread_ends_a_park)
{
    edge_t *edge = NULL;
    pthread_t thread;
    cr_assert_eq(edge_create(&edge), TRP_OK);
    const scheduler_park_t park = edge_park(edge);
    const int64_t started_ns = now_ns();

    cr_assert_eq(pthread_create(&thread, NULL, wake_it, edge), 0);
    park.park(park.user, started_ns + 10 * SECOND_NS);

    cr_expect_lt(now_ns() - started_ns, 5 * SECOND_NS);
    pthread_join(thread, NULL);
    edge_destroy(&edge);
}

Test(edge, a_wake_before_the_park_is_kept)
{
    edge_t *edge = NULL;
    cr_assert_eq(edge_create(&edge), TRP_OK);
    const scheduler_park_t park = edge_park(edge);
    const int64_t started_ns = now_ns();

    park.wake(park.user);
    park.park(park.user, started_ns + 10 * SECOND_NS);

    cr_expect_lt(now_ns() - started_ns, 5 * SECOND_NS);
    edge_destroy(&edge);
}

Test(edge, a_park_ends_at_its_time)
{
    edge_t *edge = NULL;
    cr_assert_eq(edge_create(&edge), TRP_OK);
    const scheduler_park_t park = edge_park(edge);
    const int64_t until_ns = now_ns() + 3000000;

    park.park(park.user, until_ns);

    cr_expect_geq(now_ns(), until_ns);
    edge_destroy(&edge);
}
