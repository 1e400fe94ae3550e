/* SPDX-License-Identifier: MIT */
#include "messages/envelope_native.h"

#include <criterion/criterion.h>
#include <stdbool.h>

#define POINT_FIELDS(F)                \
    F(INT, x, _, -100, 100, "across")  \
    F(OPT_REAL, y, _, -100, 100, "up") \
    F(ENUM, colour, "red|green", 0, 0, "of it")

#define FULL_FIELDS(F)                                               \
    F(INT, a, _, -9e15, 9e15, "the first of these several numbers")  \
    F(INT, b, _, -9e15, 9e15, "the second of these several numbers") \
    F(INT, c, _, -9e15, 9e15, "the third of these several numbers")  \
    F(INT, d, _, -9e15, 9e15, "the fourth of these several numbers") \
    F(INT, e, _, -9e15, 9e15, "the fifth of these several numbers")  \
    F(INT, f, _, -9e15, 9e15, "the sixth of these several numbers")  \
    F(INT, g, _, -9e15, 9e15, "the seventh of these several numbers")

#define WIDE_FIELDS(F) FULL_FIELDS(F) F(BOOL, last, _, 0, 1, "one too many")
#define WORD_FIELDS(F) F(STRING, word, _, 0, 9, "not of fixed size")

TRP_SCHEMA_DECLARE(point, POINT_FIELDS)
TRP_SCHEMA_DECLARE(full, FULL_FIELDS)
TRP_SCHEMA_DECLARE(wide, WIDE_FIELDS)
TRP_SCHEMA_DECLARE(word, WORD_FIELDS)
TRP_SCHEMA_DEFINE(point, 0x2201, TRP_SCHEMA_FIXED, POINT_FIELDS, "a point")
TRP_SCHEMA_DEFINE(full, 0x2202, TRP_SCHEMA_FIXED, FULL_FIELDS, "56 bytes")
TRP_SCHEMA_DEFINE(wide, 0x2203, TRP_SCHEMA_FIXED, WIDE_FIELDS, "64 bytes")
TRP_SCHEMA_DEFINE(word, 0x2204, 0, WORD_FIELDS, "a word")

static const point_t point = {.x = -3, .y = 1.5, .has_y = true, .colour = 1};

static trp_envelope_t *native(const trp_schema_t *schema, const void *value)
{
    trp_envelope_t *envelope = envelope_alloc();
    cr_assert_not_null(envelope);
    envelope_set_native(envelope, schema, value);
    return envelope;
}

Test(envelope_native, a_schema_of_fixed_size_fits_up_to_56_bytes)
{
    cr_expect(schema_is_native(&point_schema));
    cr_expect(schema_is_native(&full_schema));
    cr_expect_not(schema_is_native(&wide_schema));
    cr_expect_not(schema_is_native(&word_schema));
}

Test(envelope_native, a_copy_has_the_struct_and_its_schema)
{
    trp_envelope_t *envelope = native(&point_schema, &point);

    trp_envelope_t *copy = envelope_copy(envelope);

    envelope_free(envelope);
    size_t size = 0;
    cr_assert(envelope_is_native(copy));
    cr_expect_eq(copy->payload.native.schema, &point_schema);
    cr_expect_eq(memcmp(trp_message_data(copy, &size), &point, sizeof(point)), 0);
    cr_expect_eq(size, sizeof(point));
    envelope_free(copy);
}

Test(envelope_native, packed_it_is_what_its_schema_unpacks)
{
    trp_envelope_t *envelope = native(&point_schema, &point);
    trp_document_t document;
    trp_fault_t fault;
    point_t got;

    cr_assert_eq(envelope_pack(envelope), TRP_OK);

    cr_expect_not(envelope_is_native(envelope));
    cr_expect_eq(envelope->tag, point_schema.tag);
    cr_assert_eq(trp_message_unpack(&point_schema, envelope, &document, &got, &fault), TRP_OK);
    cr_expect(got.x == -3 && got.has_y && got.y == 1.5 && got.colour == 1);
    trp_document_fini(&document);
    envelope_free(envelope);
}

Test(envelope_native, what_is_too_large_for_the_envelope_when_packed_is_shared)
{
    const full_t full = {-9000000000000000, 2, 3, 4, 5, 6, 9000000000000000};
    full_t got;
    trp_envelope_t *envelope = native(&full_schema, &full);
    const full_t more = {-8000000000000000, -8000000000000000, -8000000000000000, -8000000000000000,
                         -8000000000000000, -8000000000000000, -8000000000000000};
    trp_envelope_t *large = native(&full_schema, &more);
    trp_document_t document;
    trp_fault_t fault;

    cr_assert_eq(envelope_pack(envelope), TRP_OK);
    cr_assert_eq(envelope_pack(large), TRP_OK);

    cr_expect_neq(large->flags & TRP_ENVELOPE_SHARED, 0);
    cr_assert_eq(trp_message_unpack(&full_schema, large, &document, &got, &fault), TRP_OK);
    cr_expect_eq(memcmp(&got, &more, sizeof(got)), 0);
    trp_document_fini(&document);
    cr_assert_eq(trp_message_unpack(&full_schema, envelope, &document, &got, &fault), TRP_OK);
    cr_expect_eq(memcmp(&got, &full, sizeof(got)), 0);
    trp_document_fini(&document);
    envelope_free(large);
    envelope_free(envelope);
}
