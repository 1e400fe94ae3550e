/* SPDX-License-Identifier: MIT */
/* Mistake 7 of the list that policy_mistakes walks: a group that takes longer to stop than the
 * window lasts never fills it. Seen on standard error, where the log goes. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/log.h"
#include "supervisor/supervisor.h"

static const trp_class_t class = {.name = "kid", .version = 1};
static trp_child_spec_t children[3];
static trp_supervisor_spec_t spec;

static void init(void)
{
    log_level_set(LOG_WARN);
    for (int i = 0; i < 3; i++) {
        children[i] = (trp_child_spec_t){.class = &class, .shutdown_ms = 800};
        snprintf(children[i].id, sizeof(children[i].id), "kid.%d", i + 1);
    }
    spec = (trp_supervisor_spec_t){.name = "s",
                                   .strategy = TRP_ONE_FOR_ALL,
                                   .intensity = 1,
                                   .period_s = 1,
                                   .children = children,
                                   .child_count = 3};
}

TestSuite(supervisor_check, .init = init);

/* Checks the spec, which is sound; true: with the warning. */
static bool warns(void)
{
    char rule[160], text[1024] = "";
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    const int saved = dup(STDERR_FILENO);
    (void)dup2(ends[1], STDERR_FILENO);
    (void)close(ends[1]);
    const trp_status_t status = trp_supervisor_check(&spec, rule);
    (void)dup2(saved, STDERR_FILENO); /* the last end for writing: a read finds the end */
    (void)close(saved);
    const ssize_t got = read(ends[0], text, sizeof(text) - 1);
    (void)close(ends[0]);
    cr_assert(got >= 0 && status == TRP_OK);
    return strstr(text, "supervisor_may_never_give_up") != NULL;
}

Test(supervisor_check, m7_group_that_stops_longer_than_the_window_is_warned_of)
{
    cr_assert(warns());
}

Test(supervisor_check, m7_group_that_stops_within_the_window_is_not)
{
    spec.period_s = 2;

    cr_assert(!warns());
}

Test(supervisor_check, m7_the_one_that_crashed_is_not_waited_for)
{
    spec.child_count = 2;

    cr_assert(!warns());
}

Test(supervisor_check, m7_first_child_of_rest_for_one_is_never_stopped_for_another)
{
    spec.strategy = TRP_REST_FOR_ONE;
    children[0].shutdown_ms = 60000;
    children[1].shutdown_ms = 100;

    cr_assert(!warns());
}

Test(supervisor_check, m7_infinite_limits_are_left_out_and_one_for_one_stops_nobody)
{
    children[0].shutdown_ms = children[1].shutdown_ms = TRP_SHUTDOWN_INFINITY;
    cr_assert(!warns());

    children[0].shutdown_ms = children[1].shutdown_ms = 60000;
    spec.strategy = TRP_ONE_FOR_ONE;
    cr_assert(!warns());
}

Test(supervisor_check, period_that_no_clock_can_count_is_refused)
{
    char rule[160];
    spec.period_s = INT64_MAX / 10;

    cr_assert_eq(trp_supervisor_check(&spec, rule), TRP_INVALID);
}
