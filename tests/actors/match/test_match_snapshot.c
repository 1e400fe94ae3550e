/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/match/match_notice.h"
#include "tests/actors/match/match_play.h"

/* All that is right in these questions has a mark that nothing else has, but for the ids of options
 * (they are shown): there `correct` itself must not be seen. */
static const char marked[] =
    "{\"id\":\"t\",\"type\":\"text\",\"text\":\"?\",\"correct\":[\"SECRET-text\",\"SECRET-2\"]},"
    "{\"id\":\"n\",\"type\":\"numeric\",\"text\":\"?\",\"correct\":[424242],\"tolerance\":171717},"
    "{\"id\":\"s\",\"type\":\"single\",\"text\":\"?\",\"correct\":[\"b\"],\"tags\":[\"SECRET-tag\"]"
    ","
    "\"options\":[{\"id\":\"a\",\"text\":\"A\"},{\"id\":\"b\",\"text\":\"B\"}]}";

static void expect_secret(play_t *play)
{
    static const char *const secrets[] = {"SECRET", "424242", "171717", "\"correct\":[",
                                          "histogram"};
    char *seen[] = {play_snapshot(play, NULL), play_snapshot(play, "p1")};
    for (size_t v = 0; v < 2; v++) {
        for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
            cr_expect_null(strstr(seen[v], secrets[i]), "%s in %s", secrets[i], seen[v]);
        }
        free(seen[v]);
    }
}

Test(match_snapshot, what_is_right_is_never_seen_before_its_reveal)
{
    play_t *play = play_new("", marked);
    play_join(play, "p1", "Ada");
    play_join(play, "p2", "Bob");
    expect_secret(play);

    play_event(play, MATCH_EVENT_START);
    expect_secret(play);
    play_until(play, MATCH_QUESTION);
    expect_secret(play);
    play_answer_as(play, "p1", "t", "\"secret-TEXT\"", "a1");
    expect_secret(play);
    play_event(play, MATCH_EVENT_PAUSE);
    expect_secret(play);
    play_event(play, MATCH_EVENT_RESUME);
    play_until(play, MATCH_REVEAL);

    char *seen = play_snapshot(play, "p1");
    cr_expect_not_null(strstr(seen, "\"correct\":[\"SECRET-text\",\"SECRET-2\"]"));
    cr_expect_null(strstr(seen, "424242"), "of the questions to come");
    free(seen);
    play_free(play);
}

Test(match_snapshot, each_question_is_secret_until_its_own_reveal)
{
    static const char *const secrets[] = {"SECRET-text", "424242", "\"correct\":[\"b\"]"};
    play_t *play = play_new("", marked);
    play_join(play, "p1", "Ada");
    play_event(play, MATCH_EVENT_START);

    for (int i = 0; i < 3; i++) {
        play_until(play, MATCH_QUESTION);
        char *before = play_snapshot(play, "p1");
        cr_expect_null(strstr(before, secrets[i]));
        free(before);
        play_until(play, MATCH_REVEAL);
        char *after = play_snapshot(play, "p1");
        cr_expect_not_null(strstr(after, secrets[i]));
        free(after);
        play_until(play, MATCH_LEADERBOARD);
    }
    play_free(play);
}

Test(match_snapshot, an_acknowledgement_does_not_tell_what_is_right)
{
    play_t *play = play_new("", play_two_questions);
    play_join(play, "p1", "Ada");
    play_join(play, "p2", "Bob");
    play_join(play, "p3", "Cy");
    play_event(play, MATCH_EVENT_START);
    play_until(play, MATCH_QUESTION);
    play_wait(play, 700);

    play_answer(play, "p1", "q1", "\"b\"");
    char *right = play_snapshot(play, "p1");
    match_verdict_t ack_right = play->verdict;
    play_answer(play, "p2", "q1", "\"a\"");
    char *wrong = play_snapshot(play, "p2");

    cr_expect_eq(ack_right.accepted, play->verdict.accepted);
    cr_expect_eq(ack_right.t_ms, play->verdict.t_ms);
    cr_expect_not_null(strstr(right, "\"score\":0,\"streak\":0,\"correct\":0,\"answered\":true"));
    cr_expect_not_null(strstr(wrong, "\"score\":0,\"streak\":0,\"correct\":0,\"answered\":true"));
    free(right);
    free(wrong);
    play_free(play);
}

Test(match_snapshot, ids_of_players_are_not_shown_to_others)
{
    play_t *play = play_new("", play_two_questions);
    play_join(play, "p-secret-1", "Ada");
    play_join(play, "p-secret-2", "Bob");

    char *seen = play_snapshot(play, "p-secret-1");

    cr_expect_null(strstr(seen, "p-secret"));
    cr_expect_not_null(strstr(seen, "\"seat\":2,\"name\":\"Bob\""));
    free(seen);
    play_free(play);
}

Test(match_snapshot, it_tells_the_state_the_clocks_and_the_viewers_own)
{
    play_t *play = play_new("", play_two_questions);
    play_join(play, "p1", "Ada");
    play_event(play, MATCH_EVENT_START);
    play_until(play, MATCH_QUESTION);
    play_wait(play, 2000);

    char *seen = play_snapshot(play, "p1");

    cr_expect_not_null(strstr(seen, "\"state\":\"QUESTION\",\"version\":3,"
                                    "\"epoch_ms\":1700000005000,\"remaining_ms\":18000,"));
    cr_expect_not_null(strstr(seen, "\"you\":{\"seat\":1,\"name\":\"Ada\",\"connected\":true,"
                                    "\"rank\":1,"));
    free(seen);
    play_free(play);
}

Test(match_snapshot, the_own_result_comes_with_the_reveal_of_its_question)
{
    play_t *play = play_new("", play_two_questions);
    play_join(play, "p1", "Ada");
    play_event(play, MATCH_EVENT_START);
    play_until(play, MATCH_QUESTION);
    play_answer(play, "p1", "q1", "\"b\"");

    char *own = play_snapshot(play, "p1");
    char *anybody = play_snapshot(play, NULL);

    cr_expect_not_null(strstr(own, "\"you\":{\"correct\":true,\"points\":1000,\"streak\":1}"));
    cr_expect_null(strstr(anybody, "\"you\""));
    free(own);
    free(anybody);
    play_free(play);
}

Test(match_snapshot, the_end_has_the_whole_ranking_and_one_finale)
{
    play_t *play = play_new("\"leaderboard_top\":1", play_two_questions);
    play_join(play, "p1", "Ada");
    play_join(play, "p2", "Bob");
    play_event(play, MATCH_EVENT_START);
    play_until(play, MATCH_FINISHED);

    char *seen = play_snapshot(play, NULL);

    const char *ranking = strstr(seen, "\"ranking\":[");
    cr_assert_not_null(ranking);
    cr_expect_not_null(strstr(ranking, "\"name\":\"Bob\""));
    const char *finale = strstr(seen, "match:finished");
    cr_assert_not_null(finale);
    cr_expect_null(strstr(finale + 1, "match:finished"));
    free(seen);
    play_free(play);
}

Test(match_snapshot, the_log_of_events_is_bounded_and_says_what_it_lost)
{
    play_t *play = play_new("", play_two_questions);
    play_join(play, "p1", "Ada");
    for (int i = 0; i < 200; i++) {
        play_event(play, MATCH_EVENT_LOCK);
        play_event(play, MATCH_EVENT_UNLOCK);
    }

    char *seen = play_snapshot(play, NULL);

    cr_expect_eq(play->match.version, 401);
    cr_expect_null(match_notice(&play->match, 401 - MATCH_NOTICES_MAX));
    cr_expect_not_null(match_notice(&play->match, 401 - MATCH_NOTICES_MAX + 1));
    cr_expect_not_null(strstr(seen, "\"events_lost\":true"));
    free(seen);
    play_free(play);
}

Test(match_snapshot, a_version_from_the_future_gives_no_events)
{
    play_t *play = play_new("", play_two_questions);
    play_join(play, "p1", "Ada");

    cr_expect_null(match_notice(&play->match, 2));
    cr_expect_null(match_notice(&play->match, UINT64_MAX));
    play_free(play);
}
