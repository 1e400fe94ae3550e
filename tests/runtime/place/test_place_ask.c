/* SPDX-License-Identifier: MIT */
/* What a worker may ask its node, and what it may not. */
#include "runtime/place/place_ask.h"

#include <string.h>

#include "tests/runtime/fixture.h"

#define FAR_NODE 0x70001u

static place_link_t link_up;
static link_answer_t answer;
static trp_pid_t answered_pid;
static int answers;

static trp_status_t take_answer(void *user, zmq_msg_t *frames, size_t count)
{
    (void)user;
    wire_reader_t reader;
    trp_document_t document;
    trp_fault_t fault;
    cr_assert_eq(wire_open(&reader, frames, count), TRP_OK);
    cr_assert_eq(reader.kind, WIRE_ANSWER);
    const trp_text_t body = {reader.body, reader.body_size};
    cr_assert_eq(trp_schema_unpack(&link_answer_schema, body, &document, &answer, &fault), TRP_OK);
    if (answer.pids.size >= sizeof(answered_pid)) {
        memcpy(&answered_pid, answer.pids.data, sizeof(answered_pid));
    }
    trp_document_fini(&document);
    answers++;
    return TRP_OK;
}

static void open_link(void)
{
    node_open(true);
    const channel_options_t options = {.role = CHANNEL_NODE, .send = take_answer};
    link_up = (place_link_t){.runtime = node, .node = FAR_NODE, .incarnation = 5};
    link_up.proxy = (trp_pid_t){7 << 16, 9, 1, 3};
    channel_init(&link_up.channel, &options);
    answers = 0;
    answered_pid = TRP_PID_NONE;
}

static void close_link(void)
{
    place_ask_leave_all(&link_up);
    place_ask_fini(&link_up);
    channel_fini(&link_up.channel);
    node_close();
}

TestSuite(place_ask, .init = open_link, .fini = close_link);

static const char *ask(link_question_t what, int64_t id, const char *name, trp_pid_t pid)
{
    char text[TRP_PID_TEXT_MAX];
    const link_ask_t question = {.id = id,
                                 .what = (int)what,
                                 .name = {name, strlen(name)},
                                 .has_pid = !trp_pid_is_none(pid),
                                 .pid = {text, strlen(trp_pid_format(pid, text))}};
    trp_writer_t writer;
    wire_reader_t reader = {.kind = WIRE_ASK};
    trp_writer_init(&writer);
    trp_schema_write(&link_ask_schema, &question, &writer);
    reader.body = trp_writer_data(&writer, &reader.body_size);
    const char *wrong = place_ask(&link_up, &reader);
    trp_writer_fini(&writer);
    return wrong;
}

static trp_pid_t far_pid(uint32_t slot)
{
    return (trp_pid_t){FAR_NODE, slot, 1, 5};
}

Test(place_ask, names_are_found)
{
    probe_t probe = {.count = 0};
    probe_spawn(&probe, &(trp_spawn_t){.name = "here"});
    node_settle();

    cr_expect_null(ask(LINK_WHEREIS, 1, "here", TRP_PID_NONE));
    cr_expect_eq(answer.count, 1);
    cr_expect(trp_pid_equal(answered_pid, probe.pid));
    cr_expect_null(ask(LINK_WHEREIS, 2, "nowhere", TRP_PID_NONE));

    cr_expect_eq(answer.count, 0);
    cr_expect_eq(answer.id, 2);
}

Test(place_ask, members_join_and_leave)
{
    cr_expect_null(ask(LINK_JOIN, 1, "g", far_pid(4)));
    cr_expect_eq(answer.status, TRP_OK);
    cr_expect_null(ask(LINK_JOIN, 2, "g", link_up.proxy));

    cr_expect_null(ask(LINK_MEMBERS, 3, "g", TRP_PID_NONE));
    cr_expect_eq(answer.count, 2);
    cr_expect_null(ask(LINK_LEAVE, 0, "", far_pid(4)));
    cr_expect_null(ask(LINK_MEMBERS, 4, "g", TRP_PID_NONE));

    cr_expect_eq(answer.count, 1);
    cr_expect(trp_pid_equal(answered_pid, link_up.proxy));
    cr_expect_eq(answers, 4, "id 0 wants no answer");
}

Test(place_ask, a_name_is_given_once_and_ends_with_the_link)
{
    cr_expect_null(ask(LINK_REGISTER, 1, "kid", far_pid(4)));
    cr_expect_eq(answer.status, TRP_OK);
    cr_expect_null(ask(LINK_REGISTER, 2, "kid", far_pid(5)));
    cr_expect_eq(answer.status, TRP_EXISTS);
    cr_expect_null(ask(LINK_REGISTER, 3, "other", far_pid(4)));
    cr_expect_eq(answer.status, TRP_EXISTS, "it has one");
    cr_expect(trp_pid_equal(runtime_whereis(node, "kid"), far_pid(4)));

    place_ask_leave_all(&link_up);

    cr_expect(trp_pid_is_none(runtime_whereis(node, "kid")));
}

Test(place_ask, a_name_is_given_back_by_its_owner_alone)
{
    probe_t probe = {.count = 0};
    probe_spawn(&probe, &(trp_spawn_t){.name = "here"});
    node_settle();
    cr_expect_null(ask(LINK_REGISTER, 1, "kid", far_pid(4)));

    cr_expect_null(ask(LINK_UNREGISTER, 0, "kid", far_pid(5)));
    cr_expect_null(ask(LINK_UNREGISTER, 0, "here", far_pid(4)));
    cr_expect_not_null(ask(LINK_REGISTER, 2, "stranger", probe.pid), "not behind the link");

    cr_expect(trp_pid_equal(runtime_whereis(node, "kid"), far_pid(4)));
    cr_expect(trp_pid_equal(runtime_whereis(node, "here"), probe.pid));
    cr_expect_null(ask(LINK_UNREGISTER, 0, "kid", far_pid(4)));
    cr_expect(trp_pid_is_none(runtime_whereis(node, "kid")));
}

static const char *tell(const char *pid, bool is_whole)
{
    const link_ask_t message = {.id = 1,
                                .what = LINK_TELL,
                                .name = {"", 0},
                                .has_pid = true,
                                .pid = {pid, strlen(pid)},
                                .has_tag = true,
                                .tag = 0x1234,
                                .has_data = is_whole,
                                .data = {"now", 3}};
    trp_writer_t writer;
    wire_reader_t reader = {.kind = WIRE_ASK};
    trp_writer_init(&writer);
    trp_schema_write(&link_ask_schema, &message, &writer);
    reader.body = trp_writer_data(&writer, &reader.body_size);
    const char *wrong = place_ask(&link_up, &reader);
    trp_writer_fini(&writer);
    return wrong;
}

Test(place_ask, a_message_that_is_told_arrives_as_the_actors_own)
{
    char text[TRP_PID_TEXT_MAX];
    probe_t probe = {.count = 0};
    probe_spawn(&probe, &(trp_spawn_t){.name = NULL});
    node_settle();

    cr_expect_null(tell(trp_pid_format(probe.pid, text), true));
    node_settle();

    cr_expect_eq(answer.status, TRP_OK);
    cr_assert_eq(probe.count, 1);
    cr_expect_eq(probe.seen[0].tag, 0x1234);
    cr_expect_eq(probe.seen[0].request_id, 0, "it is no request");
    cr_expect(trp_pid_equal(probe.seen[0].from, link_up.proxy));
}

Test(place_ask, a_message_that_is_told_to_nobody_or_is_not_whole)
{
    char text[TRP_PID_TEXT_MAX];
    probe_t probe = {.count = 0};
    probe_spawn(&probe, &(trp_spawn_t){.name = NULL});
    node_settle();
    const char *pid = trp_pid_format(probe.pid, text);

    cr_expect_not_null(tell("nobody", true));
    cr_expect_not_null(tell(pid, false));
    cr_expect_eq(answers, 0);
    node_settle();
    cr_expect_eq(probe.count, 0);
}

Test(place_ask, all_memberships_end_with_the_link)
{
    trp_pid_t pid;
    for (uint32_t slot = 1; slot <= 50; slot++) {
        cr_assert_null(ask(LINK_JOIN, 1, "g", far_pid(slot)));
    }
    cr_assert_eq(runtime_members(node, "g", &pid, 1), 50);

    place_ask_leave_all(&link_up);

    cr_expect_eq(runtime_members(node, "g", &pid, 1), 0);
}

Test(place_ask, a_bad_group_is_an_answer_not_a_fault)
{
    cr_expect_null(ask(LINK_JOIN, 1, "a*b", far_pid(1)));

    cr_expect_eq(answer.status, TRP_INVALID);
}

Test(place_ask, strangers_are_no_members)
{
    const trp_pid_t other_life = {FAR_NODE, 1, 1, 4};
    const trp_pid_t of_node = {7 << 16, 10, 1, 3};
    const trp_pid_t no_actor = {FAR_NODE, 0, 0, 5};

    cr_expect_not_null(ask(LINK_JOIN, 1, "g", other_life));
    cr_expect_not_null(ask(LINK_JOIN, 1, "g", of_node));
    cr_expect_not_null(ask(LINK_LEAVE, 1, "g", no_actor));
    cr_expect_not_null(ask(LINK_JOIN, 1, "g", TRP_PID_NONE));

    cr_expect_eq(answers, 0);
}

Test(place_ask, what_is_no_question_is_a_fault)
{
    const wire_reader_t rubbish = {.kind = WIRE_ASK, .body = "\xff\x00", .body_size = 2};
    const wire_reader_t nothing = {.kind = WIRE_ASK, .body = "", .body_size = 0};

    cr_expect_not_null(place_ask(&link_up, &rubbish));
    cr_expect_not_null(place_ask(&link_up, &nothing));
}
