/* SPDX-License-Identifier: MIT */
/* The class `match`: a worker that hosts quiz matches, an actor for each. Tools: match_create,
 * match_join, match_start, match_answer, match_state, match_end, match_leave, match_control;
 * docs/match.md shows their requests and replies.
 *
 *     router --match_create--> match (root of the worker) --spawns--> match_game, one a match
 *            --match_join ... -->      passes on by match_id    -->   answers the router itself
 */
#ifndef TRP_ACTORS_MATCH_H
#define TRP_ACTORS_MATCH_H

#include "runtime/troupe.h"

extern const trp_class_t match_class;

/** One match; spawned with a match_seed. Ends (normal) when nobody needs the match any more. */
extern const trp_class_t match_game_class;

#endif
