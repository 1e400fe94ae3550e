/* SPDX-License-Identifier: MIT */
/* Inside of the class `match_game`: its state and its tools. */
#ifndef TRP_ACTORS_MATCH_GAME_H
#define TRP_ACTORS_MATCH_GAME_H

#include "actors/match/match_logic.h"
#include "actors/tool.h"

typedef struct match_game {
    match_t match;
    match_seed_t seed;
    trp_document_t document; /* what the seed points to, with `bytes` */
    void *bytes;
    trp_pid_t worker;    /* the root: passes tasks on until it is told that the match is over */
    bool is_leaving;     /* it was told */
    trp_status_t status; /* why; OK: the match is over */
    uint64_t timer;
    int64_t timer_ms; /* when it fires; MATCH_NEVER: none is set */
    uint64_t logged;  /* version up to which notices were logged */
} match_game_t;

/** match_join and all that follows. */
extern const tool_table_t match_game_tools;

/** The clock of the machine. */
static inline int64_t match_game_now_ms(const trp_ctx_t *ctx)
{
    return trp_now_ns(ctx) / 1000000;
}

#endif
