/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "messages/schema.h"

#define LEG_FIELDS(F)                            \
    F(INT, number, _, 1, 9999, "its number")     \
    F(REAL, share, _, 0, 100, "part in percent") \
    F(OPT_BOOL, out, _, 0, 1, "does not run")
TRP_SCHEMA_DECLARE(leg, LEG_FIELDS)
TRP_SCHEMA_DEFINE(leg, 0, TRP_SCHEMA_FIXED, LEG_FIELDS, "one leg")

#define TOUR_FIELDS(F)                                        \
    F(STRING, id, _, 1, 8, "id")                              \
    F(ENUM, status, "open|closed", 0, 0, "state of the tour") \
    F(LIST, legs, leg, 1, 3, "its legs")                      \
    F(OPT_MESSAGE, last, leg, 0, 0, "the last one")           \
    F(OPT_TEXTS, tags, _, 0, 2, "words")                      \
    F(OPT_TEXT, note, _, 0, 100, "anything")                  \
    F(OPT_ANY, more, _, 0, 0, "not looked into")              \
    F(OPT_BYTES, key, _, 0, 4, "bytes")
TRP_SCHEMA_DECLARE(tour, TOUR_FIELDS)
TRP_SCHEMA_DEFINE(tour, 0x1001, 0, TOUR_FIELDS, "a tour")

#define NOTHING_FIELDS(F)
TRP_SCHEMA_DECLARE(nothing, NOTHING_FIELDS)
TRP_SCHEMA_DEFINE(nothing, 0x1002, 0, NOTHING_FIELDS, "says nothing")

/* A node of a tree: a schema may contain itself. */
typedef struct branch branch_t;
#define BRANCH_FIELDS(F)            \
    F(INT, value, _, 0, 9, "value") \
    F(OPT_LIST, twigs, branch, 0, 5, "below")
TRP_SCHEMA_DECLARE(branch, BRANCH_FIELDS)
TRP_SCHEMA_DEFINE(branch, 0, 0, BRANCH_FIELDS, "a tree")

static trp_document_t document;
static trp_fault_t fault;

static trp_status_t read_as(const trp_schema_t *schema, const char *json, void *out)
{
    memset(&fault, 0, sizeof(fault));
    return trp_schema_unpack(schema, (trp_text_t){json, strlen(json)}, &document, out, &fault);
}

static void expect_fault(const char *json, const char *path, const char *rule, const char *value)
{
    tour_t tour;

    trp_status_t status = read_as(&tour_schema, json, &tour);

    cr_assert_eq(status, TRP_PAYLOAD, "%s", json);
    cr_expect_str_eq(fault.message, "tour");
    cr_expect_str_eq(fault.path, path, "%s: path %s", json, fault.path);
    cr_expect_str_eq(fault.rule, rule, "%s: rule %s", json, fault.rule);
    cr_expect_str_eq(fault.value, value, "%s: value %s", json, fault.value);
    cr_expect_not(fault.is_body);
}

Test(schema_read, fills_the_struct_from_json)
{
    tour_t tour;

    trp_status_t status = read_as(&tour_schema,
                                  "{\"id\":\"t1\",\"status\":\"closed\",\"legs\":[{\"number\":7,"
                                  "\"share\":12},{\"number\":8,\"share\":0.5,\"out\":true}],"
                                  "\"tags\":[\"a\",\"\"],\"last\":null,\"more\":[1]}",
                                  &tour);

    cr_assert_eq(status, TRP_OK, "%s: %s", fault.path, fault.rule);
    cr_expect(tour.id.size == 2 && memcmp(tour.id.data, "t1", 2) == 0);
    cr_expect_eq(tour.status, 1);
    cr_assert_eq(tour.legs_count, 2);
    cr_expect_eq(tour.legs[0].number, 7);
    cr_expect_eq(tour.legs[0].share, 12.0);
    cr_expect_not(tour.legs[0].has_out);
    cr_expect(tour.legs[1].has_out && tour.legs[1].out);
    cr_expect_eq(tour.tags_count, 2);
    cr_expect_null(tour.last);
    cr_expect_eq(tour.more->type, MSGPACK_OBJECT_ARRAY);
    cr_expect_not(tour.has_note || tour.has_key);
    trp_document_fini(&document);
}

#define HEAD "{\"id\":\"t\",\"status\":\"open\",\"legs\":[{\"number\":1,\"share\":1}]"

Test(schema_read, names_path_rule_and_value_of_the_first_fault)
{
    expect_fault("{\"id\":\"t\",\"status\":\"open\"}", "legs", "an array of 1 to 3 items",
                 "missing");
    expect_fault("{\"id\":\"t\",\"status\":\"open\",\"legs\":[]}", "legs",
                 "an array of 1 to 3 items", "array");
    expect_fault("{\"id\":\"t\",\"status\":\"open\",\"legs\":[{\"number\":1,\"share\":100.5}]}",
                 "legs[0].share", "a number from 0 to 100", "100.5");
    expect_fault("{\"id\":\"t\",\"status\":\"open\",\"legs\":[{\"number\":1,\"share\":1},3]}",
                 "legs[1]", "a map", "3");
    expect_fault("{\"id\":\"t\",\"status\":\"opened\",\"legs\":[]}", "status",
                 "one of open, closed", "\"opened\"");
    expect_fault("{\"id\":\"\",\"status\":\"open\",\"legs\":[]}", "id", "a string of 1 to 8 bytes",
                 "\"\"");
    expect_fault(HEAD ",\"tags\":[\"a\",1]}", "tags[1]", "a string of 0 to 65535 bytes", "1");
    expect_fault(HEAD ",\"last\":{\"number\":1}}", "last.share", "a number from 0 to 100",
                 "missing");
    expect_fault(HEAD ",\"key\":\"12345\"}", "key", "binary data of 0 to 4 bytes or null",
                 "\"12345\"");
    expect_fault(HEAD ",\"extra\":{}}", "extra", "a known member", "map");
    expect_fault(HEAD ",\"last\":{\"number\":1,\"share\":1,\"x\":null}}", "last.x",
                 "a known member", "null");
}

Test(schema_read, an_integer_has_no_fraction_and_no_exponent)
{
    static const char *const numbers[] = {
        "7.0", "1e2", "18446744073709551616", "10000", "-1", "null", "true", "\"7\""};
    leg_t leg;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        char json[100];
        snprintf(json, sizeof(json), "{\"share\":1,\"number\":%s}", numbers[i]);

        trp_status_t status = read_as(&leg_schema, json, &leg);

        cr_expect_eq(status, TRP_PAYLOAD, "%s", json);
        cr_expect_str_eq(fault.path, "number");
        cr_expect_str_eq(fault.rule, "an integer from 1 to 9999");
    }
}

Test(schema_read, a_text_may_hold_u0000_and_a_string_may_not)
{
    tour_t tour;

    cr_expect_eq(read_as(&tour_schema, HEAD ",\"note\":\"a\\u0000b\"}", &tour), TRP_OK);
    cr_expect_eq(tour.note.size, 3);
    trp_document_fini(&document);

    expect_fault("{\"id\":\"a\\u0000\",\"status\":\"open\",\"legs\":[]}", "id",
                 "a string without U+0000", "\"a\\u0000\"");
    cr_expect(fault.has_offset && fault.offset == 1);
}

Test(schema_read, ill_formed_utf8_in_messagepack_names_member_and_byte)
{
    static const char body[] = "\x82\xa6number\x01\xa5share\xa3"
                               "ab\xff";
    leg_t leg;
    memset(&fault, 0, sizeof(fault));

    trp_status_t status = trp_schema_unpack(&leg_schema, (trp_text_t){body, sizeof(body) - 1},
                                            &document, &leg, &fault);

    cr_expect_eq(status, TRP_PAYLOAD);
    cr_expect_str_eq(fault.path, "share");
    cr_expect_str_eq(fault.value, "\"ab\xef\xbf\xbd\"");
}

Test(schema_read, lenient_reading_ignores_unknown_members_on_all_levels)
{
    static const char json[] = "{\"id\":\"t\",\"status\":\"open\",\"x\":1,"
                               "\"legs\":[{\"number\":1,\"y\":[],\"share\":1}]}";
    tour_t tour;
    cr_assert_eq(trp_document_init(&document, json, strlen(json), &fault), TRP_OK);

    trp_status_t strict =
        trp_schema_read(&tour_schema, &document.root, &document.zone, &tour, &fault);
    trp_status_t lenient =
        trp_schema_read_lenient(&tour_schema, &document.root, &document.zone, &tour, &fault);

    cr_expect_eq(strict, TRP_PAYLOAD);
    cr_expect_eq(lenient, TRP_OK);
    trp_document_fini(&document);
}

Test(schema_read, a_message_without_members_takes_only_an_empty_map)
{
    nothing_t nothing;

    cr_expect_eq(read_as(&nothing_schema, "{}", &nothing), TRP_OK);
    trp_document_fini(&document);
    cr_expect_eq(read_as(&nothing_schema, "{\"a\":1}", &nothing), TRP_PAYLOAD);
}

Test(schema_read, a_schema_may_contain_itself)
{
    branch_t tree;

    trp_status_t status = read_as(
        &branch_schema, "{\"value\":1,\"twigs\":[{\"value\":2,\"twigs\":[{\"value\":3}]}]}", &tree);

    cr_assert_eq(status, TRP_OK);
    cr_expect_eq(tree.twigs[0].twigs[0].value, 3);
    trp_document_fini(&document);
}

Test(schema_read, a_long_string_is_shown_cut_between_characters)
{
    char letters[121] = "";
    for (size_t i = 0; i < 60; i++) {
        memcpy(letters + 2 * i, "\xc3\xa4", 3);
    }
    char json[400];
    snprintf(json, sizeof(json), "{\"share\":1,\"number\":\"a%s\"}", letters);
    leg_t leg;

    cr_expect_eq(read_as(&leg_schema, json, &leg), TRP_PAYLOAD);

    cr_expect_leq(strlen(fault.value), 80);
    cr_expect_eq(trp_utf8_check(fault.value, strlen(fault.value)), strlen(fault.value));
    cr_expect_eq(fault.value[strlen(fault.value) - 1], '"');
}

Test(schema_read, a_hostile_name_is_told_cut_and_well_formed)
{
    char name[1500];
    memset(name, 'n', sizeof(name));
    char json[2000];
    snprintf(json, sizeof(json), "{\"share\":1,\"number\":1,\"%.1500s\":1}", name);
    leg_t leg;

    cr_expect_eq(read_as(&leg_schema, json, &leg), TRP_PAYLOAD);

    cr_expect_eq(strlen(fault.path), sizeof(fault.path) - 1);
    cr_expect_str_eq(fault.rule, "a known member");
}

Test(schema_read, fields_are_found_in_any_order)
{
    leg_t leg;

    cr_expect_eq(read_as(&leg_schema, "{\"out\":false,\"share\":2,\"number\":3}", &leg), TRP_OK);

    cr_expect(leg.number == 3 && leg.share == 2.0 && leg.has_out && !leg.out);
    trp_document_fini(&document);
}

Test(schema_read, a_name_that_goes_on_behind_u0000_is_not_the_member)
{
    char body[] =
        "\x81\xd9\x60"
        "id\0xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
        "xxxxxxxxxxxxx\x01";
    tour_t tour;

    trp_status_t status = trp_schema_unpack(&tour_schema, (trp_text_t){body, sizeof(body) - 1},
                                            &document, &tour, &fault);

    cr_expect_eq(status, TRP_PAYLOAD);
    cr_expect_str_eq(fault.rule, "a known member");
}

Test(schema_read, a_message_is_read_from_its_payload)
{
    trp_envelope_t message = {.inline_size = 13};
    memcpy(message.payload.bytes, "{\"value\": 7 }", 13);
    branch_t branch;

    trp_status_t status = trp_message_unpack(&branch_schema, &message, &document, &branch, &fault);

    cr_assert_eq(status, TRP_OK);
    cr_expect_eq(branch.value, 7);
    trp_document_fini(&document);
}

Test(schema_read, no_message_and_an_empty_one_are_an_empty_map)
{
    const trp_envelope_t empty = {.inline_size = 0};
    const trp_envelope_t *const messages[] = {NULL, &empty};
    nothing_t nothing;
    branch_t branch;

    for (size_t i = 0; i < 2; i++) {
        cr_assert_eq(trp_message_unpack(&nothing_schema, messages[i], &document, &nothing, &fault),
                     TRP_OK);
        trp_document_fini(&document);
        cr_assert_eq(trp_message_unpack(&branch_schema, messages[i], &document, &branch, &fault),
                     TRP_PAYLOAD);
        cr_expect_str_eq(fault.value, "missing");
    }
}
