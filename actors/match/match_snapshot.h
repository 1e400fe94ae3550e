/* SPDX-License-Identifier: MIT */
/* What players are shown of a match: the data of its notices, and the whole as it is now. Until the
 * reveal nothing written here depends on what is right. */
#ifndef TRP_ACTORS_MATCH_SNAPSHOT_H
#define TRP_ACTORS_MATCH_SNAPSHOT_H

#include "actors/match/match_logic.h"

/* Data of notices: match_notice_writer_t. */
void match_write_progress(match_t *match, const match_player_t *player, trp_writer_t *writer);
void match_write_player(match_t *match, const match_player_t *player, trp_writer_t *writer);
void match_write_open(match_t *match, const match_player_t *player, trp_writer_t *writer);
void match_write_reveal(match_t *match, const match_player_t *player, trp_writer_t *writer);
void match_write_board(match_t *match, const match_player_t *player, trp_writer_t *writer);
void match_write_finale(match_t *match, const match_player_t *player, trp_writer_t *writer);
void match_write_aborted(match_t *match, const match_player_t *player, trp_writer_t *writer);

/** Members of the question that is seen: `question` while it is open or paused, `reveal` in its
 * reveal and leaderboard. Returns how many members were written. */
size_t match_write_round(match_t *match, trp_writer_t *writer);

/** `leaderboard` of at most `rows` rows and `teams`, if there are any; returns the members. */
size_t match_write_ranking(match_t *match, const char *key, size_t rows, trp_writer_t *writer);

/** Time left of the phase that is seen, frozen in a pause; 0 when it has no end of its own. */
int64_t match_remaining_ms(const match_t *match);

typedef struct match_view {
    const match_player_t *player; /* whose view; NULL: anybody's */
    bool has_since;               /* with the events after version `since` */
    uint64_t since;
} match_view_t;

/** The match as one map: state, version, clocks, question, players, ranking, the viewer's own. Call
 * match_tick before. */
void match_write_snapshot(match_t *match, const match_view_t *view, trp_writer_t *writer);

#endif
