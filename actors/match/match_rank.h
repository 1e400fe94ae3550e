/* SPDX-License-Identifier: MIT */
/* Who is first: what a closed question gives to each player, and the order of players and teams. */
#ifndef TRP_ACTORS_MATCH_RANK_H
#define TRP_ACTORS_MATCH_RANK_H

#include "actors/match/match_logic.h"

/** Gives the points of the open question to everybody; nothing changes when it is void. */
void match_settle_question(match_t *match);

/** Brings match->ranking and the players' ranks up to date. Order: score, right answers, sum of
 * answer times, fewer timeouts, earlier seat. Equal in the first three: the same rank, and the next
 * one skips. */
void match_rank(match_t *match);

typedef struct match_team {
    uint32_t index; /* in seed->teams */
    int64_t score;  /* mean of its members' scores, rounded half up */
    uint32_t members;
    uint32_t rank;
} match_team_t;

/** The teams by falling score; returns their number. */
size_t match_rank_teams(const match_t *match, match_team_t teams[MATCH_TEAMS_MAX]);

#endif
