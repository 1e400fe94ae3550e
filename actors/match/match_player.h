/* SPDX-License-Identifier: MIT */
/* The players of a match: who sits where, who is there, what they answer. The functions named after
 * events are actions of the table in match_machine.c. */
#ifndef TRP_ACTORS_MATCH_PLAYER_H
#define TRP_ACTORS_MATCH_PLAYER_H

#include "actors/match/match_logic.h"

/** The player with this id, kicked ones included; NULL: none. */
match_player_t *match_player_find(const match_t *match, trp_text_t id);

/** Players that are there now; those who hold a seat (away ones too). */
size_t match_connected(const match_t *match);
size_t match_seated(const match_t *match);

/** The open question has an answer from everybody who is there, and somebody is. */
bool match_all_answered(const match_t *match);

/** Gives back the seats of those who were away for too long. */
void match_release_seats(match_t *match);

void match_player_join(match_t *match, const match_input_t *input, match_verdict_t *verdict);
void match_player_away(match_t *match, const match_input_t *input, match_verdict_t *verdict);
void match_player_leave(match_t *match, const match_input_t *input, match_verdict_t *verdict);
void match_player_kick(match_t *match, const match_input_t *input, match_verdict_t *verdict);

/** An answer while the question is open, when it is closed, and in a pause. */
void match_answer_take(match_t *match, const match_input_t *input, match_verdict_t *verdict);
void match_answer_late(match_t *match, const match_input_t *input, match_verdict_t *verdict);
void match_answer_hold(match_t *match, const match_input_t *input, match_verdict_t *verdict);

static inline void match_refuse(match_verdict_t *verdict, match_code_t code, const char *text)
{
    verdict->code = code;
    verdict->text = text;
}

#endif
