/* SPDX-License-Identifier: MIT */
#include "messages/match.h"

#include <criterion/criterion.h>
#include <string.h>

static trp_status_t unpack(const trp_schema_t *schema, const char *json, void *out,
                           trp_fault_t *fault)
{
    static trp_document_t document; /* each test is a process of its own */
    memset(fault, 0, sizeof(*fault));
    return trp_schema_unpack(schema, (trp_text_t){json, strlen(json)}, &document, out, fault);
}

Test(match_messages, the_defaults_are_those_of_the_rules)
{
    const match_settings_t *d = &match_settings_default;

    cr_expect_eq(d->question_ms, 20000);
    cr_expect_eq(d->countdown_ms, 3000);
    cr_expect_eq(d->reveal_ms, 4000);
    cr_expect_eq(d->leaderboard_ms, 4000);
    cr_expect_eq(d->late_answer_grace_ms, 250);
    cr_expect_eq(d->max_players, 100);
    cr_expect_eq(d->min_players, 1);
    cr_expect_eq(d->base_points, 1000);
    cr_expect_eq(d->free_window_ms, 500);
    cr_expect_eq(d->streak_step, 100);
    cr_expect_eq(d->streak_cap, 500);
    cr_expect_eq(d->reconnect_window_ms, 60000);
    cr_expect_eq(d->empty_match_ttl_ms, 120000);
    cr_expect_eq(d->finished_ttl_s, 3600);
    cr_expect_eq(d->rtt_compensation_cap_ms, 150);
    cr_expect(d->speed);
}

Test(match_messages, the_defaults_are_inside_their_own_bounds)
{
    match_rules_t rules = {0}, read;
    trp_writer_t writer;
    trp_document_t document;
    trp_fault_t fault;
    size_t size;
    match_rules_from(&match_settings_default, &rules);
    trp_writer_init(&writer);
    trp_schema_write(&match_rules_schema, &rules, &writer);
    const void *data = trp_writer_data(&writer, &size);

    trp_status_t status =
        trp_schema_unpack(&match_rules_schema, (trp_text_t){data, size}, &document, &read, &fault);

    cr_assert_eq(status, TRP_OK, "%s", fault.path);
    cr_expect_eq(read.question_ms, 20000);
    trp_document_fini(&document);
    trp_writer_fini(&writer);
}

Test(match_messages, settings_out_of_bounds_are_named)
{
    static const struct {
        const char *json, *path;
    } cases[] = {{"{\"settings\":{\"question_ms\":4999}}", "settings.question_ms"},
                 {"{\"settings\":{\"question_ms\":240001}}", "settings.question_ms"},
                 {"{\"settings\":{\"max_players\":0}}", "settings.max_players"},
                 {"{\"settings\":{\"reveal_ms\":\"1\"}}", "settings.reveal_ms"},
                 {"{\"settings\":{\"speed\":2}}", "settings.speed"},
                 {"{\"settings\":{\"nonsense\":1}}", "settings.nonsense"},
                 {"{\"questions\":[]}", "questions"},
                 {"{\"teams\":[\"one\"]}", "teams"},
                 {"{\"bank\":{\"count\":201}}", "bank.count"}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        match_create_t create;
        trp_fault_t fault;

        trp_status_t status = unpack(&match_create_schema, cases[i].json, &create, &fault);

        cr_expect_eq(status, TRP_PAYLOAD, "%s", cases[i].json);
        cr_expect_str_eq(fault.path, cases[i].path);
    }
}

Test(match_messages, settings_that_do_not_fit_together_are_refused)
{
    match_settings_t settings = match_settings_default;
    trp_fault_t fault = {0};
    match_rules_t points = {.has_base_points = true, .base_points = 1500};
    match_rules_t seats = {
        .has_max_players = true, .max_players = 2, .has_min_players = true, .min_players = 3};

    cr_expect_eq(match_settings_apply(&settings, &points, &fault), TRP_PAYLOAD);
    cr_expect_str_eq(fault.path, "base_points");
    settings = match_settings_default;
    cr_expect_eq(match_settings_apply(&settings, &seats, &fault), TRP_PAYLOAD);
    cr_expect_str_eq(fault.path, "min_players");
}

Test(match_messages, an_answer_of_no_form_at_all_is_refused)
{
    static const char *const bad[] = {
        "{}", "{\"match_id\":\"m\",\"player_id\":\"p\",\"question_id\":\"q\"}",
        "{\"match_id\":7,\"player_id\":\"p\",\"question_id\":\"q\",\"answer\":1}",
        ("{\"match_id\":\"m\",\"player_id\":\"p\",\"question_id\":\"q\",\"answer\":1,"
         "\"rtt_ms\":-1}")};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        match_answer_t answer;
        trp_fault_t fault;

        cr_expect_eq(unpack(&match_answer_schema, bad[i], &answer, &fault), TRP_PAYLOAD);
    }
}
