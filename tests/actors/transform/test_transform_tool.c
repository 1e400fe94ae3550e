/* SPDX-License-Identifier: MIT */
/* race_transform as the router sees it: task in, answer out. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "actors/tool_frame.h"
#include "actors/transform/transform_tool.h"
#include "tests/actors/transform/transform_poll.h"

static const char *const race =
    "{\"schema\":\"racedata/1\",\"race_id\":\"R\",\"start_time\":600000,\"polled_at\":0,"
    "\"status\":\"open\",\"currency\":\"AUD\",\"pools\":[{\"type\":\"win\",\"total_cents\":7}],"
    "\"money\":[{\"entrant_id\":\"a\",\"hold_pct\":100,\"bet_pct\":100}],"
    "\"entrants\":[{\"entrant_id\":\"a\",\"number\":1,\"name\":\"A\",\"scratched\":false}]}";

/* The answer to one task, and what it was read from. */
typedef struct answer {
    tool_outcome_t outcome;
    trp_document_t envelope, body;
    task_done_t done;
} answer_t;

static void execute(answer_t *answer, const transform_options_t *options, trp_text_t body)
{
    transform_worker_t worker;
    cr_assert_eq(transform_worker_init(&worker, options), TRP_OK);
    tool_call_t call = {.state = &worker, .table = &worker.tools};
    task_run_t task = {.task_id = {"t1", 2}, .tool = {"race_transform", 14}, .body = body};
    zmq_msg_t message;
    cr_assert_eq(trp_schema_pack(&task_run_schema, &task, &message), TRP_OK);
    trp_text_t packed = {zmq_msg_data(&message), zmq_msg_size(&message)};

    cr_assert_eq(tool_execute(&call, packed, &answer->outcome), TRP_OK);

    cr_assert(answer->outcome.has_reply);
    trp_fault_t fault;
    trp_text_t reply = {zmq_msg_data(&answer->outcome.reply), zmq_msg_size(&answer->outcome.reply)};
    cr_assert_eq(
        trp_schema_unpack(&task_done_schema, reply, &answer->envelope, &answer->done, &fault),
        TRP_OK);
    cr_assert_eq(
        trp_document_init(&answer->body, answer->done.body.data, answer->done.body.size, &fault),
        TRP_OK);
    zmq_msg_close(&message);
}

static void execute_text(answer_t *answer, const transform_options_t *options, const char *body)
{
    execute(answer, options, (trp_text_t){body, strlen(body)});
}

static void answer_end(answer_t *answer)
{
    trp_document_fini(&answer->body);
    trp_document_fini(&answer->envelope);
    zmq_msg_close(&answer->outcome.reply);
}

static bool says(const answer_t *answer, const char *member, const char *text)
{
    const msgpack_object *value = trp_member(&answer->body.root, member);
    return value != NULL && value->type == MSGPACK_OBJECT_STR &&
           value->via.str.size == strlen(text) &&
           memcmp(value->via.str.ptr, text, strlen(text)) == 0;
}

static const transform_options_t defaults;

Test(transform_tool, json_is_answered_with_json_and_times_are_measured)
{
    answer_t answer;

    execute_text(&answer, &defaults, race);

    cr_expect(answer.done.success);
    cr_expect_eq(answer.body.form, TRP_FORM_JSON);
    cr_expect(says(&answer, "interval_type", "1m"));
    const msgpack_object *timing = trp_member(&answer.body.root, "timing");
    cr_assert_not_null(timing);
    cr_expect_eq(trp_member(timing, "validate_us")->type, MSGPACK_OBJECT_POSITIVE_INTEGER);
    cr_expect_eq(trp_member(timing, "transform_us")->type, MSGPACK_OBJECT_POSITIVE_INTEGER);
    answer_end(&answer);
}

Test(transform_tool, msgpack_is_answered_with_msgpack)
{
    answer_t answer;
    trp_writer_t writer;
    trp_fault_t fault;
    trp_text_t body;
    trp_writer_init(&writer);
    cr_assert_eq(trp_json_to_msgpack(race, strlen(race), &writer, &fault), TRP_OK);
    body.data = trp_writer_data(&writer, &body.size);

    execute(&answer, &defaults, body);

    cr_expect(answer.done.success);
    cr_expect_eq(answer.body.form, TRP_FORM_MSGPACK);
    answer_end(&answer);
    trp_writer_fini(&writer);
}

Test(transform_tool, refusal_names_path_rule_and_value)
{
    answer_t answer;
    char *body = transform_replace(race, "\"hold_pct\":100", "\"hold_pct\":100.5");

    execute_text(&answer, &defaults, body);

    cr_expect_not(answer.done.success);
    cr_expect(says(&answer, "code", "E_BAD_PAYLOAD"));
    cr_expect(says(&answer, "path", "money[0].hold_pct"));
    cr_expect(says(&answer, "value", "100.5"));
    const msgpack_object *message = trp_member(&answer.body.root, "message");
    cr_assert_not_null(message);
    cr_expect_eq(strncmp(message->via.str.ptr, "money[0].hold_pct", 17), 0);
    cr_expect_eq(trp_member(&answer.body.root, "rule")->type, MSGPACK_OBJECT_STR);
    answer_end(&answer);
    free(body);
}

Test(transform_tool, rule_between_members_is_told_in_the_same_way)
{
    answer_t answer;
    char *body =
        transform_replace(race, "[{\"entrant_id\":\"a\",\"hold", "[{\"entrant_id\":\"b\",\"hold");

    execute_text(&answer, &defaults, body);

    cr_expect(says(&answer, "code", "E_BAD_PAYLOAD"));
    cr_expect(says(&answer, "path", "money[0].entrant_id"));
    cr_expect(says(&answer, "value", "\"b\""));
    answer_end(&answer);
    free(body);
}

Test(transform_tool, body_that_is_no_map_has_an_empty_path_and_value)
{
    static const char *const bodies[] = {"[1]", "{\"a\":", "{\"a\":1,\"a\":1}", "{} {}", ""};
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        answer_t answer;

        execute_text(&answer, &defaults, bodies[i]);

        cr_expect_not(answer.done.success, "%s", bodies[i]);
        cr_expect(says(&answer, "path", ""), "%s", bodies[i]);
        cr_expect(says(&answer, "value", ""), "%s", bodies[i]);
        cr_expect_eq(trp_member(&answer.body.root, "rule")->type, MSGPACK_OBJECT_STR);
        answer_end(&answer);
    }
}

Test(transform_tool, unknown_members_are_refused_unless_strict_is_off)
{
    static const transform_options_t lax = {.has_strict = true, .strict = false};
    answer_t strict_answer, lax_answer;
    char *body = transform_replace(race, "\"number\":1", "\"number\":1,\"colour\":\"red\"");

    execute_text(&strict_answer, &defaults, body);
    execute_text(&lax_answer, &lax, body);

    cr_expect(says(&strict_answer, "path", "entrants[0].colour"));
    cr_expect(says(&strict_answer, "value", "\"red\""));
    cr_expect(lax_answer.done.success);
    answer_end(&strict_answer);
    answer_end(&lax_answer);
    free(body);
}

Test(transform_tool, configured_takeout_and_intervals_are_used)
{
    static const transform_options_t options = {.has_takeout_win = true,
                                                .takeout_win = 0.15,
                                                .has_intervals = true,
                                                .intervals = {"9 early, late", 13}};
    answer_t answer;

    execute_text(&answer, &options, race);

    cr_expect(says(&answer, "interval_type", "early"));
    const msgpack_object *dividend = transform_at(&answer.body.root, "entrants[0].est_dividend");
    cr_assert_not_null(dividend);
    cr_expect_eq(dividend->type, MSGPACK_OBJECT_FLOAT64);
    cr_expect_eq(dividend->via.f64, 1.0);
    answer_end(&answer);
}

Test(transform_tool, intervals_that_do_not_read_fail_the_start)
{
    static const transform_options_t options = {.has_intervals = true, .intervals = {"never", 5}};
    static const transform_options_t wrong = {.has_intervals = true,
                                              .intervals = {"5 a, 9 b, c", 11}};
    transform_worker_t worker;

    cr_expect_eq(transform_worker_init(&worker, &options), TRP_OK); /* one label for all */
    cr_expect_eq(transform_worker_init(&worker, &wrong), TRP_CONFIG);
}
