/* SPDX-License-Identifier: MIT */
/* Valid bodies with a few bytes changed, from a seed: whatever comes, the readers answer. Under the
 * sanitizers this is also the check that they read no byte beyond the body. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "messages/schema.h"

#define ROUNDS 20000

#define ROW_FIELDS(F)                  \
    F(STRING, id, _, 1, 8, "id")       \
    F(REAL, share, _, 0, 100, "share") \
    F(OPT_INT, cents, _, 0, 9e12, "cents")
TRP_SCHEMA_DECLARE(row, ROW_FIELDS)
TRP_SCHEMA_DEFINE(row, 0, 0, ROW_FIELDS, "a row")

#define CARD_FIELDS(F)                             \
    F(STRING, id, _, 1, 64, "id")                  \
    F(ENUM, status, "open|closed", 0, 0, "status") \
    F(LIST, rows, row, 0, 40, "rows")              \
    F(OPT_MESSAGE, first, row, 0, 0, "first")      \
    F(OPT_TEXTS, tags, _, 0, 9, "tags")            \
    F(OPT_TEXT, note, _, 0, 99, "note")            \
    F(OPT_BOOL, flag, _, 0, 1, "flag")             \
    F(OPT_ANY, any, _, 0, 0, "any")
TRP_SCHEMA_DECLARE(card, CARD_FIELDS)
TRP_SCHEMA_DEFINE(card, 0, 0, CARD_FIELDS, "a card")

static const char sound[] =
    "{\"id\":\"card-1\",\"status\":\"open\",\"rows\":[{\"id\":\"e1\",\"share\":12.5,\"cents\":"
    "12345678901},"
    "{\"id\":\"e\\u00e42\",\"share\":87,\"cents\":null}],\"first\":{\"id\":\"x\",\"share\":1e1},"
    "\"tags\":[\"a\",\"b\"],\"note\":\"n\\u0000\\ud83d\\ude00\",\"flag\":true,\"any\":[[{\"k\":-1}]"
    "]}";

/* What the readers say must hold together. */
static void check_answer(const char *body, size_t size)
{
    trp_document_t document;
    trp_fault_t fault;
    card_t card;

    trp_status_t status =
        trp_schema_unpack(&card_schema, (trp_text_t){body, size}, &document, &card, &fault);

    if (status == TRP_OK) {
        trp_writer_t writer;
        trp_writer_init(&writer);
        trp_schema_write(&card_schema, &card, &writer);
        const void *data = trp_writer_data(&writer, &size);
        cr_assert(trp_msgpack_is_value(data, size));
        trp_writer_fini(&writer);
        trp_document_fini(&document);
        return;
    }
    cr_assert_eq(status, TRP_PAYLOAD);
    cr_assert_str_eq(fault.message, "card");
    cr_assert_str_neq(fault.rule, "");
    cr_assert(strlen(fault.value) <= 80);
    cr_assert_eq(trp_utf8_check(fault.value, strlen(fault.value)), strlen(fault.value));
    cr_assert_eq(trp_utf8_check(fault.path, strlen(fault.path)), strlen(fault.path));
    cr_assert(!fault.is_body || fault.path[0] == '\0');
    cr_assert(!fault.has_offset || fault.offset <= size);
}

static size_t mutate(char *body, size_t size, size_t capacity)
{
    for (long changes = random() % 4; changes >= 0 && size > 0; changes--) {
        size_t at = (size_t)random() % size;
        switch (random() % 4) {
        case 0:
            body[at] = (char)random();
            break;
        case 1:
            body[at] ^= (char)(1 << random() % 8);
            break;
        case 2: /* a stretch goes */
            memmove(body + at, body + at + 1, size - at - 1);
            size--;
            break;
        default: { /* a stretch comes again */
            size_t length = (size_t)random() % 16;
            length = length < size - at ? length : size - at;
            length = length < capacity - size ? length : capacity - size;
            memmove(body + at + length, body + at, size - at);
            size += length;
            break;
        }
        }
    }
    return size;
}

static void run_rounds(const char *body, size_t size)
{
    size_t capacity = size + 200;
    char *scratch = malloc(capacity);
    srandom(5);
    check_answer(body, size);
    for (int round = 0; round < ROUNDS; round++) {
        memcpy(scratch, body, size);
        size_t length = mutate(scratch, size, capacity);
        char *exact = malloc(length == 0 ? 1 : length); /* a byte beyond it is seen */
        memcpy(exact, scratch, length);
        check_answer(exact, length);
        free(exact);
    }
    for (size_t length = 0; length < size; length++) {
        char *exact = malloc(length == 0 ? 1 : length);
        memcpy(exact, body, length);
        check_answer(exact, length);
        free(exact);
    }
    free(scratch);
}

Test(codec_mutations, no_changed_json_body_breaks_the_reader)
{
    run_rounds(sound, sizeof(sound) - 1);
}

Test(codec_mutations, no_changed_messagepack_body_breaks_the_reader)
{
    trp_writer_t writer;
    trp_fault_t fault;
    size_t size;
    trp_writer_init(&writer);
    cr_assert_eq(trp_json_to_msgpack(sound, sizeof(sound) - 1, &writer, &fault), TRP_OK);
    const void *data = trp_writer_data(&writer, &size);

    run_rounds(data, size);

    trp_writer_fini(&writer);
}
