/* SPDX-License-Identifier: MIT */
/* What transport_zmtp is beyond the contract of all transports: a ZeroMQ peer to others, and hard
 * to disturb. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/transport/transport_zmtp.h"
#include "runtime/transport/zmtp.h"

#define WAIT_MS 5000
#define LARGE   (3 << 20)
#define NUMBERS 20000

static const trp_transport_t *const transport = &transport_zmtp;
static void *medium, *server;
static char path[64], endpoint[80];
static unsigned messages, downs, next_number;
static size_t last_count, last_size;
static trp_peer_t last_peer;
static bool is_tracking;

static void on_frames(void *user, const trp_peer_t *peer, zmq_msg_t *frames, size_t count)
{
    (void)user;
    messages++;
    last_count = count;
    last_size = zmq_msg_size(&frames[count - 1]);
    last_peer = *peer;
    if (last_size == sizeof(unsigned)) {
        unsigned number;
        memcpy(&number, zmq_msg_data(&frames[count - 1]), sizeof(number));
        cr_assert_eq(number, next_number);
        next_number++;
    }
    if (is_tracking) {
        cr_assert_eq(transport->track(server, peer, &frames[0]), TRP_OK);
    }
}

static void on_down(void *user, const trp_peer_t *peer)
{
    (void)user;
    (void)peer;
    downs++;
}

static void open_server(void)
{
    char error[256];
    snprintf(path, sizeof(path), "/tmp/troupe-zmtp-%d", (int)getpid());
    snprintf(endpoint, sizeof(endpoint), "ipc://%s", path);
    const trp_transport_options_t options = {
        .mode = 0600, .message_max = LARGE, .events = {on_frames, on_down, NULL}};
    cr_assert_eq(transport->open(NULL, &medium), TRP_OK);
    cr_assert_eq(transport->bind(medium, endpoint, &options, &server, error), TRP_OK, "%s", error);
}

static void close_server(void)
{
    transport->close(&server);
    transport->shut(&medium);
}

static bool is_readable(void *socket, int wait_ms)
{
    int descriptors[2];
    cr_assert_eq(transport->descriptors(socket, descriptors), 1);
    struct pollfd polled = {descriptors[0], POLLIN, 0};
    return poll(&polled, 1, wait_ms) == 1;
}

static void pump(void *socket)
{
    int descriptors[2];
    (void)transport->descriptors(socket, descriptors);
    while (transport->pump(socket, 16, descriptors[0]) >= 16) {
    }
}

static bool pump_until(const unsigned *count, unsigned wanted)
{
    while (*count < wanted && is_readable(server, WAIT_MS)) {
        pump(server);
    }
    return *count >= wanted;
}

static int connect_raw(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_geq(descriptor, 0);
    cr_assert_eq(connect(descriptor, (const struct sockaddr *)&address, sizeof(address)), 0);
    return descriptor;
}

static bool is_closed(int descriptor)
{
    char bytes[256];
    struct pollfd polled = {descriptor, POLLIN, 0};
    while (poll(&polled, 1, 0) == 1) {
        if (recv(descriptor, bytes, sizeof(bytes), MSG_DONTWAIT) <= 0) {
            return true;
        }
    }
    return false;
}

/* ---- libzmq at the other end ---- */

typedef struct foreign {
    void *context, *socket;
} foreign_t;

static foreign_t foreign_open(const char *id)
{
    foreign_t foreign = {.context = zmq_ctx_new()};
    foreign.socket = zmq_socket(foreign.context, ZMQ_DEALER);
    const int wait = WAIT_MS, linger = 0, heartbeat = 20;
    cr_assert_eq(zmq_setsockopt(foreign.socket, ZMQ_RCVTIMEO, &wait, sizeof(wait)), 0);
    cr_assert_eq(zmq_setsockopt(foreign.socket, ZMQ_LINGER, &linger, sizeof(linger)), 0);
    cr_assert_eq(zmq_setsockopt(foreign.socket, ZMQ_HEARTBEAT_IVL, &heartbeat, sizeof(heartbeat)),
                 0);
    if (id != NULL) {
        cr_assert_eq(zmq_setsockopt(foreign.socket, ZMQ_ROUTING_ID, id, strlen(id)), 0);
    }
    cr_assert_eq(zmq_connect(foreign.socket, endpoint), 0);
    return foreign;
}

static void foreign_close(foreign_t *foreign)
{
    (void)zmq_close(foreign->socket);
    (void)zmq_ctx_term(foreign->context);
}

static void answer(size_t size)
{
    zmq_msg_t frames[2];
    zmq_msg_init_size(&frames[0], 3);
    memcpy(zmq_msg_data(&frames[0]), "two", 3);
    zmq_msg_init_size(&frames[1], size);
    memset(zmq_msg_data(&frames[1]), 'y', size);
    cr_assert_eq(transport->send(server, &last_peer, frames, 2), TRP_OK);
    cr_expect_eq(zmq_msg_size(&frames[1]), 0, "it was moved");
    zmq_msg_close(&frames[0]);
    zmq_msg_close(&frames[1]);
}

/* What could not be sent at once goes when the server is pumped. */
static void expect_answer(const foreign_t *foreign, size_t size)
{
    zmq_pollitem_t item = {foreign->socket, 0, ZMQ_POLLIN, 0};
    while (zmq_poll(&item, 1, 0) == 0 && is_readable(server, WAIT_MS)) {
        pump(server);
    }
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    cr_assert_eq(zmq_msg_recv(&frame, foreign->socket, 0), 3);
    cr_assert(zmq_msg_more(&frame));
    cr_assert_eq(zmq_msg_recv(&frame, foreign->socket, 0), (int)size);
    cr_assert_not(zmq_msg_more(&frame));
    zmq_msg_close(&frame);
}

Test(transport_zmtp, a_dealer_of_libzmq_talks_to_it)
{
    static char large[LARGE];
    open_server();
    foreign_t foreign = foreign_open("foreign");
    const size_t sizes[] = {0, 1, 255, 256, 5000, 70000, LARGE};

    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        cr_assert_eq(zmq_send(foreign.socket, "first", 5, ZMQ_SNDMORE), 5);
        cr_assert_eq(zmq_send(foreign.socket, large, sizes[i], 0), (int)sizes[i]);
        cr_assert(pump_until(&messages, i + 1));
        cr_expect_eq(last_count, 2);
        cr_expect_eq(last_size, sizes[i]);
        cr_expect_eq(last_peer.size, 7);
        answer(sizes[i]);
        expect_answer(&foreign, sizes[i]);
    }
    foreign_close(&foreign);
    close_server();
}

/* It closes a connection on which its pings are not answered, and would come under another name. */
Test(transport_zmtp, heartbeats_of_libzmq_are_answered_and_one_without_a_name_gets_one)
{
    open_server();
    foreign_t foreign = foreign_open(NULL);
    cr_assert_eq(zmq_send(foreign.socket, "a", 1, 0), 1);
    cr_assert(pump_until(&messages, 1));
    const trp_peer_t first = last_peer;
    cr_expect_eq(first.size, 5);

    for (int pings = 0; pings < 20; pings++) { /* nothing else is readable */
        cr_assert(is_readable(server, WAIT_MS));
        pump(server);
    }
    cr_assert_eq(zmq_send(foreign.socket, "b", 1, 0), 1);
    cr_assert(pump_until(&messages, 2));

    cr_expect_eq(last_peer.size, 5);
    cr_expect_arr_eq(last_peer.id, first.id, 5);
    foreign_close(&foreign);
    close_server();
}

/* ---- those who disturb ---- */

static void *connect_client(const char *id, int queue_max)
{
    void *client = NULL;
    char error[256];
    trp_peer_t self = {.size = (uint8_t)strlen(id)};
    memcpy(self.id, id, strlen(id));
    const trp_transport_options_t options = {.self = &self,
                                             .queue_max = queue_max,
                                             .linger_ms = WAIT_MS,
                                             .events = {on_frames, on_down, NULL}};
    cr_assert_eq(transport->connect(medium, endpoint, &options, &client, error), TRP_OK, "%s",
                 error);
    return client;
}

static trp_status_t send_bytes(void *client, const void *bytes, size_t size)
{
    zmq_msg_t frame;
    zmq_msg_init_size(&frame, size);
    memcpy(zmq_msg_data(&frame), bytes, size);
    const trp_status_t status = transport->send(client, NULL, &frame, 1);
    zmq_msg_close(&frame);
    return status;
}

Test(transport_zmtp, garbage_ends_only_its_connection_and_is_counted)
{
    open_server();
    void *client = connect_client("good", 0);
    static const char garbage[] = "GET / HTTP/1.1\r\n\r\n";
    const int raw = connect_raw();
    cr_assert_eq(send(raw, garbage, strlen(garbage), 0), (ssize_t)strlen(garbage));
    cr_assert_eq(send_bytes(client, "x", 1), TRP_OK);

    cr_assert(pump_until(&messages, 1));
    while (!is_closed(raw)) {
        cr_assert(is_readable(server, WAIT_MS));
        pump(server);
    }

    cr_expect_eq(transport->dropped(server), 1);
    (void)close(raw);
    transport->close(&client);
    close_server();
}

Test(transport_zmtp, those_that_connect_and_say_nothing_do_not_keep_others_out)
{
    int silent[300];
    open_server();
    void *known = connect_client("known", 0);
    cr_assert_eq(send_bytes(known, "x", 1), TRP_OK);
    cr_assert(pump_until(&messages, 1));
    for (int i = 0; i < 300; i++) {
        silent[i] = connect_raw();
        pump(server);
    }

    void *late = connect_client("late", 0);
    cr_assert_eq(send_bytes(late, "x", 1), TRP_OK);
    cr_assert_eq(send_bytes(known, "x", 1), TRP_OK);
    cr_assert(pump_until(&messages, 3));

    cr_expect(is_closed(silent[0]), "the oldest one");
    cr_expect_not(is_closed(silent[299]));
    cr_expect_eq(transport->dropped(server), 300 + 1 - 128);
    for (int i = 0; i < 300; i++) {
        (void)close(silent[i]);
    }
    transport->close(&known);
    transport->close(&late);
    close_server();
}

Test(transport_zmtp, a_second_one_of_the_same_name_is_refused)
{
    open_server();
    void *first = connect_client("same", 0);
    cr_assert_eq(send_bytes(first, "x", 1), TRP_OK);
    cr_assert(pump_until(&messages, 1));

    void *second = connect_client("same", 0);
    (void)!send_bytes(second, "y", 1);
    while (transport->dropped(server) == 0) {
        cr_assert(is_readable(server, WAIT_MS));
        pump(server);
    }
    cr_assert_eq(send_bytes(first, "x", 1), TRP_OK);
    cr_assert(pump_until(&messages, 2));

    while (downs == 0 && is_readable(second, WAIT_MS)) {
        pump(second);
    }
    cr_expect_eq(downs, 1, "it knows");
    transport->close(&first);
    transport->close(&second);
    close_server();
}

/* Ten times what a socket holds, and nobody reads. */
Test(transport_zmtp, what_a_slow_reader_has_not_taken_waits_up_to_the_bound_and_comes_in_order)
{
    open_server();
    void *client = connect_client("fast", NUMBERS / 2);
    unsigned sent = 0;
    trp_status_t status = TRP_OK;
    for (; sent < NUMBERS && status == TRP_OK; sent += status == TRP_OK ? 1 : 0) {
        status = send_bytes(client, &sent, sizeof(sent));
    }
    cr_assert_eq(status, TRP_BUSY);
    cr_assert_gt(sent, NUMBERS / 2);

    while (next_number < sent) {
        cr_assert(is_readable(server, WAIT_MS));
        pump(server);
        pump(client);
    }
    cr_expect_eq(send_bytes(client, &sent, sizeof(sent)), TRP_OK);
    cr_expect(pump_until(&messages, sent + 1));
    transport->close(&client);
    close_server();
}

Test(transport_zmtp, a_message_that_was_cut_off_is_none)
{
    uint8_t bytes[ZMTP_GREETING_SIZE + ZMTP_READY_MAX + 16];
    static const trp_peer_t self = {.size = 3, .id = "cut"};
    open_server();
    is_tracking = true;
    zmtp_greeting(bytes);
    size_t size = ZMTP_GREETING_SIZE;
    size += zmtp_write_ready(bytes + size, "DEALER", &self);
    memcpy(bytes + size, "\0\3one\0\7tw", 9);
    const int raw = connect_raw();
    cr_assert_eq(send(raw, bytes, size + 9, 0), (ssize_t)(size + 9));
    cr_assert(pump_until(&messages, 1));
    (void)close(raw);

    cr_assert(pump_until(&downs, 1));

    cr_expect_eq(messages, 1);
    close_server();
}

Test(transport_zmtp, who_comes_when_no_descriptor_is_left_is_turned_away_without_a_storm)
{
    struct rlimit limit;
    open_server();
    const int waiting = connect_raw();
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    const int used = dup(0);
    (void)close(used);
    const rlim_t soft = limit.rlim_cur;
    limit.rlim_cur = (rlim_t)used; /* the next one to be given */
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);

    pump(server);
    const bool is_calm = !is_readable(server, 0);
    limit.rlim_cur = soft;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);

    cr_expect(is_calm);
    cr_expect(is_closed(waiting));
    void *client = connect_client("later", 0);
    cr_assert_eq(send_bytes(client, "x", 1), TRP_OK);
    cr_expect(pump_until(&messages, 1));
    (void)close(waiting);
    transport->close(&client);
    close_server();
}

Test(transport_zmtp, nobody_who_listens_is_an_end_and_no_error)
{
    open_server();
    transport->close(&server);
    void *client = connect_client("alone", 0);

    (void)transport->pump(client, 16, -1);

    cr_expect_eq(downs, 1);
    cr_expect_eq(send_bytes(client, "x", 1), TRP_GONE);
    transport->close(&client);
    transport->shut(&medium);
}
