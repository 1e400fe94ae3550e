/* SPDX-License-Identifier: MIT */
/* Bytes to messages: whole, in any pieces, and what is no ZMTP at all. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/transport/zmtp_in.h"

#define STREAM_MAX 32768
#define FRAME_MAX  16384

/* What a peer says, and what came of it. */
static uint8_t stream[STREAM_MAX];
static size_t length;
static unsigned opened, messages, pings, frames_seen;
static size_t bytes_seen;
static bool is_broken;
static zmtp_in_t in;

static void add(const void *bytes, size_t size)
{
    cr_assert_leq(length + size, sizeof(stream));
    memcpy(stream + length, bytes, size);
    length += size;
}

static void add_greeting(void)
{
    zmtp_greeting(stream + length);
    length += ZMTP_GREETING_SIZE;
}

static void add_ready(const char *type, const trp_peer_t *self)
{
    length += zmtp_write_ready(stream + length, type, self);
}

static void add_frame(uint8_t flags, size_t size)
{
    uint8_t header[ZMTP_HEADER_MAX];
    add(header, zmtp_write_header(header, flags, size));
    memset(stream + length, 'x', size);
    length += size;
}

static void add_command(const char *body, size_t size)
{
    uint8_t header[ZMTP_HEADER_MAX];
    add(header, zmtp_write_header(header, ZMTP_COMMAND, size));
    add(body, size);
}

static void begin(void)
{
    static const trp_peer_t self = {.size = 3, .id = "abc"};
    length = 0;
    add_greeting();
    add_ready("DEALER", &self);
}

static void note(zmtp_event_t event)
{
    opened += event == ZMTP_IN_OPEN;
    pings += event == ZMTP_IN_PING;
    is_broken |= event == ZMTP_IN_BROKEN;
    if (event == ZMTP_IN_MESSAGE) {
        messages++;
        frames_seen += (unsigned)in.count;
        for (size_t i = 0; i < in.count; i++) {
            bytes_seen += zmq_msg_size(&in.frames[i]);
        }
        zmtp_in_clear(&in);
    }
}

/* In pieces of `piece` bytes, large bodies received in place. */
static void take_all(size_t piece)
{
    opened = messages = pings = frames_seen = 0;
    bytes_seen = 0;
    is_broken = false;
    zmtp_in_init(&in, "DEALER", FRAME_MAX);
    for (size_t at = 0; at < length && !is_broken;) {
        size_t room = 0;
        size_t size = length - at < piece ? length - at : piece;
        uint8_t *body = zmtp_in_room(&in, &room);
        if (body != NULL) {
            size = size < room ? size : room;
            memcpy(body, stream + at, size);
            note(zmtp_in_filled(&in, size));
            at += size;
            continue;
        }
        for (size_t taken = 0, used; taken < size && !is_broken; taken += used) {
            note(zmtp_in_take(&in, stream + at + taken, size - taken, &used));
        }
        at += size;
    }
}

Test(zmtp_in, messages_are_the_same_in_pieces_of_any_size)
{
    begin();
    add_frame(0, 0);
    add_frame(ZMTP_MORE, 5);
    add_frame(ZMTP_MORE, 255);
    add_frame(0, 256);
    add_frame(0, 12000);
    add_command("\4PING\0\0hi", 9);
    add_frame(0, 1);

    for (size_t piece = 1; piece < 600; piece++) {
        take_all(piece);
        cr_expect_not(is_broken, "pieces of %zu", piece);
        cr_expect_eq(opened, 1);
        cr_expect_eq(messages, 4, "pieces of %zu: %u", piece, messages);
        cr_expect_eq(frames_seen, 6);
        cr_expect_eq(bytes_seen, 5 + 255 + 256 + 12000 + 1);
        cr_expect_eq(pings, 1);
        cr_expect_eq(in.pong_size, 2 + 5 + 2);
        cr_expect_arr_eq(in.pong, "\4\7\4PONGhi", 9);
        cr_expect_eq(in.peer.size, 3);
        cr_expect_arr_eq(in.peer.id, "abc", 3);
        zmtp_in_fini(&in);
    }
}

Test(zmtp_in, a_stream_that_ends_anywhere_gives_its_whole_messages_only)
{
    begin();
    const size_t start = length;
    add_frame(ZMTP_MORE, 10);
    add_frame(0, 10);
    const size_t whole = length;
    for (length = start; length < whole; length++) {
        take_all(whole);
        cr_expect_eq(messages, 0);
        zmtp_in_fini(&in);
    }
    take_all(whole);
    cr_expect_eq(messages, 1);
    zmtp_in_fini(&in);
}

static void expect_broken(const char *why)
{
    take_all(STREAM_MAX);
    cr_expect(is_broken, "%s", why);
    zmtp_in_fini(&in);
}

Test(zmtp_in, what_is_no_zmtp_is_broken)
{
    length = 0;
    add("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\nUser-Agent: somebody\r\n\r\n", 71);
    expect_broken("another protocol");

    begin();
    memcpy(stream + 12, "CURVE", 5);
    expect_broken("keys");

    begin();
    stream[10] = 2;
    expect_broken("version 2");
}

Test(zmtp_in, frames_and_commands_out_of_place_are_broken)
{
    begin();
    add("\x08\x01x", 3);
    expect_broken("a flag that is none");

    begin();
    add("\x05\x01x", 3);
    expect_broken("a command with more");

    begin();
    add_ready("DEALER", NULL);
    expect_broken("ready twice");

    length = 0;
    add_greeting();
    add_frame(0, 4);
    expect_broken("a message before ready");

    length = 0;
    add_greeting();
    add_command("\4PING\0\0", 7);
    expect_broken("a ping before ready");

    length = 0;
    add_greeting();
    add_ready("SUB", NULL);
    expect_broken("a socket of another kind");

    length = 0;
    add_greeting();
    add_ready("DEALER", &(trp_peer_t){.size = 2, .id = {0, 1}});
    expect_broken("an id that is for others to give");

    length = 0;
    add_greeting();
    add_command("\5READY\13Socket-Type\0\0\1\0DEALER", 28);
    expect_broken("a property that is longer than its command");

    begin();
    add_command("\5ERROR\0", 7);
    expect_broken("an error");

    begin();
    add_command("\4PING\0\0abcdefghijklmnopq", 24);
    expect_broken("a ping with too much to say");

    begin();
    add_frame(ZMTP_COMMAND, ZMTP_COMMAND_MAX + 1);
    expect_broken("a long command");

    begin();
    add_frame(0, FRAME_MAX + 1);
    expect_broken("a frame over its limit");

    begin();
    add("\2\xff\xff\xff\xff\xff\xff\xff\xff", 9);
    expect_broken("a frame without end");
}

Test(zmtp_in, unknown_commands_and_properties_are_passed_over)
{
    length = 0;
    add_greeting();
    add_command("\5READY\13Socket-Type\0\0\0\6DEALER\3X-Y\0\0\0\2zz", 38);
    add_command("\4SOME", 5);
    add_frame(0, 1);
    take_all(STREAM_MAX);
    cr_expect_not(is_broken);
    cr_expect_eq(messages, 1);
    cr_expect_eq(in.peer.size, 0);
    zmtp_in_fini(&in);
}

Test(zmtp_in, garbage_never_does_harm)
{
    srand(7);
    for (int round = 0; round < 20000; round++) {
        begin();
        if (round % 2 == 0) { /* else from the greeting on */
            for (int i = 0; i < 4; i++) {
                add_frame(rand() % 2 == 0 ? ZMTP_MORE : 0, (size_t)(rand() % 300));
            }
        }
        for (int changes = 1 + rand() % 8; changes > 0; changes--) {
            stream[(size_t)rand() % length] = (uint8_t)rand();
        }
        take_all(1 + (size_t)(rand() % 400));
        zmtp_in_fini(&in);
    }
}
