/* SPDX-License-Identifier: MIT */
#include "runtime/tools/tools_reply.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "messages/codec.h"

static tools_span_t span(const char *text)
{
    return (tools_span_t){text, strlen(text)};
}

static bool read_text(const char *text, tools_reply_t *reply)
{
    return tools_reply_read(text, strlen(text), reply);
}

/* A JSON text as MessagePack, by the node's own codec. */
static void pack(const char *json, trp_writer_t *writer)
{
    trp_fault_t fault;
    trp_writer_init(writer);
    cr_assert_eq(trp_json_to_msgpack(json, strlen(json), writer, &fault), TRP_OK);
}

#define RESULT                                                                                \
    "{\"task_id\": \"a}\\\"b\", \"success\": true, \"result\": {\"x\": [1, {\"y\": \"]\"}], " \
    "\"z\": -1.5e3}, \"from_cache\": false}"

Test(tools_reply, a_result_is_its_bytes_in_json)
{
    tools_reply_t reply;

    cr_assert(read_text(RESULT, &reply));

    cr_assert(reply.success);
    cr_assert_eq(
        strncmp(reply.value.data, "{\"x\": [1, {\"y\": \"]\"}], \"z\": -1.5e3}", reply.value.size),
        0);
    cr_assert_eq(reply.value.data[reply.value.size - 1], '}');
}

Test(tools_reply, a_result_is_its_bytes_in_messagepack)
{
    trp_writer_t whole, part;
    tools_reply_t reply;
    size_t size = 0, part_size = 0;
    pack(RESULT, &whole);
    pack("{\"x\": [1, {\"y\": \"]\"}], \"z\": -1.5e3}", &part);
    const void *data = trp_writer_data(&whole, &size);
    const void *expected = trp_writer_data(&part, &part_size);

    cr_assert(tools_reply_read(data, size, &reply));

    cr_assert(reply.success);
    cr_assert_eq(reply.value.size, part_size);
    cr_assert_eq(memcmp(reply.value.data, expected, part_size), 0);
    trp_writer_fini(&whole);
    trp_writer_fini(&part);
}

Test(tools_reply, an_error_is_read_in_both_forms)
{
    const char *json = "{\"success\":false,\"error\":{\"code\":\"E_BUSY\",\"message\":"
                       "\"a \\\"full\\\" queue\\n\\u00fc \\ud83d\\ude00\",\"retry_after_ms\":7}}";
    for (int packed = 0; packed < 2; packed++) {
        trp_writer_t writer;
        tools_reply_t reply;
        size_t size = 0;
        pack(json, &writer);
        const void *data = trp_writer_data(&writer, &size);

        cr_assert(packed ? tools_reply_read(data, size, &reply) : read_text(json, &reply));

        cr_assert_not(reply.success);
        cr_assert_str_eq(reply.code, "E_BUSY");
        cr_assert_str_eq(reply.message, "a \"full\" queue\n\xc3\xbc \xf0\x9f\x98\x80");
        cr_assert_eq(reply.retry_after_ms, 7);
        trp_writer_fini(&writer);
    }
}

Test(tools_reply, large_numbers_and_texts_of_all_sizes_are_read)
{
    static char json[70000];
    for (size_t size = 1; size < 66000; size = size * 3 + 1) {
        trp_writer_t writer;
        tools_reply_t reply;
        size_t packed_size = 0;
        snprintf(
            json, sizeof(json),
            "{\"pad\":\"%0*d\",\"success\":false,\"error\":{\"pad\":[1,300,70000,5000000000,"
            "-1,-200,-40000,-3000000000,1.5,null,true],\"code\":\"E\",\"retry_after_ms\":%zu}}",
            (int)size, 0, size * 1000);
        pack(json, &writer);
        const void *data = trp_writer_data(&writer, &packed_size);

        cr_assert(tools_reply_read(data, packed_size, &reply));

        cr_assert_str_eq(reply.code, "E");
        cr_assert_eq(reply.retry_after_ms, (int64_t)size * 1000);
        trp_writer_fini(&writer);
    }
}

Test(tools_reply, a_long_message_is_cut_between_two_characters)
{
    char json[2048] = "{\"success\":false,\"error\":{\"code\":\"E\",\"message\":\"x";
    tools_reply_t reply;
    for (size_t i = 0; i < TOOLS_MESSAGE_SIZE / 2 + 10; i++) {
        strncat(json, "\xc3\xbc", 3);
    }
    strncat(json, "\"}}", 4);

    cr_assert(read_text(json, &reply));

    cr_assert_eq(strlen(reply.message), TOOLS_MESSAGE_SIZE - 1);
    cr_assert_eq((unsigned char)reply.message[TOOLS_MESSAGE_SIZE - 2], 0xbc);
}

static const char *const no_replies[] = {
    "",
    "x",
    "{",
    "{}",
    "[]",
    "[true]",
    "{\"success\"",
    "{\"success\":",
    "{\"success\":true",
    "{\"success\":true}",
    "{\"success\":1,\"result\":1}",
    "{\"success\":true,\"result\":",
    "{\"success\":true,\"result\":[1",
    "{\"success\":true,\"result\":\"open",
    "{\"success\":true,\"result\":\"open\\",
    "{\"success\":true,\"result\":}",
    "{\"success\":true \"result\":1}",
    "{\"success\":false,\"result\":1}",
    "{\"success\":false,\"error\":1}",
    "{\"success\":false,\"error\":{\"code\":1}}",
    "{\"success\":false,\"error\":{\"message\":\"x\"}}",
    "{success:true,\"result\":1}",
    "{\"result\":{\"success\":true,\"result\":1}}",
};

Test(tools_reply, what_is_no_reply_is_told)
{
    for (size_t i = 0; i < sizeof(no_replies) / sizeof(no_replies[0]); i++) {
        tools_reply_t reply;

        cr_expect_not(read_text(no_replies[i], &reply), "%s", no_replies[i]);
    }
}

Test(tools_reply, half_a_pair_of_surrogates_is_a_replacement_character)
{
    char text[16];

    cr_assert(tools_text(span("\"\\ud83dx\""), text, sizeof(text)));
    cr_assert_str_eq(text, "\xef\xbf\xbdx");
    cr_assert(tools_text(span("\"\\udc00\\u12\""), text, sizeof(text)));
    cr_assert_eq(strncmp(text, "\xef\xbf\xbd\xef\xbf\xbd", 6), 0);
}

/* Every beginning, and every single byte changed, in a buffer of just that size: the sanitizers
 * see a read behind it. */
static void mangle(const char *data, size_t size)
{
    for (size_t cut = 0; cut <= size; cut++) {
        char *copy = malloc(cut + (cut == 0));
        tools_reply_t reply;
        cr_assert_not_null(copy);
        memcpy(copy, data, cut);
        (void)tools_reply_read(copy, cut, &reply);
        for (size_t i = 0; cut == size && i < 256 * size; i++) {
            copy[i / 256] = (char)i;
            (void)tools_reply_read(copy, cut, &reply);
            copy[i / 256] = data[i / 256];
        }
        free(copy);
    }
}

Test(tools_reply, mangled_replies_are_read_within_their_bounds)
{
    const char *json =
        "{\"success\":false,\"error\":{\"code\":\"E_X\",\"message\":\"a\\u00fc\\\"\","
        "\"retry_after_ms\":70000,\"l\":[1,2.5,{\"k\":null}]}}";
    trp_writer_t writer;
    size_t size = 0;
    pack(json, &writer);
    const char *packed = trp_writer_data(&writer, &size);

    mangle(json, strlen(json));
    mangle(packed, size);

    trp_writer_fini(&writer);
}

Test(tools_reply, random_bytes_are_read_within_their_bounds)
{
    unsigned seed = 7;
    for (size_t round = 0; round < 20000; round++) {
        unsigned char bytes[48];
        const size_t size = (size_t)rand_r(&seed) % sizeof(bytes) + 1;
        unsigned char *exact = malloc(size);
        tools_reply_t reply;
        char text[8];
        cr_assert_not_null(exact);
        for (size_t i = 0; i < size; i++) {
            exact[i] = (unsigned char)rand_r(&seed);
        }
        exact[0] = round % 2 == 0 ? (unsigned char)(0x80 + round % 128) : exact[0];
        const tools_span_t all = {(const char *)exact, size};

        (void)tools_reply_read(exact, size, &reply);
        (void)tools_text(all, text, sizeof(text));

        free(exact);
    }
}
