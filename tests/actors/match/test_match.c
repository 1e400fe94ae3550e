/* SPDX-License-Identifier: MIT */
#include "actors/match/match.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/actors/tool_probe.h"

#define QUESTIONS                                                                            \
    "\"questions\":[{\"id\":\"q1\",\"type\":\"boolean\",\"text\":\"?\",\"correct\":[true]}," \
    "{\"id\":\"q2\",\"type\":\"text\",\"text\":\"?\",\"correct\":[\"SECRET\"]}]"
#define QUICK                                                                \
    "\"settings\":{\"countdown_ms\":0,\"reveal_ms\":0,\"leaderboard_ms\":0," \
    "\"late_answer_grace_ms\":0,\"finished_ttl_s\":60}"
#define PLAYERS 50

/* The match that a test plays. */
static char match_id[64], host_key[64];
static char players[PLAYERS][64];

static const tool_probe_answer_t *ask(tool_probe_t *probe, const char *tool, const char *members)
{
    char body[1024];
    snprintf(body, sizeof(body), "{\"match_id\":\"%s\"%s%s}", match_id,
             members[0] == '\0' ? "" : ",", members);
    return tool_probe_ask(probe, tool, body);
}

static const tool_probe_answer_t *ask_as_host(tool_probe_t *probe, const char *tool,
                                              const char *members)
{
    char more[512];
    snprintf(more, sizeof(more), "\"host_key\":\"%s\"%s%s", host_key, members[0] == '\0' ? "" : ",",
             members);
    return ask(probe, tool, more);
}

static void create(tool_probe_t *probe, const char *body)
{
    const tool_probe_answer_t *answer = tool_probe_ask(probe, "match_create", body);
    cr_assert(answer->success, "%s", answer->body);
    tool_probe_text(answer, "match_id", match_id, sizeof(match_id));
    tool_probe_text(answer, "host_key", host_key, sizeof(host_key));
}

static void join(tool_probe_t *probe, int player)
{
    char members[64];
    snprintf(members, sizeof(members), "\"name\":\"Player %d\"", player);
    const tool_probe_answer_t *answer = ask(probe, "match_join", members);
    cr_assert(answer->success, "%s", answer->body);
    tool_probe_text(answer, "player_id", players[player], sizeof(players[player]));
}

static void expect_error(const tool_probe_answer_t *answer, const char *code)
{
    cr_expect_not(answer->success);
    cr_expect_not_null(strstr(answer->body, code), "%s: %s", code, answer->body);
}

static void expect_has(const tool_probe_answer_t *answer, const char *part)
{
    cr_assert(answer->success, "%s", answer->body);
    cr_expect_not_null(strstr(answer->body, part), "no %s in %s", part, answer->body);
}

Test(match, a_created_match_has_an_id_that_is_bound_to_its_worker)
{
    tool_probe_t *probe = tool_probe_new(&match_class, NULL, 1);

    const tool_probe_answer_t *answer = tool_probe_ask(probe, "match_create", "{" QUESTIONS "}");

    tool_probe_text(answer, "match_id", match_id, sizeof(match_id));
    cr_expect_eq(strlen(match_id), 18);
    cr_expect_eq(strncmp(match_id, "m-", 2), 0);
    cr_expect_eq(strcmp(answer->bind, match_id), 0);
    expect_has(answer, "\"state\":\"LOBBY\"");
    expect_has(answer, "\"question_ms\":20000");
    cr_expect_null(strstr(answer->body, "SECRET"));
    tool_probe_free(probe);
}

static void write_answer(size_t index, char body[512])
{
    snprintf(body, 512,
             "{\"match_id\":\"%s\",\"player_id\":\"%s\",\"question_id\":\"q1\",\"answer\":%s}",
             match_id, players[index], index % 2 == 0 ? "true" : "false");
}

static void write_second_answer(size_t index, char body[512])
{
    snprintf(body, 512,
             "{\"match_id\":\"%s\",\"player_id\":\"%s\",\"question_id\":\"q2\",\"answer\":\"%s\"}",
             match_id, players[index], index == 0 ? "secret" : "no idea");
}

/* The timers of phases without length fire at once, but on their own turn. */
static void wait_for(tool_probe_t *probe, const char *part)
{
    const tool_probe_answer_t *answer;
    int64_t tries = 0;
    do {
        answer = ask(probe, "match_state", "");
        cr_assert_lt(++tries, 1000000, "no %s in %s", part, answer->body);
    } while (strstr(answer->body, part) == NULL);
}

Test(match, fifty_players_play_it_through_real_actors)
{
    tool_probe_t *probe = tool_probe_new(&match_class, NULL, 2);
    create(probe, "{" QUESTIONS "," QUICK "}");
    for (int i = 0; i < PLAYERS; i++) {
        join(probe, i);
    }

    expect_has(ask_as_host(probe, "match_start", ""), "\"state\":\"COUNTDOWN\"");
    wait_for(probe, "\"id\":\"q1\"");
    cr_expect_eq(tool_probe_flood(probe, "match_answer", PLAYERS, write_answer), PLAYERS);
    wait_for(probe, "\"id\":\"q2\"");
    cr_expect_eq(tool_probe_flood(probe, "match_answer", PLAYERS, write_second_answer), PLAYERS);
    wait_for(probe, "\"state\":\"FINISHED\"");

    const tool_probe_answer_t *final = ask(probe, "match_state", "\"since_version\":0");
    expect_has(final, "\"ranking\":[{\"rank\":1,\"seat\":1,\"name\":\"Player 0\"");
    expect_has(final, "\"name\":\"Player 49\"");
    expect_has(final, "match:finished");
    expect_error(ask_as_host(probe, "match_end", ""), "E_STATE");
    tool_probe_free(probe);
}

Test(match, only_the_host_starts_controls_and_ends_a_match)
{
    static const char *const tools[] = {"match_start", "match_end"};
    tool_probe_t *probe = tool_probe_new(&match_class, NULL, 1);
    create(probe, "{" QUESTIONS "}");
    join(probe, 0);

    for (size_t i = 0; i < 2; i++) {
        expect_error(ask(probe, tools[i], "\"host_key\":\"wrong\""), "E_FORBIDDEN");
        expect_error(ask(probe, tools[i], ""), "E_BAD_PAYLOAD");
    }
    expect_error(ask(probe, "match_control", "\"host_key\":\"k\",\"action\":\"kick\",\"seat\":1"),
                 "E_FORBIDDEN");

    expect_has(ask_as_host(probe, "match_start", ""), "COUNTDOWN");
    expect_has(ask_as_host(probe, "match_control", "\"action\":\"pause\""), "PAUSED");
    expect_has(ask_as_host(probe, "match_control", "\"action\":\"resume\""), "COUNTDOWN");
    expect_error(ask_as_host(probe, "match_control", "\"action\":\"kick\""), "\"path\":\"seat\"");
    expect_has(ask_as_host(probe, "match_end", ""), "\"reason\":\"host\"");
    tool_probe_free(probe);
}

Test(match, requests_that_do_not_fit_are_refused_and_harm_nobody)
{
    static const struct {
        const char *tool, *body, *code;
    } cases[] = {
        {"match_state", "{\"match_id\":\"m-0000000000000000\"}", "E_NOT_FOUND"},
        {"match_state", "{}", "E_BAD_PAYLOAD"},
        {"match_state", "{\"match_id\":7}", "E_BAD_PAYLOAD"},
        {"match_state", "[]", "E_BAD_BODY"},
        {"match_create", "{\"questions\":[{\"id\":\"q\"}]}", "questions[0]"},
        {"match_create", "{}", "\"path\":\"questions\""},
        {"match_create", "{" QUESTIONS ",\"bank\":{}}", "\"path\":\"bank\""},
        {"match_create", "{" QUESTIONS ",\"teams\":[\"a\",\"a\"]}", "\"path\":\"teams[1]\""},
        {"match_create", "{" QUESTIONS ",\"settings\":{\"base_points\":1}}",
         "\"path\":\"settings.base_points\""},
        {"match_create", "{" QUESTIONS ",\"settings\":{\"max_players\":2,\"min_players\":3}}",
         "\"path\":\"settings.min_players\""},
    };
    tool_probe_t *probe = tool_probe_new(&match_class, NULL, 1);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        expect_error(tool_probe_ask(probe, cases[i].tool, cases[i].body), cases[i].code);
    }
    create(probe, "{" QUESTIONS "}");
    expect_error(ask(probe, "match_state", "\"nonsense\":1"), "\"path\":\"nonsense\"");
    expect_error(ask(probe, "match_state", "\"player_id\":\"p-1\""), "E_NOT_FOUND");
    expect_error(ask(probe, "match_join", "\"name\":\"   \""), "\"path\":\"name\"");

    expect_has(ask(probe, "match_state", ""), "\"players\":0");
    tool_probe_free(probe);
}

Test(match, a_worker_hosts_no_more_than_max_matches)
{
    tool_probe_t *probe = tool_probe_new(&match_class, "{\"max_matches\":2}", 1);
    create(probe, "{" QUESTIONS "}");
    create(probe, "{" QUESTIONS "}");

    expect_error(tool_probe_ask(probe, "match_create", "{" QUESTIONS "}"), "E_NO_CAPACITY");
    tool_probe_free(probe);
}

Test(match, a_match_that_is_over_gives_its_place_and_its_key_back)
{
    tool_probe_t *probe =
        tool_probe_new(&match_class, "{\"max_matches\":1,\"empty_match_ttl_ms\":100}", 1);
    create(probe, "{" QUESTIONS "}");

    tool_probe_wait_release(probe, match_id);

    expect_error(ask(probe, "match_state", ""), "E_NOT_FOUND");
    create(probe, "{" QUESTIONS "}");
    tool_probe_free(probe);
}

static void write_look(size_t index, char body[512])
{
    (void)index;
    snprintf(body, 512, "{\"match_id\":\"%s\"}", match_id);
}

Test(match, every_task_is_answered_while_a_match_ends)
{
    tool_probe_t *probe = tool_probe_new(&match_class, NULL, 2);

    for (int i = 0; i < 20; i++) {
        create(probe, "{" QUESTIONS ",\"settings\":{\"finished_ttl_s\":0}}");
        ask_as_host(probe, "match_end", "");
        tool_probe_flood(probe, "match_state", 30,
                         write_look); /* waits for 30 answers of any kind */
        tool_probe_wait_release(probe, match_id);
    }
    tool_probe_free(probe);
}

Test(match, questions_come_from_the_bank_by_tag)
{
    tool_probe_t *probe =
        tool_probe_new(&match_class, "{\"questions\":\"examples/workshop/questions.json\"}", 1);

    const tool_probe_answer_t *answer =
        tool_probe_ask(probe, "match_create", "{\"bank\":{\"tags\":[\"space\"]}}");

    expect_has(answer, "\"question_count\":2");
    expect_error(tool_probe_ask(probe, "match_create", "{\"bank\":{\"count\":100}}"), "bank.count");
    expect_has(tool_probe_ask(probe, "match_create", "{}"), "\"question_count\":10");
    tool_probe_free(probe);
}

Test(match, joining_twice_with_an_id_gives_one_seat)
{
    tool_probe_t *probe = tool_probe_new(&match_class, NULL, 1);
    create(probe, "{" QUESTIONS "}");

    expect_has(ask(probe, "match_join", "\"name\":\"Ada\",\"player_id\":\"mine\""),
               "\"returned\":false");
    expect_has(ask(probe, "match_join", "\"name\":\"Ada\",\"player_id\":\"mine\""),
               "\"returned\":true");
    expect_error(ask(probe, "match_join", "\"name\":\"ADA\""), "E_DUP_NAME");
    expect_has(ask(probe, "match_leave", "\"player_id\":\"mine\""), "\"players\":0");
    tool_probe_free(probe);
}

Test(match, the_end_of_the_worker_ends_its_matches)
{
    tool_probe_t *probe = tool_probe_new(&match_class, NULL, 1);
    create(probe, "{" QUESTIONS "}");
    create(probe, "{" QUESTIONS "}");

    tool_probe_stop_root(probe);

    tool_probe_free(probe); /* ends: nothing holds the runtime */
}
