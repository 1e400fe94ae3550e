/* SPDX-License-Identifier: MIT */
/* A client of tools against a ROUTER that says what a node says, or what it should not. One thread:
 * the client is given a turn whenever the other side waits. */
#include "runtime/tools.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

#include "messages/codec.h"
#include "runtime/base/host.h"

#define LIMIT_NS   INT64_C(20000000000)
#define FRAMES_MAX 16

typedef struct frame {
    char data[2048];
    size_t size;
} frame_t;

/* The other side, and the client. */
typedef struct fixture {
    void *context, *router;
    char endpoint[64];
    trp_tools_t *tools;
    frame_t frames[FRAMES_MAX]; /* of the message that came last: identity, then the rest */
    size_t count;
} fixture_t;

static fixture_t it;

static int64_t now_ns(void)
{
    return host_os.now_ns(host_os.user);
}

static void listen_at(const char *endpoint)
{
    size_t size = sizeof(it.endpoint);
    int linger_ms = 0;
    it.router = zmq_socket(it.context, ZMQ_ROUTER);
    cr_assert_not_null(it.router);
    zmq_setsockopt(it.router, ZMQ_LINGER, &linger_ms, sizeof(linger_ms));
    const int64_t limit = now_ns() + LIMIT_NS;
    while (zmq_bind(it.router, endpoint) != 0) { /* the former one still lets go of it */
        cr_assert_lt(now_ns(), limit, "%s", zmq_strerror(zmq_errno()));
        poll(NULL, 0, 1);
    }
    cr_assert_eq(zmq_getsockopt(it.router, ZMQ_LAST_ENDPOINT, it.endpoint, &size), 0);
}

static void set_up(void)
{
    it = (fixture_t){.context = zmq_ctx_new()};
    listen_at("tcp://127.0.0.1:*");
    cr_assert_eq(trp_tools_open(it.endpoint, NULL, &it.tools), TRP_OK);
}

static void tear_down(void)
{
    trp_tools_close(&it.tools);
    if (it.router != NULL) {
        zmq_close(it.router);
    }
    zmq_ctx_term(it.context);
}

TestSuite(tools, .init = set_up, .fini = tear_down);

/* ---- the other side ---- */

static bool receive_now(void)
{
    bool more = true;
    for (it.count = 0; more; it.count++) {
        cr_assert_lt(it.count, FRAMES_MAX);
        zmq_msg_t frame;
        zmq_msg_init(&frame);
        if (zmq_msg_recv(&frame, it.router, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(&frame);
            return false;
        }
        frame_t *to = &it.frames[it.count];
        to->size = zmq_msg_size(&frame);
        cr_assert_lt(to->size, sizeof(to->data));
        memcpy(to->data, zmq_msg_data(&frame), to->size);
        to->data[to->size] = '\0';
        more = zmq_msg_more(&frame) != 0;
        zmq_msg_close(&frame);
    }
    return true;
}

/* The next message of the client, into it.frames. */
static void expect_message(void)
{
    const trp_tools_answer_t *answer;
    const int64_t limit = now_ns() + LIMIT_NS;
    while (!receive_now()) {
        cr_assert_eq(trp_tools_next(it.tools, UINT64_MAX, 1, &answer), TRP_NOT_FOUND);
        cr_assert_eq(trp_tools_next(it.tools, 0, 1, &answer), TRP_TIMEOUT);
        cr_assert_lt(now_ns(), limit, "no message of the client came");
    }
}

static void send_frames(const frame_t *frames, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        cr_assert_geq(
            zmq_send(it.router, frames[i].data, frames[i].size, i + 1 < count ? ZMQ_SNDMORE : 0),
            0);
    }
}

static frame_t text_frame(const char *text)
{
    frame_t frame = {.size = strlen(text)};
    memcpy(frame.data, text, frame.size);
    return frame;
}

/* Answers the message in it.frames: 2 PARTIAL, 3 FINAL; `id` of whose options frame. */
static void answer(int command, const char *id, const char *body)
{
    const frame_t frames[] = {
        it.frames[0], text_frame("MDPC02"), {.data = {(char)command}, .size = 1},
        it.frames[3], text_frame(id),       text_frame(body)};
    send_frames(frames, 6);
}

/* The options frame of an answer to the call of that number. */
static const char *id_of(uint64_t call)
{
    static char text[32];
    snprintf(text, sizeof(text), "TRP1\x81\xa2id\xa1%llu", (unsigned long long)call);
    return text;
}

/* ---- the client ---- */

static uint64_t start(const trp_tools_request_t *request)
{
    uint64_t call = 0;
    cr_assert_eq(trp_tools_start(it.tools, request, &call), TRP_OK);
    return call;
}

static uint64_t start_echo(void)
{
    return start(&(trp_tools_request_t){.tool = "echo", .body = "{}"});
}

static const trp_tools_answer_t *next(uint64_t call)
{
    const trp_tools_answer_t *got = NULL;
    cr_assert_eq(trp_tools_next(it.tools, call, 20000, &got), TRP_OK);
    cr_assert_not_null(got);
    return got;
}

static bool says(const trp_tools_answer_t *got, trp_tools_kind_t kind, const char *data)
{
    return got->kind == kind && got->size == strlen(data) &&
           memcmp(got->data, data, got->size) == 0;
}

static void expect_none(void)
{
    const trp_tools_answer_t *got;
    cr_assert_eq(trp_tools_next(it.tools, 0, 0, &got), TRP_NOT_FOUND);
}

static bool frame_is(size_t index, const char *text)
{
    return index < it.count && it.frames[index].size == strlen(text) &&
           memcmp(it.frames[index].data, text, strlen(text)) == 0;
}

/* A member of the options frame, as JSON; "": there is none. */
static const char *option(const char *name)
{
    static char text[256];
    trp_document_t document;
    trp_fault_t fault;
    char *json = NULL;
    size_t size = 0;
    text[0] = '\0';
    cr_assert_eq(memcmp(it.frames[4].data, "TRP1", 4), 0);
    cr_assert_eq(trp_document_init(&document, it.frames[4].data + 4, it.frames[4].size - 4, &fault),
                 TRP_OK);
    const msgpack_object *member = trp_member(&document.root, name);
    if (member != NULL && trp_json_from_object(member, &json, &size) == TRP_OK) {
        snprintf(text, sizeof(text), "%s", json);
        free(json);
    }
    trp_document_fini(&document);
    return text;
}

/* ---- tests ---- */

Test(tools, a_call_is_a_request_of_version_0_2_with_its_options)
{
    start(&(trp_tools_request_t){.tool = "echo",
                                 .body = "{\"a\":1}",
                                 .timeout_ms = 3000,
                                 .key = "k",
                                 .idem = "i",
                                 .has_priority = true,
                                 .priority = 9});

    expect_message();

    cr_assert_eq(it.count, 6);
    cr_assert(frame_is(1, "MDPC02") && frame_is(2, "\x01") && frame_is(3, "echo"));
    cr_assert(frame_is(5, "{\"a\":1}"));
    cr_assert_str_eq(option("id"), "\"1\"");
    cr_assert_str_eq(option("key"), "\"k\"");
    cr_assert_str_eq(option("idem"), "\"i\"");
    cr_assert_str_eq(option("priority"), "9");
    const long left_ms = strtol(option("deadline_ms"), NULL, 10);
    cr_assert(left_ms > 0 && left_ms <= 3000);
}

Test(tools, the_last_answer_is_the_result_and_then_there_is_none)
{
    const uint64_t call = start_echo();
    expect_message();

    answer(3, id_of(call), "{\"success\": true, \"result\": [1, 2]}");

    const trp_tools_answer_t *got = next(call);
    cr_assert(says(got, TRP_TOOLS_RESULT, "[1, 2]"));
    cr_assert_eq(got->call, call);
    cr_assert_eq(got->frame_count, 1);
    cr_assert_eq(trp_tools_next(it.tools, call, 0, &got), TRP_NOT_FOUND);
    expect_none();
}

Test(tools, partial_answers_come_in_order_before_the_last_one)
{
    const uint64_t call = start_echo();
    expect_message();

    answer(2, id_of(call), "one");
    answer(2, id_of(call), "two");
    answer(3, id_of(call), "{\"success\":true,\"result\":3}");

    cr_assert(says(next(call), TRP_TOOLS_PART, "one"));
    cr_assert(says(next(0), TRP_TOOLS_PART, "two"));
    cr_assert(says(next(call), TRP_TOOLS_RESULT, "3"));
    expect_none();
}

/* The options frame of an answer of that attempt to call 1; `parts` negative: not said. */
static const char *of_attempt(int attempt, int parts)
{
    static char text[64];
    snprintf(text, sizeof(text),
             "TRP1%c\xa2id\xa1"
             "1\xa7"
             "attempt%c",
             parts < 0 ? 0x82 : 0x83, attempt);
    if (parts >= 0) {
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "\xa5parts%c", parts);
    }
    return text;
}

static const trp_tools_answer_t *next_last(uint64_t call)
{
    const trp_tools_answer_t *got = next(call);
    while (got->kind == TRP_TOOLS_PART) {
        got = next(call);
    }
    return got;
}

Test(tools, partial_answers_of_the_last_attempt_that_were_lost_are_told)
{
    const uint64_t call =
        start(&(trp_tools_request_t){.tool = "echo", .body = "{}", .stream = true});
    expect_message();
    cr_assert_str_eq(option("stream"), "true");
    answer(2, of_attempt(1, -1), "one");
    answer(2, of_attempt(1, -1), "two");
    answer(2, of_attempt(2, -1), "one");
    cr_assert_eq(next(call)->attempt, 1);

    answer(3, of_attempt(2, 3), "{\"success\":true,\"result\":3}");

    const trp_tools_answer_t *got = next_last(call);
    cr_assert(says(got, TRP_TOOLS_RESULT, "3"));
    cr_assert_eq(got->lost, 2);
}

Test(tools, partial_answers_that_all_came_are_none_lost)
{
    const uint64_t call =
        start(&(trp_tools_request_t){.tool = "echo", .body = "{}", .stream = true});
    expect_message();
    answer(2, of_attempt(1, -1), "one");
    answer(2, of_attempt(1, -1), "two");

    answer(3, of_attempt(1, 2), "{\"success\":true,\"result\":3}");

    cr_assert_eq(next_last(call)->lost, 0);
}

Test(tools, a_count_of_partial_answers_that_is_none_is_not_counted)
{
    const char *const counts[] = {"\xa5parts\xc3", "\xa5parts\xff", "\xa5parts\xa1\x39",
                                  "\xa5parts\xcd\x01"};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        char options[64];
        const uint64_t call =
            start(&(trp_tools_request_t){.tool = "echo", .body = "{}", .stream = true});
        expect_message();
        snprintf(options, sizeof(options), "TRP1\x82\xa2id\xa1%llu%s", (unsigned long long)call,
                 counts[i]);

        answer(3, options, "{\"success\":true,\"result\":3}");

        cr_assert_eq(next(call)->lost, 0, "%zu", i);
    }
}

Test(tools, an_error_has_its_code_and_message_and_the_map)
{
    const uint64_t call = start_echo();
    expect_message();

    answer(3, id_of(call),
           "{\"success\":false,\"error\":{\"code\":\"E_BUSY\",\"message\":\"full\","
           "\"retry_after_ms\":9}}");

    const trp_tools_answer_t *got = next(call);
    cr_assert(says(got, TRP_TOOLS_ERROR,
                   "{\"code\":\"E_BUSY\",\"message\":\"full\",\"retry_after_ms\":9}"));
    cr_assert_str_eq(got->code, "E_BUSY");
    cr_assert_str_eq(got->message, "full");
    cr_assert_eq(got->retry_after_ms, 9);
}

Test(tools, calls_are_answered_in_any_order)
{
    const uint64_t first = start_echo(), second = start_echo();
    expect_message();
    expect_message();

    answer(3, id_of(second), "second");
    answer(3, id_of(first), "first");

    cr_assert(says(next(first), TRP_TOOLS_RESULT, "first"));
    cr_assert(says(next(0), TRP_TOOLS_RESULT, "second"));
    expect_none();
}

Test(tools, frames_of_foreign_tools_pass_as_they_are)
{
    const trp_tools_frame_t more[] = {{"\0\1", 2}, {"", 0}};
    const uint64_t call = start(&(trp_tools_request_t){
        .tool = "raw", .body = "\0x", .size = 2, .more = more, .more_count = 2});
    expect_message();
    cr_assert_eq(it.count, 8);
    cr_assert_eq(it.frames[5].size, 2);
    cr_assert_eq(it.frames[6].size, 2);
    cr_assert_eq(it.frames[7].size, 0);

    const frame_t frames[] = {it.frames[0],
                              text_frame("MDPC02"),
                              text_frame("\x03"),
                              it.frames[3],
                              text_frame(id_of(call)),
                              text_frame("{\"a\""),
                              {.data = {0}, .size = 2}};
    send_frames(frames, 7);

    const trp_tools_answer_t *got = next(call);
    cr_assert(says(got, TRP_TOOLS_RESULT, "{\"a\""));
    cr_assert_eq(got->frame_count, 2);
    cr_assert_eq(got->frames[1].size, 2);
}

Test(tools, a_cancelled_call_ends_at_once_and_the_node_is_told)
{
    const uint64_t call = start_echo();
    expect_message();
    answer(2, id_of(call), "part");
    cr_assert_eq(next(call)->kind, TRP_TOOLS_PART);

    cr_assert_eq(trp_tools_cancel(it.tools, call), TRP_OK);
    cr_assert_eq(trp_tools_cancel(it.tools, call), TRP_NOT_FOUND);

    cr_assert_str_eq(next(call)->code, "E_CANCELLED");
    start_echo();
    expect_message();
    cr_assert(frame_is(3, "mmi.cancel") && frame_is(4, "1"));
}

/* A port that refuses who connects, until it is closed. */
static int hold_port(char *endpoint, size_t size)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    const int held = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(held, (struct sockaddr *)&address, length), 0);
    cr_assert_eq(getsockname(held, (struct sockaddr *)&address, &length), 0);
    snprintf(endpoint, size, "tcp://127.0.0.1:%u", (unsigned)ntohs(address.sin_port));
    return held;
}

Test(tools, a_call_is_called_within_one_function)
{
    const trp_tools_request_t request = {.tool = "echo", .body = "{}", .timeout_ms = 50};
    const trp_tools_answer_t *got = NULL;

    const int held = hold_port(it.endpoint, sizeof(it.endpoint));
    trp_tools_close(&it.tools);
    cr_assert_eq(trp_tools_open(it.endpoint, NULL, &it.tools), TRP_OK);

    cr_assert_eq(trp_tools_call(it.tools, &request, &got), TRP_FAILED);
    cr_assert_str_eq(got->code, "E_NO_NODE");
    cr_assert_not_null(strstr(got->message, it.endpoint));
    expect_none();

    close(held);
}

Test(tools, a_node_that_does_not_answer_in_time_is_told)
{
    const uint64_t call =
        start(&(trp_tools_request_t){.tool = "echo", .body = "{}", .timeout_ms = 200});
    expect_message();

    cr_assert_str_eq(next(call)->code, "E_NO_ANSWER");

    const uint64_t later = start_echo();
    expect_message();
    cr_assert(frame_is(3, "mmi.cancel"));
    expect_message();
    answer(3, id_of(call), "late");
    answer(3, id_of(later), "now");
    cr_assert(says(next(0), TRP_TOOLS_RESULT, "now"));
    cr_assert_eq(trp_tools_unexpected(it.tools), 1);
}

/* The other side goes and comes again at the same address. */
static void come_again(void)
{
    char endpoint[sizeof(it.endpoint)];
    memcpy(endpoint, it.endpoint, sizeof(endpoint));
    zmq_close(it.router);
    listen_at(endpoint);
}

Test(tools, what_was_sent_once_fails_with_its_connection)
{
    const uint64_t call = start_echo();
    expect_message();

    come_again();

    cr_assert_str_eq(next(call)->code, "E_CONNECTION");
    const uint64_t later = start_echo();
    expect_message();
    cr_assert_str_eq(option("id"), "\"2\"");
    answer(3, id_of(later), "back");
    cr_assert(says(next(later), TRP_TOOLS_RESULT, "back"));
}

Test(tools, what_may_be_done_again_is_sent_again_under_its_key)
{
    char idem[129];
    const uint64_t call =
        start(&(trp_tools_request_t){.tool = "echo", .body = "{\"b\":2}", .retry = true});
    expect_message();
    snprintf(idem, sizeof(idem), "%s", option("idem"));
    cr_assert_eq(strlen(idem), 34);

    come_again();
    expect_message();

    cr_assert_str_eq(option("idem"), idem);
    cr_assert(frame_is(5, "{\"b\":2}"));
    answer(3, id_of(call), "done");
    cr_assert(says(next(call), TRP_TOOLS_RESULT, "done"));
}

Test(tools, a_call_to_a_busy_node_is_tried_again_where_it_may_be)
{
    const char *busy = "{\"success\":false,\"error\":{\"code\":\"E_BUSY\",\"message\":\"\","
                       "\"retry_after_ms\":1}}";
    const uint64_t call =
        start(&(trp_tools_request_t){.tool = "echo", .body = "{}", .retry = true});
    for (int i = 0; i < 3; i++) {
        expect_message();
        answer(3, id_of(call), busy);
    }
    expect_message();
    answer(3, id_of(call), "at last");

    cr_assert(says(next(call), TRP_TOOLS_RESULT, "at last"));
    expect_none();
}

Test(tools, a_plain_call_has_no_options_and_stands_alone)
{
    const trp_tools_request_t plain = {.tool = "raw", .body = "x", .plain = true};
    uint64_t other = 0;
    const uint64_t call = start(&plain);

    cr_assert_eq(trp_tools_start(it.tools, &plain, &other), TRP_STATE);
    expect_message();
    cr_assert_eq(it.count, 5);
    cr_assert(frame_is(4, "x"));
    const frame_t frames[] = {it.frames[0], text_frame("MDPC02"), text_frame("\x03"), it.frames[3],
                              text_frame("y")};
    send_frames(frames, 5);

    cr_assert(says(next(call), TRP_TOOLS_RESULT, "y"));
    start_echo();
    cr_assert_eq(trp_tools_start(it.tools, &plain, &other), TRP_STATE);
}

typedef struct hostile {
    const char *texts[8];
} hostile_t;

static const hostile_t hostile[] = {
    {{""}},
    {{"MDPC02"}},
    {{"MDPC02", "\x03"}},
    {{"MDPC02", "\x03", "echo"}},
    {{"MDPC02", "\x04", "echo",
      "TRP1\x81\xa2id\xa1"
      "1",
      "x"}},
    {{"MDPC02", "\x01", "echo",
      "TRP1\x81\xa2id\xa1"
      "1",
      "x"}},
    {{"MDPC01", "\x03", "echo",
      "TRP1\x81\xa2id\xa1"
      "1",
      "x"}},
    {{"", "MDPC01", "echo", "x"}},
    {{"MDPC02", "\x03\x03", "echo", "x", "x"}},
    {{"MDPC02", "\x03", "echo", "TRP1", "x"}},
    {{"MDPC02", "\x03", "echo", "TRP1\x81\xa2id", "x"}},
    {{"MDPC02", "\x03", "echo", "TRP1\x81\xa2id\xdb\xff\xff\xff\xff", "x"}},
    {{"MDPC02", "\x03", "echo", "TRP1\xdf\xff\xff\xff\xff", "x"}},
    {{"MDPC02", "\x03", "echo",
      "TRP1\x81\xa2id\xa1"
      "2",
      "x"}},
    {{"MDPC02", "\x03", "echo",
      "TRP1\x81\xa2id\xa2"
      "1x",
      "x"}},
    {{"MDPC02", "\x03", "echo", "{\"success\":true,\"result\":1}"}},
};

#define HOSTILE (sizeof(hostile) / sizeof(hostile[0]))

ParameterizedTestParameters(tools, what_is_no_answer_is_counted_and_ends_nothing)
{
    static size_t rows[HOSTILE];
    for (size_t i = 0; i < HOSTILE; i++) {
        rows[i] = i;
    }
    return cr_make_param_array(size_t, rows, HOSTILE);
}

ParameterizedTest(const size_t *row, tools, what_is_no_answer_is_counted_and_ends_nothing,
                  .init = set_up, .fini = tear_down)
{
    const hostile_t *message = &hostile[*row];
    frame_t frames[9];
    size_t count = 1;
    const uint64_t call = start_echo();
    expect_message();
    frames[0] = it.frames[0];
    for (size_t i = 0; i < 8 && message->texts[i] != NULL; i++) {
        frames[count++] = text_frame(message->texts[i]);
    }

    send_frames(frames, count);
    answer(3, id_of(call), "sound");

    cr_assert(says(next(0), TRP_TOOLS_RESULT, "sound"));
    cr_assert_eq(trp_tools_unexpected(it.tools), 1);
    expect_none();
}

Test(tools, a_message_of_many_frames_is_dropped_whole)
{
    const uint64_t call = start_echo();
    expect_message();
    zmq_send(it.router, it.frames[0].data, it.frames[0].size, ZMQ_SNDMORE);
    for (int i = 0; i < 10000; i++) {
        zmq_send(it.router, "x", 1, ZMQ_SNDMORE);
    }
    zmq_send(it.router, "x", 1, 0);
    answer(3, id_of(call), "sound");

    cr_assert(says(next(0), TRP_TOOLS_RESULT, "sound"));
    cr_assert_eq(trp_tools_unexpected(it.tools), 1);
}

Test(tools, a_request_out_of_bounds_is_refused)
{
    char name[300];
    uint64_t call = 0;
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    const trp_tools_request_t bad[] = {
        {.tool = NULL, .body = "{}"},          {.tool = "", .body = "{}"},
        {.tool = name, .body = "{}"},          {.tool = "a", .timeout_ms = -1},
        {.tool = "a", .timeout_ms = 86400001}, {.tool = "a", .key = name},
        {.tool = "a", .idem = name},           {.tool = "a", .has_priority = true, .priority = 10},
        {.tool = "a", .more_count = 100000},   {.tool = "a", .plain = true, .retry = true},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_expect_eq(trp_tools_start(it.tools, &bad[i], &call), TRP_INVALID, "%zu", i);
    }
    expect_none();
}

Test(tools, an_endpoint_or_a_key_that_is_none_is_refused)
{
    trp_tools_t *tools = NULL;
    const trp_tools_options_t half = {.server_key = "0123456789012345678901234567890123456789"};
    const trp_tools_options_t bad = {.server_key = "\"123456789012345678901234567890123456789",
                                     .public_key = "0123456789012345678901234567890123456789",
                                     .secret_key = "0123456789012345678901234567890123456789"};

    cr_assert_eq(trp_tools_open("nowhere", NULL, &tools), TRP_INVALID);
    cr_assert_eq(trp_tools_open(it.endpoint, &half, &tools), TRP_INVALID);
    cr_assert_eq(trp_tools_open(it.endpoint, &bad, &tools), TRP_INVALID);
    cr_assert_null(tools);
}

static void *second_thread(void *status)
{
    const trp_tools_answer_t *got;
    const int64_t limit = now_ns() + LIMIT_NS;
    do {
        *(trp_status_t *)status = trp_tools_next(it.tools, UINT64_MAX, 0, &got);
    } while (*(trp_status_t *)status != TRP_STATE && now_ns() < limit);
    return NULL;
}

Test(tools, a_second_thread_is_refused_while_one_is_in_a_call)
{
    const trp_tools_answer_t *got;
    pthread_t thread;
    trp_status_t status = TRP_OK;
    start_echo();
    cr_assert_eq(pthread_create(&thread, NULL, second_thread, &status), 0);

    for (int64_t limit = now_ns() + LIMIT_NS; now_ns() < limit;) {
        const trp_status_t here = trp_tools_next(it.tools, 0, 50, &got);
        if (here == TRP_TIMEOUT && pthread_tryjoin_np(thread, NULL) == 0) {
            break;
        }
    }

    cr_assert_eq(status, TRP_STATE);
}

static bool is_readable(int fd, int limit_ms)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};
    return poll(&one, 1, limit_ms) == 1;
}

Test(tools, its_descriptor_tells_when_to_look)
{
    const trp_tools_answer_t *got;
    const int fd = trp_tools_fd(it.tools);
    cr_assert_geq(fd, 0);
    cr_assert_eq(trp_tools_fd(it.tools), fd);
    const uint64_t call = start_echo();
    const int64_t limit = now_ns() + LIMIT_NS;
    while (!receive_now()) { /* nobody looks but when told that the connection is made */
        cr_assert_lt(now_ns(), limit);
        if (is_readable(fd, 1)) {
            cr_assert_eq(trp_tools_next(it.tools, 0, 0, &got), TRP_TIMEOUT);
        }
    }

    answer(3, id_of(call), "one");
    const uint64_t other =
        start(&(trp_tools_request_t){.tool = "echo", .body = "{}", .timeout_ms = 100});
    trp_status_t status = TRP_TIMEOUT;
    while (status == TRP_TIMEOUT) {
        cr_assert(is_readable(fd, 20000));
        status = trp_tools_next(it.tools, 0, 0, &got);
    }
    cr_assert(says(got, TRP_TOOLS_RESULT, "one"));

    while ((status = trp_tools_next(it.tools, other, 0, &got)) == TRP_TIMEOUT) {
        cr_assert(is_readable(fd, 20000)); /* its time is up */
    }
    cr_assert_str_eq(got->code, "E_NO_ANSWER");
    cr_assert_not(is_readable(fd, 0));
}

Test(tools, closing_forgets_calls_with_answers_that_nobody_took)
{
    const uint64_t call = start_echo();
    start_echo();
    expect_message();
    answer(2, id_of(call), "part");
    cr_assert(says(next(0), TRP_TOOLS_PART, "part"));
    answer(2, id_of(call), "part");
    answer(3, id_of(call), "end");
    cr_assert(says(next(0), TRP_TOOLS_PART, "part"));

    trp_tools_close(&it.tools);

    cr_assert_null(it.tools);
}

Test(tools, keys_are_read_from_the_file_of_keygen)
{
    char path[] = "/tmp/troupe-keys-XXXXXX";
    char public_key[TRP_TOOLS_KEY_SIZE], secret_key[TRP_TOOLS_KEY_SIZE];
    const char *text = "#   a comment\nmetadata\ncurve\n    public-key = "
                       "\"0123456789012345678901234567890123456789\"\n    secret-key = "
                       "\"abcdefghijabcdefghijabcdefghijabcdefghij\"\n";
    const int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));

    cr_expect_eq(trp_tools_read_keys(path, public_key, secret_key), TRP_OK);
    cr_expect_str_eq(public_key, "0123456789012345678901234567890123456789");
    cr_expect_str_eq(secret_key, "abcdefghijabcdefghijabcdefghijabcdefghij");

    cr_expect_eq(ftruncate(fd, 60), 0);
    cr_expect_eq(trp_tools_read_keys(path, public_key, secret_key), TRP_INVALID);
    unlink(path);
    close(fd);
    cr_expect_eq(trp_tools_read_keys(path, public_key, secret_key), TRP_NOT_FOUND);
}
