/* SPDX-License-Identifier: MIT */
/* A match on a virtual clock, for tests: made from JSON, driven by one-line calls. */
#ifndef TRP_TESTS_ACTORS_MATCH_PLAY_H
#define TRP_TESTS_ACTORS_MATCH_PLAY_H

#include "actors/match/match_logic.h"

typedef struct play {
    match_t match;
    match_seed_t seed;
    trp_document_t document;
    int64_t now_ms;
    match_verdict_t verdict; /* of the last call */
    trp_document_t answer;
} play_t;

/** Two quick questions: q1 single (right: b), q2 multi (right: a, c). */
extern const char play_two_questions[];

/** A match with these settings and questions (JSON: the inside of a map, of an array). Ends the
 * test when they are refused. */
play_t *play_new(const char *rules, const char *questions);
play_t *play_new_teams(const char *rules, const char *questions, const char *teams);
void play_free(play_t *play);

/** One input now; the code. */
match_code_t play_event(play_t *play, match_event_t event);
match_code_t play_join(play_t *play, const char *player, const char *name);
match_code_t play_join_team(play_t *play, const char *player, const char *name, const char *team);
match_code_t play_player(play_t *play, match_event_t event, const char *player);
match_code_t play_kick(play_t *play, uint32_t seat);

/** `answer` is JSON. */
match_code_t play_answer(play_t *play, const char *player, const char *question,
                         const char *answer);
match_code_t play_answer_as(play_t *play, const char *player, const char *question,
                            const char *answer, const char *answer_id);

/** Moves the clock on, running each deadline on its way. */
void play_wait(play_t *play, int64_t ms);

/** Runs until the phase is reached (at most a virtual day); fails the test otherwise. */
void play_until(play_t *play, match_phase_t phase);

const match_player_t *play_find(const play_t *play, const char *player);

/** The snapshot for a player (NULL: anybody) with all events kept, as JSON; the caller frees it. */
char *play_snapshot(play_t *play, const char *player);

#endif
