/* SPDX-License-Identifier: MIT */
#include "actors/router/base/majordomo.h"

#include <criterion/criterion.h>
#include <string.h>

#define FRAMES_MAX 8

/* A message made of literal frames; "" ends nothing: the count says. */
typedef struct message {
    zmq_msg_t frames[FRAMES_MAX];
    size_t count;
} message_t;

static void add(message_t *message, const void *data, size_t size)
{
    zmq_msg_t *frame = &message->frames[message->count++];
    zmq_msg_init_size(frame, size);
    if (size > 0) {
        memcpy(zmq_msg_data(frame), data, size);
    }
}

static void add_text(message_t *message, const char *text)
{
    add(message, text, strlen(text));
}

static void close_all(message_t *message)
{
    for (size_t i = 0; i < message->count; i++) {
        zmq_msg_close(&message->frames[i]);
    }
    message->count = 0;
}

static bool frame_is(zmq_msg_t *frame, const void *data, size_t size)
{
    return zmq_msg_size(frame) == size && memcmp(zmq_msg_data(frame), data, size) == 0;
}

Test(majordomo, version_01_request_is_read)
{
    message_t message = {.count = 0};
    majordomo_message_t parsed;
    add_text(&message, "");
    add_text(&message, "MDPC01");
    add_text(&message, "code_parse");
    add_text(&message, "{}");

    majordomo_kind_t kind = majordomo_parse(message.frames, message.count, &parsed);

    cr_assert_eq(kind, MAJORDOMO_REQUEST);
    cr_assert_eq(parsed.request.version, MAJORDOMO_01);
    cr_assert_eq(parsed.request.service.size, 10u);
    cr_assert_eq(parsed.request.body_count, 1u);
    cr_assert_null(parsed.request.options);
    close_all(&message);
}

Test(majordomo, version_02_request_with_options_is_read)
{
    message_t message = {.count = 0};
    majordomo_message_t parsed;
    add_text(&message, "MDPC02");
    add_text(&message, "\x01");
    add_text(&message, "code_parse");
    add_text(&message, "TRP1\x80");
    add_text(&message, "{}");

    majordomo_kind_t kind = majordomo_parse(message.frames, message.count, &parsed);

    cr_assert_eq(kind, MAJORDOMO_REQUEST);
    cr_assert_eq(parsed.request.version, MAJORDOMO_02);
    cr_assert_eq(parsed.request.options_size, 1u);
    cr_assert_eq(parsed.request.body_count, 1u);
    cr_assert(frame_is(parsed.request.body, "{}", 2));
    close_all(&message);
}

Test(majordomo, request_without_a_body_is_still_a_request)
{
    message_t message = {.count = 0};
    majordomo_message_t parsed;
    add_text(&message, "");
    add_text(&message, "MDPC01");
    add_text(&message, "code_parse");

    majordomo_kind_t kind = majordomo_parse(message.frames, message.count, &parsed);

    cr_assert_eq(kind, MAJORDOMO_REQUEST);
    cr_assert_eq(parsed.request.body_count, 0u);
    close_all(&message);
}

/* Parses frames given as texts, NULL-terminated. */
static majordomo_kind_t kind_of(const char *const *texts)
{
    message_t message = {.count = 0};
    majordomo_message_t parsed;
    for (; *texts != NULL; texts++) {
        add_text(&message, *texts);
    }
    majordomo_kind_t kind = majordomo_parse(message.frames, message.count, &parsed);
    close_all(&message);
    return kind;
}

#define KIND(...) kind_of((const char *const[]){__VA_ARGS__, NULL})

Test(majordomo, what_fits_no_message_is_junk)
{
    cr_assert_eq(kind_of((const char *const[]){NULL}), MAJORDOMO_JUNK);
    cr_assert_eq(KIND(""), MAJORDOMO_JUNK);
    cr_assert_eq(KIND("", "MDPC01"), MAJORDOMO_JUNK);
    cr_assert_eq(KIND("", "MDPC09", "code_parse", "{}"), MAJORDOMO_JUNK);
    cr_assert_eq(KIND("MDPC01", "code_parse", "{}"), MAJORDOMO_JUNK);
    cr_assert_eq(KIND("MDPC02", "\x09", "code_parse", "{}"), MAJORDOMO_JUNK);
    cr_assert_eq(KIND("MDPC02", "\x01\x01", "code_parse", "{}"), MAJORDOMO_JUNK);
    cr_assert_eq(KIND("", "", "", ""), MAJORDOMO_JUNK);
}

Test(majordomo, service_names_of_bad_form_are_junk)
{
    char longest[257];
    memset(longest, 'a', sizeof(longest));
    longest[255] = '\0';
    cr_assert_eq(KIND("", "MDPC01", longest, "{}"), MAJORDOMO_REQUEST);
    longest[255] = 'a';
    longest[256] = '\0';

    cr_assert_eq(KIND("", "MDPC01", longest, "{}"), MAJORDOMO_JUNK);
    cr_assert_eq(KIND("", "MDPC01", "", "{}"), MAJORDOMO_JUNK);
    cr_assert_eq(KIND("", "MDPC01", "a\nb", "{}"), MAJORDOMO_JUNK);
    cr_assert_eq(KIND("", "MDPC01", "a\x7f", "{}"), MAJORDOMO_JUNK);
    cr_assert_eq(KIND("", "MDPC01", "a\xc2\x85", "{}"), MAJORDOMO_JUNK);
    cr_assert_eq(KIND("", "MDPC01", "a\xff", "{}"), MAJORDOMO_JUNK);
}

Test(majordomo, commands_of_workers_are_known_by_their_version)
{
    cr_assert_eq(KIND("", "MDPW01", "\x01", "echo"), MAJORDOMO_WORKER);
    cr_assert_eq(KIND("", "MDPW01", "\x04"), MAJORDOMO_WORKER);
    cr_assert_eq(KIND("", "MDPW01", "\x06"), MAJORDOMO_JUNK);
    cr_assert_eq(KIND("MDPW02", "\x01", "echo"), MAJORDOMO_WORKER);
    cr_assert_eq(KIND("MDPW02", "\x06"), MAJORDOMO_WORKER);
    cr_assert_eq(KIND("MDPW02", "\x01"), MAJORDOMO_JUNK);
}

/* Frame by frame, from a NULL-terminated list; the texts end at their NUL, "" is an empty frame. */
static majordomo_worker_t worker_of(message_t *message, const char *const *texts)
{
    majordomo_message_t parsed;
    for (; *texts != NULL; texts++) {
        add_text(message, *texts);
    }
    cr_assert_eq(majordomo_parse(message->frames, message->count, &parsed), MAJORDOMO_WORKER);
    return parsed.worker;
}

#define WORKER(message, ...) worker_of(message, (const char *const[]){__VA_ARGS__, NULL})

Test(majordomo, numbers_of_commands_differ_between_the_versions)
{
    static const char *const numbers[] = {"\x01", "\x02", "\x03", "\x04", "\x05", "\x06"};
    static const majordomo_command_t old[] = {MAJORDOMO_READY, MAJORDOMO_WORK, MAJORDOMO_FINAL,
                                              MAJORDOMO_HEARTBEAT, MAJORDOMO_DISCONNECT};
    for (size_t i = 0; i < 6; i++) {
        message_t first = {.count = 0}, second = {.count = 0};
        bool has_service = i == 0;
        bool has_body = i >= 1 && i <= 2;
        if (i < 5) {
            majordomo_worker_t worker =
                has_service ? WORKER(&first, "", "MDPW01", numbers[i], "echo")
                : has_body  ? WORKER(&first, "", "MDPW01", numbers[i], "who", "", "body")
                            : WORKER(&first, "", "MDPW01", numbers[i]);
            cr_assert_eq(worker.command, old[i]);
        }
        majordomo_worker_t worker = has_service ? WORKER(&second, "MDPW02", numbers[i], "echo")
                                    : i <= 3
                                        ? WORKER(&second, "MDPW02", numbers[i], "who", "", "body")
                                        : WORKER(&second, "MDPW02", numbers[i]);
        cr_assert_eq(worker.command, (majordomo_command_t)i);
        close_all(&first);
        close_all(&second);
    }
}

Test(majordomo, answer_of_a_worker_has_address_and_body)
{
    message_t message = {.count = 0};

    majordomo_worker_t worker = WORKER(&message, "MDPW02", "\x04", "who", "", "one", "two");

    cr_assert_eq(worker.address.size, 3);
    cr_assert_eq(worker.body_count, 2);
    cr_assert(frame_is(&worker.body[1], "two", 3));
    close_all(&message);
}

Test(majordomo, answers_without_address_or_body_are_junk)
{
    cr_assert_eq(KIND("MDPW02", "\x04"), MAJORDOMO_JUNK);
    cr_assert_eq(KIND("MDPW02", "\x04", "who"), MAJORDOMO_JUNK);
    cr_assert_eq(KIND("MDPW02", "\x04", "who", ""), MAJORDOMO_JUNK);
    cr_assert_eq(KIND("MDPW02", "\x04", "who", "x", "body"), MAJORDOMO_JUNK);
    cr_assert_eq(KIND("", "MDPW01", "\x03", "who", ""), MAJORDOMO_JUNK);
    cr_assert_eq(KIND("MDPW02", "\x01", "a\nb"), MAJORDOMO_JUNK);
    cr_assert_eq(KIND("MDPW02", "\x05", "more"), MAJORDOMO_JUNK);
}

Test(majordomo, order_to_a_worker_is_read_back)
{
    for (int version = 0; version <= 1; version++) {
        message_t message = {.count = 0};
        majordomo_message_t parsed;
        message.count = majordomo_order((majordomo_version_t)version, MAJORDOMO_WORK,
                                        &(trp_text_t){"who", 3}, message.frames);
        add_text(&message, "body");

        majordomo_kind_t kind = majordomo_parse(message.frames, message.count, &parsed);

        cr_assert_eq(kind, MAJORDOMO_WORKER);
        cr_assert_eq((int)parsed.worker.version, version);
        cr_assert_eq(parsed.worker.command, MAJORDOMO_WORK);
        cr_assert_eq(parsed.worker.body_count, 1);
        close_all(&message);
    }
}

Test(majordomo, reply_of_version_01_has_the_frames_of_rfc_7)
{
    message_t reply = {.count = 0};
    zmq_msg_t body;
    zmq_msg_init_size(&body, 2);
    memcpy(zmq_msg_data(&body), "{}", 2);
    majordomo_reply_t about = {.version = MAJORDOMO_01, .service = {"echo", 4}};

    reply.count = majordomo_compose(&about, &body, reply.frames);

    cr_assert_eq(reply.count, 4u);
    cr_assert(frame_is(&reply.frames[0], "", 0));
    cr_assert(frame_is(&reply.frames[1], "MDPC01", 6));
    cr_assert(frame_is(&reply.frames[2], "echo", 4));
    cr_assert(frame_is(&reply.frames[3], "{}", 2));
    close_all(&reply);
}

Test(majordomo, reply_of_version_02_echoes_the_id)
{
    message_t reply = {.count = 0};
    zmq_msg_t body;
    zmq_msg_init(&body);
    majordomo_reply_t about = {
        .version = MAJORDOMO_02, .service = {"echo", 4}, .has_options = true, .id = {"q7", 2}};

    reply.count = majordomo_compose(&about, &body, reply.frames);

    cr_assert_eq(reply.count, 5u);
    cr_assert(frame_is(&reply.frames[0], "MDPC02", 6));
    cr_assert(frame_is(&reply.frames[1], "\x03", 1));
    cr_assert(frame_is(&reply.frames[2], "echo", 4));
    cr_assert(frame_is(&reply.frames[3], "TRP1\x81\xa2id\xa2q7", 11));
    close_all(&reply);
}

Test(majordomo, random_frames_are_parsed_without_harm)
{
    uint64_t random = 1;
    for (int round = 0; round < 20000; round++) {
        message_t message = {.count = 0};
        majordomo_message_t parsed;
        random = random * 6364136223846793005u + 1442695040888963407u;
        size_t frames = (random >> 33) % FRAMES_MAX;
        for (size_t i = 0; i < frames; i++) {
            static const char *const pieces[] = {"",       "MDPC01",  "MDPC02", "MDPW01",
                                                 "MDPW02", "\x01",    "\x04",   "code_parse",
                                                 "TRP1",   "\xff\xc2"};
            random = random * 6364136223846793005u + 1442695040888963407u;
            add_text(&message, pieces[(random >> 33) % 10]);
        }

        majordomo_kind_t kind = majordomo_parse(message.frames, message.count, &parsed);

        cr_assert(kind != MAJORDOMO_REQUEST ||
                  (parsed.request.service.size > 0 && message.count >= 3));
        close_all(&message);
    }
}
