/* SPDX-License-Identifier: MIT */
/* What `race_transform` is asked: one poll of a race's money, with the result of the poll before.
 * The tables say types and bounds; what spans several members (ids that repeat, amounts that are
 * there for some rows only) is checked by actors/transform/transform_check.h. No thread
 * affinity. */
#ifndef TRP_MESSAGES_TRANSFORM_H
#define TRP_MESSAGES_TRANSFORM_H

#include <float.h>

#include "messages/schema.h"

#define TRANSFORM_ID_MAX       64                 /* bytes */
#define TRANSFORM_TIME_MAX     99999999999999     /* ms of the epoch */
#define TRANSFORM_MONEY_MAX    9999999999999      /* cents */
#define TRANSFORM_RATIO_MAX    0.9999999999999999 /* the last double below 1 */
#define TRANSFORM_ENTRANTS_MAX 40
#define TRANSFORM_ROWS_MAX     1000
#define TRANSFORM_RECENT_MAX   21       /* pairs kept of each entrant */
#define TRANSFORM_HOLD_MAX     10000000 /* of an entrant, in units of 0.01 %: all rows at 100 % */
#define TRANSFORM_BUCKETS_MAX  1000
#define TRANSFORM_DRAWS        20000 /* of a Monte-Carlo that does not say how many */

#define RACE_TAKEOUT_FIELDS(F)                                                                     \
    F(OPT_REAL, win, _, 0, TRANSFORM_RATIO_MAX, "part of the win pool that is kept: 0.15, not 15") \
    F(OPT_REAL, place, _, 0, TRANSFORM_RATIO_MAX, "the same of the place pool; checked, not used")

#define RACE_POOL_FIELDS(F)                                                    \
    F(STRING, type, _, 1, TRANSFORM_ID_MAX, "win and place are used")          \
    F(INT, total_cents, _, 0, TRANSFORM_MONEY_MAX, "money in the pool so far") \
    F(OPT_STRING, status, _, 0, 64, "what the feed says of the pool")

#define RACE_MONEY_ROW_FIELDS(F)                                              \
    F(STRING, entrant_id, _, 1, TRANSFORM_ID_MAX, "one of entrants")          \
    F(REAL, hold_pct, _, 0, 100, "share of the money held")                   \
    F(REAL, bet_pct, _, 0, 100, "share of the number of bets")                \
    F(OPT_INT, win_cents, _, 0, TRANSFORM_MONEY_MAX, "the feed's own amount") \
    F(OPT_INT, place_cents, _, 0, TRANSFORM_MONEY_MAX, "the feed's own amount")

#define RACE_ENTRANT_FIELDS(F)                                 \
    F(STRING, entrant_id, _, 1, TRANSFORM_ID_MAX, "unique")    \
    F(INT, number, _, 1, 9999, "runner number, unique")        \
    F(STRING, name, _, 0, 256, "for people")                   \
    F(BOOL, scratched, _, 0, 1, "does not run: has no shares") \
    F(OPT_REAL, fixed_win, _, 1, 1000000, "decimal odds")      \
    F(OPT_REAL, fixed_place, _, 1, 1000000, "decimal odds")    \
    F(OPT_REAL, tote_win, _, 1, 1000000, "decimal odds")       \
    F(OPT_REAL, tote_place, _, 1, 1000000, "decimal odds")

#define MONTE_CARLO_FIELDS(F)                                                  \
    F(OPT_INT, draws, _, 1, 1000000, "finishes to draw; 20000 when not given") \
    F(OPT_INT, seed, _, 0, 9007199254740991, "of the generator; 0 when not given")

/* What is read of the last result, which may say more than this: these schemas are open. */

#define PREVIOUS_POOLS_FIELDS(F)                                           \
    F(INT, win_cents, _, 0, TRANSFORM_MONEY_MAX, "win total of that poll") \
    F(INT, place_cents, _, 0, TRANSFORM_MONEY_MAX, "place total of that poll")

#define PREVIOUS_ODDS_FIELDS(F) F(OPT_REAL, fixed_win, _, 1, 1000000, "price of that poll")

#define PREVIOUS_ENTRANT_FIELDS(F)                                               \
    F(STRING, entrant_id, _, 1, TRANSFORM_ID_MAX, "unique")                      \
    F(REAL, hold_pct, _, 0, 100000, "share of the money held")                   \
    F(REAL, bet_pct, _, 0, 100000, "share of the number of bets")                \
    F(INT, win_cents, _, 0, TRANSFORM_MONEY_MAX, "amount in the win pool")       \
    F(INT, place_cents, _, 0, TRANSFORM_MONEY_MAX, "amount in the place pool")   \
    F(OPT_REAL, ewma_cpm, _, -DBL_MAX, DBL_MAX, "smoothed rate, cents a minute") \
    F(MESSAGE, odds, previous_odds, 0, 0, "its prices")                          \
    F(ANY, recent, _, 0, 0, "1 to 21 pairs [polled_at, hold in units of 0.01 %]")

#define PREVIOUS_BUCKET_FIELDS(F)                                     \
    F(REAL, bucket, _, -DBL_MAX, DBL_MAX, "minutes before the start") \
    F(ANY, inc, _, 0, 0, "map of entrant id to {win, place}, in cents")

#define PREVIOUS_RACE_FIELDS(F)                                                             \
    F(ENUM, schema, "transformedrace/1", 0, 0, "form of the map")                           \
    F(STRING, race_id, _, 1, TRANSFORM_ID_MAX, "that of this race")                         \
    F(INT, polled_at, _, 0, TRANSFORM_TIME_MAX, "ms of the epoch")                          \
    F(MESSAGE, pools, previous_pools, 0, 0, "totals")                                       \
    F(LIST, entrants, previous_entrant, 1, TRANSFORM_ENTRANTS_MAX, "entrants of that poll") \
    F(LIST, timeline, previous_bucket, 0, TRANSFORM_BUCKETS_MAX, "increments of each bucket")

#define RACE_DATA_FIELDS(F)                                                                     \
    F(ENUM, schema, "racedata/1", 0, 0, "form of the map")                                      \
    F(STRING, race_id, _, 1, TRANSFORM_ID_MAX, "id of the race")                                \
    F(INT, start_time, _, 0, TRANSFORM_TIME_MAX, "planned start, ms of the epoch")              \
    F(INT, polled_at, _, 0, TRANSFORM_TIME_MAX, "ms of the epoch; not before the last poll")    \
    F(ENUM, status, "open|closed|interim|final|abandoned", 0, 0, "of the race")                 \
    F(STRING, currency, _, 0, 16, "of all amounts")                                             \
    F(OPT_MESSAGE, takeout, race_takeout, 0, 0, "what the totalisator keeps")                   \
    F(LIST, pools, race_pool, 0, 16, "totals by type, each type once")                          \
    F(LIST, money, race_money_row, 0, TRANSFORM_ROWS_MAX, "shares; rows of one entrant add up") \
    F(LIST, entrants, race_entrant, 1, TRANSFORM_ENTRANTS_MAX, "who runs")                      \
    F(OPT_MESSAGE, previous, previous_race, 0, 0, "the result of this race's last poll")        \
    F(OPT_MESSAGE, monte_carlo, monte_carlo, 0, 0, "asks for place probabilities")

#define TRANSFORM_OPTIONS_FIELDS(F)                                                         \
    F(OPT_BOOL, strict, _, 0, 1, "refuse members that are not known; default true")         \
    F(OPT_REAL, takeout_win, _, 0, 0.9999, "takeout of races that name none; default none") \
    F(OPT_STRING, intervals, _, 1, 255,                                                     \
      "labels by minutes to the start; default '30 5m, 5 1m, 3 30s, 0 15s, live'")

enum { RACE_OPEN, RACE_CLOSED, RACE_INTERIM, RACE_FINAL, RACE_ABANDONED }; /* race_data_t.status */

TRP_SCHEMA_DECLARE(race_takeout, RACE_TAKEOUT_FIELDS)
TRP_SCHEMA_DECLARE(race_pool, RACE_POOL_FIELDS)
TRP_SCHEMA_DECLARE(race_money_row, RACE_MONEY_ROW_FIELDS)
TRP_SCHEMA_DECLARE(race_entrant, RACE_ENTRANT_FIELDS)
TRP_SCHEMA_DECLARE(monte_carlo, MONTE_CARLO_FIELDS)
TRP_SCHEMA_DECLARE(previous_pools, PREVIOUS_POOLS_FIELDS)
TRP_SCHEMA_DECLARE(previous_odds, PREVIOUS_ODDS_FIELDS)
TRP_SCHEMA_DECLARE(previous_entrant, PREVIOUS_ENTRANT_FIELDS)
TRP_SCHEMA_DECLARE(previous_bucket, PREVIOUS_BUCKET_FIELDS)
TRP_SCHEMA_DECLARE(previous_race, PREVIOUS_RACE_FIELDS)
TRP_SCHEMA_DECLARE(race_data, RACE_DATA_FIELDS)
TRP_SCHEMA_DECLARE(transform_options, TRANSFORM_OPTIONS_FIELDS)

#endif
