/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/actors/match/match_play.h"

/* A match with two players in the phase asked for. */
static play_t *play_in(match_phase_t phase)
{
    play_t *play = play_new("", play_two_questions);
    cr_assert_eq(play_join(play, "p1", "Ada"), MATCH_E_NONE);
    cr_assert_eq(play_join(play, "p2", "Bob"), MATCH_E_NONE);
    if (phase == MATCH_ABORTED) {
        cr_assert_eq(play_event(play, MATCH_EVENT_ABORT), MATCH_E_NONE);
    } else if (phase != MATCH_LOBBY) {
        cr_assert_eq(play_event(play, MATCH_EVENT_START), MATCH_E_NONE);
    }
    if (phase == MATCH_PAUSED) {
        cr_assert_eq(play_event(play, MATCH_EVENT_PAUSE), MATCH_E_NONE);
    }
    play_until(play, phase);
    return play;
}

Test(match_machine, every_event_is_allowed_in_its_states_only)
{
    /* LOBBY COUNTDOWN QUESTION REVEAL LEADERBOARD PAUSED FINISHED ABORTED */
    static const struct {
        match_event_t event;
        const char *allowed;
    } rows[] = {
        {MATCH_EVENT_START, "x......."}, {MATCH_EVENT_NEXT, ".xxxx..."},
        {MATCH_EVENT_PAUSE, ".xxxx..."}, {MATCH_EVENT_RESUME, ".....x.."},
        {MATCH_EVENT_SKIP, "..x....."},  {MATCH_EVENT_EXTEND, "..x....."},
        {MATCH_EVENT_LOCK, "xxxxxx.."},  {MATCH_EVENT_UNLOCK, "xxxxxx.."},
        {MATCH_EVENT_END, "xxxxxx.."},   {MATCH_EVENT_ABORT, "xxxxxx.."},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (int phase = MATCH_LOBBY; phase < MATCH_PHASES; phase++) {
            play_t *play = play_in((match_phase_t)phase);
            uint64_t version = play->match.version;

            match_code_t code = play_event(play, rows[i].event);

            bool is_allowed = rows[i].allowed[phase] == 'x';
            cr_expect_eq(code, is_allowed ? MATCH_E_NONE : MATCH_E_STATE, "event %d in %s",
                         rows[i].event, match_phase_name((match_phase_t)phase));
            if (!is_allowed) {
                cr_expect_eq(play->match.version, version, "a refusal changes nothing");
            }
            play_free(play);
        }
    }
}

Test(match_machine, after_the_end_nobody_joins_leaves_or_is_removed)
{
    static const match_phase_t ends[] = {MATCH_FINISHED, MATCH_ABORTED};

    for (size_t i = 0; i < 2; i++) {
        play_t *play = play_in(ends[i]);
        uint64_t version = play->match.version;

        cr_expect_eq(play_join(play, "p3", "Cy"), MATCH_E_STATE);
        cr_expect_eq(play_player(play, MATCH_EVENT_LEAVE, "p1"), MATCH_E_STATE);
        cr_expect_eq(play_player(play, MATCH_EVENT_AWAY, "p1"), MATCH_E_STATE);
        cr_expect_eq(play_kick(play, 1), MATCH_E_STATE);
        cr_expect_neq(play_answer(play, "p1", "q1", "\"b\""), MATCH_E_NONE);

        cr_expect_eq(play->match.version, version);
        play_free(play);
    }
}

Test(match_machine, a_match_runs_through_its_phases_by_itself)
{
    play_t *play = play_in(MATCH_COUNTDOWN);
    static const struct {
        int64_t at_ms;
        match_phase_t phase;
    } course[] = {{2999, MATCH_COUNTDOWN}, {3000, MATCH_QUESTION},     {23249, MATCH_QUESTION},
                  {23250, MATCH_REVEAL},   {27250, MATCH_LEADERBOARD}, {31250, MATCH_QUESTION},
                  {51500, MATCH_REVEAL},   {55500, MATCH_LEADERBOARD}, {59500, MATCH_FINISHED}};

    for (size_t i = 0; i < sizeof(course) / sizeof(course[0]); i++) {
        play_wait(play, course[i].at_ms - play->now_ms);

        cr_expect_eq(play->match.phase, course[i].phase, "at %ld ms", course[i].at_ms);
    }
    play_free(play);
}

Test(match_machine, every_transition_raises_the_version_by_one)
{
    play_t *play = play_in(MATCH_LOBBY); /* two joined */

    cr_expect_eq(play->match.version, 2);
    play_event(play, MATCH_EVENT_START);
    cr_expect_eq(play->match.version, 3);
    play_until(play, MATCH_QUESTION);
    cr_expect_eq(play->match.version, 4);
    play_until(play, MATCH_FINISHED);
    cr_expect_eq(play->match.version, 10);
    play_free(play);
}

Test(match_machine, no_match_starts_below_min_players)
{
    play_t *play = play_new("\"min_players\":2", play_two_questions);
    play_join(play, "p1", "Ada");

    cr_expect_eq(play_event(play, MATCH_EVENT_START), MATCH_E_STATE);
    play_join(play, "p2", "Bob");
    cr_expect_eq(play_event(play, MATCH_EVENT_START), MATCH_E_NONE);
    play_free(play);
}

Test(match_machine, all_answered_ends_the_question_early)
{
    play_t *play = play_in(MATCH_QUESTION);

    play_answer(play, "p1", "q1", "\"b\"");
    cr_expect_eq(play->match.phase, MATCH_QUESTION);
    play_answer(play, "p2", "q1", "\"a\"");

    cr_expect_eq(play->match.phase, MATCH_REVEAL);
    play_free(play);
}

Test(match_machine, the_last_one_missing_ends_the_question_by_going)
{
    static const match_event_t ways[] = {MATCH_EVENT_LEAVE, MATCH_EVENT_AWAY};

    for (size_t i = 0; i < 2; i++) {
        play_t *play = play_in(MATCH_QUESTION);
        play_answer(play, "p1", "q1", "\"b\"");

        play_player(play, ways[i], "p2");

        cr_expect_eq(play->match.phase, MATCH_REVEAL);
        play_free(play);
    }
}

Test(match_machine, with_nobody_connected_the_timer_still_ends_the_match)
{
    play_t *play = play_in(MATCH_QUESTION);

    play_player(play, MATCH_EVENT_AWAY, "p1");
    play_player(play, MATCH_EVENT_AWAY, "p2");
    cr_expect_eq(play->match.phase, MATCH_QUESTION);

    play_until(play, MATCH_FINISHED);
    play_free(play);
}

Test(match_machine, a_pause_freezes_the_remaining_time_and_the_answers_clock)
{
    play_t *play = play_in(MATCH_QUESTION);
    play_wait(play, 5000);

    play_event(play, MATCH_EVENT_PAUSE);
    play_wait(play, 60000);
    cr_expect_eq(play->match.phase, MATCH_PAUSED);
    cr_expect_eq(play_answer(play, "p1", "q1", "\"b\""), MATCH_E_STATE);
    play_event(play, MATCH_EVENT_RESUME);
    play_wait(play, 1000);
    play_answer(play, "p1", "q1", "\"b\"");

    cr_expect_eq(play->verdict.t_ms, 6000);
    play_wait(play, 14249);
    cr_expect_eq(play->match.phase, MATCH_QUESTION);
    play_wait(play, 1);
    cr_expect_eq(play->match.phase, MATCH_REVEAL);
    play_free(play);
}

Test(match_machine, a_pause_returns_to_where_it_came_from)
{
    static const match_phase_t phases[] = {MATCH_COUNTDOWN, MATCH_REVEAL, MATCH_LEADERBOARD};

    for (size_t i = 0; i < 3; i++) {
        play_t *play = play_in(phases[i]);
        play_wait(play, 1000);
        int64_t left_ms = match_deadline(&play->match) - play->now_ms;

        play_event(play, MATCH_EVENT_PAUSE);
        play_wait(play, 10000);
        play_event(play, MATCH_EVENT_RESUME);

        cr_expect_eq(play->match.phase, phases[i]);
        cr_expect_eq(match_deadline(&play->match) - play->now_ms, left_ms);
        play_free(play);
    }
}

Test(match_machine, a_skipped_question_gives_nothing_and_breaks_no_streak)
{
    play_t *play = play_in(MATCH_QUESTION);
    play_answer(play, "p1", "q1", "\"b\"");
    play_until(play, MATCH_QUESTION);
    play_event(play, MATCH_EVENT_NEXT); /* q1 counts */
    cr_assert_eq(play_find(play, "p1")->streak, 1);
    int64_t score = play_find(play, "p1")->score;
    play_event(play, MATCH_EVENT_NEXT);
    play_event(play, MATCH_EVENT_NEXT);
    cr_assert_eq(play->match.current, 1);
    play_answer(play, "p1", "q2", "[\"b\"]");

    cr_expect_eq(play_event(play, MATCH_EVENT_SKIP), MATCH_E_NONE);

    cr_expect_eq(play->match.phase, MATCH_REVEAL);
    cr_expect_eq(play_find(play, "p1")->streak, 1);
    cr_expect_eq(play_find(play, "p1")->score, score);
    cr_expect_eq(play_find(play, "p2")->timeouts, 1, "of q1 alone");
    play_free(play);
}

Test(match_machine, an_extension_adds_five_seconds_up_to_the_longest_question)
{
    play_t *play = play_new("\"question_ms\":232000", play_two_questions);
    play_join(play, "p1", "Ada");
    play_event(play, MATCH_EVENT_START);
    play_until(play, MATCH_QUESTION);
    int64_t ends_ms = match_deadline(&play->match);

    cr_expect_eq(play_event(play, MATCH_EVENT_EXTEND), MATCH_E_NONE);
    cr_expect_eq(match_deadline(&play->match), ends_ms + 5000);
    cr_expect_eq(play_event(play, MATCH_EVENT_EXTEND), MATCH_E_NONE);
    cr_expect_eq(match_deadline(&play->match), ends_ms + 8000);
    cr_expect_eq(play_event(play, MATCH_EVENT_EXTEND), MATCH_E_STATE);
    play_free(play);
}

Test(match_machine, ending_in_the_lobby_aborts_and_later_there_is_one_finale)
{
    play_t *lobby = play_in(MATCH_LOBBY);
    play_t *running = play_in(MATCH_QUESTION);

    play_event(lobby, MATCH_EVENT_END);
    play_answer(running, "p1", "q1", "\"b\"");
    play_event(running, MATCH_EVENT_END);

    cr_expect_eq(lobby->match.phase, MATCH_ABORTED);
    cr_expect_str_eq(lobby->match.reason, "host");
    cr_expect_eq(running->match.phase, MATCH_FINISHED);
    cr_expect_eq(running->match.awarded, 0, "the open question is void");
    cr_expect_eq(play_event(running, MATCH_EVENT_END), MATCH_E_STATE);
    play_free(lobby);
    play_free(running);
}

Test(match_machine, an_empty_match_is_aborted_after_its_time)
{
    play_t *play = play_new("\"empty_match_ttl_ms\":1000", play_two_questions);

    play_wait(play, 999);
    cr_expect_eq(play->match.phase, MATCH_LOBBY);
    play_wait(play, 1);

    cr_expect_eq(play->match.phase, MATCH_ABORTED);
    cr_expect_str_eq(play->match.reason, "empty");
    cr_expect(match_is_over(&play->match, play->now_ms));
    play_free(play);
}

Test(match_machine, a_lobby_that_nobody_speaks_in_is_aborted_after_its_time)
{
    play_t *play = play_new("\"idle_match_ttl_ms\":5000", play_two_questions);
    play_join(play, "p1", "Ada");

    play_wait(play, 4000);
    play_event(play, MATCH_EVENT_LOCK);
    play_wait(play, 4000);
    match_seen(&play->match);
    play_wait(play, 4999);
    cr_expect_eq(play->match.phase, MATCH_LOBBY);
    play_wait(play, 1);

    cr_expect_str_eq(play->match.reason, "idle");
    play_free(play);
}

Test(match_machine, a_finished_match_can_be_seen_for_its_time)
{
    play_t *play = play_in(MATCH_FINISHED);

    cr_expect_eq(match_deadline(&play->match), play->now_ms + 3600000);
    cr_expect_not(match_is_over(&play->match, play->now_ms + 3599999));
    cr_expect(match_is_over(&play->match, play->now_ms + 3600000));
    play_free(play);
}

Test(match_machine, phases_without_length_pass_at_once)
{
    play_t *play =
        play_new("\"countdown_ms\":0,\"reveal_ms\":0,\"leaderboard_ms\":0", play_two_questions);
    play_join(play, "p1", "Ada");

    play_event(play, MATCH_EVENT_START);
    play_wait(play, 0);
    cr_expect_eq(play->match.phase, MATCH_QUESTION);
    play_answer(play, "p1", "q1", "\"b\"");
    play_wait(play, 0);

    cr_expect_eq(play->match.phase, MATCH_QUESTION);
    cr_expect_eq(play->match.current, 1);
    play_free(play);
}

Test(match_machine, an_answer_is_late_even_when_the_timer_is_slow)
{
    play_t *play = play_in(MATCH_QUESTION);
    play->now_ms += 20251; /* no tick between */

    cr_expect_eq(play_answer(play, "p1", "q1", "\"b\""), MATCH_E_LATE);
    cr_expect_eq(play->match.phase, MATCH_REVEAL);
    play_free(play);
}
