/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/match/match_player.h"
#include "actors/match/match_rank.h"
#include "actors/match/match_snapshot.h"
#include "tests/actors/match/match_play.h"

#define PLAYERS 50

/* What must hold after every input. */
typedef struct watch {
    int64_t scores[4096]; /* by seat, as last seen */
    uint64_t version;
    int finales;
} watch_t;

static void check(play_t *play, watch_t *watch)
{
    match_t *match = &play->match;
    int64_t sum = 0;
    match_rank(match);
    for (size_t i = 0; i < match->ranking_count; i++) {
        const match_player_t *player = match->ranking[i];
        sum += player->score;
        cr_assert_geq(player->score, watch->scores[player->seat], "a score never falls");
        watch->scores[player->seat] = player->score;
        cr_assert(i == 0 || match->ranking[i - 1]->score >= player->score);
        cr_assert(!(player->connected && player->gone));
    }
    cr_assert_eq(sum, match->awarded - match->forfeited, "what was awarded is on the board");
    cr_assert_leq((int64_t)match_seated(match), match->settings.max_players);
    cr_assert_leq(match_connected(match), match_seated(match));
    cr_assert_geq(match->version, watch->version);
    watch->version = match->version;
    cr_assert_eq(match_has_ended(match) && !match_is_over(match, INT64_MAX), false);
    cr_assert(match->phase != MATCH_PAUSED || match->phase_ends_ms == MATCH_NEVER);
}

Test(match_life, fifty_players_go_from_the_lobby_to_the_final_ranking)
{
    static watch_t watch;
    play_t *play = play_new("", play_two_questions);
    char id[16], name[24];
    for (int i = 0; i < PLAYERS; i++) {
        snprintf(id, sizeof(id), "p%d", i);
        snprintf(name, sizeof(name), "Player %d", i);
        cr_assert_eq(play_join(play, id, name), MATCH_E_NONE);
    }
    cr_assert_eq(play_event(play, MATCH_EVENT_START), MATCH_E_NONE);

    for (int q = 0; q < 2; q++) {
        play_until(play, MATCH_QUESTION);
        for (int i = 0; i < PLAYERS; i++) {
            snprintf(id, sizeof(id), "p%d", i);
            play_wait(play, 20);
            const char *answer = q == 0 ? (i % 3 == 0 ? "\"a\"" : "\"b\"") : "[\"a\",\"c\"]";
            cr_assert_eq(play_answer(play, id, q == 0 ? "q1" : "q2", answer), MATCH_E_NONE);
            check(play, &watch);
        }
        cr_assert_eq(play->match.phase, MATCH_REVEAL, "all answered");
        play_until(play, MATCH_LEADERBOARD);
    }
    play_until(play, MATCH_FINISHED);

    check(play, &watch);
    cr_expect_eq(play->match.ranking_count, PLAYERS);
    cr_expect_eq(play->match.answers, 2 * PLAYERS);
    cr_expect_eq(play->match.ranking[0]->seat, 2, "the first one with two right answers");
    cr_expect_eq(play->now_ms, 3000 + 1000 + 8000 + 1000 + 8000);
    play_free(play);
}

/* splitmix64 */
static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint64_t below(uint64_t *state, uint64_t bound)
{
    return next(state) % bound;
}

static void act(play_t *play, uint64_t *state)
{
    static const char *const answers[] = {"\"b\"", "\"a\"", "[\"a\",\"c\"]", "[\"a\",\"b\"]",
                                          "17",    "[]",    "\"zz\"",        "[\"a\",\"a\"]"};
    char id[16], name[24];
    uint64_t who = below(state, 12);
    snprintf(id, sizeof(id), "p%d", (int)who);
    snprintf(name, sizeof(name), "N%d", (int)below(state, 14));
    switch (below(state, 8)) {
    case 0:
        play_join(play, id, name);
        break;
    case 1:
        play_player(play, below(state, 3) == 0 ? MATCH_EVENT_LEAVE : MATCH_EVENT_AWAY, id);
        break;
    case 2:
        play_wait(play, (int64_t)below(state, 9000));
        break;
    case 3:
        play->now_ms += (int64_t)below(state, 30000); /* a timer that comes late */
        break;
    case 4:
        if (below(state, 6) == 0) {
            play_kick(play, (uint32_t)below(state, 12));
        }
        break;
    case 5: {
        static const match_event_t controls[] = {
            MATCH_EVENT_START, MATCH_EVENT_START,  MATCH_EVENT_START, MATCH_EVENT_PAUSE,
            MATCH_EVENT_PAUSE, MATCH_EVENT_RESUME, MATCH_EVENT_NEXT,  MATCH_EVENT_SKIP,
            MATCH_EVENT_LOCK,  MATCH_EVENT_UNLOCK, MATCH_EVENT_EXTEND};
        play_event(play, below(state, 60) == 0 ? MATCH_EVENT_END : controls[below(state, 11)]);
        break;
    }
    default:
        play_answer(play, id, below(state, 3) == 0 ? "q2" : "q1", answers[below(state, 8)]);
        break;
    }
}

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at++) {
        count++;
    }
    return count;
}

Test(match_life, random_interleavings_keep_all_invariants)
{
    static watch_t watch;
    size_t finished = 0, aborted = 0;

    for (uint64_t seed = 1; seed <= 300; seed++) {
        uint64_t state = seed;
        memset(&watch, 0, sizeof(watch));
        play_t *play = play_new("\"max_players\":8,\"question_ms\":5000", play_two_questions);
        for (int step = 0; step < 150; step++) {
            act(play, &state);
            check(play, &watch);
        }
        if (play->match.phase == MATCH_PAUSED) {
            play_event(play, MATCH_EVENT_RESUME);
        }
        play_wait(play, 7200000);
        check(play, &watch);

        cr_assert(match_has_ended(&play->match), "seed %lu stays in %s", (unsigned long)seed,
                  match_phase_name(play->match.phase));
        char *seen = play_snapshot(play, NULL);
        cr_assert_eq(count_of(seen, "\"match:finished\"") + count_of(seen, "\"match:aborted\""), 1,
                     "one end, seed %lu", (unsigned long)seed);
        free(seen);
        finished += play->match.phase == MATCH_FINISHED ? 1 : 0;
        aborted += play->match.phase == MATCH_ABORTED ? 1 : 0;
        play_free(play);
    }

    cr_expect_gt(finished, 20, "the walk reaches both ends");
    cr_expect_gt(aborted, 5);
}

Test(match_life, the_same_inputs_give_the_same_match)
{
    char *seen[2];

    for (int run = 0; run < 2; run++) {
        uint64_t state = 42;
        play_t *play =
            play_new("\"shuffle_questions\":true,\"shuffle_options\":true", play_two_questions);
        for (int step = 0; step < 150; step++) {
            act(play, &state);
        }
        seen[run] = play_snapshot(play, NULL);
        play_free(play);
    }

    cr_expect_str_eq(seen[0], seen[1]);
    free(seen[0]);
    free(seen[1]);
}
