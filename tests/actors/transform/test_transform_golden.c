/* SPDX-License-Identifier: MIT */
/* The golden race: two polls whose every figure was computed elsewhere. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/actors/transform/transform_poll.h"

enum { RUNNERS = 6 };

static const char *const poll_1 =
    "{\"schema\":\"racedata/1\",\"race_id\":\"golden\",\"start_time\":1700000000000,"
    "\"polled_at\":1699996340000,\"status\":\"open\",\"currency\":\"AUD\","
    "\"takeout\":{\"win\":0.15,\"place\":0.15},"
    "\"pools\":[{\"type\":\"win\",\"total_cents\":4532050},{\"type\":\"place\",\"total_cents\":0}],"
    "\"money\":[{\"entrant_id\":\"r1\",\"hold_pct\":12.10,\"bet_pct\":10},"
    "{\"entrant_id\":\"r2\",\"hold_pct\":23.50,\"bet_pct\":10},"
    "{\"entrant_id\":\"r3\",\"hold_pct\":9.80,\"bet_pct\":10},"
    "{\"entrant_id\":\"r4\",\"hold_pct\":5.60,\"bet_pct\":10},"
    "{\"entrant_id\":\"r5\",\"hold_pct\":18.00,\"bet_pct\":10},"
    "{\"entrant_id\":\"r6\",\"hold_pct\":31.00,\"bet_pct\":10}],\"entrants\":["
    "{\"entrant_id\":\"r1\",\"number\":1,\"name\":\"A\",\"scratched\":false,\"fixed_win\":8.0},"
    "{\"entrant_id\":\"r2\",\"number\":2,\"name\":\"B\",\"scratched\":false},"
    "{\"entrant_id\":\"r3\",\"number\":3,\"name\":\"C\",\"scratched\":false},"
    "{\"entrant_id\":\"r4\",\"number\":4,\"name\":\"D\",\"scratched\":false},"
    "{\"entrant_id\":\"r5\",\"number\":5,\"name\":\"E\",\"scratched\":false},"
    "{\"entrant_id\":\"r6\",\"number\":6,\"name\":\"F\",\"scratched\":false}],"
    "\"previous\":null}";

static const struct {
    const char *from, *to;
} changes[] = {
    {"1699996340000", "1699996370000"},
    {"\"total_cents\":4532050", "\"total_cents\":5120075"},
    {"12.10", "17.90"},
    {"23.50", "21.90"},
    {"9.80", "9.05"},
    {"5.60", "5.20"},
    {"18.00", "16.60"},
    {"31.00", "29.35"},
    {"\"fixed_win\":8.0", "\"fixed_win\":6.5"},
    {"\"previous\":null", "\"monte_carlo\":{\"draws\":20000,\"seed\":1},\"previous\":null"},
};

static transform_poll_t first, second;
static char *body_2;

static void make_body_2(void)
{
    body_2 = transform_replace(poll_1, "", "");
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        char *next = transform_replace(body_2, changes[i].from, changes[i].to);
        cr_assert_not_null(next, "%s", changes[i].from);
        free(body_2);
        body_2 = next;
    }
    char *result = transform_poll_json(&first);
    char *previous = NULL;
    cr_assert(asprintf(&previous, "\"previous\":%s", result) > 0);
    char *whole = transform_replace(body_2, "\"previous\":null", previous);
    free(body_2);
    free(previous);
    free(result);
    body_2 = whole;
}

static void setup(void)
{
    transform_poll_run(&first, poll_1, strlen(poll_1));
    cr_assert_eq(first.status, TRP_OK, "%s: %s", first.fault.path, first.fault.rule);
    make_body_2();
    transform_poll_run(&second, body_2, strlen(body_2));
    cr_assert_eq(second.status, TRP_OK, "%s: %s", second.fault.path, second.fault.rule);
}

static void teardown(void)
{
    transform_poll_end(&second);
    transform_poll_end(&first);
    free(body_2);
}

TestSuite(transform_golden, .init = setup, .fini = teardown);

static const int64_t win_1[RUNNERS] = {548378, 1065032, 444141, 253795, 815769, 1404935};
static const int64_t win_2[RUNNERS] = {916493, 1121296, 463367, 266244, 849933, 1502742};
static const int64_t increments[RUNNERS] = {368115, 56264, 19226, 12449, 34164, 97807};

/* One column of a table, runner by runner. */
static void check_column(const transform_poll_t *poll, const char *member, const double *expected)
{
    for (int i = 0; i < RUNNERS; i++) {
        double number = transform_number(poll, "entrants[%d].%s", i, member);
        if (isnan(expected[i])) {
            cr_expect(transform_says(poll, NULL, "entrants[%d].%s", i, member), "%s of %d", member,
                      i + 1);
        } else {
            cr_expect(transform_near(number, expected[i]), "%s of %d: %.17g", member, i + 1,
                      number);
        }
    }
}

static void check_flags(const transform_poll_t *poll, const char *const flags[RUNNERS][2])
{
    for (int i = 0; i < RUNNERS; i++) {
        char path[32];
        snprintf(path, sizeof(path), "entrants[%d].flags", i);
        const msgpack_object *found = transform_at(&poll->result.root, path);
        cr_assert_not_null(found);
        size_t count = (flags[i][0] != NULL) + (size_t)(flags[i][1] != NULL);
        cr_expect_eq(found->via.array.size, count, "flags of %d", i + 1);
        for (size_t j = 0; j < count; j++) {
            cr_expect(transform_says(poll, flags[i][j], "%s[%zu]", path, j), "flags of %d", i + 1);
        }
    }
}

/* What both polls have in common. */
static void check_common(const transform_poll_t *poll)
{
    cr_expect(transform_says(poll, "transformedrace/1", "schema"));
    cr_expect(transform_says(poll, "golden", "race_id"));
    cr_expect(transform_says(poll, "open", "status"));
    cr_expect(transform_says(poll, "5m", "interval_type"));
    cr_expect_eq(transform_number(poll, "bucket"), 60);
    cr_expect_eq(transform_number(poll, "next_poll_ms"), 60000);
    cr_expect_eq(transform_number(poll, "pools.place_cents"), 0);
    cr_expect_eq(transform_number(poll, "pools.place_growth"), 0);
    cr_expect_eq(transform_number(poll, "quality.score"), 100);
    cr_expect_eq(transform_number(poll, "quality.hold_sum"), 100);
    cr_expect_eq(transform_at(&poll->result.root, "quality.warnings")->via.array.size, 0);
    cr_expect_eq(transform_at(&poll->result.root, "quality.errors")->via.array.size, 0);
    for (int i = 0; i < RUNNERS; i++) {
        cr_expect_eq(transform_number(poll, "entrants[%d].number", i), i + 1);
        cr_expect_eq(transform_number(poll, "entrants[%d].place_cents", i), 0);
        cr_expect_eq(transform_number(poll, "entrants[%d].inc_place", i), 0);
        cr_expect_eq(transform_number(poll, "entrants[%d].inc_total", i),
                     transform_number(poll, "entrants[%d].inc_win", i));
        cr_expect(transform_says(poll, NULL, "entrants[%d].place_share", i));
        cr_expect_eq(transform_number(poll, "entrants[%d].late5", i), 0);
        cr_expect_eq(transform_number(poll, "entrants[%d].late1", i), 0);
        cr_expect_eq(transform_number(poll, "entrants[%d].bet_pct", i), 10);
        cr_expect(transform_says(poll, NULL, "entrants[%d].odds.tote_win", i));
    }
}

Test(transform_golden, both_polls_have_the_same_frame)
{
    check_common(&first);
    check_common(&second);

    cr_expect_eq(transform_number(&first, "tts_s"), 3660);
    cr_expect_eq(transform_number(&first, "pools.win_growth"), 4532050);
    cr_expect_eq(transform_number(&first, "book_pct"), 12.5);
    cr_expect_eq(transform_number(&second, "tts_s"), 3630);
    cr_expect_eq(transform_number(&second, "pools.win_growth"), 588025);
    cr_expect(transform_near(transform_number(&second, "book_pct"), 15.384615384615385));
}

Test(transform_golden, amounts_and_increments_are_exact_to_the_cent)
{
    for (int i = 0; i < RUNNERS; i++) {
        cr_expect_eq(transform_number(&first, "entrants[%d].win_cents", i), (double)win_1[i]);
        cr_expect_eq(transform_number(&first, "entrants[%d].inc_win", i), (double)win_1[i]);
        cr_expect_eq(transform_number(&second, "entrants[%d].win_cents", i), (double)win_2[i]);
        cr_expect_eq(transform_number(&second, "entrants[%d].inc_win", i), (double)increments[i]);
        cr_expect_eq(transform_number(&first, "timeline[0].inc.r%d.win", i + 1), (double)win_1[i]);
        cr_expect_eq(transform_number(&second, "timeline[0].inc.r%d.win", i + 1), (double)win_2[i]);
        cr_expect_eq(transform_number(&second, "timeline[0].inc.r%d.place", i + 1), 0);
    }
    cr_expect_eq(transform_at(&first.result.root, "timeline")->via.array.size, 1);
    cr_expect_eq(transform_at(&second.result.root, "timeline")->via.array.size, 1);
    cr_expect_eq(transform_number(&second, "timeline[0].bucket"), 60);
}

Test(transform_golden, first_poll_has_no_movement)
{
    static const char *const nulls[] = {"rate_cpm",   "ewma_cpm",         "hold_shift",
                                        "bet_shift",  "odds.move_pct",    "odds.log_move",
                                        "odds.trend", "place_probability"};
    for (int i = 0; i < RUNNERS; i++) {
        for (size_t j = 0; j < sizeof(nulls) / sizeof(nulls[0]); j++) {
            cr_expect(transform_says(&first, NULL, "entrants[%d].%s", i, nulls[j]), "%s", nulls[j]);
        }
    }
    cr_expect_eq(transform_at(&first.result.root, "signals")->via.array.size, 0);
    cr_expect_eq(transform_at(&first.result.root, "entrants[0].recent")->via.array.size, 1);
    cr_expect_eq(transform_number(&first, "entrants[0].recent[0][0]"), 1699996340000);
    cr_expect_eq(transform_number(&first, "entrants[0].recent[0][1]"), 1210);
}

Test(transform_golden, first_poll_has_the_figures_of_its_table)
{
    check_column(&first, "win_share",
                 (double[]){12.099998896746506, 23.50000551626747, 9.800002206506989,
                            5.600004413013978, 18.0, 30.999988967465054});
    check_column(&first, "stake_index", (double[]){1.21, 2.35, 0.98, 0.56, 1.8, 3.1});
    check_column(&first, "est_dividend", (double[]){7.0, 3.6, 8.6, 15.1, 4.7, 2.7});
    check_column(&first, "odds.implied_p", (double[]){0.125, NAN, NAN, NAN, NAN, NAN});
    check_column(&first, "value_gap", (double[]){0.004000011032534946, NAN, NAN, NAN, NAN, NAN});
    check_flags(&first, (const char *const[RUNNERS][2]){{"baseline"},
                                                        {"baseline", "big_money"},
                                                        {"baseline"},
                                                        {"baseline", "small_bets"},
                                                        {"baseline", "big_money"},
                                                        {"baseline", "big_money"}});
}

Test(transform_golden, second_poll_has_the_figures_of_its_table)
{
    check_column(&second, "win_share",
                 (double[]){17.89999169934034, 21.89999169934034, 9.05000415032983,
                            5.200001953096391, 16.600010742030147, 29.34999975586295});
    check_column(&second, "rate_cpm", (double[]){736230, 112528, 38452, 24898, 68328, 195614});
    check_column(&second, "ewma_cpm", (double[]){736230, 112528, 38452, 24898, 68328, 195614});
    check_column(&second, "hold_shift", (double[]){5.8, -1.6, -0.75, -0.4, -1.4, -1.65});
    check_column(&second, "bet_shift", (double[]){0, 0, 0, 0, 0, 0});
    check_column(&second, "stake_index", (double[]){1.79, 2.19, 0.905, 0.52, 1.66, 2.935});
    check_column(&second, "est_dividend", (double[]){4.7, 3.8, 9.3, 16.3, 5.1, 2.8});
    check_column(&second, "odds.implied_p",
                 (double[]){0.15384615384615385, NAN, NAN, NAN, NAN, NAN});
    check_column(&second, "odds.move_pct", (double[]){18.75, NAN, NAN, NAN, NAN, NAN});
    check_column(&second, "odds.log_move",
                 (double[]){0.20763936477824455, NAN, NAN, NAN, NAN, NAN});
    check_column(&second, "value_gap", (double[]){-0.02515376314724957, NAN, NAN, NAN, NAN, NAN});
    check_flags(
        &second,
        (const char *const[RUNNERS][2]){
            {"big_money"}, {"big_money"}, {NULL}, {"small_bets"}, {"big_money"}, {"big_money"}});
    cr_expect(transform_says(&second, "firming", "entrants[0].odds.trend"));
    cr_expect(transform_says(&second, NULL, "entrants[1].odds.trend"));
}

Test(transform_golden, second_poll_names_the_surge)
{
    cr_expect_eq(transform_at(&second.result.root, "signals")->via.array.size, 1);
    cr_expect(transform_says(&second, "surge", "signals[0].type"));
    cr_expect(transform_says(&second, "shift", "signals[0].rule"));
    cr_expect(transform_says(&second, "r1", "signals[0].entrant_id"));
    cr_expect(transform_near(transform_number(&second, "signals[0].points"), 5.8));
    cr_expect_eq(transform_number(&second, "entrants[0].recent[0][1]"), 1210);
    cr_expect_eq(transform_number(&second, "entrants[0].recent[1][0]"), 1699996370000);
    cr_expect_eq(transform_number(&second, "entrants[0].recent[1][1]"), 1790);
    cr_expect_eq(transform_at(&second.result.root, "entrants[0].recent")->via.array.size, 2);
}

Test(transform_golden, place_counts_are_the_same_bit_for_bit)
{
    static const double counts[RUNNERS] = {7413, 8635, 3921, 2350, 6811, 10870};
    for (int i = 0; i < RUNNERS; i++) {
        cr_expect_eq(transform_number(&second, "entrants[%d].place_probability", i),
                     counts[i] / 20000);
    }
}

Test(transform_golden, equal_input_gives_an_equal_result)
{
    transform_poll_t again;

    transform_poll_run(&again, body_2, strlen(body_2));

    cr_assert_eq(again.status, TRP_OK);
    size_t size, again_size;
    const void *data = trp_writer_data(&second.written, &size);
    const void *again_data = trp_writer_data(&again.written, &again_size);
    cr_expect_eq(size, again_size);
    cr_expect_arr_eq(data, again_data, size);
    transform_poll_end(&again);
}
