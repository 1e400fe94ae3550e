/* SPDX-License-Identifier: MIT */
#include "actors/router/base/cache_key.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static trp_text_t text(const char *string)
{
    return (trp_text_t){string, strlen(string)};
}

static const char *hex(const cache_key_t *key)
{
    static char digits[2 * CACHE_KEY_SIZE + 1];
    for (size_t i = 0; i < CACHE_KEY_SIZE; i++) {
        snprintf(digits + 2 * i, 3, "%02x", key->bytes[i]);
    }
    return digits;
}

static cache_key_t key_of(const char *tool, uint32_t version, const char *body)
{
    cache_key_t key;
    cr_assert_eq(cache_key_of_call(text(tool), version, text(body), &key), TRP_OK, "%s", body);
    return key;
}

static bool equal(const cache_key_t *a, const cache_key_t *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

Test(cache_key, without_a_version_it_is_the_golden_digest)
{
    cache_key_t key = key_of("parse", 0, "{\"language\":\"javascript\",\"code\":\"const x = 1;\"}");

    cr_assert_str_eq(hex(&key), "66e2ba527d8688bf6d5367aac8fee2a82b407801ee85fc43a4a79b6d62cb2cd2"
                                "727eb89443f99668e32a4a43ec4cb6aac9c482290559813b7f35320e87152a0c");
}

/* Python: hashlib.blake2b(text).hexdigest() of
 * {"params":{"code":"const x = 1;","language":"javascript"},"tool":"parse","version":1} */
Test(cache_key, with_a_version_it_is_the_digest_of_the_text_with_it)
{
    cache_key_t key = key_of("parse", 1, "{\"language\":\"javascript\",\"code\":\"const x = 1;\"}");

    cr_assert_str_eq(hex(&key), "bfde2b00f059503af7da866dfc8f2f94c6c677d4d6865f17ab1b15718ddc320c"
                                "b81720afe48a8f701b74bf6e2178c0c2f566e47683b3e8e3e8ac4da5c078ec5e");
}

Test(cache_key, order_of_members_and_blanks_make_no_difference_at_any_depth)
{
    cache_key_t a = key_of("t", 1, "{\"a\": {\"x\": 1, \"y\": [ {\"p\":1,\"q\":2} ]}, \"b\": 2}");
    cache_key_t b = key_of("t", 1, "{\"b\":2,\"a\":{\"y\":[{\"q\":2,\"p\":1}],\"x\":1}}");

    cr_assert(equal(&a, &b));
}

Test(cache_key, the_form_makes_no_difference)
{
    cache_key_t packed;
    cache_key_t json = key_of("t", 1, "{\"a\":1}");

    cr_assert_eq(cache_key_of_call(text("t"), 1,
                                   (trp_text_t){"\x81\xa1"
                                                "a\x01",
                                                4},
                                   &packed),
                 TRP_OK);

    cr_assert(equal(&json, &packed));
}

Test(cache_key, tool_version_and_body_tell_calls_apart)
{
    cache_key_t keys[] = {key_of("t", 1, "{\"a\":1}"),     key_of("u", 1, "{\"a\":1}"),
                          key_of("t", 2, "{\"a\":1}"),     key_of("t", 1, "{\"a\":2}"),
                          key_of("t", 1, "{\"a\":\"1\"}"), key_of("t", 1, "{\"a\":[1]}")};
    for (size_t i = 0; i < 6; i++) {
        for (size_t j = i + 1; j < 6; j++) {
            cr_assert_not(equal(&keys[i], &keys[j]), "%zu and %zu", i, j);
        }
    }
}

Test(cache_key, what_is_no_map_has_no_key)
{
    cache_key_t key;

    cr_assert_eq(cache_key_of_call(text("t"), 1, text("[1]"), &key), TRP_PAYLOAD);
    cr_assert_eq(cache_key_of_call(text("t"), 1, text("{\"a\":"), &key), TRP_PAYLOAD);
    cr_assert_eq(cache_key_of_call(text("t"), 1, text(""), &key), TRP_PAYLOAD);
}

Test(cache_key, texts_of_different_kinds_and_tools_differ)
{
    cache_key_t keys[4];
    cache_key_of_text("idem", text("tool"), text("1"), &keys[0]);
    cache_key_of_text("idem", text("tool1"), text(""), &keys[1]);
    cache_key_of_text("other", text("tool"), text("1"), &keys[2]);
    cache_key_of_text("idem", text("tool"), text("1"), &keys[3]);

    cr_assert_not(equal(&keys[0], &keys[1]));
    cr_assert_not(equal(&keys[0], &keys[2]));
    cr_assert(equal(&keys[0], &keys[3]));
}

static void frames_key_of(const char *tool, const char *const *texts, size_t count,
                          cache_key_t *key)
{
    char packed[64];
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        const uint32_t size = (uint32_t)strlen(texts[i]);
        memcpy(packed + used, &size, sizeof(size));
        memcpy(packed + used + sizeof(size), texts[i], size);
        used += sizeof(size) + size;
    }
    cache_key_of_frames((trp_text_t){tool, strlen(tool)}, (trp_text_t){packed, used}, key);
}

Test(cache_key, frames_are_known_by_their_bytes_and_where_they_are_cut)
{
    cache_key_t one, same, cut, other_tool, none;

    frames_key_of("t", (const char *const[]){"ab", "c"}, 2, &one);
    frames_key_of("t", (const char *const[]){"ab", "c"}, 2, &same);
    frames_key_of("t", (const char *const[]){"a", "bc"}, 2, &cut);
    frames_key_of("u", (const char *const[]){"ab", "c"}, 2, &other_tool);
    frames_key_of("t", NULL, 0, &none);

    cr_expect_arr_eq(one.bytes, same.bytes, sizeof(one.bytes));
    cr_expect_arr_neq(one.bytes, cut.bytes, sizeof(one.bytes));
    cr_expect_arr_neq(one.bytes, other_tool.bytes, sizeof(one.bytes));
    cr_expect_arr_neq(one.bytes, none.bytes, sizeof(one.bytes));
}

Test(cache_key, a_foreign_tools_map_is_known_in_its_form_and_the_rest_by_its_bytes)
{
    static const char *const bodies[] = {"{\"a\":1,\"b\":2}", "{ \"b\": 2, \"a\": 1 }",
                                         "\x82\xa1\x61\x01\xa1\x62\x02", "\xc1", "\xc1\xc1"};
    enum { COUNT = sizeof(bodies) / sizeof(bodies[0]) };
    cache_key_t keys[COUNT];

    for (size_t i = 0; i < COUNT; i++) {
        cache_key_of_foreign(text("t"), text(bodies[i]), &keys[i]);
    }

    cr_expect(equal(&keys[0], &keys[1]), "blanks and order make no difference");
    for (size_t i = 1; i < COUNT; i++) {
        for (size_t j = i + 1; j < COUNT; j++) {
            cr_expect_not(equal(&keys[i], &keys[j]), "%zu and %zu", i, j);
        }
    }
}
