/* SPDX-License-Identifier: MIT */
#include "runtime/guardian/quarantine.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define S INT64_C(1000000000)

static quarantine_t quarantine;
static uint32_t within;
static bool is_new;

static void set_up(void)
{
    quarantine = (quarantine_t){.after = 3, .window_ns = 10 * S};
}

TestSuite(quarantine, .init = set_up);

static const quarantine_row_t *death(const char *origin, int64_t at_ns)
{
    culprit_t culprit = {.signal = 11, .class_name = "ill"};
    snprintf(culprit.origin, sizeof(culprit.origin), "%s", origin);
    return quarantine_note(&quarantine, &culprit, at_ns, &within, &is_new);
}

Test(quarantine, child_is_moved_by_the_death_that_fills_the_window_and_only_by_it)
{
    for (int64_t i = 1; i <= 5; i++) {
        const quarantine_row_t *row = death("tree.children.a", i * S);

        cr_assert_eq(within, i);
        cr_assert_eq(is_new, i == 3);
        cr_assert_eq(row->is_out, i >= 3);
    }
}

Test(quarantine, deaths_that_lie_a_window_apart_move_nobody)
{
    for (int64_t i = 1; i <= 40; i++) {
        (void)death("a", i * 6 * S);

        cr_assert_not(is_new);
        cr_assert_leq(within, 2);
    }
}

Test(quarantine, each_child_has_its_own_count)
{
    (void)death("a", 1 * S);
    (void)death("b", 2 * S);
    (void)death("a", 3 * S);
    (void)death("b", 4 * S);
    cr_assert_not(is_new);

    const quarantine_row_t *row = death("b", 5 * S);

    cr_assert(is_new);
    cr_assert_str_eq(row->origin, "b");
    cr_assert_eq(quarantine.count, 2);
}

Test(quarantine, death_of_nobody_is_nobodys)
{
    cr_assert_null(death("", 1 * S));
    cr_assert_eq(quarantine.count, 0);
}

Test(quarantine, after_0_counts_and_moves_nobody)
{
    quarantine.after = 0;
    for (int64_t i = 1; i <= 20; i++) {
        (void)death("a", i);
        cr_assert_not(is_new);
    }
}

Test(quarantine, a_full_table_forgets_the_oldest_that_is_not_out)
{
    for (int i = 0; i < 3; i++) {
        (void)death("out", i);
    }
    char origin[32];
    for (int i = 0; i < 3 * QUARANTINE_ROWS_MAX; i++) {
        snprintf(origin, sizeof(origin), "child %d", i);
        cr_assert_not_null(death(origin, 10 + i));
    }

    const quarantine_row_t *row = death("out", 1000);

    cr_assert_eq(within, 4);
    cr_assert(row->is_out);
    (void)death("child 0", 1001);
    cr_assert_eq(within, 1, "it was forgotten");
    (void)death(origin, 1002);
    cr_assert_eq(within, 2, "the last one was not");
}

Test(quarantine, table_that_is_full_of_moved_ones_takes_no_more)
{
    char origin[32];
    for (int i = 0; i < QUARANTINE_ROWS_MAX; i++) {
        snprintf(origin, sizeof(origin), "child %d", i);
        for (int death_number = 0; death_number < 3; death_number++) {
            (void)death(origin, i);
        }
    }

    cr_assert_null(death("one more", 100));
    cr_assert_not_null(death("child 3", 100));
}
