/* SPDX-License-Identifier: MIT */
#include "actors/router/base/histogram.h"

#include <criterion/criterion.h>

Test(histogram, is_empty_at_first)
{
    histogram_t histogram = {0};

    cr_assert_eq(histogram_percentile(&histogram, 99), 0);
    cr_assert_float_eq(histogram_mean(&histogram), 0.0, 0);
}

Test(histogram, small_values_are_exact)
{
    histogram_t histogram = {0};
    for (int64_t us = 1; us <= 15; us++) {
        histogram_add(&histogram, us);
    }

    cr_assert_eq(histogram_percentile(&histogram, 50), 8);
    cr_assert_eq(histogram_percentile(&histogram, 100), 15);
    cr_assert_float_eq(histogram_mean(&histogram), 8.0, 1e-9);
}

Test(histogram, a_percentile_is_at_most_an_eighth_too_high_and_never_too_low)
{
    for (int64_t us = 1; us < INT64_C(1) << 33; us += us / 7 + 1) {
        histogram_t histogram = {0};
        histogram_add(&histogram, us);
        int64_t read = histogram_percentile(&histogram, 50);
        cr_assert(read >= us && read <= us + us / 8, "%lld gives %lld", (long long)us,
                  (long long)read);
    }
}

Test(histogram, percentiles_of_many_are_near)
{
    histogram_t histogram = {0};
    for (int64_t us = 1; us <= 100000; us++) {
        histogram_add(&histogram, us);
    }

    cr_assert(histogram_percentile(&histogram, 50) >= 50000);
    cr_assert(histogram_percentile(&histogram, 50) <= 56250);
    cr_assert(histogram_percentile(&histogram, 95) >= 95000);
    cr_assert(histogram_percentile(&histogram, 99) <= 111400);
}

Test(histogram, times_that_are_negative_or_endless_find_a_place)
{
    histogram_t histogram = {0};
    histogram_add(&histogram, -5);
    histogram_add(&histogram, INT64_MAX);

    cr_assert_eq(histogram_percentile(&histogram, 50), 0);
    cr_assert_gt(histogram_percentile(&histogram, 100), INT64_C(1) << 33);
}
