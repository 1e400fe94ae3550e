/* SPDX-License-Identifier: MIT */
#include "actors/transform/transform_race.h"

#include <stdlib.h>

#define HOLD_WHOLE   10000 /* 100 % */
#define HOLD_GOOD    50
#define HOLD_WARNING 500
#define GAP_PART     20 /* a twentieth of the total: 5 % */

/* How far the amounts are from the total, as a ratio; grades the pool on the way. */
static double pool_gap(transform_pool_t *pool, int64_t sum, int64_t hold_sum)
{
    int64_t off = llabs(sum - pool->total);
    pool->is_wide = pool->is_fed && GAP_PART * off > pool->total;
    pool->no_shares = pool->total != 0 && hold_sum == 0 && !pool->is_fed;
    if (pool->total == 0) {
        return sum == 0 ? 0 : 1;
    }
    return (double)off / (double)pool->total;
}

void transform_quality(transform_t *transform)
{
    int64_t win = 0, place = 0;
    for (size_t i = 0; i < transform->runner_count; i++) {
        win += transform->runners[i].win;
        place += transform->runners[i].place;
    }
    int64_t off = llabs(transform->hold_sum - HOLD_WHOLE);
    transform->hold_grade = off <= HOLD_GOOD      ? TRANSFORM_GOOD
                            : off <= HOLD_WARNING ? TRANSFORM_WARNING
                                                  : TRANSFORM_ERROR;
    double gap_win = pool_gap(&transform->win, win, transform->hold_sum);
    double gap_place = pool_gap(&transform->place, place, transform->hold_sum);
    double score = 100.0 - 50.0 * (gap_win + gap_place);
    transform->score = score < 0 ? 0 : score;
    if (transform->win.total == 0 && transform->place.total == 0) {
        transform->score = 50;
    }
}
