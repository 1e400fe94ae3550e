/* SPDX-License-Identifier: MIT */
/* The log of what happened in a match: each entry is one version. Bounded: the oldest go first. */
#ifndef TRP_ACTORS_MATCH_NOTICE_H
#define TRP_ACTORS_MATCH_NOTICE_H

#include "actors/match/match_logic.h"

#define MATCH_EVENT_NAME_REVEAL "question:reveal" /* each viewer gets the own result with it */

/** Writes the data of a notice: exactly one map, which all players may see. */
typedef void (*match_notice_writer_t)(match_t *match, const match_player_t *player,
                                      trp_writer_t *writer);

/** Raises the version and logs `event`. `player`: whom it is about, or NULL. Without memory
 * match->failed is set. */
void match_notify(match_t *match, const char *event, const match_player_t *player,
                  match_notice_writer_t write);

/** The entry of a version, or NULL when it is not kept any more or did not happen yet. */
const match_notice_t *match_notice(const match_t *match, uint64_t version);

void match_notices_free(match_t *match);

#endif
