/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "actors/tool_frame.h"

#define SUM_FIELDS(F)                   \
    F(INT, a, _, 0, 100, "a summand")   \
    F(OPT_INT, b, _, 0, 100, "another") \
    F(OPT_TEXT, how, _, 0, 20, "what to do instead")
TRP_SCHEMA_DECLARE(sum, SUM_FIELDS)
TRP_SCHEMA_DEFINE(sum, 0, 0, SUM_FIELDS, "adds two numbers")

static bool is_asked(const sum_t *sum, const char *what)
{
    return sum->how.size == strlen(what) && memcmp(sum->how.data, what, sum->how.size) == 0;
}

static trp_status_t run_sum(tool_call_t *call, const void *request)
{
    const sum_t *sum = request;
    if (is_asked(sum, "fail")) {
        trp_write_int(tool_error_member(call, "size"), 5);
        return tool_fail(call, "E_TOO_LARGE", "the sum of %d is too large", (int)sum->a);
    }
    if (is_asked(sum, "cut")) { /* the message is cut inside a character */
        char name[600];
        memset(name, 'n', sizeof(name));
        memcpy(name + sizeof(call->error_message) - 2, "\xc3\xa4", 3);
        return tool_fail(call, "E_STATE", "%s", name);
    }
    if (is_asked(sum, "later")) {
        return TRP_PENDING;
    }
    if (is_asked(sum, "break")) {
        trp_write_int(&call->result, 1);
        return TRP_STATE;
    }
    if (is_asked(sum, "say nothing")) {
        return TRP_OK;
    }
    if (is_asked(sum, "say two")) {
        trp_write_nil(&call->result);
    }
    if (is_asked(sum, "bind")) {
        memcpy(call->bind, "key", 4);
    }
    trp_write_map(&call->result, 1);
    trp_put_int(&call->result, "sum", sum->a + sum->b);
    return TRP_OK;
}

static const tool_t tools[] = {{"sum", &sum_schema, run_sum}};
static const tool_table_t strict = {tools, 1, false};
static const tool_table_t lenient = {tools, 1, true};

static tool_outcome_t outcome;
static trp_document_t envelope;
static task_done_t done;

/* Runs one task; when there is a reply, `done` is its content. */
static trp_status_t run_bytes(const tool_table_t *table, const char *tool, trp_text_t body)
{
    task_run_t task = {{"t1", 2}, {tool, strlen(tool)}, body};
    tool_call_t call = {.table = table};
    trp_fault_t fault;
    zmq_msg_t packed;
    cr_assert_eq(trp_schema_pack(&task_run_schema, &task, &packed), TRP_OK);
    trp_text_t bytes = {zmq_msg_data(&packed), zmq_msg_size(&packed)};

    trp_status_t status = tool_execute(&call, bytes, &outcome);

    zmq_msg_close(&packed);
    if (status == TRP_OK && outcome.has_reply) {
        bytes = (trp_text_t){zmq_msg_data(&outcome.reply), zmq_msg_size(&outcome.reply)};
        cr_assert_eq(trp_schema_unpack(&task_done_schema, bytes, &envelope, &done, &fault), TRP_OK);
    }
    return status;
}

static void run_json(const char *json)
{
    cr_assert_eq(run_bytes(&strict, "sum", (trp_text_t){json, strlen(json)}), TRP_OK);
}

static void finish(void)
{
    if (outcome.has_reply) {
        trp_document_fini(&envelope);
    }
    zmq_msg_close(&outcome.reply);
}

static void expect_body(bool success, const char *text)
{
    cr_assert(outcome.has_reply);
    cr_expect_eq(done.success, success);
    cr_expect(done.body.size == strlen(text) && memcmp(done.body.data, text, done.body.size) == 0,
              "%.*s", (int)done.body.size, done.body.data);
    finish();
}

Test(tool, a_json_request_is_answered_in_json)
{
    run_json("{\"a\":1,\"b\":2}");

    cr_expect_eq(outcome.fault, TRP_OK);
    cr_expect_geq(done.exec_us, 0);
    cr_expect_not(done.has_bind || done.has_unbind);
    expect_body(true, "{\"sum\":3}");
}

Test(tool, a_messagepack_request_is_answered_in_messagepack)
{
    cr_assert_eq(run_bytes(&strict, "sum",
                           (trp_text_t){"\x81\xa1"
                                        "a\x05",
                                        4}),
                 TRP_OK);

    expect_body(true, "\x81\xa3sum\x05");
}

Test(tool, a_bad_member_is_named_with_path_rule_and_value)
{
    run_json("{\"a\":101}");

    expect_body(false, "{\"code\":\"E_BAD_PAYLOAD\",\"message\":\"a: expected an integer from 0 to "
                       "100, got 101 (sum)\",\"path\":\"a\",\"rule\":\"an integer from 0 to 100\","
                       "\"value\":\"101\"}");
}

Test(tool, a_body_of_neither_form_is_told_in_json)
{
    run_json("hello");

    expect_body(false,
                "{\"code\":\"E_BAD_BODY\",\"message\":\"the body: expected one map, as JSON or "
                "MessagePack (sum)\",\"path\":\"\",\"rule\":\"one map, as JSON or "
                "MessagePack\",\"value\":\"\",\"offset\":0}");
}

Test(tool, a_body_with_a_member_twice_is_a_bad_payload)
{
    run_json("{\"a\":1,\"a\":2}");

    cr_assert(outcome.has_reply && !done.success);
    cr_expect_not_null(strstr(done.body.data, "E_BAD_PAYLOAD"));
    cr_expect_not_null(strstr(done.body.data, "\"path\":\"\""));
    finish();
}

Test(tool, unknown_members_are_refused_unless_the_table_is_lenient)
{
    static const char body[] = "{\"a\":1,\"x\":1}";

    run_json(body);
    cr_expect_not(done.success);
    finish();
    cr_assert_eq(run_bytes(&lenient, "sum", (trp_text_t){body, sizeof(body) - 1}), TRP_OK);

    expect_body(true, "{\"sum\":1}");
}

Test(tool, an_unknown_tool_is_told_with_those_that_there_are)
{
    cr_assert_eq(run_bytes(&strict, "add", (trp_text_t){"{}", 2}), TRP_OK);

    expect_body(false, "{\"code\":\"E_UNKNOWN_TOOL\",\"message\":\"this worker has no tool "
                       "'add'\",\"tools\":[\"sum\"]}");
}

Test(tool, what_a_tool_fails_with_reaches_the_client)
{
    run_json("{\"a\":7,\"how\":\"fail\"}");

    cr_expect_eq(outcome.fault, TRP_OK, "an error that a tool returns is no fault of ours");
    expect_body(false, "{\"code\":\"E_TOO_LARGE\",\"message\":\"the sum of 7 is too "
                       "large\",\"size\":5}");
}

Test(tool, a_message_that_was_cut_stays_well_formed)
{
    run_json("{\"a\":7,\"how\":\"cut\"}");

    cr_assert(outcome.has_reply && !done.success);
    cr_expect_not_null(strstr(done.body.data, "E_STATE"));
    finish();
}

Test(tool, a_fault_of_ours_is_told_as_internal_and_returned)
{
    run_json("{\"a\":7,\"how\":\"break\"}");

    cr_expect_eq(outcome.fault, TRP_STATE);
    expect_body(false, "{\"code\":\"E_INTERNAL\",\"message\":\"a fault of ours in sum, logged with "
                       "task t1\"}");
}

Test(tool, a_result_that_is_not_one_value_is_internal_but_ends_nobody)
{
    static const char *const bodies[] = {"{\"a\":7,\"how\":\"say nothing\"}",
                                         "{\"a\":7,\"how\":\"say two\"}"};
    for (size_t i = 0; i < 2; i++) {
        run_json(bodies[i]);

        cr_assert(outcome.has_reply && !done.success);
        cr_expect_not_null(strstr(done.body.data, "E_INTERNAL"));
        cr_expect_eq(outcome.fault, TRP_OK);
        cr_expect_str_neq(outcome.detail, "");
        finish();
    }
}

Test(tool, a_pending_call_has_no_reply)
{
    run_json("{\"a\":7,\"how\":\"later\"}");

    cr_expect_not(outcome.has_reply);
    cr_expect_eq(outcome.fault, TRP_OK);
    finish();
}

Test(tool, a_key_is_bound_with_the_reply)
{
    run_json("{\"a\":7,\"how\":\"bind\"}");

    cr_assert(done.has_bind);
    cr_expect(done.bind.size == 3 && memcmp(done.bind.data, "key", 3) == 0);
    finish();
}

Test(tool, bytes_that_are_no_task_are_refused_without_a_reply)
{
    tool_call_t call = {.table = &strict};

    trp_status_t status = tool_execute(&call, (trp_text_t){"\x80", 1}, &outcome);

    cr_expect_eq(status, TRP_PAYLOAD);
    cr_expect_not(outcome.has_reply);
    zmq_msg_close(&outcome.reply);
}
