/* SPDX-License-Identifier: MIT */
#include "tests/actors/match/match_play.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/match/match_player.h"
#include "actors/match/match_snapshot.h"

#define EPOCH_MS 1700000000000

const char play_two_questions[] =
    "{\"id\":\"q1\",\"type\":\"single\",\"text\":\"one?\",\"correct\":[\"b\"],\"options\":["
    "{\"id\":\"a\",\"text\":\"A\"},{\"id\":\"b\",\"text\":\"B\"}]},"
    "{\"id\":\"q2\",\"type\":\"multi\",\"text\":\"two?\",\"correct\":[\"a\",\"c\"],\"options\":["
    "{\"id\":\"a\",\"text\":\"A\"},{\"id\":\"b\",\"text\":\"B\"},{\"id\":\"c\",\"text\":\"C\"}]}";

play_t *play_new(const char *rules, const char *questions)
{
    return play_new_teams(rules, questions, NULL);
}

play_t *play_new_teams(const char *rules, const char *questions, const char *teams)
{
    play_t *play = calloc(1, sizeof(*play));
    cr_assert_not_null(play);
    char *text;
    trp_fault_t fault = {0};
    int size = asprintf(&text,
                        "{\"match_id\":\"m-0123456789abcdef\",\"host_key\":\"k\",\"rules\":{%s},"
                        "\"questions\":[%s],\"teams\":%s}",
                        rules, questions, teams == NULL ? "null" : teams);
    cr_assert_gt(size, 0);
    trp_status_t status = trp_schema_unpack(&match_seed_schema, (trp_text_t){text, (size_t)size},
                                            &play->document, &play->seed, &fault);
    cr_assert_eq(status, TRP_OK, "%s: %s, got %s", fault.path, fault.rule, fault.value);
    status = match_init(&play->match, &play->seed, 0, EPOCH_MS, &fault);
    cr_assert_eq(status, TRP_OK, "%s: %s, got %s", fault.path, fault.rule, fault.value);
    free(text); /* JSON texts are copied into the document */
    return play;
}

void play_free(play_t *play)
{
    match_fini(&play->match);
    trp_document_fini(&play->document);
    free(play);
}

static match_code_t handle(play_t *play, match_input_t *input)
{
    input->now_ms = play->now_ms;
    input->epoch_ms = EPOCH_MS + play->now_ms;
    cr_assert_eq(match_handle(&play->match, input, &play->verdict), TRP_OK);
    return play->verdict.code;
}

match_code_t play_event(play_t *play, match_event_t event)
{
    return handle(play, &(match_input_t){.event = event, .reason = "test"});
}

match_code_t play_join(play_t *play, const char *player, const char *name)
{
    return play_join_team(play, player, name, NULL);
}

match_code_t play_join_team(play_t *play, const char *player, const char *name, const char *team)
{
    match_input_t input = {
        .event = MATCH_EVENT_JOIN, .player_id = match_text(player), .name = match_text(name)};
    if (team != NULL) {
        input.team = match_text(team);
    }
    return handle(play, &input);
}

match_code_t play_player(play_t *play, match_event_t event, const char *player)
{
    return handle(play, &(match_input_t){.event = event, .player_id = match_text(player)});
}

match_code_t play_kick(play_t *play, uint32_t seat)
{
    return handle(play, &(match_input_t){.event = MATCH_EVENT_KICK, .seat = seat});
}

match_code_t play_answer(play_t *play, const char *player, const char *question, const char *answer)
{
    return play_answer_as(play, player, question, answer, NULL);
}

match_code_t play_answer_as(play_t *play, const char *player, const char *question,
                            const char *answer, const char *answer_id)
{
    char *text;
    trp_document_t document;
    trp_fault_t fault;
    int size = asprintf(&text, "{\"answer\":%s}", answer);
    cr_assert_eq(trp_document_init(&document, text, (size_t)size, &fault), TRP_OK);
    match_input_t input = {.event = MATCH_EVENT_ANSWER,
                           .player_id = match_text(player),
                           .question_id = match_text(question),
                           .answer = trp_member(&document.root, "answer")};
    if (answer_id != NULL) {
        input.answer_id = match_text(answer_id);
    }
    match_code_t code = handle(play, &input);
    trp_document_fini(&document);
    free(text);
    return code;
}

void play_wait(play_t *play, int64_t ms)
{
    int64_t until_ms = play->now_ms + ms, at_ms;
    while (!match_has_ended(&play->match) && (at_ms = match_deadline(&play->match)) <= until_ms) {
        if (at_ms > play->now_ms) {
            play->now_ms = at_ms;
        }
        cr_assert_eq(match_tick(&play->match, play->now_ms, EPOCH_MS + play->now_ms), TRP_OK);
    }
    play->now_ms = until_ms;
    cr_assert_eq(match_tick(&play->match, until_ms, EPOCH_MS + until_ms), TRP_OK);
}

void play_until(play_t *play, match_phase_t phase)
{
    int64_t give_up_ms = play->now_ms + 86400000;
    while (play->match.phase != phase) {
        int64_t at_ms = match_deadline(&play->match);
        cr_assert_not(match_has_ended(&play->match), "ended before %s", match_phase_name(phase));
        cr_assert_lt(at_ms, give_up_ms, "stays in %s", match_phase_name(play->match.phase));
        play_wait(play, at_ms > play->now_ms ? at_ms - play->now_ms : 0);
    }
}

const match_player_t *play_find(const play_t *play, const char *player)
{
    return match_player_find(&play->match, match_text(player));
}

char *play_snapshot(play_t *play, const char *player)
{
    const match_view_t view = {.player = player == NULL ? NULL : play_find(play, player),
                               .has_since = true};
    trp_writer_t writer;
    size_t size, json_size;
    char *json;
    trp_writer_init(&writer);
    match_write_snapshot(&play->match, &view, &writer);
    cr_assert_not(writer.failed);
    const void *data = trp_writer_data(&writer, &size);
    cr_assert_eq(trp_json_from_msgpack(data, size, &json, &json_size), TRP_OK);
    trp_writer_fini(&writer);
    return json;
}
