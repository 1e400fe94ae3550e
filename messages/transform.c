/* SPDX-License-Identifier: MIT */
#include "messages/transform.h"

/* Parts first: a table refers to those above it. */
TRP_SCHEMA_DEFINE(race_takeout, 0, 0, RACE_TAKEOUT_FIELDS, "what the totalisator keeps")
TRP_SCHEMA_DEFINE(race_pool, 0, 0, RACE_POOL_FIELDS, "total of one pool")
TRP_SCHEMA_DEFINE(race_money_row, 0, 0, RACE_MONEY_ROW_FIELDS, "shares of one entrant")
TRP_SCHEMA_DEFINE(race_entrant, 0, 0, RACE_ENTRANT_FIELDS, "one entrant and its prices")
TRP_SCHEMA_DEFINE(monte_carlo, 0, 0, MONTE_CARLO_FIELDS, "drawn finishes")
TRP_SCHEMA_DEFINE(previous_pools, 0, TRP_SCHEMA_OPEN, PREVIOUS_POOLS_FIELDS, "totals last seen")
TRP_SCHEMA_DEFINE(previous_odds, 0, TRP_SCHEMA_OPEN, PREVIOUS_ODDS_FIELDS, "prices last seen")
TRP_SCHEMA_DEFINE(previous_entrant, 0, TRP_SCHEMA_OPEN, PREVIOUS_ENTRANT_FIELDS,
                  "one entrant as last seen")
TRP_SCHEMA_DEFINE(previous_bucket, 0, TRP_SCHEMA_OPEN, PREVIOUS_BUCKET_FIELDS,
                  "increments of one bucket so far")
TRP_SCHEMA_DEFINE(previous_race, 0, TRP_SCHEMA_OPEN, PREVIOUS_RACE_FIELDS,
                  "what is read of the last result")
TRP_SCHEMA_DEFINE(race_data, 0x0300, TRP_SCHEMA_UTF8, RACE_DATA_FIELDS,
                  "one poll of a race, for the tool race_transform")
TRP_SCHEMA_DEFINE(transform_options, 0, 0, TRANSFORM_OPTIONS_FIELDS,
                  "options of the class transform")
