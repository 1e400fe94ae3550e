/* SPDX-License-Identifier: MIT */
/* Points: integers only, pure functions. units: milliseconds and points. */
#ifndef TRP_ACTORS_MATCH_SCORE_H
#define TRP_ACTORS_MATCH_SCORE_H

#include <stdbool.h>
#include <stdint.h>

#include "messages/match.h"

/** When an answer was given, on the question's clock: `after_ms` past its opening, less what the
 * network took, 0..time_ms. One that came after the time limit counts as given at the limit. */
int64_t match_answer_time(const match_settings_t *settings, int64_t time_ms, int64_t after_ms,
                          int64_t rtt_ms);

/** Points for a right answer given at `t_ms` of `time_ms`: base inside the free window, then
 * base * (1 - t / 2T), rounded half up; always base with speed off. */
int64_t match_points(const match_settings_t *settings, int64_t base, int64_t time_ms, int64_t t_ms);

/** Bonus for the `streak`-th right answer in a row; 0 when base is 0. */
int64_t match_bonus(const match_settings_t *settings, int64_t base, uint32_t streak);

/** Share of `points` for a multi choice answer, rounded down. bounds: correct_count > 0 */
int64_t match_share(int64_t points, uint32_t right, uint32_t wrong, uint32_t correct_count);

/** sum / count, rounded half up; 0 of nobody. */
int64_t match_mean(int64_t sum, int64_t count);

#endif
