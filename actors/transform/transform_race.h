/* SPDX-License-Identifier: MIT */
/* The money flow of one poll: a pure function from race_data_t (checked by transform_check) to
 * transform_t, and its writer. Money is in cents, shares in units of 0.01 %, odds and takeout in
 * units of 0.0001: integers are compared and summed, division is only for what is shown. Nothing
 * is kept between calls. No thread affinity; texts point into the document of the input.
 *
 *     transform_run:  shares -> clock -> flow -> timeline -> prices -> signals -> quality -> places
 *     (each step is one file, reads what those before it wrote, and writes its own members) */
#ifndef TRP_ACTORS_TRANSFORM_RACE_H
#define TRP_ACTORS_TRANSFORM_RACE_H

#include "messages/transform.h"

#define TRANSFORM_SHARE_UNITS 100   /* units in one percent */
#define TRANSFORM_PRICE_UNITS 10000 /* units in odds of 1, or in a takeout of 1 */
#define TRANSFORM_LABEL_MAX   16    /* bytes of an interval's label, the NUL included */
#define TRANSFORM_LABELS_MAX  8

/** Intervals by minutes to the start: the first whose bound lies below them names the poll. */
typedef struct transform_labels {
    struct {
        int64_t above_s;
        char label[TRANSFORM_LABEL_MAX];
    } rows[TRANSFORM_LABELS_MAX];
    size_t count;
    char last[TRANSFORM_LABEL_MAX]; /* when none fits */
} transform_labels_t;

/** What is configured. */
typedef struct transform_settings {
    int64_t takeout; /* of races that name none, in units; negative: unset */
    transform_labels_t labels;
} transform_settings_t;

/** One share at one poll. */
typedef struct transform_pair {
    int64_t at_ms;
    int64_t hold;
} transform_pair_t;

enum { TRANSFORM_NO_SIGNAL, TRANSFORM_SHIFT, TRANSFORM_Z };

/** One entrant. A double that has no value is NAN. */
typedef struct transform_runner {
    const race_entrant_t *entrant;
    const previous_entrant_t *before; /* NULL: not in previous, or there is none */
    int64_t hold, bet, hold_before, bet_before;
    int64_t win, place, inc_win, inc_place;
    int64_t price, price_before; /* fixed_win in units; 0: none */
    double rate, ewma;
    double implied, move, log_move, dividend, value_gap;
    double late5, late1, probability;
    transform_pair_t recent[TRANSFORM_RECENT_MAX + 1]; /* this poll's pair last */
    size_t recent_count;
    int signal;
    double signal_value; /* points or z */
} transform_runner_t;

/** Money of one entrant in one bucket. */
typedef struct transform_inc {
    trp_text_t id;
    int64_t win, place;
} transform_inc_t;

typedef struct transform_bucket {
    double bucket;
    transform_inc_t *incs;
    size_t count;
} transform_bucket_t;

typedef enum transform_grade {
    TRANSFORM_GOOD,
    TRANSFORM_WARNING,
    TRANSFORM_ERROR
} transform_grade_t;

/** One pool of this poll. */
typedef struct transform_pool {
    int64_t total, growth;
    bool is_fed;    /* the rows have the feed's own amounts */
    bool is_wide;   /* these are more than 5 % off the total */
    bool no_shares; /* nothing says whose the total is */
} transform_pool_t;

typedef struct transform {
    const race_data_t *race;
    const transform_settings_t *settings;
    transform_runner_t runners[TRANSFORM_ENTRANTS_MAX];
    size_t runner_count;
    transform_pool_t win, place;
    int64_t hold_sum;
    int64_t tts_s, next_poll_ms; /* negative delay: none */
    double bucket;
    const char *interval;
    transform_bucket_t *timeline; /* falling buckets */
    size_t timeline_count;
    double book;
    transform_grade_t hold_grade;
    double score;
    const previous_entrant_t *vanished[TRANSFORM_ENTRANTS_MAX];
    size_t vanished_count;
} transform_t;

/** The settings of a transform that is not configured. */
void transform_settings_default(transform_settings_t *settings);

/** Reads a table of intervals, "30 5m, 5 1m, 3 30s, 0 15s, live": above 30 minutes "5m", ... else
 * "live". Bounds fall, in whole minutes. errors: TRP_INVALID */
TRP_MUST_USE trp_status_t transform_labels_read(transform_labels_t *labels, trp_text_t text);

/** Computes the poll into zone memory. `race` must have passed transform_check. errors:
 * TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t transform_run(const race_data_t *race,
                                        const transform_settings_t *settings, msgpack_zone *zone,
                                        const transform_t **result);

/** What the worker measured. */
typedef struct transform_timing {
    int64_t validate_us, transform_us;
} transform_timing_t;

/** Writes the TransformedRace: every member always, null where there is no value. */
void transform_write(const transform_t *transform, transform_timing_t timing, trp_writer_t *writer);

/* ---- parts, in the order of transform_run ---- */

/** A decimal number in units: floor(number * scale + 0.5). */
int64_t transform_units(double number, int scale);

bool transform_same_text(trp_text_t a, trp_text_t b);

/** Shares, totals and amounts. */
void transform_shares(transform_t *transform);

/** Time to start, bucket, label and next poll. */
void transform_clock(transform_t *transform);

/** The bucket, in minutes, of a time to start in whole seconds: a ladder before, a live one
 * after. */
double transform_bucket_of(int64_t tts_s);

/** Increments, growth, rates and their averages, who vanished. */
void transform_flow(transform_t *transform);

/** The increments of all buckets so far, and late money. errors: TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t transform_timeline(transform_t *transform, msgpack_zone *zone);

/** Odds, book, estimated dividends, value gaps. */
void transform_prices(transform_t *transform);

/** The history of shares, and surges in it. */
void transform_signals(transform_t *transform);

/** Grade of the shares, gaps of the pools, score. */
void transform_quality(transform_t *transform);

/** The generator of Monte-Carlo draws: xoshiro256**, by Blackman and Vigna. */
typedef struct transform_chance {
    uint64_t s[4];
} transform_chance_t;

void transform_chance_init(transform_chance_t *chance, uint64_t seed);
uint64_t transform_chance_next(transform_chance_t *chance);

/** Place probabilities by drawn finishes (Harville), when the race asks for them.
 * cost: about 45 ns a draw with 18 runners */
void transform_places(transform_t *transform);

#endif
