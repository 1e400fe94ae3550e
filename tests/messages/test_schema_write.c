/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "messages/schema.h"

#define PART_FIELDS(F)               \
    F(INT, number, _, -5, 9e15, "n") \
    F(OPT_REAL, ratio, _, 0, 0.5, "r")
TRP_SCHEMA_DECLARE(part, PART_FIELDS)
TRP_SCHEMA_DEFINE(part, 0, TRP_SCHEMA_FIXED | TRP_SCHEMA_OPEN, PART_FIELDS, "a part")

#define WHOLE_FIELDS(F)                                \
    F(BOOL, flag, _, 0, 1, "a flag")                   \
    F(INT, count, _, 0, 9e15, "a count")               \
    F(REAL, share, _, 0, 1e300, "a share")             \
    F(STRING, name, _, 2, 9, "a name")                 \
    F(TEXT, note, _, 0, 50, "a note")                  \
    F(BYTES, key, _, 4, 4, "a key")                    \
    F(ENUM, state, "up|down", 0, 0, "one | the other") \
    F(MESSAGE, part, part, 0, 0, "one part")           \
    F(LIST, parts, part, 0, 3, "parts")                \
    F(TEXTS, words, _, 0, 3, "words")                  \
    F(ANY, thing, _, 0, 0, "anything")                 \
    F(OPT_BOOL, may_flag, _, 0, 1, "m")                \
    F(OPT_INT, may_count, _, 0, 1, "m")                \
    F(OPT_REAL, may_share, _, 0, 1, "m")               \
    F(OPT_STRING, may_name, _, 0, 9, "m")              \
    F(OPT_TEXT, may_note, _, 0, 9, "m")                \
    F(OPT_BYTES, may_key, _, 0, 9, "m")                \
    F(OPT_ENUM, may_state, "up|down", 0, 0, "m")       \
    F(OPT_MESSAGE, may_part, part, 0, 0, "m")          \
    F(OPT_LIST, may_parts, part, 1, 3, "m")            \
    F(OPT_TEXTS, may_words, _, 1, 3, "m")              \
    F(OPT_ANY, may_thing, _, 0, 0, "m")
TRP_SCHEMA_DECLARE(whole, WHOLE_FIELDS)
TRP_SCHEMA_DEFINE(whole, 0x1001, 0, WHOLE_FIELDS, "has a member of each kind")

#define TEXT(literal) ((trp_text_t){literal, sizeof(literal) - 1})

static part_t parts[] = {{.number = -5}, {.number = 7, .ratio = 0.1, .has_ratio = true}};
static trp_text_t words[] = {{"a", 1}, {"", 0}};
static const msgpack_object nothing = {.type = MSGPACK_OBJECT_NIL};
static const msgpack_object yes = {.type = MSGPACK_OBJECT_BOOLEAN, .via.boolean = true};

static whole_t make_whole(void)
{
    return (whole_t){
        .flag = true,
        .count = 9000000000000000,
        .share = 0.1,
        .name = TEXT("n\xc3\xa4me"),
        .note = TEXT("a\0b"),
        .key = TEXT("\xff\x00\x01\x02"),
        .state = 1,
        .part = parts[0],
        .parts = parts,
        .parts_count = 2,
        .words = words,
        .words_count = 2,
        .thing = &nothing,
    };
}

static char *to_json(const whole_t *whole)
{
    trp_writer_t writer;
    char *json = NULL;
    size_t size;
    trp_writer_init(&writer);
    trp_schema_write(&whole_schema, whole, &writer);
    const void *data = trp_writer_data(&writer, &size);
    cr_assert_eq(trp_json_from_msgpack(data, size, &json, &size), TRP_OK);
    trp_writer_fini(&writer);
    return json;
}

Test(schema_write, absent_optionals_are_left_out)
{
    whole_t whole = make_whole();

    char *json = to_json(&whole);

    cr_expect_str_eq(
        json,
        "{\"flag\":true,\"count\":9000000000000000,\"share\":0.1,\"name\":\"n\xc3\xa4me\","
        "\"note\":\"a\\u0000b\",\"key\":\"/wABAg==\",\"state\":\"down\",\"part\":{\"number\":-5},"
        "\"parts\":[{\"number\":-5},{\"number\":7,\"ratio\":0.1}],\"words\":[\"a\",\"\"],"
        "\"thing\":null}");
    free(json);
}

Test(schema_write, what_is_packed_unpacks_to_the_same)
{
    whole_t whole = make_whole();
    whole.has_may_flag = whole.may_flag = true;
    whole.has_may_count = true;
    whole.may_count = 1;
    whole.has_may_share = true;
    whole.may_share = 0.3;
    whole.has_may_name = whole.has_may_note = whole.has_may_key = true;
    whole.may_name = whole.may_note = whole.may_key = TEXT("x");
    whole.has_may_state = true;
    whole.may_state = 1;
    whole.may_part = &parts[1];
    whole.may_parts = parts;
    whole.may_parts_count = 1;
    whole.may_words = words;
    whole.may_words_count = 2;
    whole.may_thing = &yes;
    zmq_msg_t message;
    trp_document_t document;
    trp_fault_t fault;
    whole_t back;

    cr_assert_eq(trp_schema_pack(&whole_schema, &whole, &message), TRP_OK);
    trp_text_t bytes = {zmq_msg_data(&message), zmq_msg_size(&message)};
    trp_status_t status = trp_schema_unpack(&whole_schema, bytes, &document, &back, &fault);

    cr_assert_eq(status, TRP_OK, "%s: %s", fault.path, fault.rule);
    char *before = to_json(&whole);
    char *after = to_json(&back);
    cr_expect_str_eq(before, after);
    cr_expect_not_null(strstr(after, "\"may_thing\":true"));
    cr_expect(back.key.size == 4 && memcmp(back.key.data, whole.key.data, 4) == 0);
    free(before);
    free(after);
    trp_document_fini(&document);
    zmq_msg_close(&message);
}

Test(schema_write, an_index_outside_of_an_enum_is_caught_by_the_reader)
{
    whole_t whole = make_whole();
    whole.state = 2;

    char *json = to_json(&whole);

    cr_expect_not_null(strstr(json, "\"state\":null"));
    free(json);
}

static char *describe(const trp_schema_t *schema)
{
    trp_writer_t writer;
    char *json = NULL;
    size_t size;
    trp_writer_init(&writer);
    trp_schema_describe(schema, &writer);
    const void *data = trp_writer_data(&writer, &size);
    cr_assert_eq(trp_json_from_msgpack(data, size, &json, &size), TRP_OK);
    trp_writer_fini(&writer);
    return json;
}

Test(schema_describe, a_schema_becomes_json_schema)
{
    char *json = describe(&part_schema);

    cr_expect_str_eq(
        json, "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"title\":\"part\","
              "\"description\":\"a part\",\"type\":\"object\",\"properties\":{\"number\":"
              "{\"description\":\"n\",\"type\":\"integer\",\"minimum\":-5,"
              "\"maximum\":9000000000000000},\"ratio\":{\"description\":\"r\",\"type\":"
              "[\"number\",\"null\"],\"minimum\":0,\"maximum\":0.5}},\"required\":[\"number\"],"
              "\"additionalProperties\":true}");
    free(json);
}

Test(schema_describe, parts_are_described_once_and_referred_to)
{
    char *json = describe(&whole_schema);

    cr_expect_not_null(strstr(json, "\"$defs\":{\"whole\":{"));
    cr_expect_not_null(strstr(json, "\"part\":{\"description\":\"one part\",\"anyOf\":[{\"$ref\":"
                                    "\"#/$defs/part\"}]}"));
    cr_expect_not_null(strstr(json, "\"may_part\":{\"description\":\"m\",\"anyOf\":[{\"$ref\":"
                                    "\"#/$defs/part\"},{\"type\":\"null\"}]}"));
    cr_expect_not_null(strstr(json, "\"minLength\":1,\"maxLength\":9"));
    cr_expect_not_null(strstr(json, "\"enum\":[\"up\",\"down\",null]"));
    free(json);
}

Test(schema_describe, the_document_has_a_row_for_each_member)
{
    char *text = trp_schema_document(&whole_schema);

    cr_assert_not_null(text);
    cr_expect_eq(
        strncmp(text, "## whole\n\nhas a member of each kind. Tag 0x1001.\n\n| member |", 40), 0);
    cr_expect_not_null(
        strstr(text, "| `count` | an integer from 0 to 9000000000000000 | a count |\n"));
    cr_expect_not_null(strstr(text, "| `key` | binary data of exactly 4 bytes | a key |\n"));
    cr_expect_not_null(
        strstr(text, "| `parts` | an array of 0 to 3 items, each `part` | parts |\n"));
    cr_expect_not_null(strstr(text, "| `state` | one of up, down | one \\| the other |\n"));
    cr_expect_not_null(strstr(text, "| `may_words` | an array of 1 to 3 strings or null | m |\n"));
    free(text);
}
