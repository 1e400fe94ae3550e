/* SPDX-License-Identifier: MIT */
#include "actors/transform/transform_race.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static const char *const statuses[] = {"open", "closed", "interim", "final", "abandoned"};

/* A double, null when it has no value. */
static void put_real(trp_writer_t *writer, const char *key, double value)
{
    trp_write_key(writer, key);
    if (isnan(value)) {
        trp_write_nil(writer);
    } else {
        trp_write_real(writer, value);
    }
}

static double ratio(double factor, int64_t part, int64_t whole)
{
    return whole == 0 ? NAN : factor * (double)part / (double)whole;
}

static double given(bool has, double value)
{
    return has ? value : NAN;
}

/* Exactly 2 % is steady. */
static const char *trend_of(const transform_runner_t *runner)
{
    int64_t shorter = runner->price_before - runner->price;
    if (50 * shorter > runner->price_before) {
        return "firming";
    }
    return 50 * -shorter > runner->price_before ? "drifting" : "steady";
}

static void write_odds(trp_writer_t *writer, const transform_runner_t *runner)
{
    const race_entrant_t *entrant = runner->entrant;
    trp_write_key(writer, "odds");
    trp_write_map(writer, 8);
    put_real(writer, "fixed_win", given(entrant->has_fixed_win, entrant->fixed_win));
    put_real(writer, "fixed_place", given(entrant->has_fixed_place, entrant->fixed_place));
    put_real(writer, "tote_win", given(entrant->has_tote_win, entrant->tote_win));
    put_real(writer, "tote_place", given(entrant->has_tote_place, entrant->tote_place));
    put_real(writer, "implied_p", runner->implied);
    put_real(writer, "move_pct", runner->move);
    put_real(writer, "log_move", runner->log_move);
    trp_write_key(writer, "trend");
    if (isnan(runner->move)) {
        trp_write_nil(writer);
    } else {
        trp_write_text(writer, trend_of(runner));
    }
}

static bool is_negative(const transform_runner_t *runner)
{
    return runner->inc_win < 0 || runner->inc_place < 0;
}

static void write_flags(trp_writer_t *writer, const transform_t *transform,
                        const transform_runner_t *runner)
{
    bool is_first = transform->race->previous == NULL;
    const struct {
        bool holds;
        const char *name;
    } flags[] = {
        {is_first, "baseline"},
        {!is_first && runner->before == NULL, "gap"},
        {is_negative(runner), "negative"},
        {runner->bet != 0 && 10 * runner->hold > 13 * runner->bet, "big_money"},
        {runner->bet != 0 && 10 * runner->hold < 7 * runner->bet, "small_bets"},
        {transform->win.is_fed || transform->place.is_fed, "feed"},
    };
    size_t count = 0;
    trp_write_key(writer, "flags");
    size_t mark = trp_write_array_begin(writer);
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if (flags[i].holds) {
            trp_write_text(writer, flags[i].name);
            count++;
        }
    }
    trp_write_array_end(writer, mark, count);
}

static void write_recent(trp_writer_t *writer, const transform_runner_t *runner)
{
    trp_write_key(writer, "recent");
    trp_write_array(writer, runner->recent_count);
    for (size_t i = 0; i < runner->recent_count; i++) {
        trp_write_array(writer, 2);
        trp_write_int(writer, runner->recent[i].at_ms);
        trp_write_int(writer, runner->recent[i].hold);
    }
}

static double shift_of(const transform_runner_t *runner, int64_t now, int64_t before)
{
    return runner->before == NULL ? NAN : (double)(now - before) / TRANSFORM_SHARE_UNITS;
}

static void write_runner(trp_writer_t *writer, const transform_t *transform,
                         const transform_runner_t *runner)
{
    trp_write_map(writer, 25);
    trp_put_string(writer, "entrant_id", runner->entrant->entrant_id);
    trp_put_int(writer, "number", runner->entrant->number);
    trp_put_bool(writer, "scratched", runner->entrant->scratched);
    put_real(writer, "hold_pct", (double)runner->hold / TRANSFORM_SHARE_UNITS);
    put_real(writer, "bet_pct", (double)runner->bet / TRANSFORM_SHARE_UNITS);
    trp_put_int(writer, "win_cents", runner->win);
    trp_put_int(writer, "place_cents", runner->place);
    put_real(writer, "win_share", ratio(100, runner->win, transform->win.total));
    put_real(writer, "place_share", ratio(100, runner->place, transform->place.total));
    trp_put_int(writer, "inc_win", runner->inc_win);
    trp_put_int(writer, "inc_place", runner->inc_place);
    trp_put_int(writer, "inc_total", runner->inc_win + runner->inc_place);
    put_real(writer, "rate_cpm", runner->rate);
    put_real(writer, "ewma_cpm", runner->ewma);
    put_real(writer, "hold_shift", shift_of(runner, runner->hold, runner->hold_before));
    put_real(writer, "bet_shift", shift_of(runner, runner->bet, runner->bet_before));
    put_real(writer, "stake_index", ratio(1, runner->hold, runner->bet));
    write_odds(writer, runner);
    put_real(writer, "est_dividend", runner->dividend);
    put_real(writer, "late5", runner->late5);
    put_real(writer, "late1", runner->late1);
    put_real(writer, "value_gap", runner->value_gap);
    put_real(writer, "place_probability", runner->probability);
    write_recent(writer, runner);
    write_flags(writer, transform, runner);
}

static void write_timeline(trp_writer_t *writer, const transform_t *transform)
{
    trp_write_key(writer, "timeline");
    trp_write_array(writer, transform->timeline_count);
    for (size_t i = 0; i < transform->timeline_count; i++) {
        const transform_bucket_t *bucket = &transform->timeline[i];
        trp_write_map(writer, 2);
        put_real(writer, "bucket", bucket->bucket);
        trp_write_key(writer, "inc");
        trp_write_map(writer, bucket->count);
        for (size_t j = 0; j < bucket->count; j++) {
            const transform_inc_t *inc = &bucket->incs[j];
            trp_write_string(writer, inc->id.data, inc->id.size);
            trp_write_map(writer, 2);
            trp_put_int(writer, "win", inc->win);
            trp_put_int(writer, "place", inc->place);
        }
    }
}

static void write_signals(trp_writer_t *writer, const transform_t *transform)
{
    size_t count = 0;
    trp_write_key(writer, "signals");
    size_t mark = trp_write_array_begin(writer);
    for (size_t i = 0; i < transform->runner_count; i++) {
        const transform_runner_t *runner = &transform->runners[i];
        if (runner->signal == TRANSFORM_NO_SIGNAL) {
            continue;
        }
        bool is_shift = runner->signal == TRANSFORM_SHIFT;
        count++;
        trp_write_map(writer, 4);
        trp_put_text(writer, "type", "surge");
        trp_put_text(writer, "rule", is_shift ? "shift" : "z");
        trp_put_string(writer, "entrant_id", runner->entrant->entrant_id);
        put_real(writer, is_shift ? "points" : "z", runner->signal_value);
    }
    trp_write_array_end(writer, mark, count);
}

static size_t write_entry(trp_writer_t *writer, bool holds, const char *text)
{
    if (holds) {
        trp_write_text(writer, text);
    }
    return holds;
}

/* "negative ID" */
static size_t write_named(trp_writer_t *writer, const char *what, trp_text_t id)
{
    char text[TRANSFORM_ID_MAX + 16];
    int size = snprintf(text, sizeof(text), "%s %.*s", what, (int)id.size, id.data);
    trp_write_string(writer, text, (size_t)size);
    return 1;
}

static void write_warnings(trp_writer_t *writer, const transform_t *transform, const char *hold)
{
    size_t count = 0;
    trp_write_key(writer, "warnings");
    size_t mark = trp_write_array_begin(writer);
    count += write_entry(writer, transform->hold_grade == TRANSFORM_WARNING, hold);
    count += write_entry(writer, transform->win.is_wide, "gap win");
    count += write_entry(writer, transform->place.is_wide, "gap place");
    for (size_t i = 0; i < transform->runner_count; i++) {
        const transform_runner_t *runner = &transform->runners[i];
        if (is_negative(runner)) {
            count += write_named(writer, "negative", runner->entrant->entrant_id);
        }
    }
    for (size_t i = 0; i < transform->vanished_count; i++) {
        count += write_named(writer, "vanished", transform->vanished[i]->entrant_id);
    }
    trp_write_array_end(writer, mark, count);
}

static void write_quality(trp_writer_t *writer, const transform_t *transform)
{
    char hold[32];
    int64_t sum = transform->hold_sum;
    snprintf(hold, sizeof(hold), "hold_sum %" PRId64 ".%02" PRId64, sum / TRANSFORM_SHARE_UNITS,
             sum % TRANSFORM_SHARE_UNITS);
    trp_write_key(writer, "quality");
    trp_write_map(writer, 4);
    put_real(writer, "score", transform->score);
    put_real(writer, "hold_sum", (double)sum / TRANSFORM_SHARE_UNITS);
    write_warnings(writer, transform, hold);
    trp_write_key(writer, "errors");
    size_t count = 0;
    size_t mark = trp_write_array_begin(writer);
    count += write_entry(writer, transform->hold_grade == TRANSFORM_ERROR, hold);
    count += write_entry(writer, transform->win.no_shares, "no_shares win");
    count += write_entry(writer, transform->place.no_shares, "no_shares place");
    trp_write_array_end(writer, mark, count);
}

static void write_head(trp_writer_t *writer, const transform_t *transform)
{
    const race_data_t *race = transform->race;
    trp_put_text(writer, "schema", "transformedrace/1");
    trp_put_string(writer, "race_id", race->race_id);
    trp_put_text(writer, "status", statuses[race->status]);
    trp_put_int(writer, "polled_at", race->polled_at);
    trp_put_int(writer, "tts_s", transform->tts_s);
    put_real(writer, "bucket", transform->bucket);
    trp_put_text(writer, "interval_type", transform->interval);
    trp_write_key(writer, "next_poll_ms");
    if (transform->next_poll_ms < 0) {
        trp_write_nil(writer);
    } else {
        trp_write_int(writer, transform->next_poll_ms);
    }
    trp_write_key(writer, "pools");
    trp_write_map(writer, 4);
    trp_put_int(writer, "win_cents", transform->win.total);
    trp_put_int(writer, "place_cents", transform->place.total);
    trp_put_int(writer, "win_growth", transform->win.growth);
    trp_put_int(writer, "place_growth", transform->place.growth);
    put_real(writer, "book_pct", transform->book);
}

void transform_write(const transform_t *transform, transform_timing_t timing, trp_writer_t *writer)
{
    trp_write_map(writer, 15);
    write_head(writer, transform);
    trp_write_key(writer, "entrants");
    trp_write_array(writer, transform->runner_count);
    for (size_t i = 0; i < transform->runner_count; i++) {
        write_runner(writer, transform, &transform->runners[i]);
    }
    write_timeline(writer, transform);
    write_signals(writer, transform);
    write_quality(writer, transform);
    trp_write_key(writer, "timing");
    trp_write_map(writer, 2);
    trp_put_int(writer, "validate_us", timing.validate_us);
    trp_put_int(writer, "transform_us", timing.transform_us);
}
