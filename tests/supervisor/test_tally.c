/* SPDX-License-Identifier: MIT */
#include "supervisor/tally.h"

#include <criterion/criterion.h>

Test(tally, limit_is_passed_by_the_stamp_after_it)
{
    tally_t tally;
    cr_assert_eq(tally_init(&tally, 2, 100), TRP_OK);

    cr_assert_not(tally_add(&tally, 1));
    cr_assert_not(tally_add(&tally, 2));
    cr_assert(tally_add(&tally, 3));

    tally_fini(&tally);
}

Test(tally, stamps_leave_the_window_one_nanosecond_after_its_end)
{
    tally_t tally;
    cr_assert_eq(tally_init(&tally, 1, 100), TRP_OK);

    cr_assert_not(tally_add(&tally, 0));
    cr_assert_not(tally_add(&tally, 101));
    cr_assert(tally_add(&tally, 201));

    tally_fini(&tally);
}

Test(tally, limit_0_is_passed_by_the_first)
{
    tally_t tally;
    cr_assert_eq(tally_init(&tally, 0, 1), TRP_OK);

    cr_assert(tally_add(&tally, 5));

    tally_fini(&tally);
}

Test(tally, bounds_are_checked)
{
    tally_t tally;

    cr_assert_eq(tally_init(&tally, -1, 100), TRP_INVALID);
    cr_assert_eq(tally_init(&tally, TALLY_LIMIT_MAX + 1, 100), TRP_INVALID);
    cr_assert_eq(tally_init(&tally, 1, 0), TRP_INVALID);
}
