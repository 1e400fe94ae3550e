/* SPDX-License-Identifier: MIT */
/* Pairs of schemas with one tag: what the one writes, can the other read it? */
#include "messages/contract.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* One schema of the message 0x2300. */
#define MESSAGE(schema, marks, FIELDS) \
    TRP_SCHEMA_DECLARE(schema, FIELDS) \
    TRP_SCHEMA_DEFINE(schema, 0x2300, marks, FIELDS, "of the message")

#define BASE_FIELDS(F)                     \
    F(INT, number, _, 0, 100, "a number")  \
    F(REAL, celsius, _, -50, 50, "warmth") \
    F(ENUM, state, "off|on", 0, 0, "of it")
#define ORDER_FIELDS(F)                     \
    F(ENUM, state, "on|off", 0, 0, "of it") \
    F(REAL, celsius, _, -50, 50, "warmth")  \
    F(INT, number, _, 0, 100, "a number")
#define EXTRA_FIELDS(F) BASE_FIELDS(F) F(OPT_INT, extra, _, 0, 9, "one more")
#define NEED_FIELDS(F)  BASE_FIELDS(F) F(INT, extra, _, 0, 9, "one more")
#define LESS_FIELDS(F)                    \
    F(INT, number, _, 0, 100, "a number") \
    F(REAL, celsius, _, -50, 50, "warmth")
#define KIND_FIELDS(F)                     \
    F(REAL, number, _, 0, 100, "a number") \
    F(REAL, celsius, _, -50, 50, "warmth") \
    F(ENUM, state, "off|on", 0, 0, "of it")
#define WIDE_FIELDS(F)                     \
    F(INT, number, _, -1, 100, "a number") \
    F(REAL, celsius, _, -50, 51, "warmth") \
    F(ENUM, state, "off|on|hot", 0, 0, "of it")
#define MAYBE_FIELDS(F)                       \
    F(OPT_INT, number, _, 0, 100, "a number") \
    F(REAL, celsius, _, -50, 50, "warmth")    \
    F(ENUM, state, "off|on", 0, 0, "of it")

MESSAGE(base, TRP_SCHEMA_FIXED, BASE_FIELDS)
MESSAGE(open_base, TRP_SCHEMA_FIXED | TRP_SCHEMA_OPEN, BASE_FIELDS)
MESSAGE(order, TRP_SCHEMA_FIXED, ORDER_FIELDS)
MESSAGE(extra, TRP_SCHEMA_FIXED, EXTRA_FIELDS)
MESSAGE(need, TRP_SCHEMA_FIXED, NEED_FIELDS)
MESSAGE(less, TRP_SCHEMA_FIXED, LESS_FIELDS)
MESSAGE(kind, TRP_SCHEMA_FIXED, KIND_FIELDS)
MESSAGE(wide_base, TRP_SCHEMA_FIXED, WIDE_FIELDS)
MESSAGE(maybe, TRP_SCHEMA_FIXED, MAYBE_FIELDS)

#define TEXT_FIELDS(F)   F(TEXT, word, _, 0, 9, "some word")
#define STRING_FIELDS(F) F(STRING, word, _, 0, 9, "some word")
#define BYTES_FIELDS(F)  F(BYTES, word, _, 0, 10, "some word")
#define ANY_FIELDS(F)    F(ANY, word, _, 0, 0, "some word")
MESSAGE(text, 0, TEXT_FIELDS)
MESSAGE(string, 0, STRING_FIELDS)
MESSAGE(bytes, 0, BYTES_FIELDS)
MESSAGE(any, 0, ANY_FIELDS)

#define PART_FIELDS(F)   F(INT, x, _, 0, 9, "of the part")
#define PART2_FIELDS(F)  F(INT, x, _, 0, 9, "of the part") F(OPT_INT, y, _, 0, 9, "more of it")
#define INNER_FIELDS(F)  F(MESSAGE, part, leaf, 0, 0, "a part of a part")
#define INNER2_FIELDS(F) F(MESSAGE, part, leaf2, 0, 0, "a part of a part")
#define TREE_FIELDS(F)                   \
    F(LIST, items, inner, 0, 9, "parts") \
    F(OPT_MESSAGE, part, leaf, 0, 0, "a part used twice")
#define TREE2_FIELDS(F)                   \
    F(LIST, items, inner2, 0, 9, "parts") \
    F(OPT_MESSAGE, part, leaf2, 0, 0, "a part used twice")
TRP_SCHEMA_DECLARE(leaf, PART_FIELDS)
TRP_SCHEMA_DECLARE(leaf2, PART2_FIELDS)
TRP_SCHEMA_DECLARE(inner, INNER_FIELDS)
TRP_SCHEMA_DECLARE(inner2, INNER2_FIELDS)
TRP_SCHEMA_DEFINE(leaf, 0, 0, PART_FIELDS, "a part")
TRP_SCHEMA_DEFINE(leaf2, 0, 0, PART2_FIELDS, "a part")
TRP_SCHEMA_DEFINE(inner, 0, 0, INNER_FIELDS, "a part")
TRP_SCHEMA_DEFINE(inner2, 0, 0, INNER2_FIELDS, "a part")
MESSAGE(tree, 0, TREE_FIELDS)
MESSAGE(tree2, 0, TREE2_FIELDS)

/* A body of clients, which no actor is sent. */
TRP_SCHEMA_DECLARE(body, PART_FIELDS)
TRP_SCHEMA_DEFINE(body, 0, 0, PART_FIELDS, "a body")

static trp_fault_t fault;

static trp_writer_t written(const contract_side_t *side)
{
    trp_writer_t writer;
    trp_writer_init(&writer);
    cr_assert_eq(contract_write(side, &writer), TRP_OK);
    return writer;
}

static trp_status_t check(const contract_side_t *ours, const contract_side_t *theirs)
{
    trp_writer_t writer = written(theirs);
    trp_text_t bytes;
    bytes.data = trp_writer_data(&writer, &bytes.size);
    const trp_status_t status = contract_check(ours, bytes, &fault);
    trp_writer_fini(&writer);
    return status;
}

/* Whether a node with `there` may have an actor that understands `here`. */
static trp_status_t understands(const trp_schema_t *here, const trp_schema_t *there)
{
    const trp_schema_t *const mine[] = {&body_schema, here, NULL};
    const trp_schema_t *const other[] = {there, NULL};
    return check(&(contract_side_t){.understood = mine}, &(contract_side_t){.understood = other});
}

/* Whether it may have one that says `here`. */
static trp_status_t says(const trp_schema_t *here, const trp_schema_t *there)
{
    const trp_schema_t *const mine[] = {here, NULL};
    const trp_schema_t *const other[] = {there, NULL};
    return check(&(contract_side_t){.said = mine}, &(contract_side_t){.said = other});
}

static void expect_refused(trp_status_t status, const char *path, const char *rule)
{
    cr_expect_eq(status, TRP_UNSUPPORTED);
    cr_expect_str_eq(fault.path, path);
    cr_expect_str_eq(fault.rule, rule);
}

Test(contract, the_same_messages_and_those_in_another_order_fit)
{
    cr_expect_eq(understands(&base_schema, &base_schema), TRP_OK);
    cr_expect_eq(understands(&order_schema, &base_schema), TRP_OK);
    cr_expect_eq(says(&order_schema, &base_schema), TRP_OK);
}

Test(contract, a_member_that_is_added_must_be_optional_where_it_is_read)
{
    cr_expect_eq(understands(&extra_schema, &base_schema), TRP_OK);
    expect_refused(understands(&need_schema, &base_schema), "need.extra", "the program needs");
}

Test(contract, a_member_that_is_not_known_needs_an_open_reader)
{
    expect_refused(says(&extra_schema, &base_schema), "extra.extra", "the node does not know");
    cr_expect_eq(says(&extra_schema, &open_base_schema), TRP_OK);
    expect_refused(understands(&less_schema, &base_schema), "base.state",
                   "the program does not know");
}

Test(contract, kinds_are_the_same_or_taken_for_each_other)
{
    cr_expect_eq(understands(&kind_schema, &base_schema), TRP_OK, "an INT is a REAL");
    expect_refused(says(&kind_schema, &base_schema), "kind.number",
                   "the node reads another kind of");
    cr_expect_eq(understands(&text_schema, &string_schema), TRP_OK);
    cr_expect_eq(understands(&bytes_schema, &string_schema), TRP_OK);
    cr_expect_eq(understands(&bytes_schema, &text_schema), TRP_OK);
    cr_expect_eq(understands(&any_schema, &bytes_schema), TRP_OK);
    expect_refused(understands(&string_schema, &text_schema), "text.word",
                   "the program reads another kind of");
    expect_refused(understands(&text_schema, &any_schema), "any.word",
                   "the program reads another kind of");
}

Test(contract, bounds_and_words_of_the_writer_are_within_those_of_the_reader)
{
    cr_expect_eq(understands(&wide_base_schema, &base_schema), TRP_OK);
    expect_refused(says(&wide_base_schema, &base_schema), "wide_base.number",
                   "the node takes fewer values of");
    expect_refused(understands(&base_schema, &wide_base_schema), "wide_base.number",
                   "the program takes fewer values of");
    expect_refused(understands(&text_schema, &bytes_schema), "bytes.word",
                   "the program reads another kind of");
}

#define HOT_FIELDS(F)                      \
    F(INT, number, _, 0, 100, "a number")  \
    F(REAL, celsius, _, -50, 50, "warmth") \
    F(ENUM, state, "off|on|hot", 0, 0, "of it")
MESSAGE(hot, TRP_SCHEMA_FIXED, HOT_FIELDS)

Test(contract, a_word_that_the_reader_does_not_know_is_refused)
{
    cr_expect_eq(understands(&hot_schema, &base_schema), TRP_OK);
    expect_refused(says(&hot_schema, &base_schema), "hot.state", "the node takes fewer values of");
}

Test(contract, what_may_be_absent_must_be_optional_for_the_reader)
{
    cr_expect_eq(understands(&maybe_schema, &base_schema), TRP_OK);
    expect_refused(understands(&base_schema, &maybe_schema), "maybe.number", "the program needs");
}

Test(contract, parts_of_parts_are_compared)
{
    cr_expect_eq(understands(&tree_schema, &tree_schema), TRP_OK);
    cr_expect_eq(understands(&tree2_schema, &tree_schema), TRP_OK);
    expect_refused(says(&tree2_schema, &tree_schema), "leaf2.y", "the node does not know");
}

Test(contract, a_message_that_is_not_understood_is_named)
{
    const trp_schema_t *const theirs[] = {&base_schema, NULL};
    const contract_side_t there = {.understood = theirs};

    expect_refused(check(&(contract_side_t){NULL, NULL}, &there), "base",
                   "the program does not understand");
}

Test(contract, messages_that_only_the_new_side_has_are_no_fault)
{
    const trp_schema_t *const mine[] = {&base_schema, NULL};
    const contract_side_t here = {.understood = mine, .said = mine};

    cr_expect_eq(check(&here, &(contract_side_t){NULL, NULL}), TRP_OK);
}

Test(contract, bodies_of_clients_are_left_out)
{
    const trp_schema_t *const bodies[] = {&body_schema, NULL};

    cr_expect_eq(check(&(contract_side_t){NULL, NULL}, &(contract_side_t){bodies, bodies}), TRP_OK);
}

Test(contract, more_schemas_than_it_holds_are_refused)
{
    const trp_schema_t *many[CONTRACT_SCHEMAS_MAX + 2] = {NULL};
    for (size_t i = 0; i <= CONTRACT_SCHEMAS_MAX; i++) {
        many[i] = &base_schema;
    }
    trp_writer_t writer;
    trp_writer_init(&writer);

    cr_expect_eq(contract_write(&(contract_side_t){.understood = many}, &writer), TRP_TOO_LARGE);

    trp_writer_fini(&writer);
}

/* ---- what is no contract ---- */

Test(contract, garbage_is_refused_and_never_walks_out_of_it)
{
    const trp_schema_t *const list[] = {&tree_schema, &base_schema, NULL};
    const contract_side_t side = {.understood = list, .said = list};
    trp_writer_t writer = written(&side);
    size_t size = 0;
    const char *bytes = trp_writer_data(&writer, &size);
    unsigned seen[TRP_STATUS_COUNT] = {0};
    srandom(11);
    for (size_t cut = 0; cut < size; cut++) {
        char *copy = malloc(cut + 1); /* of its size: a sanitizer sees the first byte behind */
        memcpy(copy, bytes, cut);
        cr_assert_eq(contract_check(&side, (trp_text_t){copy, cut}, &fault), TRP_PROTOCOL, "%zu",
                     cut);
        free(copy);
    }
    for (int round = 0; round < 20000; round++) {
        char *copy = malloc(size);
        memcpy(copy, bytes, size);
        for (long changes = random() % 4; changes >= 0; changes--) {
            copy[(size_t)random() % size] = (char)random();
        }
        seen[contract_check(&side, (trp_text_t){copy, size}, &fault)]++;
        free(copy);
    }
    cr_expect_gt(seen[TRP_PROTOCOL], 0);
    cr_expect_gt(seen[TRP_UNSUPPORTED], 0);
    cr_expect_eq(seen[TRP_OK] + seen[TRP_PROTOCOL] + seen[TRP_UNSUPPORTED], 20000);
    trp_writer_fini(&writer);
}

/* A circle of parts would be walked for ever. */
Test(contract, a_part_in_front_of_who_names_it_is_refused)
{
    contract_member_t member = {.name = {"part", 4}, .kind = TRP_FIELD_MESSAGE, .has_part = true};
    contract_entry_t entries[] = {
        {.name = {"tree", 4},
         .role = CONTRACT_UNDERSTOOD,
         .tag = 0x2300,
         .members = &member,
         .members_count = 1},
        {.name = {"part", 4}, .role = CONTRACT_PART, .members = &member, .members_count = 1},
    };
    const contract_t circle = {.entries = entries, .entries_count = 2};
    for (member.part = 1; member.part <= 2; member.part++) {
        zmq_msg_t message;
        cr_assert_eq(trp_schema_pack(&contract_schema, &circle, &message), TRP_OK);
        const trp_text_t bytes = {zmq_msg_data(&message), zmq_msg_size(&message)};

        cr_expect_eq(contract_check(&(contract_side_t){NULL, NULL}, bytes, &fault), TRP_PROTOCOL);

        zmq_msg_close(&message);
    }
}
