/* SPDX-License-Identifier: MIT */
/* When work is shared: the measure by itself, then a worker that looks at another's queue. */
#include "runtime/core/share.h"

#include <criterion/criterion.h>

#include "runtime/core/scheduler.h"

static share_t share;

static void begin(void)
{
    share_init(&share);
}

TestSuite(share, .init = begin);

/* Two looks in a row say the same. */
static void look_twice(int64_t took_ns, uint32_t slices, uint32_t messages)
{
    for (int i = 0; i < 2; i++) {
        share_look(&share, took_ns, slices, messages);
    }
}

Test(share, what_is_not_known_is_offered_and_wakes_nobody)
{
    cr_expect(share_is_offered(&share, 1));
    cr_expect_not(share_is_offered(&share, 0));
    cr_expect_eq(share.bearable, UINT32_MAX);
}

Test(share, heavy_cells_are_offered_and_wake_when_they_wait_longer_than_that_takes)
{
    look_twice(64000, 64, 64); /* 1 us for a slice of one message: 20 of them are a wake */

    cr_expect(share_is_offered(&share, 1));
    cr_expect_eq(share.bearable, 20);
}

Test(share, light_cells_are_kept_until_they_would_wait_for_long)
{
    look_twice(64000, 64, 640); /* 100 ns for each message */

    cr_expect_eq(share.bearable, 200);
    cr_expect_not(share_is_offered(&share, 200));
    cr_expect(share_is_offered(&share, 201));
}

Test(share, one_look_in_which_the_system_took_the_processor_away_changes_nothing)
{
    look_twice(64000, 64, 640);

    share_look(&share, 5000000, 64, 640);

    cr_expect_eq(share.bearable, 200);
    share_look(&share, 64000, 64, 640);
    cr_expect_eq(share.bearable, 200);
}

Test(share, handlers_that_become_slow_are_offered_after_two_looks)
{
    look_twice(64000, 64, 640);

    look_twice(6400000, 64, 64);

    cr_expect(share_is_offered(&share, 1));
    cr_expect_lt(share.bearable, 2);
}

Test(share, a_look_without_a_slice_changes_nothing)
{
    look_twice(64000, 64, 640);

    look_twice(1000000000, 0, 0);

    cr_expect_eq(share.bearable, 200);
}

/* ---- a worker that has nothing to do, and one whose queue has some cells ---- */

static trp_runtime_t *runtime;
static cell_t cells[3];
static worker_t *busy, *idle;

static void open_pair(void)
{
    runtime_options_t options = {.node = 1 << 16, .incarnation = 1, .threads = 2, .cells_max = 8};
    cr_assert_eq(runtime_create(&options, &runtime), TRP_OK);
    runtime->spin = false;
    busy = &runtime->workers[0];
    idle = &runtime->workers[1];
    for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
        runq_push(&busy->queue, &cells[i]);
    }
}

static void close_pair(void)
{
    while (runq_pop(&busy->queue) != NULL || runq_pop(&idle->queue) != NULL) {
    }
    runtime_destroy(&runtime);
}

TestSuite(sharing, .init = open_pair, .fini = close_pair);

Test(sharing, a_worker_with_nothing_to_do_takes_half_of_what_is_offered)
{
    cr_expect(scheduler_has_work(runtime));

    cr_expect_eq(scheduler_search(idle), &cells[0]);
    cr_expect_eq(runq_count(&idle->queue), 1);
    cr_expect_eq(runq_count(&busy->queue), 1);
}

Test(sharing, a_worker_with_nothing_to_do_leaves_light_cells_where_they_are)
{
    share_look(&busy->share, 64000, 64, 640);

    cr_expect_null(scheduler_search(idle));
    cr_expect_not(scheduler_has_work(runtime), "it may park");
    cr_expect_eq(runq_count(&busy->queue), 3);
}
