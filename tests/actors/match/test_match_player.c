/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/actors/match/match_play.h"

static play_t *play_lobby(const char *rules)
{
    play_t *play = play_new(rules, play_two_questions);
    cr_assert_eq(play_join(play, "p1", "Ada"), MATCH_E_NONE);
    return play;
}

static play_t *play_question(const char *rules)
{
    play_t *play = play_lobby(rules);
    cr_assert_eq(play_join(play, "p2", "Bob"), MATCH_E_NONE);
    cr_assert_eq(play_event(play, MATCH_EVENT_START), MATCH_E_NONE);
    play_until(play, MATCH_QUESTION);
    return play;
}

Test(match_player, names_are_unique_without_regard_to_case_form_and_unseen_characters)
{
    play_t *play = play_new("", play_two_questions);
    cr_assert_eq(play_join(play, "p1", "Zo\u00eb Stra\u00dfe"), MATCH_E_NONE);

    cr_expect_eq(play_join(play, "p2", "zoe\u0308 STRASSE"), MATCH_E_DUP_NAME);
    cr_expect_eq(play_join(play, "p2", " ZO\u00cb\u200b Strasse\t"), MATCH_E_DUP_NAME);
    cr_expect_eq(play_join(play, "p2", "Zoe Strasse"), MATCH_E_NONE);
    play_free(play);
}

Test(match_player, names_are_trimmed_and_cleaned)
{
    play_t *play = play_new("", play_two_questions);

    cr_expect_eq(play_join(play, "p1",
                           "  A\x07"
                           "da\u202e\n L. \u00a0"),
                 MATCH_E_NONE);

    cr_expect_str_eq(play_find(play, "p1")->name, "Ada L.");
    play_free(play);
}

Test(match_player, names_without_1_to_24_visible_characters_are_refused)
{
    play_t *play = play_new("", play_two_questions);

    cr_expect_eq(play_join(play, "p1", " \t "), MATCH_E_BAD_PAYLOAD);
    cr_expect_eq(play_join(play, "p1", "\u200b\u2060"), MATCH_E_BAD_PAYLOAD);
    cr_expect_eq(play_join(play, "p1", "1234567890123456789012345"), MATCH_E_BAD_PAYLOAD);
    cr_expect_eq(strcmp(play->verdict.fault.path, "name"), 0);
    cr_expect_eq(play_join(play, "p1", "\xff\xfe"), MATCH_E_BAD_PAYLOAD);
    cr_expect_eq(play_join(play, "p1",
                           "\U0001f600\U0001f600\U0001f600\U0001f600\U0001f600"
                           "\U0001f600\U0001f600\U0001f600\U0001f600\U0001f600"
                           "\U0001f600\U0001f600\U0001f600\U0001f600\U0001f600"
                           "\U0001f600\U0001f600\U0001f600\U0001f600\U0001f600"
                           "\U0001f600\U0001f600\U0001f600\U0001f600"),
                 MATCH_E_NONE);
    cr_expect_eq(play->match.player_count, 1);
    play_free(play);
}

Test(match_player, joining_again_gives_the_same_seat)
{
    play_t *play = play_lobby("");
    uint64_t version = play->match.version;

    cr_expect_eq(play_join(play, "p1", "Somebody else"), MATCH_E_NONE);

    cr_expect(play->verdict.returned);
    cr_expect_eq(play->verdict.player->seat, 1);
    cr_expect_str_eq(play->verdict.player->name, "Ada");
    cr_expect_eq(play->match.version, version);
    play_free(play);
}

Test(match_player, a_full_match_refuses_new_players_but_not_those_who_come_back)
{
    play_t *play = play_question("\"max_players\":2");

    cr_expect_eq(play_join(play, "p3", "Cy"), MATCH_E_FULL);
    play_player(play, MATCH_EVENT_AWAY, "p2");
    cr_expect_eq(play_join(play, "p3", "Cy"), MATCH_E_FULL, "the seat is kept");
    cr_expect_eq(play_join(play, "p2", "Bob"), MATCH_E_NONE);
    play_player(play, MATCH_EVENT_LEAVE, "p2");

    cr_expect_eq(play_join(play, "p3", "Cy"), MATCH_E_NONE, "the seat is free");
    cr_expect_eq(play_join(play, "p2", "Bob"), MATCH_E_FULL);
    play_free(play);
}

Test(match_player, a_lost_player_keeps_the_seat_for_the_reconnect_window)
{
    play_t *play = play_question("\"question_ms\":120000");
    play_player(play, MATCH_EVENT_AWAY, "p2");

    play_wait(play, 59999);
    cr_expect_not(play_find(play, "p2")->gone);
    play_wait(play, 1);

    cr_expect(play_find(play, "p2")->gone);
    play_free(play);
}

Test(match_player, the_score_is_kept_on_a_late_return)
{
    play_t *play = play_question("\"leaderboard_ms\":60000");
    play_answer(play, "p1", "q1", "\"b\"");
    play_answer(play, "p2", "q1", "\"b\"");
    int64_t score = play_find(play, "p2")->score;
    play_player(play, MATCH_EVENT_AWAY, "p2");
    play_until(play, MATCH_LEADERBOARD);
    play_wait(play, 59999);
    cr_assert(play_find(play, "p2")->gone);

    cr_expect_eq(play_join(play, "p2", "x"), MATCH_E_NONE);

    cr_expect_gt(score, 0);
    cr_expect_eq(play_find(play, "p2")->score, score);
    play_free(play);
}

Test(match_player, who_leaves_before_the_first_question_frees_name_and_seat)
{
    play_t *play = play_lobby("");

    cr_expect_eq(play_player(play, MATCH_EVENT_LEAVE, "p1"), MATCH_E_NONE);

    cr_expect_eq(play->match.player_count, 0);
    cr_expect_eq(play_join(play, "p2", "ADA"), MATCH_E_NONE);
    cr_expect_eq(play_find(play, "p2")->seat, 2, "no seat number is given twice");
    play_free(play);
}

Test(match_player, memory_for_those_who_come_and_go_is_bounded)
{
    play_t *play = play_question("\"max_players\":2,\"question_ms\":240000");
    match_code_t code = MATCH_E_NONE;
    play_player(play, MATCH_EVENT_LEAVE, "p2");

    for (int i = 0; i < 100 && code == MATCH_E_NONE; i++) {
        char id[16], name[16];
        snprintf(id, sizeof(id), "x%d", i);
        snprintf(name, sizeof(name), "N%d", i);
        code = play_join(play, id, name);
        play_player(play, MATCH_EVENT_LEAVE, id);
    }

    cr_expect_eq(code, MATCH_E_FULL);
    cr_expect_eq(play->match.player_count, 8);
    play_free(play);
}

Test(match_player, a_locked_lobby_refuses_new_players_only)
{
    play_t *play = play_lobby("");
    play_event(play, MATCH_EVENT_LOCK);

    cr_expect_eq(play_join(play, "p2", "Bob"), MATCH_E_LOCKED);
    cr_expect_eq(play_join(play, "p1", "Ada"), MATCH_E_NONE);
    play_event(play, MATCH_EVENT_UNLOCK);
    cr_expect_eq(play_join(play, "p2", "Bob"), MATCH_E_NONE);
    play_free(play);
}

Test(match_player, a_kicked_player_is_out_and_stays_out)
{
    play_t *play = play_question("");
    play_answer(play, "p2", "q1", "\"b\"");

    cr_expect_eq(play_kick(play, 2), MATCH_E_NONE);

    cr_expect_eq(play_join(play, "p2", "Bob"), MATCH_E_FORBIDDEN);
    cr_expect_eq(play_answer(play, "p2", "q1", "\"b\""), MATCH_E_NOT_FOUND);
    cr_expect_eq(play_kick(play, 2), MATCH_E_NOT_FOUND);
    play_answer(play, "p1", "q1", "\"b\"");
    cr_expect_eq(play->match.phase, MATCH_REVEAL, "nobody waits for a kicked player");
    play_free(play);
}

Test(match_player, the_first_answer_counts)
{
    play_t *play = play_question("");
    play_wait(play, 1000);
    cr_expect_eq(play_answer_as(play, "p1", "q1", "\"b\"", "a1"), MATCH_E_NONE);
    cr_expect(play->verdict.accepted);
    play_wait(play, 1000);

    cr_expect_eq(play_answer_as(play, "p1", "q1", "\"a\"", "a2"), MATCH_E_NONE);

    cr_expect_not(play->verdict.accepted);
    cr_expect_eq(play->verdict.t_ms, 1000);
    play_event(play, MATCH_EVENT_NEXT);
    cr_expect_eq(play_find(play, "p1")->correct, 1);
    play_free(play);
}

Test(match_player, with_last_answer_the_last_one_before_the_lock_counts)
{
    play_t *play = play_question("\"last_answer\":true");
    play_answer(play, "p1", "q1", "\"b\"");
    play_answer(play, "p2", "q1", "\"b\"");
    cr_expect_eq(play->match.phase, MATCH_QUESTION, "answers may still be changed");
    play_wait(play, 3000);

    play_answer(play, "p1", "q1", "\"a\"");

    cr_expect(play->verdict.accepted);
    cr_expect_eq(play->verdict.t_ms, 3000);
    play_until(play, MATCH_REVEAL);
    cr_expect_eq(play_find(play, "p1")->correct, 0);
    play_free(play);
}

Test(match_player, a_repeated_answer_id_gets_the_same_acknowledgement_also_after_the_lock)
{
    play_t *play = play_question("");
    play_wait(play, 1234);
    play_answer_as(play, "p1", "q1", "\"b\"", "a1");

    play_wait(play, 5000);
    cr_expect_eq(play_answer_as(play, "p1", "q1", "\"b\"", "a1"), MATCH_E_NONE);
    cr_expect(play->verdict.accepted);
    cr_expect_eq(play->verdict.t_ms, 1234);
    play_until(play, MATCH_LEADERBOARD);

    cr_expect_eq(play_answer_as(play, "p1", "q1", "\"b\"", "a1"), MATCH_E_NONE);
    cr_expect(play->verdict.accepted);
    cr_expect_eq(play->verdict.t_ms, 1234);
    cr_expect_eq(play_answer_as(play, "p1", "q1", "\"b\"", "a2"), MATCH_E_LATE);
    cr_expect_eq(play->match.answers, 1);
    play_free(play);
}

Test(match_player, an_answer_in_the_grace_counts_as_at_the_limit_and_later_is_late)
{
    play_t *play = play_question("");

    play_wait(play, 20249);
    cr_expect_eq(play_answer(play, "p1", "q1", "\"b\""), MATCH_E_NONE);
    cr_expect_eq(play->verdict.t_ms, 20000);
    play_wait(play, 1);
    cr_expect_eq(play_answer(play, "p2", "q1", "\"b\""), MATCH_E_LATE);

    cr_expect_eq(play_find(play, "p1")->score, 500);
    play_free(play);
}

Test(match_player, answers_to_closed_and_unopened_questions_are_told_apart)
{
    play_t *play = play_question("");

    cr_expect_eq(play_answer(play, "p1", "q2", "[\"a\"]"), MATCH_E_NOT_FOUND, "not opened yet");
    cr_expect_eq(play_answer(play, "p1", "q9", "[\"a\"]"), MATCH_E_NOT_FOUND);
    play_event(play, MATCH_EVENT_SKIP);
    play_until(play, MATCH_QUESTION);

    cr_expect_eq(play_answer(play, "p1", "q1", "\"b\""), MATCH_E_LATE);
    cr_expect_eq(play_answer(play, "nobody", "q2", "[\"a\"]"), MATCH_E_NOT_FOUND);
    play_free(play);
}

Test(match_player, answers_before_the_first_question_are_refused)
{
    play_t *play = play_lobby("");

    cr_expect_eq(play_answer(play, "p1", "q1", "\"b\""), MATCH_E_STATE);
    play_free(play);
}

Test(match_player, a_bad_answer_takes_nothing_away)
{
    play_t *play = play_question("");

    cr_expect_eq(play_answer(play, "p1", "q1", "\"zz\""), MATCH_E_BAD_PAYLOAD);
    cr_expect_eq(strcmp(play->verdict.fault.path, "answer"), 0);
    cr_expect_eq(play_answer(play, "p1", "q1", "\"b\""), MATCH_E_NONE);

    cr_expect(play->verdict.accepted);
    play_free(play);
}

Test(match_player, more_than_five_answers_in_a_second_are_refused)
{
    play_t *play = play_question("");

    for (int i = 0; i < 5; i++) {
        cr_expect_eq(play_answer(play, "p1", "q1", "\"b\""), MATCH_E_NONE);
    }
    play_wait(play, 999);
    cr_expect_eq(play_answer(play, "p1", "q1", "\"b\""), MATCH_E_RATE);
    cr_expect_eq(play_answer(play, "p2", "q2", "\"b\""), MATCH_E_NOT_FOUND, "others are free");
    play_wait(play, 1);

    cr_expect_eq(play_answer(play, "p1", "q1", "\"b\""), MATCH_E_NONE);
    play_free(play);
}

Test(match_player, who_joins_in_a_question_may_answer_and_missing_it_is_no_timeout)
{
    play_t *play = play_question("");
    play_wait(play, 4000);
    play_join(play, "p3", "Cy");
    play_join(play, "p4", "Di");
    play_wait(play, 1000);

    cr_expect_eq(play_answer(play, "p3", "q1", "\"b\""), MATCH_E_NONE);
    cr_expect_eq(play->verdict.t_ms, 5000, "measured from the opening");
    play_until(play, MATCH_REVEAL);

    cr_expect_eq(play_find(play, "p3")->score, 875);
    cr_expect_eq(play_find(play, "p4")->timeouts, 0);
    cr_expect_eq(play_find(play, "p2")->timeouts, 1);
    play_until(play, MATCH_FINISHED);
    cr_expect_eq(play_find(play, "p4")->timeouts, 1, "the next question counts");
    play_free(play);
}

Test(match_player, who_joins_in_a_paused_question_is_a_late_joiner_too)
{
    play_t *play = play_question("");
    play_event(play, MATCH_EVENT_PAUSE);
    play_join(play, "p3", "Cy");
    play_event(play, MATCH_EVENT_RESUME);
    play_until(play, MATCH_REVEAL);

    cr_expect_eq(play_find(play, "p3")->timeouts, 0);
    play_free(play);
}

Test(match_player, who_joins_after_a_question_plays_from_the_next_one)
{
    play_t *play = play_question("");
    play_until(play, MATCH_REVEAL);
    play_join(play, "p3", "Cy");

    play_until(play, MATCH_QUESTION);
    play_answer(play, "p1", "q2", "[\"a\"]");
    play_answer(play, "p2", "q2", "[\"a\"]");

    cr_expect_eq(play->match.phase, MATCH_QUESTION, "the newcomer is waited for");
    cr_expect_eq(play_find(play, "p3")->timeouts, 0);
    play_free(play);
}
