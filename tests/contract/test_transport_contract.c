/* SPDX-License-Identifier: MIT */
/* What every transport must do; one row of `transports` for each backend. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/transport/transport_zmq.h"
#include "runtime/transport/transport_zmtp.h"
#include "tests/sim/sim_net.h"

#define WAIT_MS 2000

typedef struct backend {
    const trp_transport_t *transport;
    const char *endpoint; /* printf format with the process id */
} backend_t;

static const backend_t backends[] = {
    {&transport_zmq, "ipc:///tmp/troupe-contract-%d"},
    {&transport_zmq, "tcp://127.0.0.1:*"},
    {&transport_sim, "ipc:///sim/contract-%d"},
    {&transport_sim, "tcp://127.0.0.1:*"},
    {&transport_zmtp, "ipc:///tmp/troupe-contract-zmtp-%d"},
};

#define BACKENDS (sizeof(backends) / sizeof(backends[0]))

/* Each test runs once for each row; the parameter is its number. */
static struct criterion_test_params every_backend(void)
{
    static size_t numbers[BACKENDS];
    for (size_t i = 0; i < BACKENDS; i++) {
        numbers[i] = i;
    }
    return cr_make_param_array(size_t, numbers, BACKENDS);
}

/* A second listener takes over the file of an ipc endpoint. */
static struct criterion_test_params tcp_backends(void)
{
    static size_t numbers[] = {1, 3};
    return cr_make_param_array(size_t, numbers, 2);
}

/* What a socket reported. */
typedef struct seen {
    unsigned messages, downs, messages_at_down;
    trp_peer_t peer, down;
    size_t frames;
    char text[64];
    bool track;
    const trp_transport_t *transport;
    void **socket;
} seen_t;

static void on_frames(void *user, const trp_peer_t *peer, zmq_msg_t *frames, size_t count)
{
    seen_t *seen = user;
    if (seen->track && seen->messages == 0) {
        cr_assert_eq(seen->transport->track(*seen->socket, peer, &frames[0]), TRP_OK);
    }
    seen->messages++;
    seen->peer = *peer;
    seen->frames = count;
    snprintf(seen->text, sizeof(seen->text), "%.*s", (int)zmq_msg_size(&frames[count - 1]),
             (const char *)zmq_msg_data(&frames[count - 1]));
}

static void on_down(void *user, const trp_peer_t *peer)
{
    seen_t *seen = user;
    seen->down = *peer;
    seen->messages_at_down = seen->messages;
    seen->downs++;
}

/* ---- what `sim` stands on: a net whose time passes when somebody waits ---- */

static int64_t sim_ns;
static sim_place_t place = {.name = "test"};

static int64_t sim_now(void *user)
{
    (void)user;
    return sim_ns;
}

/* The `how` of a backend's open. */
static const void *ground(const trp_transport_t *transport)
{
    static const sim_net_options_t options = {.now_ns = sim_now};
    if (transport != &transport_sim) {
        return NULL;
    }
    place.net = sim_net_create(&options);
    cr_assert_not_null(place.net);
    return &place;
}

static void free_ground(const trp_transport_t *transport)
{
    if (transport == &transport_sim) {
        sim_net_destroy(&place.net);
    }
}

/* A listener and one client of it. */
typedef struct pair {
    const trp_transport_t *transport;
    void *medium;
    void *server, *client;
    seen_t at_server, at_client;
    char error[256];
} pair_t;

static void pair_init(pair_t *pair, const backend_t *backend, bool track)
{
    char endpoint[128];
    static const trp_peer_t self = {.size = 3, .id = "abc"};
    snprintf(endpoint, sizeof(endpoint), backend->endpoint, (int)getpid());
    memset(pair, 0, sizeof(*pair));
    pair->transport = backend->transport;
    pair->at_server =
        (seen_t){.track = track, .transport = backend->transport, .socket = &pair->server};
    cr_assert_eq(pair->transport->open(ground(backend->transport), &pair->medium), TRP_OK);
    trp_transport_options_t options = {
        .message_max = 1 << 20, .events = {on_frames, track ? on_down : NULL, &pair->at_server}};
    cr_assert_eq(
        pair->transport->bind(pair->medium, endpoint, &options, &pair->server, pair->error), TRP_OK,
        "%s", pair->error);
    options.self = &self;
    options.linger_ms = 1000;
    options.events = (trp_transport_events_t){on_frames, on_down, &pair->at_client};
    cr_assert_eq(pair->transport->connect(pair->medium, pair->transport->endpoint(pair->server),
                                          &options, &pair->client, pair->error),
                 TRP_OK, "%s", pair->error);
}

static void pair_fini(pair_t *pair)
{
    pair->transport->close(&pair->client);
    pair->transport->close(&pair->server);
    pair->transport->shut(&pair->medium);
    free_ground(pair->transport);
}

/* Without descriptors a socket is pumped at each turn, and its time passes when nothing comes. */
static bool step_until(pair_t *pair, void *socket, const unsigned *count, unsigned wanted)
{
    while (*count < wanted) {
        if (pair->transport->pump(socket, 16, -1) == 0) {
            const int64_t next_ns = sim_net_next_ns(place.net);
            if (next_ns == SIM_NEVER) {
                break;
            }
            sim_ns = next_ns;
        }
    }
    return *count >= wanted;
}

/* Pumps until *count reaches `wanted` or the time is up; only descriptors say when to pump. */
static bool pump_until(pair_t *pair, void *socket, const unsigned *count, unsigned wanted)
{
    int descriptors[2];
    if (pair->transport->descriptors == NULL) {
        return step_until(pair, socket, count, wanted);
    }
    const unsigned known = pair->transport->descriptors(socket, descriptors);
    struct pollfd polled[2] = {{descriptors[0], POLLIN, 0},
                               {known > 1 ? descriptors[1] : -1, POLLIN, 0}};
    while (pair->transport->pump(socket, 16, -1) >= 16) {
    }
    while (*count < wanted && poll(polled, known, WAIT_MS) > 0) {
        for (unsigned i = 0; i < known; i++) {
            while (polled[i].revents != 0 &&
                   pair->transport->pump(socket, 16, descriptors[i]) >= 16) {
            }
        }
    }
    return *count >= wanted;
}

static trp_status_t send_text(pair_t *pair, void *socket, const trp_peer_t *peer, const char *text)
{
    zmq_msg_t frame;
    zmq_msg_init_size(&frame, strlen(text));
    memcpy(zmq_msg_data(&frame), text, strlen(text));
    const trp_status_t status = pair->transport->send(socket, peer, &frame, 1);
    zmq_msg_close(&frame);
    return status;
}

ParameterizedTestParameters(transport_contract, a_message_goes_there_and_back)
{
    return every_backend();
}

ParameterizedTest(const size_t *row, transport_contract, a_message_goes_there_and_back)
{
    pair_t pair;
    pair_init(&pair, &backends[*row], false);

    cr_expect_eq(send_text(&pair, pair.client, NULL, "question"), TRP_OK);
    cr_assert(pump_until(&pair, pair.server, &pair.at_server.messages, 1));
    cr_expect_eq(send_text(&pair, pair.server, &pair.at_server.peer, "answer"), TRP_OK);
    cr_assert(pump_until(&pair, pair.client, &pair.at_client.messages, 1));

    cr_expect_str_eq(pair.at_server.text, "question");
    cr_expect_eq(pair.at_server.peer.size, 3);
    cr_expect_str_eq(pair.at_client.text, "answer");
    pair_fini(&pair);
}

ParameterizedTestParameters(transport_contract, an_unknown_peer_is_gone_and_frames_are_untouched)
{
    return every_backend();
}

ParameterizedTest(const size_t *row, transport_contract,
                  an_unknown_peer_is_gone_and_frames_are_untouched)
{
    pair_t pair;
    const trp_peer_t nobody = {.size = 2, .id = "no"};
    zmq_msg_t frame;
    pair_init(&pair, &backends[*row], false);
    zmq_msg_init_size(&frame, 100);

    const trp_status_t status = pair.transport->send(pair.server, &nobody, &frame, 1);

    cr_expect_eq(status, TRP_GONE);
    cr_expect_eq(zmq_msg_size(&frame), 100);
    zmq_msg_close(&frame);
    pair_fini(&pair);
}

ParameterizedTestParameters(transport_contract, all_that_was_sent_comes_before_the_end_of_its_peer)
{
    return every_backend();
}

ParameterizedTest(const size_t *row, transport_contract,
                  all_that_was_sent_comes_before_the_end_of_its_peer)
{
    pair_t pair;
    pair_init(&pair, &backends[*row], true);
    cr_assert_eq(send_text(&pair, pair.client, NULL, "hello"), TRP_OK);
    cr_assert(pump_until(&pair, pair.server, &pair.at_server.messages, 1));

    for (int i = 0; i < 5000; i++) {
        cr_assert_eq(send_text(&pair, pair.client, NULL, "more"), TRP_OK);
    }
    pair.transport->close(&pair.client);
    cr_assert(pump_until(&pair, pair.server, &pair.at_server.downs, 1));

    cr_expect_eq(pair.at_server.messages_at_down, 5001);
    cr_expect_eq(pair.at_server.down.size, 3);
    cr_expect_eq(memcmp(pair.at_server.down.id, "abc", 3), 0);
    pair_fini(&pair);
}

ParameterizedTestParameters(transport_contract, a_peer_that_left_before_it_was_tracked_is_reported)
{
    return every_backend();
}

ParameterizedTest(const size_t *row, transport_contract,
                  a_peer_that_left_before_it_was_tracked_is_reported)
{
    pair_t pair;
    pair_init(&pair, &backends[*row], true);
    cr_assert_eq(send_text(&pair, pair.client, NULL, "hello"), TRP_OK);
    pair.transport->close(&pair.client);

    cr_assert(pump_until(&pair, pair.server, &pair.at_server.downs, 1));

    cr_expect_eq(pair.at_server.messages_at_down, 1);
    pair_fini(&pair);
}

ParameterizedTestParameters(transport_contract, a_client_learns_that_its_listener_is_gone)
{
    return every_backend();
}

ParameterizedTest(const size_t *row, transport_contract, a_client_learns_that_its_listener_is_gone)
{
    pair_t pair;
    pair_init(&pair, &backends[*row], false);
    cr_assert_eq(send_text(&pair, pair.client, NULL, "hello"), TRP_OK);
    cr_assert(pump_until(&pair, pair.server, &pair.at_server.messages, 1));

    pair.transport->close(&pair.server);

    cr_expect(pump_until(&pair, pair.client, &pair.at_client.downs, 1));
    pair_fini(&pair);
}

ParameterizedTestParameters(transport_contract, a_frame_over_its_limit_ends_only_its_sender)
{
    return every_backend();
}

ParameterizedTest(const size_t *row, transport_contract,
                  a_frame_over_its_limit_ends_only_its_sender)
{
    pair_t pair;
    pair_init(&pair, &backends[*row], true);
    cr_assert_eq(send_text(&pair, pair.client, NULL, "hello"), TRP_OK);
    cr_assert(pump_until(&pair, pair.server, &pair.at_server.messages, 1));
    zmq_msg_t frame;
    zmq_msg_init_size(&frame, (1 << 20) + 1);
    memset(zmq_msg_data(&frame), 0, (1 << 20) + 1);

    cr_assert_eq(pair.transport->send(pair.client, NULL, &frame, 1), TRP_OK);

    cr_expect(pump_until(&pair, pair.server, &pair.at_server.downs, 1));
    cr_expect_eq(pair.at_server.messages, 1);
    zmq_msg_close(&frame);
    pair_fini(&pair);
}

ParameterizedTestParameters(transport_contract, a_message_of_too_many_frames_is_dropped_and_counted)
{
    return every_backend();
}

ParameterizedTest(const size_t *row, transport_contract,
                  a_message_of_too_many_frames_is_dropped_and_counted)
{
    pair_t pair;
    zmq_msg_t frames[TRP_FRAMES_MAX + 8];
    pair_init(&pair, &backends[*row], false);
    for (size_t i = 0; i < TRP_FRAMES_MAX + 8; i++) {
        zmq_msg_init(&frames[i]);
    }

    cr_assert_eq(pair.transport->send(pair.client, NULL, frames, TRP_FRAMES_MAX + 8), TRP_OK);
    cr_assert_eq(send_text(&pair, pair.client, NULL, "after"), TRP_OK);
    cr_assert(pump_until(&pair, pair.server, &pair.at_server.messages, 1));

    cr_expect_str_eq(pair.at_server.text, "after");
    cr_expect_eq(pair.transport->dropped(pair.server), 1);
    pair_fini(&pair);
}

ParameterizedTestParameters(transport_contract, an_endpoint_that_is_taken_is_named_with_advice)
{
    return tcp_backends();
}

ParameterizedTest(const size_t *row, transport_contract,
                  an_endpoint_that_is_taken_is_named_with_advice)
{
    pair_t pair;
    void *second = NULL;
    char error[256] = "";
    const trp_transport_options_t options = {.events = {on_frames, NULL, NULL}};
    pair_init(&pair, &backends[*row], false);
    const char *taken = pair.transport->endpoint(pair.server);

    const trp_status_t status = pair.transport->bind(pair.medium, taken, &options, &second, error);

    cr_expect_eq(status, TRP_EXISTS);
    cr_expect_not_null(strstr(error, taken), "%s", error);
    cr_expect_not_null(strstr(error, "another program"), "%s", error);
    pair_fini(&pair);
}

ParameterizedTestParameters(transport_contract, an_endpoint_that_is_none_is_invalid)
{
    return every_backend();
}

ParameterizedTest(const size_t *row, transport_contract, an_endpoint_that_is_none_is_invalid)
{
    const trp_transport_t *transport = backends[*row].transport;
    void *medium = NULL;
    void *socket = NULL;
    char error[256] = "";
    const trp_transport_options_t options = {.events = {on_frames, NULL, NULL}};
    cr_assert_eq(transport->open(ground(transport), &medium), TRP_OK);

    const trp_status_t status = transport->bind(medium, "nonsense", &options, &socket, error);

    cr_expect_eq(status, TRP_INVALID, "%s", error);
    transport->shut(&medium);
    free_ground(transport);
}
