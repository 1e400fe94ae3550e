/* SPDX-License-Identifier: MIT */
#include "actors/router/base/difference.h"

#include <criterion/criterion.h>
#include <string.h>

static difference_t find(const char *one, const char *other, const char *ignore)
{
    difference_t difference;
    cr_assert_eq(difference_find((trp_text_t){one, strlen(one)}, (trp_text_t){other, strlen(other)},
                                 ignore, &difference),
                 TRP_OK);
    return difference;
}

static void same(const char *one, const char *other)
{
    difference_t difference = find(one, other, "");
    cr_assert(difference.is_equal, "%s | %s: %s", one, other, difference.path);
}

static void differ(const char *one, const char *other, const char *path)
{
    difference_t difference = find(one, other, "");
    cr_assert(!difference.is_equal, "%s | %s", one, other);
    cr_assert_str_eq(difference.path, path);
}

Test(difference, order_of_members_blanks_and_kinds_of_numbers_are_none)
{
    same("{\"a\":1,\"b\":{\"x\":1,\"y\":[1,{\"p\":1,\"q\":2}]}}",
         "{ \"b\": {\"y\": [1.0, {\"q\":2, \"p\":1}], \"x\":1}, \"a\": 1.0 }");
    same("[1, null, true, \"x\"]", "[1,null,true,\"x\"]");
    same("3", "3.0");
    same("", "");
}

Test(difference, first_one_is_named_by_its_path)
{
    differ("{\"a\":{\"b\":[1,2]}}", "{\"a\":{\"b\":[1,3]}}", "a.b[1]");
    differ("{\"a\":[1,2]}", "{\"a\":[1]}", "a[1]");
    differ("{\"a\":1}", "{\"a\":1,\"b\":2}", "b");
    differ("{\"a\":1,\"b\":2}", "{\"b\":2}", "a");
    differ("{\"a\":null}", "{\"a\":false}", "a");
    differ("{\"a\":9007199254740993}", "{\"a\":9007199254740992}", "a");
    differ("1", "\"1\"", "");
}

Test(difference, members_that_are_ignored_are_not_looked_at)
{
    cr_assert(
        find("{\"ms\":1,\"n\":[{\"at\":1,\"x\":1}]}", "{\"n\":[{\"x\":1,\"at\":2}]}", " at  ms ")
            .is_equal);
    cr_assert_not(find("{\"msx\":1}", "{\"msx\":2}", "ms").is_equal);
}

Test(difference, json_and_messagepack_are_compared_by_what_they_say)
{
    difference_t difference;
    const char packed[] = "\x82\xa1"
                          "b\xa1y\xa1"
                          "a\x01"; /* {"b":"y","a":1} */
    const char *json = "{\"a\":1,\"b\":\"y\"}";
    cr_assert_eq(difference_find((trp_text_t){packed, sizeof(packed) - 1},
                                 (trp_text_t){json, strlen(json)}, "", &difference),
                 TRP_OK);
    cr_assert(difference.is_equal, "%s", difference.path);
}

Test(difference, what_cannot_be_read_is_compared_byte_by_byte)
{
    differ("{\"a\":", "{\"a\": ", "");
    differ("{\"a\":1}", "{\"a\"", "");
    same("{\"a\"", "{\"a\"");
    char deep[201], other[202];
    memset(deep, '[', 100);
    memset(deep + 100, ']', 100);
    deep[200] = '\0';
    memcpy(other, " ", 1);
    memcpy(other + 1, deep, sizeof(deep));
    same(deep, deep);
    differ(deep, other, "");
}

Test(difference, long_names_are_cut_and_do_no_harm)
{
    char one[4000] = "{\"", other[4000];
    memset(one + 2, 'x', 3000);
    memcpy(one + 3002, "\":{\"", 4);
    memset(one + 3006, 'y', 500);
    memcpy(one + 3506, "\":1}}", 6);
    memcpy(other, one, sizeof(one));
    other[strlen(other) - 3] = '2';
    cr_assert_not(find(one, other, "").is_equal);
}
