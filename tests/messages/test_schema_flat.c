/* SPDX-License-Identifier: MIT */
/* The short way and the long way to read a message say the same. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "messages/schema_internal.h"
#include "messages/task.h"

#define MUTATIONS 200000

static uint64_t state = 1;

static uint64_t chance(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static bool same_text(trp_text_t a, trp_text_t b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static bool same_done(const task_done_t *a, const task_done_t *b)
{
    return a->success == b->success && same_text(a->body, b->body) && a->exec_us == b->exec_us &&
           a->has_bind == b->has_bind && same_text(a->bind, b->bind) &&
           a->has_unbind == b->has_unbind && same_text(a->unbind, b->unbind) &&
           a->has_rss_bytes == b->has_rss_bytes && a->rss_bytes == b->rss_bytes;
}

/* What the short way takes, the long way takes, and finds the same in it. True: it was taken. */
static bool check(const void *data, size_t size)
{
    task_done_t flat, whole;
    trp_document_t document;
    trp_fault_t fault;
    const trp_text_t bytes = {data, size};
    if (!schema_read_flat(&task_done_schema, bytes, &flat)) {
        return false;
    }
    cr_assert_eq(trp_document_init(&document, data, size, &fault), TRP_OK);
    cr_assert_eq(trp_schema_read(&task_done_schema, &document.root, &document.zone, &whole, &fault),
                 TRP_OK);
    cr_assert(same_done(&flat, &whole));
    trp_document_fini(&document);
    return true;
}

static size_t pack(const task_done_t *done, unsigned char *bytes, size_t room)
{
    trp_writer_t writer;
    size_t size = 0;
    trp_writer_init(&writer);
    trp_schema_write(&task_done_schema, done, &writer);
    const void *data = trp_writer_data(&writer, &size);
    cr_assert_leq(size, room);
    memcpy(bytes, data, size);
    trp_writer_fini(&writer);
    return size;
}

static task_done_t make_done(int64_t number, size_t body)
{
    static const char text[70000] = "body";
    return (task_done_t){.success = true,
                         .body = {text, body},
                         .exec_us = number,
                         .has_unbind = true,
                         .unbind = {"key", 3},
                         .has_rss_bytes = number != 0,
                         .rss_bytes = number};
}

Test(schema_flat, what_is_packed_is_read_whatever_its_widths)
{
    static const int64_t numbers[] = {0,
                                      1,
                                      127,
                                      128,
                                      255,
                                      256,
                                      65535,
                                      65536,
                                      4294967295LL,
                                      4294967296LL,
                                      80000,
                                      9999,
                                      2147483648,
                                      9000000000000000LL};
    static const size_t sizes[] = {0, 1, 31, 32, 255, 256, 65535, 65536};
    static unsigned char bytes[80000];

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
            const task_done_t done = make_done(numbers[i], sizes[k]);
            cr_expect(check(bytes, pack(&done, bytes, sizeof(bytes))), "%lld, %zu bytes",
                      (long long)numbers[i], sizes[k]);
        }
    }
}

Test(schema_flat, no_mutation_is_read_in_two_ways)
{
    unsigned char bytes[128], mutated[128];
    const task_done_t done = make_done(70000, 20);
    const size_t size = pack(&done, bytes, sizeof(bytes));
    unsigned taken = 0;

    for (unsigned i = 0; i < MUTATIONS; i++) {
        memcpy(mutated, bytes, size);
        for (uint64_t n = 1 + chance() % 3; n > 0; n--) {
            mutated[chance() % size] = (unsigned char)chance();
        }
        taken += check(mutated, size);
    }

    cr_expect_gt(taken, 100);
    cr_expect_lt(taken, MUTATIONS);
}

Test(schema_flat, every_cut_is_left_to_the_long_way)
{
    unsigned char bytes[128];
    const task_done_t done = make_done(70000, 20);
    const size_t size = pack(&done, bytes, sizeof(bytes));

    for (size_t cut = 0; cut < size; cut++) {
        unsigned char *exact = malloc(cut + 1); /* so that the sanitizers see a read behind it */
        memcpy(exact, bytes, cut);
        cr_expect_not(check(exact, cut), "cut at %zu", cut);
        free(exact);
    }
}

Test(schema_flat, what_is_out_of_bounds_or_missing_is_left_to_the_long_way)
{
    task_done_t out;
    static const struct {
        const char *bytes;
        size_t size;
    } left[] = {
#define LEFT(text) {text, sizeof(text) - 1}
        LEFT(""),
        LEFT("{}"),
        LEFT("\x80"),
        LEFT("\x81\xa7success\xc3"), /* no body */
        LEFT("\x83\xa7success\xc3\xa4"
             "body\xc4\x00\xa7"
             "exec_us\xff"), /* negative */
        LEFT("\x83\xa7success\x01\xa4"
             "body\xc4\x00\xa7"
             "exec_us\x01"), /* no bool */
        LEFT("\x83\xa4"
             "body\xc4\x00\xa7success\xc3\xa7"
             "exec_us\x01"), /* another order */
        LEFT("\x83\xa7success\xc3\xa4"
             "body\xc4\x00\xa4"
             "bind\xa0"), /* empty key */
        LEFT("\x83\xa7success\xc3\xa4"
             "bo\x00y\xc4\x00\xa7"
             "exec_us\x01"),
        LEFT("\x83\xa7success\xc3\xa4"
             "body\xc4\x00\xa7"
             "exec_us\x01 "), /* more behind */
        LEFT("\x84\xa7success\xc3\xa4"
             "body\xc4\x00\xa7"
             "exec_us\x01\xa4"
             "bind\xa2\xc3("),
    };

    for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
        const trp_text_t bytes = {left[i].bytes, left[i].size};
        cr_expect_not(schema_read_flat(&task_done_schema, bytes, &out), "row %zu", i);
    }
}

Test(schema_flat, a_message_read_the_short_way_has_a_document_that_can_be_used)
{
    unsigned char bytes[128];
    task_done_t read;
    trp_document_t document;
    trp_fault_t fault;
    const task_done_t done = make_done(7, 4);
    const trp_text_t packed = {(const char *)bytes, pack(&done, bytes, sizeof(bytes))};

    cr_assert_eq(trp_schema_unpack(&task_done_schema, packed, &document, &read, &fault), TRP_OK);

    cr_expect(same_done(&done, &read));
    cr_expect_eq(document.root.type, MSGPACK_OBJECT_MAP);
    cr_expect_null(trp_member(&document.root, "body"));
    cr_expect_not_null(msgpack_zone_malloc(&document.zone, 5000));
    trp_document_fini(&document);
    cr_assert_eq(trp_schema_unpack(&task_done_schema, packed, &document, &read, &fault), TRP_OK);
    trp_document_fini(&document);
}

/* ---- the members of a struct of fixed size ---- */

#define FIXED_FIELDS(F)                                 \
    F(INT, small, _, -100, 100, "may be negative")      \
    F(OPT_INT, large, _, -9e18, 9e18, "may be absent")  \
    F(REAL, real, _, -1e300, 1e300, "has a fraction")   \
    F(ENUM, word, "off|on|offer", 0, 0, "one of three") \
    F(OPT_REAL, other, _, 0, 1, "may be absent")        \
    F(BOOL, last, _, 0, 1, "is true or false")
TRP_SCHEMA_DECLARE(fixed, FIXED_FIELDS)
TRP_SCHEMA_DEFINE(fixed, 0, TRP_SCHEMA_FIXED, FIXED_FIELDS, "of fixed size")

static bool same_fixed(const fixed_t *a, const fixed_t *b)
{
    return a->small == b->small && a->has_large == b->has_large && a->large == b->large &&
           a->real == b->real && a->word == b->word && a->has_other == b->has_other &&
           a->other == b->other && a->last == b->last;
}

/* As `check`. */
static bool check_fixed(const void *data, size_t size, fixed_t *flat)
{
    fixed_t whole;
    trp_document_t document;
    trp_fault_t fault;
    if (!schema_read_flat(&fixed_schema, (trp_text_t){data, size}, flat)) {
        return false;
    }
    cr_assert_eq(trp_document_init(&document, data, size, &fault), TRP_OK);
    cr_assert_eq(trp_schema_read(&fixed_schema, &document.root, &document.zone, &whole, &fault),
                 TRP_OK);
    cr_assert(same_fixed(flat, &whole));
    trp_document_fini(&document);
    return true;
}

static size_t pack_fixed(const fixed_t *fixed, unsigned char bytes[128])
{
    zmq_msg_t message;
    cr_assert_eq(trp_schema_pack(&fixed_schema, fixed, &message), TRP_OK);
    const size_t size = zmq_msg_size(&message);
    cr_assert_leq(size, 128);
    memcpy(bytes, zmq_msg_data(&message), size);
    zmq_msg_close(&message);
    return size;
}

Test(schema_flat, numbers_of_each_sign_and_width_reals_and_words_are_read)
{
    static const int64_t large[] = {-1,
                                    -32,
                                    -33,
                                    -128,
                                    -129,
                                    -32768,
                                    -32769,
                                    -2147483648,
                                    -2147483649,
                                    -9000000000000000000,
                                    9000000000000000000,
                                    0};
    unsigned char bytes[128];
    for (size_t i = 0; i < sizeof(large) / sizeof(large[0]); i++) {
        const fixed_t fixed = {.small = -(int64_t)i * 9,
                               .large = large[i],
                               .has_large = large[i] != 0,
                               .real = (double)large[i] / 3,
                               .word = (int)(i % 3),
                               .last = i % 2 == 0};
        fixed_t read;

        cr_expect(check_fixed(bytes, pack_fixed(&fixed, bytes), &read), "%zu", i);

        cr_expect(same_fixed(&fixed, &read), "%zu", i);
    }
}

Test(schema_flat, no_mutation_of_a_struct_of_fixed_size_is_read_in_two_ways)
{
    unsigned char bytes[128], mutated[128];
    const fixed_t fixed = {
        .small = -70, .has_large = true, .large = -70000, .real = 0.1, .word = 2, .last = true};
    const size_t size = pack_fixed(&fixed, bytes);
    unsigned taken = 0;
    fixed_t read;

    for (unsigned i = 0; i < MUTATIONS; i++) {
        memcpy(mutated, bytes, size);
        for (uint64_t n = 1 + chance() % 3; n > 0; n--) {
            mutated[chance() % size] = (unsigned char)chance();
        }
        taken += check_fixed(mutated, size, &read);
    }
    for (size_t cut = 0; cut < size; cut++) {
        unsigned char *exact = malloc(cut + 1);
        memcpy(exact, bytes, cut);
        cr_expect_not(check_fixed(exact, cut, &read), "cut at %zu", cut);
        free(exact);
    }

    cr_expect_gt(taken, 100);
    cr_expect_lt(taken, MUTATIONS);
}
