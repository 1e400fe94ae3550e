/* SPDX-License-Identifier: MIT */
#include "actors/match/match_question.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "actors/match/match_bank.h"

#define CHOICES                                                                 \
    "\"options\":[{\"id\":\"a\",\"text\":\"A\"},{\"id\":\"b\",\"text\":\"B\"}," \
    "{\"id\":\"c\",\"text\":\"C\"}]"

/* A question, and a place for what its checks say. */
typedef struct given_question {
    match_question_t question;
    match_item_t item;
    trp_document_t document;
    bool has_document;
    trp_fault_t fault;
} given_question_t;

/* `members` follow id and text. */
static trp_status_t make(given_question_t *given, const char *members)
{
    char *text;
    int size = asprintf(&text, "{\"id\":\"q\",\"text\":\"?\",%s}", members);
    cr_assert_gt(size, 0);
    memset(given, 0, sizeof(*given));
    trp_status_t status =
        trp_schema_unpack(&match_question_schema, (trp_text_t){text, (size_t)size},
                          &given->document, &given->question, &given->fault);
    free(text); /* JSON texts are copied into the document */
    given->has_document = status == TRP_OK;
    if (status == TRP_OK) {
        status = match_item_init(&given->item, &given->question, "", &given->fault);
    }
    return status;
}

static void unmake(given_question_t *given)
{
    match_item_fini(&given->item);
    if (given->has_document) {
        trp_document_fini(&given->document);
    }
}

static trp_status_t answer(given_question_t *given, const char *json, match_given_t *out)
{
    char *text;
    trp_document_t document;
    trp_fault_t fault;
    int size = asprintf(&text, "{\"answer\":%s}", json);
    cr_assert_eq(trp_document_init(&document, text, (size_t)size, &fault), TRP_OK);
    trp_status_t status =
        match_given_read(&given->item, trp_member(&document.root, "answer"), out, &given->fault);
    trp_document_fini(&document);
    free(text);
    return status;
}

static bool is_right(given_question_t *given, const char *json)
{
    match_given_t out;
    cr_assert_eq(answer(given, json, &out), TRP_OK, "%s: %s", json, given->fault.rule);
    return out.is_correct;
}

Test(match_question, bad_questions_are_refused_at_their_member)
{
    static const struct {
        const char *members, *path;
    } cases[] = {
        {"\"type\":\"single\",\"correct\":[\"a\"]", "options"},
        {"\"type\":\"single\",\"correct\":[]," CHOICES, "correct"},
        {"\"type\":\"single\",\"correct\":\"a\"," CHOICES, "correct"},
        {"\"type\":\"single\",\"correct\":[\"z\"]," CHOICES, "correct[0]"},
        {"\"type\":\"single\",\"correct\":[\"a\",\"b\"]," CHOICES, "correct"},
        {"\"type\":\"multi\",\"correct\":[\"a\",\"a\"]," CHOICES, "correct[1]"},
        {"\"type\":\"multi\",\"correct\":[1]," CHOICES, "correct[0]"},
        {"\"type\":\"boolean\",\"correct\":[true]," CHOICES, "options"},
        {"\"type\":\"boolean\",\"correct\":[\"maybe\"]", "correct[0]"},
        {"\"type\":\"text\",\"correct\":[\"a\"]," CHOICES, "options"},
        {"\"type\":\"text\",\"correct\":[\" \"]", "correct[0]"},
        {"\"type\":\"text\",\"correct\":[\"a\",5]", "correct[1]"},
        {"\"type\":\"numeric\",\"correct\":[1,2]", "correct"},
        {"\"type\":\"numeric\",\"correct\":[\"1\"]", "correct[0]"},
        {"\"type\":\"numeric\",\"correct\":[1e13]", "correct[0]"},
        {"\"type\":\"text\",\"correct\":[\"a\"],\"tolerance\":1", "tolerance"},
        {"\"type\":\"text\",\"correct\":[\"a\"],\"points\":500", "points"},
        {"\"type\":\"text\",\"correct\":[\"a\"],\"time_ms\":4999", "time_ms"},
        {"\"type\":\"single\",\"correct\":[\"a\"],\"options\":[{\"id\":\"a\",\"text\":\"A\"}]",
         "options"},
        {"\"type\":\"single\",\"correct\":[\"a\"],\"options\":[{\"id\":\"a\",\"text\":\"A\"},"
         "{\"id\":\"a\",\"text\":\"B\"}]",
         "options[1].id"},
        {"\"type\":\"riddle\",\"correct\":[\"a\"]", "type"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        given_question_t given;

        trp_status_t status = make(&given, cases[i].members);

        cr_expect_eq(status, TRP_PAYLOAD, "%s", cases[i].members);
        cr_expect_str_eq(given.fault.path, cases[i].path);
        unmake(&given);
    }
}

Test(match_question, a_repeated_id_is_refused_at_the_second_one)
{
    const char *json = "{\"questions\":[{\"id\":\"x\",\"type\":\"boolean\",\"text\":\"?\","
                       "\"correct\":[true]},{\"id\":\"y\",\"type\":\"boolean\",\"text\":\"?\","
                       "\"correct\":[true]},{\"id\":\"x\",\"type\":\"boolean\",\"text\":\"?\","
                       "\"correct\":[true]}]}";
    match_bank_t bank;
    trp_document_t document;
    trp_fault_t fault = {0};
    cr_assert_eq(trp_schema_unpack(&match_bank_schema, (trp_text_t){json, strlen(json)}, &document,
                                   &bank, &fault),
                 TRP_OK);

    trp_status_t status = match_questions_check(bank.questions, bank.questions_count, &fault);

    cr_expect_eq(status, TRP_PAYLOAD);
    cr_expect_str_eq(fault.path, "questions[2].id");
    trp_document_fini(&document);
}

Test(match_question, texts_are_compared_after_normalisation_and_case_folding)
{
    given_question_t given;
    cr_assert_eq(make(&given, "\"type\":\"text\",\"correct\":[\"Stra\u00dfe\",\"Caf\u00e9\"]"),
                 TRP_OK);

    cr_expect(is_right(&given, "\"stra\u00dfe\""));
    cr_expect(is_right(&given, "\"STRASSE\""));
    cr_expect(is_right(&given, "\"  cafe\u0301 \""));
    cr_expect_not(is_right(&given, "\"cafe\""));
    cr_expect_not(is_right(&given, "\"\""));
    unmake(&given);
}

Test(match_question, numbers_are_right_inside_the_tolerance_both_ends_included)
{
    given_question_t given;
    cr_assert_eq(make(&given, "\"type\":\"numeric\",\"correct\":[9.8],\"tolerance\":0.1"), TRP_OK);

    cr_expect(is_right(&given, "9.7"));
    cr_expect(is_right(&given, "9.9"));
    cr_expect(is_right(&given, "9.8"));
    cr_expect_not(is_right(&given, "9.699999"));
    cr_expect_not(is_right(&given, "-9.8"));
    unmake(&given);
}

Test(match_question, a_number_that_is_none_is_refused)
{
    given_question_t given;
    match_given_t out;
    cr_assert_eq(make(&given, "\"type\":\"numeric\",\"correct\":[1]"), TRP_OK);
    msgpack_object nan_object = {.type = MSGPACK_OBJECT_FLOAT64, .via.f64 = NAN};
    msgpack_object infinite = {.type = MSGPACK_OBJECT_FLOAT32, .via.f64 = INFINITY};

    cr_expect_eq(match_given_read(&given.item, &nan_object, &out, &given.fault), TRP_PAYLOAD);
    cr_expect_eq(match_given_read(&given.item, &infinite, &out, &given.fault), TRP_PAYLOAD);
    cr_expect_eq(answer(&given, "\"1\"", &out), TRP_PAYLOAD);
    cr_expect_eq(answer(&given, "[1]", &out), TRP_PAYLOAD);
    unmake(&given);
}

Test(match_question, a_text_that_is_not_utf8_is_refused)
{
    given_question_t given;
    match_given_t out;
    cr_assert_eq(make(&given, "\"type\":\"text\",\"correct\":[\"x\"]"), TRP_OK);
    msgpack_object broken = {.type = MSGPACK_OBJECT_STR, .via.str = {2, "\xc3\x28"}};

    cr_expect_eq(match_given_read(&given.item, &broken, &out, &given.fault), TRP_PAYLOAD);
    unmake(&given);
}

Test(match_question, multi_answers_are_counted_by_option)
{
    given_question_t given;
    match_given_t out;
    cr_assert_eq(make(&given, "\"type\":\"multi\",\"correct\":[\"a\",\"b\"]," CHOICES), TRP_OK);

    cr_assert_eq(answer(&given, "[\"b\",\"c\"]", &out), TRP_OK);
    cr_expect_eq(out.right, 1);
    cr_expect_eq(out.wrong, 1);
    cr_expect(is_right(&given, "[\"b\",\"a\"]"));
    cr_expect_eq(answer(&given, "[]", &out), TRP_PAYLOAD);
    cr_expect_eq(answer(&given, "[\"a\",\"a\"]", &out), TRP_PAYLOAD);
    cr_expect_eq(answer(&given, "{\"a\":1}", &out), TRP_PAYLOAD);
    cr_expect_eq(answer(&given, "[\"a\",\"b\",\"c\",\"a\"]", &out), TRP_PAYLOAD);
    unmake(&given);
}

Test(match_question, boolean_questions_take_words_and_values)
{
    given_question_t given;
    cr_assert_eq(make(&given, "\"type\":\"boolean\",\"correct\":[false]"), TRP_OK);

    cr_expect(is_right(&given, "false"));
    cr_expect(is_right(&given, "\"false\""));
    cr_expect_not(is_right(&given, "true"));
    unmake(&given);
}

Test(match_question, a_shuffle_depends_on_the_id_alone)
{
    uint32_t first[20], again[20], other[20];
    bool seen[20] = {false};
    uint64_t state = match_shuffle_seed((trp_text_t){"m-1", 3});
    match_shuffle(&state, first, 20);
    state = match_shuffle_seed((trp_text_t){"m-1", 3});
    match_shuffle(&state, again, 20);
    state = match_shuffle_seed((trp_text_t){"m-2", 3});

    match_shuffle(&state, other, 20);

    cr_expect_eq(memcmp(first, again, sizeof(first)), 0);
    cr_expect_neq(memcmp(first, other, sizeof(first)), 0);
    for (int i = 0; i < 20; i++) {
        seen[first[i]] = true;
    }
    for (int i = 0; i < 20; i++) {
        cr_expect(seen[i], "every place is used");
    }
}

Test(match_question, every_order_of_three_is_as_likely)
{
    uint32_t counts[27] = {0}, order[3];
    uint64_t state = 1;

    for (int i = 0; i < 6000; i++) {
        match_shuffle(&state, order, 3);
        counts[order[0] * 9 + order[1] * 3 + order[2]]++;
    }

    for (int i = 0; i < 27; i++) {
        cr_expect(counts[i] == 0 || (counts[i] > 850 && counts[i] < 1150), "%u", counts[i]);
    }
}

Test(match_question, shuffled_options_keep_what_is_right)
{
    given_question_t given;
    cr_assert_eq(make(&given, "\"type\":\"multi\",\"correct\":[\"a\",\"c\"]," CHOICES), TRP_OK);

    for (uint64_t state = 0; state < 20; state++) {
        uint64_t moving = state;
        match_item_shuffle(&given.item, &moving);

        cr_expect(is_right(&given, "[\"c\",\"a\"]"));
        cr_expect_not(is_right(&given, "[\"b\",\"a\"]"));
    }
    unmake(&given);
}

/* ---- the bank ---- */

static match_bank_file_t open_bank(void)
{
    match_bank_file_t file;
    char error[512] = "";
    cr_assert_eq(match_bank_open(&file, "examples/workshop/questions.json", error), TRP_OK, "%s",
                 error);
    return file;
}

Test(match_question, the_banks_of_the_examples_are_sound)
{
    match_bank_file_t file = open_bank();
    bool seen[5] = {false};

    for (size_t i = 0; i < file.bank.questions_count; i++) {
        seen[file.bank.questions[i].type] = true;
    }

    for (int i = 0; i < 5; i++) {
        cr_expect(seen[i], "all types are there");
    }
    match_bank_close(&file);
}

Test(match_question, a_pick_depends_on_the_matchs_id_and_the_tags)
{
    match_bank_file_t file = open_bank();
    msgpack_zone zone;
    trp_fault_t fault;
    trp_text_t tag = {"science", 7};
    match_pick_t pick = {.tags = &tag, .tags_count = 1, .count = 3, .has_count = true};
    match_seed_t first = {.match_id = {"m-1", 3}}, again = first, other = {.match_id = {"m-4", 3}};
    cr_assert(msgpack_zone_init(&zone, 4096));

    cr_assert_eq(match_bank_pick(&file.bank, &pick, &first, &zone, &fault), TRP_OK);
    cr_assert_eq(match_bank_pick(&file.bank, &pick, &again, &zone, &fault), TRP_OK);
    cr_assert_eq(match_bank_pick(&file.bank, &pick, &other, &zone, &fault), TRP_OK);

    bool is_other = false;
    cr_assert_eq(first.questions_count, 3);
    for (int i = 0; i < 3; i++) {
        cr_expect(match_text_is(first.questions[i].id, again.questions[i].id));
        is_other |= !match_text_is(first.questions[i].id, other.questions[i].id);
        cr_expect(match_text_is(first.questions[i].tags[0], tag));
    }
    cr_expect(is_other);
    msgpack_zone_destroy(&zone);
    match_bank_close(&file);
}

Test(match_question, a_pick_that_can_not_be_made_is_refused)
{
    match_bank_file_t file = open_bank();
    msgpack_zone zone;
    trp_fault_t fault;
    trp_text_t tag = {"cooking", 7};
    match_pick_t none = {.tags = &tag, .tags_count = 1};
    match_pick_t many = {.count = 200, .has_count = true};
    match_seed_t seed = {.match_id = {"m-1", 3}};
    cr_assert(msgpack_zone_init(&zone, 4096));

    cr_expect_eq(match_bank_pick(&file.bank, &none, &seed, &zone, &fault), TRP_PAYLOAD);
    cr_expect_str_eq(fault.path, "bank.tags");
    cr_expect_eq(match_bank_pick(&file.bank, &many, &seed, &zone, &fault), TRP_PAYLOAD);
    cr_expect_str_eq(fault.path, "bank.count");
    msgpack_zone_destroy(&zone);
    match_bank_close(&file);
}

Test(match_question, a_bank_that_can_not_be_read_is_named)
{
    match_bank_file_t file;
    char error[512] = "";

    cr_expect_eq(match_bank_open(&file, "no/such/file", error), TRP_CONFIG);
    cr_expect_not_null(strstr(error, "no/such/file"));
    cr_expect_eq(match_bank_open(&file, "packages.txt", error), TRP_CONFIG);
    cr_expect_not_null(strstr(error, "packages.txt"));
}
