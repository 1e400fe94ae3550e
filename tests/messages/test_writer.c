/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "messages/codec.h"

static trp_writer_t writer;

static void setup(void)
{
    trp_writer_init(&writer);
}

static void teardown(void)
{
    trp_writer_fini(&writer);
}

TestSuite(writer, .init = setup, .fini = teardown);

static void expect_json(const char *expected)
{
    size_t size;
    char *json = NULL;
    const void *data = trp_writer_data(&writer, &size);
    cr_assert_eq(trp_json_from_msgpack(data, size, &json, &size), TRP_OK);
    cr_expect_str_eq(json, expected);
    free(json);
}

Test(writer, a_map_may_be_counted_at_its_end)
{
    size_t map = trp_write_map_begin(&writer);
    trp_write_key(&writer, "list");
    size_t list = trp_write_array_begin(&writer);
    trp_write_int(&writer, -1);
    trp_write_bool(&writer, false);
    trp_write_real(&writer, 2.5);
    trp_write_array_end(&writer, list, 3);
    trp_write_key(&writer, "bytes");
    trp_write_bytes(&writer, "\x00\xff", 2);
    trp_write_map_end(&writer, map, 2);

    expect_json("{\"list\":[-1,false,2.5],\"bytes\":\"AP8=\"}");
}

Test(writer, members_are_a_key_and_a_value)
{
    trp_write_map(&writer, 5);
    trp_put_text(&writer, "text", "a");
    trp_put_string(&writer, "string", (trp_text_t){.data = "b\0c", .size = 3});
    trp_put_int(&writer, "int", -7);
    trp_put_real(&writer, "real", 0.5);
    trp_put_bool(&writer, "bool", true);

    expect_json("{\"text\":\"a\",\"string\":\"b\\u0000c\",\"int\":-7,\"real\":0.5,\"bool\":true}");
}

Test(writer, a_small_message_is_taken_and_the_writer_is_empty)
{
    zmq_msg_t message;
    size_t size;
    trp_write_text(&writer, "hello");

    cr_assert_eq(trp_writer_take(&writer, &message), TRP_OK);

    cr_expect(zmq_msg_size(&message) == 6 && memcmp(zmq_msg_data(&message), "\xa5hello", 6) == 0);
    trp_writer_data(&writer, &size);
    cr_expect_eq(size, 0);
    trp_write_nil(&writer);
    expect_json("null");
    zmq_msg_close(&message);
}

Test(writer, a_large_message_is_taken_without_a_copy_and_the_writer_is_empty)
{
    static char text[100000];
    memset(text, 'x', sizeof(text));
    zmq_msg_t message;
    size_t size;
    trp_write_string(&writer, text, sizeof(text));

    cr_assert_eq(trp_writer_take(&writer, &message), TRP_OK);

    cr_expect_eq(zmq_msg_size(&message), sizeof(text) + 5);
    trp_writer_data(&writer, &size);
    cr_expect_eq(size, 0);
    trp_write_int(&writer, 7);
    expect_json("7");
    zmq_msg_close(&message);
}

Test(writer, a_failure_is_kept_until_the_message_is_taken)
{
    zmq_msg_t message;
    trp_write_text(&writer, "x");
    writer.failed = true;
    trp_write_text(&writer, "y");

    cr_expect_eq(trp_writer_take(&writer, &message), TRP_NO_MEMORY);

    cr_expect_eq(zmq_msg_size(&message), 0);
    zmq_msg_close(&message);
    trp_write_nil(&writer);
    expect_json("null");
}
