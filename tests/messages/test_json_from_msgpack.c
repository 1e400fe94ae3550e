/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "messages/codec.h"

static void expect_text(const char *data, size_t size, const char *expected)
{
    char *json = NULL;
    size_t length = 0;

    trp_status_t status = trp_json_from_msgpack(data, size, &json, &length);

    cr_assert_eq(status, TRP_OK, "%s", expected);
    cr_expect_str_eq(json, expected);
    cr_expect_eq(length, strlen(expected));
    free(json);
}

#define EXPECT_TEXT(data, expected) expect_text(data, sizeof(data) - 1, expected)

Test(json_from_msgpack, every_kind_of_value_has_its_text)
{
    EXPECT_TEXT("\xc0", "null");
    EXPECT_TEXT("\xc2", "false");
    EXPECT_TEXT("\xc3", "true");
    EXPECT_TEXT("\x7f", "127");
    EXPECT_TEXT("\xe0", "-32");
    EXPECT_TEXT("\xcc\xff", "255");
    EXPECT_TEXT("\xcf\xff\xff\xff\xff\xff\xff\xff\xff", "18446744073709551615");
    EXPECT_TEXT("\xd0\x80", "-128");
    EXPECT_TEXT("\xd1\xff\x7f", "-129");
    EXPECT_TEXT("\xd3\x80\x00\x00\x00\x00\x00\x00\x00", "-9223372036854775808");
    EXPECT_TEXT("\xca\x3f\xc0\x00\x00", "1.5");
    EXPECT_TEXT("\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00", "1.5");
    EXPECT_TEXT("\xa3"
                "a\"\n",
                "\"a\\\"\\n\"");
    EXPECT_TEXT("\xc4\x03"
                "abc",
                "\"YWJj\"");
    EXPECT_TEXT("\x90", "[]");
    EXPECT_TEXT("\x80", "{}");
    EXPECT_TEXT("\x93\x01\x90\x02", "[1,[],2]");
    EXPECT_TEXT("\x82\xa1"
                "a\x01\xa1"
                "b\x81\xa1"
                "c\x91\xc0",
                "{\"a\":1,\"b\":{\"c\":[null]}}");
}

static void expect_refused(const char *data, size_t size)
{
    char *json = NULL;
    size_t length = 0;

    trp_status_t status = trp_json_from_msgpack(data, size, &json, &length);

    cr_expect_eq(status, TRP_PAYLOAD);
    cr_expect_null(json);
}

#define EXPECT_REFUSED(data) expect_refused(data, sizeof(data) - 1)

Test(json_from_msgpack, what_json_cannot_say_and_what_is_cut_off_is_refused)
{
    EXPECT_REFUSED("");
    EXPECT_REFUSED("\xc1");
    EXPECT_REFUSED("\xd4\x01\x02");                         /* ext */
    EXPECT_REFUSED("\xcb\x7f\xf0\x00\x00\x00\x00\x00\x00"); /* infinity */
    EXPECT_REFUSED("\xa2\xff\xff");                         /* no UTF-8 */
    EXPECT_REFUSED("\xa3"
                   "ab");                       /* cut off */
    EXPECT_REFUSED("\xdd\xff\xff\xff\xff\x01"); /* announces four thousand million */
    EXPECT_REFUSED("\x81\x01\x01");             /* a name that is no string */
    EXPECT_REFUSED("\x01\x01");                 /* something behind the value */
}

Test(json_from_msgpack, levels_beyond_those_of_requests_are_written_up_to_a_bound)
{
    enum { DEEP = 2500, TOO_DEEP = 100000 };
    char *data = malloc(TOO_DEEP), *json = NULL;
    size_t length = 0;
    cr_assert_not_null(data);
    memset(data, 0x91, TOO_DEEP); /* an array of one */
    data[DEEP - 1] = (char)0x90;

    trp_status_t status = trp_json_from_msgpack(data, DEEP, &json, &length);

    cr_assert_eq(status, TRP_OK);
    cr_expect_eq(length, 2 * DEEP);
    cr_expect_eq(json[DEEP - 1], '[');
    cr_expect_eq(json[DEEP], ']');
    free(json);
    json = NULL;
    data[DEEP - 1] = (char)0x91;
    data[TOO_DEEP - 1] = (char)0x90;
    cr_expect_eq(trp_json_from_msgpack(data, TOO_DEEP, &json, &length), TRP_PAYLOAD);
    free(data);
}
