/* SPDX-License-Identifier: MIT */
/* Each formula that one poll is enough for, at its edges. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "tests/actors/transform/transform_spec.h"

Test(transform_formulas, number_becomes_units_by_adding_a_half)
{
    cr_expect_eq(transform_units(0.005, 100), 1);
    cr_expect_eq(transform_units(12.10, 100), 1210);
    cr_expect_eq(transform_units(1.005, 100), 100); /* its double lies below 1.005 */
    cr_expect_eq(transform_units(1000000, 10000), 10000000000);
}

Test(transform_formulas, bucket_is_the_largest_step_not_above_the_minutes)
{
    static const struct {
        double minutes, bucket;
    } table[] = {{75, 60},    {60, 60}, {59.99, 55},   {7.2, 5},       {5, 5},      {4.99, 4},
                 {0.75, 0},   {0, 0},   {-0.01, -0.5}, {-0.5, -0.5},   {-0.51, -1}, {-5, -5},
                 {-5.01, -6}, {-6, -6}, {-6.01, -7},   {-999.5, -1000}};
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        int64_t tts_s = (int64_t)floor(table[i].minutes * 60);
        cr_expect_eq(transform_bucket_of(tts_s), table[i].bucket, "%g", table[i].minutes);
    }
}

Test(transform_formulas, time_left_sets_label_and_next_poll)
{
    static const struct {
        int64_t left_ms;
        const char *label;
        double next_ms;
    } table[] = {{30 * MINUTE + 1000, "5m", 60000},
                 {30 * MINUTE, "1m", 60000},
                 {15 * MINUTE + 1000, "1m", 60000},
                 {15 * MINUTE, "1m", 30000},
                 {5 * MINUTE + 1000, "1m", 30000},
                 {5 * MINUTE, "30s", 15000},
                 {3 * MINUTE, "15s", 15000},
                 {1000, "15s", 15000},
                 {999, "live", 15000},
                 {0, "live", 15000},
                 {-MINUTE, "live", 15000}};
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        transform_poll_t poll;
        char *body;
        spec_t spec = {.polled_at = START - table[i].left_ms, .entrants = 1};

        spec_run(&spec, &poll, &body);

        cr_expect(transform_says(&poll, table[i].label, "interval_type"), "row %zu", i);
        cr_expect_eq(transform_number(&poll, "next_poll_ms"), table[i].next_ms, "row %zu", i);
        transform_poll_end(&poll);
        free(body);
    }
}

Test(transform_formulas, no_next_poll_once_a_race_is_over)
{
    static const char *const over[] = {"final", "abandoned"};
    for (size_t i = 0; i < 2; i++) {
        transform_poll_t poll;
        char *body;
        spec_t spec = {.polled_at = START, .entrants = 1, .status = over[i]};

        spec_run(&spec, &poll, &body);

        cr_expect(transform_says(&poll, NULL, "next_poll_ms"));
        transform_poll_end(&poll);
        free(body);
    }
}

Test(transform_formulas, last_cents_go_to_the_largest_remainder_then_the_lowest_number)
{
    transform_poll_t poll;
    char *body;
    spec_t spec = {.polled_at = START,
                   .win = 11,
                   .place = 9999999999999,
                   .entrants = 4,
                   .hold = {25, 25, 25, 25}};

    spec_run(&spec, &poll, &body);

    cr_expect_eq(transform_number(&poll, "entrants[0].win_cents"), 3);
    cr_expect_eq(transform_number(&poll, "entrants[1].win_cents"), 3);
    cr_expect_eq(transform_number(&poll, "entrants[2].win_cents"), 3);
    cr_expect_eq(transform_number(&poll, "entrants[3].win_cents"), 2);
    cr_expect_eq(transform_number(&poll, "entrants[2].place_cents"), 2500000000000);
    cr_expect_eq(transform_number(&poll, "entrants[3].place_cents"), 2499999999999);
    transform_poll_end(&poll);
    free(body);
}

Test(transform_formulas, dividends_are_cut_to_tenths_and_not_under_one)
{
    transform_poll_t poll;
    char *body;
    spec_t spec = {.polled_at = START,
                   .win = 7,
                   .entrants = 3,
                   .hold = {10, 60, 0},
                   .more = ",\"takeout\":{\"win\":0.1,\"place\":null}"};

    spec_run(&spec, &poll, &body);

    cr_expect_eq(transform_number(&poll, "entrants[0].est_dividend"), 6.3);
    cr_expect_eq(transform_number(&poll, "entrants[1].est_dividend"), 1.0); /* 1.05 */
    cr_expect(transform_says(&poll, NULL, "entrants[2].est_dividend"));
    transform_poll_end(&poll);
    free(body);
}

Test(transform_formulas, no_takeout_gives_no_dividend)
{
    transform_poll_t poll;
    char *body;
    spec_t spec = {.polled_at = START, .win = 7, .entrants = 1, .hold = {100}};

    spec_run(&spec, &poll, &body);

    cr_expect(transform_says(&poll, NULL, "entrants[0].est_dividend"));
    transform_poll_end(&poll);
    free(body);
}

Test(transform_formulas, exactly_two_percent_is_steady)
{
    spec_t first = {.polled_at = 0, .entrants = 5, .fixed = {8.0, 5.0, 5.0, 5.0, 5.0}};
    spec_t second = {.polled_at = 1000, .entrants = 5, .fixed = {6.5, 4.9, 4.8999, 5.1, 5.1001}};
    spec_pair_t pair;

    spec_pair_run(&pair, &first, second);

    cr_expect_eq(transform_number(&pair.second, "entrants[0].odds.move_pct"), 18.75);
    cr_expect(transform_near(transform_number(&pair.second, "entrants[0].odds.log_move"),
                             log(8.0 / 6.5)));
    cr_expect(transform_says(&pair.second, "steady", "entrants[1].odds.trend"));
    cr_expect(transform_says(&pair.second, "firming", "entrants[2].odds.trend"));
    cr_expect(transform_says(&pair.second, "steady", "entrants[3].odds.trend"));
    cr_expect(transform_says(&pair.second, "drifting", "entrants[4].odds.trend"));
    spec_pair_end(&pair);
}

Test(transform_formulas, shares_are_graded_at_half_and_at_five_points)
{
    static const struct {
        double hold;
        const char *warning, *error;
    } table[] = {{100.5, NULL, NULL},
                 {99.5, NULL, NULL},
                 {100.51, "hold_sum 100.51", NULL},
                 {99.49, "hold_sum 99.49", NULL},
                 {104, "hold_sum 104.00", NULL},
                 {105, "hold_sum 105.00", NULL},
                 {105.01, NULL, "hold_sum 105.01"},
                 {107, NULL, "hold_sum 107.00"},
                 {94.99, NULL, "hold_sum 94.99"}};
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        transform_poll_t poll;
        char *body;
        spec_t spec = {.entrants = 2, .hold = {50, table[i].hold - 50}};

        spec_run(&spec, &poll, &body);

        cr_expect_eq(spec_count(&poll, "quality.warnings"), table[i].warning != NULL);
        cr_expect_eq(spec_count(&poll, "quality.errors"), table[i].error != NULL);
        if (table[i].warning != NULL) {
            cr_expect(transform_says(&poll, table[i].warning, "quality.warnings[0]"));
        }
        if (table[i].error != NULL) {
            cr_expect(transform_says(&poll, table[i].error, "quality.errors[0]"));
        }
        cr_expect_eq(transform_number(&poll, "quality.score"), 50); /* both pools are empty */
        transform_poll_end(&poll);
        free(body);
    }
}

Test(transform_formulas, feed_amounts_stand_and_their_gap_is_scored)
{
    transform_poll_t poll;
    char *body;
    spec_t spec = {.win = 1000,
                   .place = 10,
                   .entrants = 3,
                   .hold = {50, 50, 0},
                   .bet = {50, 50, 0},
                   .is_fed = true,
                   .fed = {500, 449, 7}};
    spec.scratched[2] = true;

    spec_run(&spec, &poll, &body);

    cr_expect_eq(transform_number(&poll, "entrants[0].win_cents"), 500);
    cr_expect_eq(transform_number(&poll, "entrants[1].win_cents"), 449);
    cr_expect_eq(transform_number(&poll, "entrants[2].win_cents"), 0);
    cr_expect_eq(transform_number(&poll, "entrants[0].place_cents"), 5);
    cr_expect(transform_says(&poll, "feed", "entrants[2].flags[1]"));
    cr_expect(transform_says(&poll, "gap win", "quality.warnings[0]"));
    cr_expect(transform_near(transform_number(&poll, "quality.score"), 100 - 50 * 0.051));
    transform_poll_end(&poll);
    free(body);
}

Test(transform_formulas, totals_that_nobody_holds_are_an_error)
{
    transform_poll_t poll;
    char *body;
    spec_t spec = {.win = 1000, .place = 10, .entrants = 2};

    spec_run(&spec, &poll, &body);

    cr_expect_eq(transform_number(&poll, "entrants[0].win_cents"), 0);
    cr_expect(transform_says(&poll, "hold_sum 0.00", "quality.errors[0]"));
    cr_expect(transform_says(&poll, "no_shares win", "quality.errors[1]"));
    cr_expect(transform_says(&poll, "no_shares place", "quality.errors[2]"));
    cr_expect_eq(transform_number(&poll, "quality.score"), 0);
    cr_expect(transform_says(&poll, NULL, "entrants[0].stake_index"));
    transform_poll_end(&poll);
    free(body);
}

Test(transform_formulas, generator_gives_its_published_outputs)
{
    transform_chance_t chance;

    transform_chance_init(&chance, 0);
    cr_expect_eq(transform_chance_next(&chance), 0x99ec5f36cb75f2b4);
    cr_expect_eq(transform_chance_next(&chance), 0xbf6e1f784956452a);
    cr_expect_eq(transform_chance_next(&chance), 0x1a5f849d4933e6e0);
    transform_chance_init(&chance, 1);
    cr_expect_eq(transform_chance_next(&chance), 0xb3f2af6d0fc710c5);
    cr_expect_eq(transform_chance_next(&chance), 0x853b559647364cea);
    cr_expect_eq(transform_chance_next(&chance), 0x92f89756082a4514);
}

Test(transform_formulas, place_count_follows_the_runners_in)
{
    static const struct {
        int entrants, places;
    } table[] = {{1, 1}, {4, 1}, {5, 2}, {7, 2}, {8, 3}, {12, 3}};
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        spec_t spec = {.entrants = table[i].entrants, .more = ",\"monte_carlo\":{\"draws\":500}"};
        for (int j = 0; j < table[i].entrants; j++) {
            spec.hold[j] = 1 + j;
        }
        transform_poll_t poll;
        char *body;

        spec_run(&spec, &poll, &body);

        double sum = 0;
        for (int j = 0; j < table[i].entrants; j++) {
            sum += transform_number(&poll, "entrants[%d].place_probability", j);
        }
        cr_expect(transform_near(sum, table[i].places), "%d runners", table[i].entrants);
        transform_poll_end(&poll);
        free(body);
    }
}

Test(transform_formulas, labels_are_read_from_a_table)
{
    static const char good[] = "10 slow, 0 fast, after";
    static const char *const bad[] = {"",          "10 slow,",    "10, 5 a, b", "1 a, 2 b, c",
                                      "x a, last", "1 a b, last", "1 a, b c",   "1 a,,b"};
    transform_labels_t labels;

    trp_status_t status = transform_labels_read(&labels, (trp_text_t){good, sizeof(good) - 1});

    cr_assert_eq(status, TRP_OK);
    cr_expect_eq(labels.count, 2);
    cr_expect_eq(labels.rows[0].above_s, 600);
    cr_expect_str_eq(labels.rows[1].label, "fast");
    cr_expect_str_eq(labels.last, "after");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        status = transform_labels_read(&labels, (trp_text_t){bad[i], strlen(bad[i])});
        cr_expect_eq(status, TRP_INVALID, "%s", bad[i]);
    }
}
