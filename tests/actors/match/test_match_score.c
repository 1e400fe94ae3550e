/* SPDX-License-Identifier: MIT */
#include "actors/match/match_score.h"

#include <criterion/criterion.h>

Test(match_score, golden_points_are_exact)
{
    static const struct {
        int64_t time_ms, t_ms, points;
    } golden[] = {{30000, 499, 1000},  {30000, 500, 992},   {30000, 2000, 967},
                  {30000, 15000, 750}, {30000, 30000, 500}, {20000, 7333, 817}};

    for (size_t i = 0; i < sizeof(golden) / sizeof(golden[0]); i++) {
        int64_t points =
            match_points(&match_settings_default, 1000, golden[i].time_ms, golden[i].t_ms);

        cr_expect_eq(points, golden[i].points, "T %ld t %ld", golden[i].time_ms, golden[i].t_ms);
    }
}

Test(match_score, golden_streaks_are_exact)
{
    static const struct {
        uint32_t streak;
        int64_t bonus;
    } golden[] = {{0, 0}, {1, 0}, {2, 100}, {3, 200}, {6, 500}, {9, 500}};

    for (size_t i = 0; i < sizeof(golden) / sizeof(golden[0]); i++) {
        cr_expect_eq(match_bonus(&match_settings_default, 1000, golden[i].streak), golden[i].bonus);
    }
}

Test(match_score, base_zero_gives_no_points_and_no_bonus)
{
    cr_expect_eq(match_points(&match_settings_default, 0, 20000, 700), 0);
    cr_expect_eq(match_bonus(&match_settings_default, 0, 5), 0);
}

Test(match_score, points_never_rise_with_time)
{
    int64_t last = 2000;

    for (int64_t t_ms = 0; t_ms <= 240000; t_ms += 7) {
        int64_t points = match_points(&match_settings_default, 2000, 240000, t_ms);
        cr_assert_leq(points, last);
        last = points;
    }

    cr_expect_eq(match_points(&match_settings_default, 2000, 240000, 240000), 1000);
}

Test(match_score, speed_off_gives_the_base_at_any_time)
{
    match_settings_t settings = match_settings_default;
    settings.speed = false;

    cr_expect_eq(match_points(&settings, 1000, 20000, 20000), 1000);
}

Test(match_score, half_of_the_round_trip_is_given_back_up_to_the_cap)
{
    cr_expect_eq(match_answer_time(&match_settings_default, 20000, 1000, 200), 900);
    cr_expect_eq(match_answer_time(&match_settings_default, 20000, 1000, 60000), 850);
    cr_expect_eq(match_answer_time(&match_settings_default, 20000, 50, 300), 0);
}

Test(match_score, an_answer_in_the_grace_counts_as_given_at_the_limit)
{
    cr_expect_eq(match_answer_time(&match_settings_default, 20000, 20100, 300), 20000);
    cr_expect_eq(match_answer_time(&match_settings_default, 20000, 20000, 0), 20000);
}

Test(match_score, multi_choice_pays_by_right_less_wrong)
{
    cr_expect_eq(match_share(1000, 3, 0, 3), 1000);
    cr_expect_eq(match_share(1000, 2, 0, 3), 666);
    cr_expect_eq(match_share(1000, 2, 1, 3), 333);
    cr_expect_eq(match_share(1000, 1, 2, 3), 0);
}

Test(match_score, means_are_rounded_half_up)
{
    cr_expect_eq(match_mean(3, 2), 2);
    cr_expect_eq(match_mean(4, 3), 1);
    cr_expect_eq(match_mean(0, 0), 0);
}
