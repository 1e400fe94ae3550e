/* SPDX-License-Identifier: MIT */
/* What changes from poll to poll: increments, rates, timeline, signals. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "tests/actors/transform/transform_spec.h"

Test(transform_flow, rate_is_averaged_with_a_half_life_of_a_minute)
{
    spec_t spec = {.polled_at = 0, .win = 1000, .place = 500, .entrants = 1, .hold = {100}};
    spec_t second = spec;
    second.polled_at = 30000;
    second.win = 2000; /* 2000 a minute */
    spec_pair_t pair;
    spec_pair_run(&pair, &spec, second);
    spec_t third = second;
    third.polled_at = 90000;
    third.win = 2400;
    third.place = 1100; /* 1000 a minute */
    third.before = &pair.second;
    transform_poll_t poll;
    char *body;

    spec_run(&third, &poll, &body);

    cr_expect_eq(transform_number(&pair.second, "entrants[0].ewma_cpm"), 2000);
    cr_expect_eq(transform_number(&poll, "entrants[0].rate_cpm"), 1000);
    cr_expect_eq(transform_number(&poll, "entrants[0].ewma_cpm"), 1500);
    transform_poll_end(&poll);
    free(body);
    spec_pair_end(&pair);
}

Test(transform_flow, poll_at_the_same_time_has_no_rate_and_keeps_the_average)
{
    spec_t spec = {.polled_at = 0, .win = 1000, .entrants = 1, .hold = {100}};
    spec_t second = spec;
    second.polled_at = 60000;
    second.win = 1600;
    spec_pair_t pair;
    spec_pair_run(&pair, &spec, second);
    spec_t stalled = second;
    stalled.before = &pair.second;
    transform_poll_t poll;
    char *body;

    spec_run(&stalled, &poll, &body);

    cr_expect(transform_says(&poll, NULL, "entrants[0].rate_cpm"));
    cr_expect_eq(transform_number(&poll, "entrants[0].ewma_cpm"), 600);
    cr_expect_eq(transform_number(&poll, "entrants[0].hold_shift"), 0);
    cr_expect_eq(spec_count(&poll, "entrants[0].recent"), 3);
    transform_poll_end(&poll);
    free(body);
    spec_pair_end(&pair);
}

Test(transform_flow, new_entrant_is_a_gap_and_a_missing_one_is_named)
{
    spec_t first = {.polled_at = 0, .win = 100, .entrants = 2, .hold = {50, 50}};
    spec_t second = {.polled_at = 60000, .win = 300, .entrants = 3, .hold = {50, 25, 25}};
    spec_pair_t pair;
    spec_pair_run(&pair, &first, second);
    spec_t third = {.polled_at = 120000, .win = 300, .entrants = 1, .hold = {100}};
    third.before = &pair.second;
    transform_poll_t poll;
    char *body;

    spec_run(&third, &poll, &body);

    cr_expect(transform_says(&pair.second, "gap", "entrants[2].flags[0]"));
    cr_expect_eq(transform_number(&pair.second, "entrants[2].inc_total"), 0);
    cr_expect_eq(transform_number(&pair.second, "entrants[2].win_cents"), 75);
    cr_expect(transform_says(&pair.second, NULL, "entrants[2].rate_cpm"));
    cr_expect(transform_says(&pair.second, NULL, "entrants[2].hold_shift"));
    cr_expect_eq(spec_count(&pair.second, "entrants[2].recent"), 1);
    cr_expect_eq(spec_count(&pair.second, "timeline[0].inc"), 3);
    cr_expect_eq(spec_count(&poll, "timeline[0].inc"), 3); /* those gone stay */
    cr_expect_eq(spec_count(&poll, "quality.warnings"), 2);
    cr_expect(transform_says(&poll, "vanished e2", "quality.warnings[0]"));
    cr_expect(transform_says(&poll, "vanished e3", "quality.warnings[1]"));
    transform_poll_end(&poll);
    free(body);
    spec_pair_end(&pair);
}

Test(transform_flow, timeline_falls_and_adds_up_late_money)
{
    spec_t first = {.polled_at = START - 4 * MINUTE, .win = 100, .entrants = 1, .hold = {100}};
    spec_t second = {.polled_at = START - MINUTE / 2, .win = 400, .entrants = 1, .hold = {100}};
    spec_pair_t pair;
    spec_pair_run(&pair, &first, second);
    spec_t third = second; /* the start was put off: bucket 4 is entered again */
    third.polled_at = START - MINUTE / 2 + 1;
    third.win = 500;
    third.before = &pair.second;
    char *body = spec_body(&third);
    char *later = transform_replace(body, "\"start_time\":100000000", "\"start_time\":100210000");
    transform_poll_t poll;

    transform_poll_run(&poll, later, strlen(later));

    cr_assert_eq(poll.status, TRP_OK, "%s", poll.fault.path);
    cr_expect_eq(transform_number(&poll, "bucket"), 3); /* a millisecond less than 4 minutes */
    cr_expect_eq(spec_count(&poll, "timeline"), 3);
    cr_expect_eq(transform_number(&poll, "timeline[0].bucket"), 4);
    cr_expect_eq(transform_number(&poll, "timeline[1].bucket"), 3);
    cr_expect_eq(transform_number(&poll, "timeline[2].bucket"), 0);
    cr_expect_eq(transform_number(&poll, "timeline[1].inc.e1.win"), 100);
    cr_expect_eq(transform_number(&poll, "timeline[2].inc.e1.win"), 300);
    cr_expect_eq(transform_number(&poll, "entrants[0].late5"), 1);
    cr_expect_eq(transform_number(&poll, "entrants[0].late1"), 0.6);
    transform_poll_end(&poll);
    free(later);
    free(body);
    spec_pair_end(&pair);
}

Test(transform_flow, scratching_is_counted_and_never_clamped)
{
    spec_t first = {.polled_at = 0, .win = 1000, .entrants = 2, .hold = {40, 60}, .fixed = {2, 4}};
    spec_t second = first;
    second.polled_at = 1000;
    second.scratched[1] = true;
    spec_pair_t pair;

    spec_pair_run(&pair, &first, second);

    cr_expect_eq(transform_number(&pair.second, "entrants[0].inc_win"), 600);
    cr_expect_eq(transform_number(&pair.second, "entrants[1].inc_win"), -600);
    cr_expect_eq(transform_number(&pair.second, "entrants[1].hold_pct"), 0);
    cr_expect_eq(transform_number(&pair.second, "entrants[1].odds.move_pct"), 0);
    cr_expect(transform_says(&pair.second, NULL, "entrants[1].value_gap"));
    cr_expect(transform_says(&pair.second, "negative", "entrants[1].flags[0]"));
    cr_expect(transform_says(&pair.second, "negative e2", "quality.warnings[0]"));
    cr_expect(transform_says(&pair.second, "hold_sum 40.00", "quality.errors[0]"));
    cr_expect_eq(transform_number(&pair.second, "book_pct"), 50);
    spec_pair_end(&pair);
}

/* A race of one poll a minute whose first runner has these shares, one after the other; the last
 * poll is left open in `*last`. */
static void share_history(const double *shares, int count, transform_poll_t *last, char **body)
{
    transform_poll_t before = {0};
    char *before_body = NULL;
    for (int i = 0; i < count; i++) {
        spec_t spec = {.polled_at = i * MINUTE * 2,
                       .win = 1000 * (i + 1),
                       .entrants = 2,
                       .hold = {shares[i], 100 - shares[i]},
                       .before = i == 0 ? NULL : &before};
        spec_run(&spec, last, body);
        if (i > 0) {
            transform_poll_end(&before);
            free(before_body);
        }
        before = *last;
        before_body = *body;
    }
}

Test(transform_flow, change_of_three_deviations_is_a_surge)
{
    static const double shares[] = {20, 21, 20, 21, 20, 21, 23.5};
    transform_poll_t poll;
    char *body;

    share_history(shares, 7, &poll, &body);

    /* earlier changes +1 -1 +1 -1 +1, the last one +2.5: n = 5 */
    double z = (5 * 250 - 100) / sqrt(5.0 * 50000 - 100 * 100);
    cr_expect_lt(z, 3);
    cr_expect_eq(spec_count(&poll, "signals"), 0);
    transform_poll_end(&poll);
    free(body);
}

Test(transform_flow, larger_change_is_a_surge_with_its_z)
{
    static const double shares[] = {20, 21, 20, 21, 20, 21, 24.2};
    transform_poll_t poll;
    char *body;

    share_history(shares, 7, &poll, &body);

    double z = (5 * 320 - 100) / sqrt(5.0 * 50000 - 100 * 100);
    cr_expect_geq(z, 3);
    cr_expect_eq(spec_count(&poll, "signals"), 1);
    cr_expect(transform_says(&poll, "z", "signals[0].rule"));
    cr_expect(transform_near(transform_number(&poll, "signals[0].z"), z));
    transform_poll_end(&poll);
    free(body);
}

Test(transform_flow, four_earlier_changes_are_too_few_for_a_deviation)
{
    static const double shares[] = {20, 21, 20, 21, 20, 24.9};
    transform_poll_t poll;
    char *body;

    share_history(shares, 6, &poll, &body);

    cr_expect_eq(spec_count(&poll, "signals"), 0);
    transform_poll_end(&poll);
    free(body);
}

Test(transform_flow, history_keeps_the_last_21_pairs)
{
    double shares[25];
    for (int i = 0; i < 25; i++) {
        shares[i] = 20 + i;
    }
    transform_poll_t poll;
    char *body;

    share_history(shares, 25, &poll, &body);

    cr_expect_eq(spec_count(&poll, "entrants[0].recent"), 21);
    cr_expect_eq(transform_number(&poll, "entrants[0].recent[0][1]"), 2400);
    cr_expect_eq(transform_number(&poll, "entrants[0].recent[20][1]"), 4400);
    transform_poll_end(&poll);
    free(body);
}

Test(transform_flow, shift_counts_from_pairs_of_the_last_minute_only)
{
    spec_t first = {.polled_at = 0, .entrants = 1, .hold = {12}};
    spec_t second = {.polled_at = 60000, .entrants = 1, .hold = {17}};
    spec_t late = second;
    late.polled_at = 60001;
    spec_pair_t in_time, too_late;

    spec_pair_run(&in_time, &first, second);
    spec_pair_run(&too_late, &first, late);

    cr_expect_eq(spec_count(&in_time.second, "signals"), 1);
    cr_expect_eq(transform_number(&in_time.second, "signals[0].points"), 5);
    cr_expect_eq(spec_count(&too_late.second, "signals"), 0);
    spec_pair_end(&too_late);
    spec_pair_end(&in_time);
}
