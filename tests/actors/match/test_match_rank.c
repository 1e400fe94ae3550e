/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "actors/match/match_rank.h"
#include "tests/actors/match/match_play.h"

/* A match of `count` players whose figures are set by hand. */
static play_t *play_with(size_t count)
{
    static const char *const ids[] = {"p1", "p2", "p3", "p4", "p5"};
    play_t *play = play_new("", play_two_questions);
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(play_join(play, ids[i], ids[i]), MATCH_E_NONE);
    }
    return play;
}

Test(match_rank, equal_in_the_first_three_is_the_same_rank_and_the_next_one_skips)
{
    play_t *play = play_with(3);
    match_player_t *players = play->match.players;
    players[0].score = players[1].score = 500, players[2].score = 400;
    players[0].timeouts = 1;

    match_rank(&play->match);

    cr_expect_eq(players[0].rank, 1);
    cr_expect_eq(players[1].rank, 1);
    cr_expect_eq(players[2].rank, 3);
    cr_expect_eq(play->match.ranking[0], &players[1], "fewer timeouts stand first");
    play_free(play);
}

Test(match_rank, ties_are_broken_in_the_order_of_the_rules)
{
    play_t *play = play_with(5);
    match_player_t *players = play->match.players;
    players[0].score = 900;
    players[1].score = 1000, players[1].correct = 1, players[1].answer_ms = 5;
    players[2].score = 1000, players[2].correct = 2, players[2].answer_ms = 30;
    players[3].score = 1000, players[3].correct = 2, players[3].answer_ms = 20;
    players[4].score = 900;

    match_rank(&play->match);

    static const size_t order[] = {3, 2, 1, 0, 4};
    static const uint32_t ranks[] = {1, 2, 3, 4, 4};
    for (size_t i = 0; i < 5; i++) {
        cr_expect_eq(play->match.ranking[i], &players[order[i]]);
        cr_expect_eq(play->match.ranking[i]->rank, ranks[i]);
    }
    play_free(play);
}

Test(match_rank, a_streak_adds_its_bonus_and_a_wrong_answer_ends_it)
{
    const char *questions =
        "{\"id\":\"a\",\"type\":\"boolean\",\"text\":\"?\",\"correct\":[true]},"
        "{\"id\":\"b\",\"type\":\"boolean\",\"text\":\"?\",\"correct\":[true]},"
        "{\"id\":\"c\",\"type\":\"boolean\",\"text\":\"?\",\"correct\":[false]},"
        "{\"id\":\"d\",\"type\":\"boolean\",\"text\":\"?\",\"correct\":[false]}";
    static const struct {
        const char *id, *answer;
        int64_t score;
    } course[] = {
        {"a", "true", 1000}, {"b", "\"true\"", 2100}, {"c", "true", 2100}, {"d", "false", 3100}};
    play_t *play = play_new("", questions);
    play_join(play, "p1", "Ada");
    play_event(play, MATCH_EVENT_START);

    for (size_t i = 0; i < 4; i++) {
        play_until(play, MATCH_QUESTION);
        cr_assert_eq(play_answer(play, "p1", course[i].id, course[i].answer), MATCH_E_NONE);
        cr_expect_eq(play_find(play, "p1")->score, course[i].score);
        play_until(play, MATCH_LEADERBOARD);
    }

    cr_expect_eq(play_find(play, "p1")->streak_best, 2);
    play_free(play);
}

Test(match_rank, a_half_right_multi_answer_pays_its_share_and_ends_the_streak)
{
    play_t *play = play_with(1);
    play_event(play, MATCH_EVENT_START);
    play_until(play, MATCH_QUESTION);
    play_answer(play, "p1", "q1", "\"b\"");
    play_until(play, MATCH_LEADERBOARD);
    play_until(play, MATCH_QUESTION);

    play_answer(play, "p1", "q2", "[\"a\"]");

    cr_expect_eq(play_find(play, "p1")->score, 1500);
    cr_expect_eq(play_find(play, "p1")->correct, 1);
    cr_expect_eq(play_find(play, "p1")->streak, 0);
    play_free(play);
}

Test(match_rank, a_question_without_points_keeps_the_streak_going_without_bonus)
{
    const char *questions =
        "{\"id\":\"a\",\"type\":\"boolean\",\"text\":\"?\",\"correct\":[true]},"
        "{\"id\":\"b\",\"type\":\"boolean\",\"text\":\"?\",\"correct\":[true],\"points\":0}";
    play_t *play = play_new("", questions);
    play_join(play, "p1", "Ada");
    play_event(play, MATCH_EVENT_START);
    play_until(play, MATCH_QUESTION);
    play_answer(play, "p1", "a", "true");
    play_until(play, MATCH_QUESTION);

    play_answer(play, "p1", "b", "true");

    cr_expect_eq(play_find(play, "p1")->score, 1000);
    cr_expect_eq(play_find(play, "p1")->streak, 2);
    play_free(play);
}

Test(match_rank, a_team_has_the_mean_of_its_members_rounded_half_up)
{
    play_t *play = play_new_teams("", play_two_questions, "[\"red\",\"blue\",\"none\"]");
    cr_assert_eq(play_join_team(play, "p1", "a", "red"), MATCH_E_NONE);
    cr_assert_eq(play_join_team(play, "p2", "b", "red"), MATCH_E_NONE);
    cr_assert_eq(play_join_team(play, "p3", "c", "blue"), MATCH_E_NONE);
    match_team_t teams[MATCH_TEAMS_MAX];
    play->match.players[0].score = 1000;
    play->match.players[1].score = 501;
    play->match.players[2].score = 750;

    size_t count = match_rank_teams(&play->match, teams);

    cr_assert_eq(count, 3);
    cr_expect_eq(teams[0].score, 751);
    cr_expect_eq(teams[0].index, 0);
    cr_expect_eq(teams[1].score, 750);
    cr_expect_eq(teams[2].members, 0);
    cr_expect_eq(teams[2].rank, 3);
    play_free(play);
}

Test(match_rank, who_has_no_wish_joins_the_smallest_team)
{
    play_t *play = play_new_teams("", play_two_questions, "[\"red\",\"blue\"]");
    play_join_team(play, "p1", "a", "red");

    play_join(play, "p2", "b");
    play_join(play, "p3", "c");

    cr_expect_eq(play_find(play, "p2")->team, 1);
    cr_expect_eq(play_find(play, "p3")->team, 0);
    cr_expect_eq(play_join_team(play, "p4", "d", "green"), MATCH_E_BAD_PAYLOAD);
    cr_expect_eq(strcmp(play->verdict.fault.path, "team"), 0);
    play_free(play);
}
