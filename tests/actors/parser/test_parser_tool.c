/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "actors/parser/parser_tool.h"
#include "actors/tool_frame.h"
#include "tests/actors/parser/parser_fixture.h"

static const tool_t tool = {"code_parse", &code_parse_schema, parser_code_parse};
static const tool_table_t table = {.tools = &tool, .count = 1};
static const parser_options_t no_options = {.has_grammars = false};

/* A reply: its text in JSON, or the bytes of a MessagePack one. */
typedef struct answer {
    bool success;
    trp_text_t body;
    zmq_msg_t message;
    trp_document_t document;
} answer_t;

/* What the tool answers to a body, given until `deadline_ns` (0 = none). */
static answer_t ask_until(parser_t *parser, trp_text_t body, int64_t deadline_ns)
{
    trp_envelope_t envelope = {.tag = TRP_TAG_TASK_RUN, .deadline_ns = deadline_ns};
    tool_call_t call = {.state = parser, .message = &envelope, .table = &table};
    task_run_t run = {fixture_text("t-1"), fixture_text("code_parse"), body};
    tool_outcome_t outcome;
    answer_t answer;
    task_done_t done;
    trp_fault_t fault;
    trp_writer_t writer;
    trp_text_t task;

    trp_writer_init(&writer);
    trp_schema_write(&task_run_schema, &run, &writer);
    task.data = trp_writer_data(&writer, &task.size);
    cr_assert_eq(tool_execute(&call, task, &outcome), TRP_OK);
    cr_assert(outcome.has_reply);
    answer.message = outcome.reply;
    trp_text_t reply = {zmq_msg_data(&answer.message), zmq_msg_size(&answer.message)};
    cr_assert_eq(trp_schema_unpack(&task_done_schema, reply, &answer.document, &done, &fault),
                 TRP_OK);
    trp_writer_fini(&writer);
    answer.success = done.success;
    answer.body = done.body;
    return answer;
}

static answer_t ask(parser_t *parser, const char *body)
{
    return ask_until(parser, fixture_text(body), 0);
}

static void answer_fini(answer_t *answer)
{
    trp_document_fini(&answer->document);
    (void)zmq_msg_close(&answer->message);
}

static bool holds(const answer_t *answer, const char *part)
{
    return memmem(answer->body.data, answer->body.size, part, strlen(part)) != NULL;
}

/* Asks a fresh parser; the answer has to be of that kind and to hold these parts. NULL ends them.
 * The messages are cut: Criterion waits for ever for one of a MiB. */
static void expect(const char *body, bool success, const char *const *parts)
{
    parser_t parser;

    parser_init(&parser, &no_options);
    answer_t answer = ask(&parser, body);

    cr_expect_eq(answer.success, success, "%.99s: %.*s", body, (int)answer.body.size,
                 answer.body.data);
    for (; *parts != NULL; parts++) {
        cr_expect(holds(&answer, *parts), "%.99s: no %s in %.*s", body, *parts,
                  (int)answer.body.size, answer.body.data);
    }
    answer_fini(&answer);
    parser_fini(&parser);
}

#define PARTS(...) ((const char *const[]){__VA_ARGS__, NULL})

Test(parser_tool, a_text_is_answered_with_its_tree_and_what_made_it)
{
    expect("{\"language\":\"javascript\",\"code\":\"const x = 1;\"}", true,
           PARTS("{\"language\":\"javascript\",\"grammar_version\":\"0.25.0\",\"abi\":15,"
                 "\"has_error\":false,\"node_count\":8,\"root\":\"(program (lexical_declaration "
                 "(variable_declarator name: (identifier) value: (number))))\","
                 "\"truncated\":false}"));
}

Test(parser_tool, the_options_say_what_is_shown)
{
    expect(
        "{\"language\":\"json\",\"code\":\"[1]\",\"options\":{\"format\":\"json\"}}", true,
        PARTS("\"root\":{\"t\":\"document\",\"s\":[0,0,0],\"e\":[0,3,3],\"c\":[{\"t\":\"array\""));
    expect(
        "{\"language\":\"json\",\"code\":\"[1]\",\"options\":{\"format\":\"json\",\"ranges\":false,"
        "\"named_only\":true,\"include_text\":true,\"max_depth\":2}}",
        true,
        PARTS("\"root\":{\"t\":\"document\",\"c\":[{\"t\":\"array\",\"c\":[{\"t\":\"number\","
              "\"text\":\"1\",\"c\":[]}]}]},\"truncated\":false"));
    expect("{\"language\":\"json\",\"code\":\"[1]\",\"options\":{\"max_nodes\":1}}", true,
           PARTS("\"root\":\"(document)\",\"truncated\":true"));
    expect("{\"language\":\"c\",\"code\":\"int f(void) {}\",\"options\":{\"format\":\"outline\"}}",
           true, PARTS("\"root\":\"function_definition f 0:0-0:14\\n\""));
    expect("{\"language\":\"c\",\"code\":\"\",\"options\":{\"format\":\"outline\"}}", true,
           PARTS("\"root\":\"\""));
}

Test(parser_tool, the_language_is_told_by_id_then_file_name_then_first_line)
{
    expect("{\"language\":\"jsx\",\"filename\":\"a.c\",\"code\":\"<a/>\"}", true,
           PARTS("\"language\":\"javascript\""));
    expect("{\"filename\":\"a/b.rs\",\"code\":\"#!/usr/bin/python3\"}", true,
           PARTS("\"language\":\"rust\""));
    expect("{\"filename\":\"tool\",\"code\":\"#!/usr/bin/env python3\\nx = 1\"}", true,
           PARTS("\"language\":\"python\""));
}

Test(parser_tool, a_language_that_is_not_supported_is_named_with_those_that_are)
{
    static const char supported[] =
        "\"supported\":[\"javascript\",\"jsx\",\"typescript\",\"tsx\",\"json\",\"python\",\"c\","
        "\"go\",\"rust\"]";

    expect("{\"language\":\"cobol\",\"code\":\"x\"}", false,
           PARTS("\"code\":\"E_UNSUPPORTED_LANGUAGE\"", "\"language\":\"cobol\"", supported));
    expect("{\"filename\":\"x.cob\",\"code\":\"x\"}", false,
           PARTS("\"code\":\"E_UNSUPPORTED_LANGUAGE\"", "\"language\":\"x.cob\"", supported));
    expect("{\"code\":\"x\"}", false,
           PARTS("\"code\":\"E_BAD_PAYLOAD\"", "\"path\":\"language\"", "\"value\":\"missing\""));
}

Test(parser_tool, a_member_that_does_not_fit_is_named)
{
    expect("{\"language\":\"c\"}", false, PARTS("\"E_BAD_PAYLOAD\"", "\"path\":\"code\""));
    expect("{\"language\":\"c\",\"code\":1}", false,
           PARTS("\"E_BAD_PAYLOAD\"", "\"path\":\"code\""));
    expect("{\"language\":\"c\",\"code\":\"\",\"options\":{\"colour\":1}}", false,
           PARTS("\"E_BAD_PAYLOAD\"", "\"path\":\"options.colour\""));
    expect("{\"language\":\"c\",\"code\":\"\",\"options\":{\"format\":\"xml\"}}", false,
           PARTS("\"E_BAD_PAYLOAD\"", "\"path\":\"options.format\""));
    expect("{\"language\":\"c\",\"code\":\"\",\"options\":{\"max_nodes\":0}}", false,
           PARTS("\"E_BAD_PAYLOAD\"", "\"path\":\"options.max_nodes\""));
    expect(
        "{\"language\":\"c\",\"code\":\"\",\"options\":{\"format\":\"json\",\"max_depth\":1001}}",
        false, PARTS("\"E_BAD_PAYLOAD\"", "\"path\":\"options.max_depth\"", "\"value\":\"1001\""));
}

Test(parser_tool, code_that_is_no_utf8_is_refused_at_its_byte)
{
    static const char body[] = "\x82\xa8language\xa1"
                               "c\xa4"
                               "code\xa5"
                               "ab\xff"
                               "cd";
    parser_t parser;

    parser_init(&parser, &no_options);
    answer_t answer = ask_until(&parser, (trp_text_t){body, sizeof(body) - 1}, 0);

    cr_expect_not(answer.success);
    cr_expect(holds(&answer, "\xa6offset\x02"));
    cr_expect(holds(&answer, "E_BAD_PAYLOAD"));
    answer_fini(&answer);
    parser_fini(&parser);
}

/* A JSON body of c with `count` times a piece as its code; malloc'd. */
static char *body_of(const char *language, const char *piece, size_t count)
{
    trp_text_t code = fixture_repeat(piece, count);
    size_t size = code.size + 64;
    char *body = malloc(size);

    cr_assert_not_null(body);
    (void)snprintf(body, size, "{\"language\":\"%s\",\"code\":\"%.*s\"}", language, (int)code.size,
                   code.data);
    free((char *)code.data);
    return body;
}

Test(parser_tool, code_over_four_mib_is_refused_with_limit_and_size)
{
    char *fits = body_of("json", " ", 4194304), *over = body_of("json", " ", 4194305);

    expect(fits, true, PARTS("\"node_count\":1"));
    expect(over, false, PARTS("\"E_TOO_LARGE\"", "\"limit\":4194304", "\"size\":4194305"));

    free(fits);
    free(over);
}

Test(parser_tool, a_deadline_ends_the_parse_and_the_next_one_is_whole)
{
    char *body = body_of("javascript", "f(a,b)+(c);", 100000);
    parser_t parser;

    parser_init(&parser, &no_options);
    answer_t late = ask_until(&parser, fixture_text(body), 1); /* long ago */
    answer_t next = ask(&parser, "{\"language\":\"javascript\",\"code\":\"a\"}");

    cr_expect_not(late.success);
    cr_expect(holds(&late, "\"E_TIMEOUT\""));
    cr_expect(holds(&late, "\"limit_ms\":"));
    cr_expect(next.success);
    cr_expect(holds(&next, "\"(program (expression_statement (identifier)))\""));
    answer_fini(&late);
    answer_fini(&next);
    parser_fini(&parser);
    free(body);
}

Test(parser_tool, a_parse_over_the_memory_limit_is_refused)
{
    const parser_options_t options = {.has_memory_mb = true, .memory_mb = 1};
    char *body = body_of("javascript", "[", 200000);
    parser_t parser;

    parser_init(&parser, &options);
    answer_t answer = ask(&parser, body);

    cr_expect_not(answer.success);
    cr_expect(holds(&answer, "\"E_TOO_LARGE\""));
    cr_expect(holds(&answer, "\"limit\":1048576"));
    answer_fini(&answer);
    parser_fini(&parser);
    free(body);
}

Test(parser_tool, a_grammar_that_is_not_there_is_an_answer_and_no_crash)
{
    const parser_options_t options = {.has_grammars = true, .grammars = {"/nowhere", 8}};
    parser_t parser;

    parser_init(&parser, &options);
    answer_t answer = ask(&parser, "{\"language\":\"go\",\"code\":\"package p\"}");

    cr_expect_not(answer.success);
    cr_expect(holds(&answer, "\"E_INTERNAL\""));
    cr_expect(holds(&answer, "/nowhere/go.so"));
    cr_expect(holds(&answer, "./dev build"));
    answer_fini(&answer);
    parser_fini(&parser);
}

Test(parser_tool, a_tree_as_deep_as_json_may_be_is_a_reply_in_both_forms)
{
    trp_text_t open = fixture_repeat("[", 1200), close = fixture_repeat("]", 1200);
    char body[2600];
    parser_t parser;
    trp_writer_t writer;
    trp_text_t packed;
    trp_fault_t fault;

    int size = snprintf(body, sizeof(body),
                        "{\"language\":\"json\",\"options\":{\"format\":\"json\",\"max_depth\":"
                        "1000},\"code\":\"%.*s%.*s\"}",
                        1200, open.data, 1200, close.data);
    trp_writer_init(&writer);
    cr_assert_eq(trp_json_to_msgpack(body, (size_t)size, &writer, &fault), TRP_OK);
    packed.data = trp_writer_data(&writer, &packed.size);
    parser_init(&parser, &no_options);
    answer_t json = ask(&parser, body);
    answer_t msgpack = ask_until(&parser, packed, 0);

    cr_expect(json.success);
    cr_expect(holds(&json, "\"has_error\":false"));
    cr_expect(holds(&json, "\"truncated\":true"));
    cr_expect(msgpack.success);
    cr_expect_gt(msgpack.body.size, 1000 * 20u);
    answer_fini(&json);
    answer_fini(&msgpack);
    parser_fini(&parser);
    trp_writer_fini(&writer);
    free((char *)open.data);
    free((char *)close.data);
}
