/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "messages/codec.h"

static trp_document_t document;
static trp_fault_t fault;

static trp_status_t decode(const void *data, size_t size)
{
    memset(&fault, 0x55, sizeof(fault));
    return trp_document_init(&document, data, size, &fault);
}

#define DECODE(literal) decode(literal, sizeof(literal) - 1)

typedef struct refusal {
    const char *data;
    size_t size;
    bool is_body;
    size_t offset;
    const char *rule;
} refusal_t;

#define REFUSAL(literal, is_body, offset, rule)             \
    {                                                       \
        literal, sizeof(literal) - 1, is_body, offset, rule \
    }

static void expect_refusals(const refusal_t *refusals, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const refusal_t *expected = &refusals[i];

        trp_status_t status = decode(expected->data, expected->size);

        cr_assert_eq(status, TRP_PAYLOAD, "%zu: %s", i, expected->rule);
        cr_expect_str_eq(fault.rule, expected->rule, "%zu: %s", i, fault.rule);
        cr_expect_eq(fault.is_body, expected->is_body, "%zu: %s", i, expected->rule);
        cr_expect(fault.has_offset && fault.offset == expected->offset, "%zu: %s: offset %zu", i,
                  expected->rule, fault.offset);
        cr_expect_str_eq(fault.path, "");
        cr_expect_str_eq(fault.value, "");
        cr_expect_str_eq(fault.message, "");
    }
}

/* ---- forms ---- */

Test(codec, the_first_byte_tells_the_form)
{
    static const struct {
        const char *text;
        trp_status_t status;
        trp_form_t form;
    } cases[] = {
        {"\x80", TRP_OK, TRP_FORM_MSGPACK},
        {"\x8f", TRP_OK, TRP_FORM_MSGPACK},
        {"\xde", TRP_OK, TRP_FORM_MSGPACK},
        {"\xdf", TRP_OK, TRP_FORM_MSGPACK},
        {"{}", TRP_OK, TRP_FORM_JSON},
        {" \t\r\n{", TRP_OK, TRP_FORM_JSON},
        {"\xef\xbb\xbf{", TRP_OK, TRP_FORM_JSON},
        {"\xef\xbb\xbf {", TRP_OK, TRP_FORM_JSON},
        {"", TRP_PAYLOAD, 0},
        {" ", TRP_PAYLOAD, 0},
        {"[", TRP_PAYLOAD, 0},
        {"\x90", TRP_PAYLOAD, 0},
        {"\xef\xbb", TRP_PAYLOAD, 0},
        {"TRP1", TRP_PAYLOAD, 0},
        {"\v{", TRP_PAYLOAD, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        trp_form_t form = (trp_form_t)7;

        trp_status_t status = trp_form_detect(cases[i].text, strlen(cases[i].text), &form);

        cr_expect_eq(status, cases[i].status, "%zu", i);
        cr_expect(status != TRP_OK || form == cases[i].form, "%zu", i);
    }
}

Test(codec, both_forms_become_the_same_tree)
{
    cr_assert_eq(DECODE("\xef\xbb\xbf {\"a\":[1,-2,1.5,\"x\",null,true],\"b\":{}}"), TRP_OK);
    char *from_json;
    char *from_msgpack;
    size_t size;
    cr_assert_eq(trp_json_from_object(&document.root, &from_json, &size), TRP_OK);
    trp_document_fini(&document);
    cr_assert_eq(DECODE("\x82\xa1"
                        "a\x96\x01\xfe\xcb\x3f\xf8\0\0\0\0\0\0\xa1x\xc0\xc3\xa1"
                        "b\x80"),
                 TRP_OK);
    cr_assert_eq(trp_json_from_object(&document.root, &from_msgpack, &size), TRP_OK);

    cr_expect_str_eq(from_json, from_msgpack);
    cr_expect_eq(trp_member(&document.root, "a")->type, MSGPACK_OBJECT_ARRAY);
    cr_expect_null(trp_member(&document.root, "c"));
    free(from_json);
    free(from_msgpack);
    trp_document_fini(&document);
}

/* ---- JSON ---- */

Test(codec, json_that_is_no_map_truncated_or_garbage_is_a_bad_body)
{
    static const refusal_t refusals[] = {
        REFUSAL("", true, 0, "one map, as JSON or MessagePack"),
        REFUSAL("[1]", true, 0, "one map, as JSON or MessagePack"),
        REFUSAL("hello", true, 0, "one map, as JSON or MessagePack"),
        REFUSAL("{", true, 1, "a whole JSON text"),
        REFUSAL("{\"a\":[1,2", true, 9, "a whole JSON text"),
        REFUSAL("{\"a\": }", true, 7, "well-formed JSON"),
        REFUSAL("{\"a\":01}", true, 6, "well-formed JSON"),
        REFUSAL("{'a':1}", true, 2, "well-formed JSON"),
        REFUSAL("{\"a\":\"\xff\"}", true, 6, "well-formed UTF-8"),
        REFUSAL(" {\"a\":\"\xc3\xa4\xed\xa0\x80\"}", true, 9, "well-formed UTF-8"),
    };
    expect_refusals(refusals, sizeof(refusals) / sizeof(refusals[0]));
}

Test(codec, json_that_breaks_a_rule_of_ours_is_a_bad_payload)
{
    static const refusal_t refusals[] = {
        REFUSAL("{\"a\":1,\"a\":2}", false, 10, "each member once"),
        REFUSAL(" {\"b\":{\"a\":1,\"a\":2}}", false, 16, "each member once"),
        REFUSAL("{} x", false, 4, "nothing after the map"),
        REFUSAL("{}{}", false, 3, "nothing after the map"),
        REFUSAL("{\"a\":\"\\ud800\"}", false, 13, "surrogates come in pairs"),
        REFUSAL("{\"a\":\"\\udc00x\"}", false, 14, "surrogates come in pairs"),
        REFUSAL("{\"a\":\"\\ud800\\u0041\"}", false, 19, "surrogates come in pairs"),
        REFUSAL("{\"a\":NaN}", false, 8, "numbers are finite"),
        REFUSAL("{\"a\":Infinity}", false, 13, "numbers are finite"),
        REFUSAL("{\"a\":-Infinity}", false, 6, "numbers are finite"),
        REFUSAL("{\"\\u0000\":1}", false, 9, "names of members without U+0000"),
    };
    expect_refusals(refusals, sizeof(refusals) / sizeof(refusals[0]));
}

Test(codec, a_number_beyond_a_double_is_refused)
{
    cr_expect_eq(DECODE("{\"a\":1e400}"), TRP_PAYLOAD);
    cr_expect_str_eq(fault.rule, "numbers fit a double");
    cr_expect_not(fault.is_body);
}

Test(codec, json_integers_beyond_64_bits_are_read_as_reals_and_all_else_stays_exact)
{
    cr_assert_eq(DECODE("{\"s\":\"99999999999999999999\",\"big\":18446744073709551616,"
                        "\"low\":-9223372036854775809,\"max\":9223372036854775807,"
                        "\"min\":-9223372036854775808,\"real\":100.0,\"list\":[9007199254740993,"
                        "99999999999999999999]}"),
                 TRP_OK);

    cr_expect_eq(trp_member(&document.root, "s")->type, MSGPACK_OBJECT_STR);
    cr_expect_eq(trp_member(&document.root, "big")->type, MSGPACK_OBJECT_FLOAT64);
    cr_expect_eq(trp_member(&document.root, "big")->via.f64, 18446744073709551616.0);
    cr_expect_eq(trp_member(&document.root, "low")->type, MSGPACK_OBJECT_FLOAT64);
    cr_expect_eq(trp_member(&document.root, "max")->via.i64, INT64_MAX);
    cr_expect_eq(trp_member(&document.root, "min")->via.i64, INT64_MIN);
    cr_expect_eq(trp_member(&document.root, "real")->type, MSGPACK_OBJECT_FLOAT64);
    cr_expect_eq(trp_member(&document.root, "list")->via.array.ptr[0].via.i64, 9007199254740993);
    trp_document_fini(&document);
}

Test(codec, a_string_may_hold_u0000_and_keeps_its_length)
{
    cr_assert_eq(DECODE("{\"a\":\"x\\u0000y\"}"), TRP_OK);

    const msgpack_object *text = trp_member(&document.root, "a");
    cr_expect(text->via.str.size == 3 && memcmp(text->via.str.ptr, "x\0y", 3) == 0);
    trp_document_fini(&document);
}

/* ---- MessagePack ---- */

Test(codec, messagepack_that_lies_or_is_cut_is_a_bad_body)
{
    static const refusal_t refusals[] = {
        REFUSAL("\x81", true, 0, "a whole MessagePack map"),
        REFUSAL("\x81\xa1"
                "a",
                true, 1, "a whole MessagePack map"),
        REFUSAL("\x81\xa1"
                "a\xcd\x01",
                true, 3, "a whole MessagePack map"),
        REFUSAL("\x81\xa1"
                "a\xa5xyz",
                true, 3, "a whole MessagePack map"),
        REFUSAL("\x81\xa1"
                "a\xdb\xff\xff\xff\xffxyz",
                true, 3, "a whole MessagePack map"),
        REFUSAL("\x81\xa1"
                "a\xdd\x01\x00\x00\x00x",
                true, 3, "a whole MessagePack map"),
        REFUSAL("\xdf\xff\xff\xff\xff", true, 0, "a whole MessagePack map"),
        REFUSAL("\xde\x00", true, 0, "a whole MessagePack map"),
        REFUSAL("\x81\xa1"
                "a\x92\x92\x01",
                true, 4, "a whole MessagePack map"),
        REFUSAL("\x81\xa1"
                "a\xc1",
                true, 3, "well-formed MessagePack"),
    };
    expect_refusals(refusals, sizeof(refusals) / sizeof(refusals[0]));
}

Test(codec, messagepack_that_breaks_a_rule_of_ours_is_a_bad_payload)
{
    static const refusal_t refusals[] = {
        REFUSAL("\x82\xa1"
                "a\x01\xa1"
                "a\x02",
                false, 5, "each member once"),
        REFUSAL("\x81\xa1"
                "b\x82\xa1"
                "a\x01\xa1"
                "a\x02",
                false, 8, "each member once"),
        REFUSAL("\x80\x80", false, 1, "nothing after the map"),
        REFUSAL("\x81\x01\x01", false, 1, "names of members are strings"),
        REFUSAL("\x81\xa1"
                "a\xcb\x7f\xf8\0\0\0\0\0\0",
                false, 3, "numbers are finite"),
        REFUSAL("\x81\xa1"
                "a\xcb\xff\xf0\0\0\0\0\0\0",
                false, 3, "numbers are finite"),
        REFUSAL("\x81\xa1"
                "a\xca\x7f\x80\0\0",
                false, 3, "numbers are finite"),
    };
    expect_refusals(refusals, sizeof(refusals) / sizeof(refusals[0]));
}

Test(codec, a_member_twice_is_found_among_many_and_told_by_its_byte)
{
    enum { COUNT = 50000 };
    trp_writer_t writer;
    char name[32];
    size_t size;
    trp_writer_init(&writer);
    trp_write_map(&writer, COUNT + 1);
    for (int i = 0; i < COUNT; i++) {
        snprintf(name, sizeof(name), "member-%06d", (i * 7919) % COUNT);
        trp_write_key(&writer, name);
        trp_write_nil(&writer);
    }
    trp_writer_data(&writer, &size);
    size_t last = size;
    trp_write_key(&writer, "member-000123");
    trp_write_nil(&writer);
    const void *data = trp_writer_data(&writer, &size);

    trp_status_t status = decode(data, size);

    cr_assert_eq(status, TRP_PAYLOAD);
    cr_expect_str_eq(fault.rule, "each member once");
    cr_expect_eq(fault.offset, last + 1, "the name behind its tag");
    trp_writer_fini(&writer);
}

/* ---- bounds, in both forms ---- */

static void nest(char *text, size_t levels, bool json)
{
    size_t used = json ? 5 : 3;
    memcpy(text,
           json ? "{\"a\":"
                : "\x81\xa1"
                  "a",
           used);
    memset(text + used, json ? '[' : '\x91', levels);
    used += levels;
    if (json) {
        memset(text + used, ']', levels);
        used += levels;
        text[used++] = '}';
    } else {
        text[used++] = '\x01';
    }
    text[used] = '\0';
}

Test(codec, thirty_two_levels_are_taken_and_one_more_is_refused)
{
    for (int json = 0; json <= 1; json++) {
        char text[200];
        nest(text, TRP_DEPTH_MAX - 1, json);
        cr_expect_eq(decode(text, strlen(text)), TRP_OK, "%d", json);
        trp_document_fini(&document);
        nest(text, TRP_DEPTH_MAX, json);

        cr_expect_eq(decode(text, strlen(text)), TRP_PAYLOAD, "%d", json);
        cr_expect_str_eq(fault.rule, "at most 32 levels of maps and arrays");
        cr_expect_eq(fault.offset, (size_t)(json ? 5 : 3) + TRP_DEPTH_MAX - 1);
        cr_expect_not(fault.is_body);
    }
}

Test(codec, brackets_inside_of_strings_are_no_levels)
{
    cr_expect_eq(
        DECODE("{\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\":\"\\\"{{{{{{{{{{{{{{{{{{{{{{{{{{"
               "{{{{{{{{{{{{{{{{\\\\\"}"),
        TRP_OK);
    trp_document_fini(&document);
}

Test(codec, a_million_tiny_items_are_refused_before_memory_is_spent)
{
    for (int json = 0; json <= 1; json++) {
        enum { COUNT = 1000000 };
        char *body = malloc(3 * COUNT + 20);
        size_t used = 0;
        if (json) {
            memcpy(body, "{\"a\":[", 6);
            used = 6;
            for (size_t i = 0; i < COUNT; i++, used += 2) {
                memcpy(body + used, "1,", 2);
            }
            memcpy(body + used, "1]}", 3);
            used += 3;
        } else {
            memcpy(body,
                   "\x81\xa1"
                   "a\xdd\x00\x0f\x42\x40",
                   8);
            memset(body + 8, 1, COUNT);
            used = 8 + COUNT;
        }

        trp_status_t status = decode(body, used);

        cr_expect_eq(status, TRP_PAYLOAD);
        cr_expect_str_eq(fault.rule, "at most 524288 values and names");
        cr_expect_not(fault.is_body);
        free(body);
    }
}

Test(codec, msgpack_check_takes_any_value_and_tells_the_bad_byte)
{
    size_t bad = 0;

    cr_expect_eq(trp_msgpack_check("\x01", 1, &bad), TRP_OK);
    cr_expect_eq(trp_msgpack_check("\x93\x01\x02\xa2x", 5, &bad), TRP_PAYLOAD);
    cr_expect_eq(bad, 3);
    cr_expect(trp_msgpack_is_value("\x01", 1));
    cr_expect_not(trp_msgpack_is_value("\x01\x01", 2));
    cr_expect_not(trp_msgpack_is_value("", 0));
}

/* ---- numbers as text ---- */

static void expect_real(double value, const char *text)
{
    msgpack_object object = {.type = MSGPACK_OBJECT_FLOAT64, .via.f64 = value};
    char *json;
    size_t size;
    cr_assert_eq(trp_json_from_object(&object, &json, &size), TRP_OK);
    cr_expect_str_eq(json, text);
    cr_expect_eq(strtod(json, NULL), value);
    free(json);
}

Test(codec, reals_have_a_short_text_that_reads_back_the_same)
{
    expect_real(0.1, "0.1");
    expect_real(0.1 + 0.2, "0.30000000000000004");
    expect_real(100.0, "100.0");
    expect_real(-0.0, "-0.0");
    expect_real(1e22, "1e+22");
    expect_real(5e-324, "4.94065645841247e-324");
    expect_real(1.7976931348623157e308, "1.7976931348623157e+308");
}

Test(codec, random_reals_survive_a_round_trip_through_json)
{
    srandom(11);
    for (int round = 0; round < 20000; round++) {
        uint64_t bits = (uint64_t)random() << 42 ^ (uint64_t)random() << 21 ^ (uint64_t)random();
        msgpack_object object = {.type = MSGPACK_OBJECT_FLOAT64};
        memcpy(&object.via.f64, &bits, sizeof(bits));
        if (!isfinite(object.via.f64)) {
            continue;
        }
        char *json;
        size_t size;
        trp_writer_t writer;
        trp_writer_init(&writer);
        cr_assert_eq(trp_json_from_object(&object, &json, &size), TRP_OK);

        trp_status_t status = trp_json_to_msgpack(json, size, &writer, &fault);

        cr_assert_eq(status, TRP_OK, "%s", json);
        const unsigned char *data = trp_writer_data(&writer, &size);
        cr_assert(size == 9 && data[0] == 0xcb, "%s", json);
        uint64_t back = 0;
        for (int i = 1; i <= 8; i++) {
            back = back << 8 | data[i];
        }
        cr_assert_eq(back, bits, "%s", json);
        free(json);
        trp_writer_fini(&writer);
    }
}

Test(codec, any_json_value_becomes_messagepack)
{
    static const char *const texts[] = {"1", "null", "\"x\"", "[]", " [1, 2]", "{\"a\":{}}"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        trp_writer_t writer;
        size_t size;
        trp_writer_init(&writer);

        cr_expect_eq(trp_json_to_msgpack(texts[i], strlen(texts[i]), &writer, &fault), TRP_OK);

        const void *data = trp_writer_data(&writer, &size);
        cr_expect(trp_msgpack_is_value(data, size));
        trp_writer_fini(&writer);
    }
    trp_writer_t writer;
    trp_writer_init(&writer);
    cr_expect_eq(trp_json_to_msgpack("", 0, &writer, &fault), TRP_PAYLOAD);
    cr_expect_eq(trp_json_to_msgpack("1 2", 3, &writer, &fault), TRP_PAYLOAD);
    trp_writer_fini(&writer);
}
