/* SPDX-License-Identifier: MIT */
#include "supervisor/report.h"

#include <criterion/criterion.h>

#include "runtime/log.h"

#define S INT64_C(1000000000)

static void quiet(void)
{
    log_level_set(LOG_FATAL + 1);
}

TestSuite(report, .init = quiet);

Test(report, storm_is_held_back_and_counted)
{
    report_t report = {.supervisor = "s"};

    for (int i = 0; i < REPORT_LINES_MAX; i++) {
        cr_assert(report_allow(&report, 10 * S + i, 5));
    }
    for (int i = 0; i < 1000; i++) {
        cr_assert_not(report_allow(&report, 10 * S + REPORT_LINES_MAX + i, 7 + i));
    }

    cr_assert_eq(report.held, 1000);
    cr_assert_eq(report.first_ms, 7);
    cr_assert_eq(report.last_ms, 1006);
}

Test(report, next_window_writes_again_after_the_line_about_those_held)
{
    report_t report = {.supervisor = "s"};
    for (int i = 0; i <= REPORT_LINES_MAX; i++) {
        report_allow(&report, 10 * S, 0);
    }

    cr_assert(report_allow(&report, 11 * S, 0));

    cr_assert_eq(report.held, 0);
}

Test(report, flush_without_held_lines_does_nothing)
{
    report_t report = {.supervisor = "s"};

    report_flush(&report);

    cr_assert_eq(report.held, 0);
}
