/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "runtime/edge/edge_spin.h"

#define SHORT_NS 5000
#define LONG_NS  (EDGE_SPIN_NEAR_NS * 2LL)

Test(edge_spin, an_edge_that_was_woken_soon_looks_on_the_next_time)
{
    edge_spin_t spin = {.is_allowed = true};
    cr_expect_not(edge_spin_pays(&spin), "nothing is known yet");
    edge_spin_slept(&spin, SHORT_NS, true);
    cr_expect(edge_spin_pays(&spin));
    for (int i = 0; i < 1000; i++) {
        edge_spin_tried(&spin, true);
        cr_expect(edge_spin_pays(&spin));
    }
}

Test(edge_spin, an_idle_edge_sleeps)
{
    edge_spin_t spin = {.is_allowed = true};
    edge_spin_slept(&spin, SHORT_NS, true);
    edge_spin_slept(&spin, LONG_NS, true);
    cr_expect_not(edge_spin_pays(&spin));
    edge_spin_slept(&spin, SHORT_NS, false); /* a timer's time is known before */
    cr_expect_not(edge_spin_pays(&spin));
}

/* Looks in vain at each chance, for a second of sleeps of `sleep_ns`. Returns the time of the
 * looks. */
static int64_t time_in_vain(edge_spin_t *spin, int64_t sleep_ns)
{
    int64_t looked_ns = 0;
    for (int64_t slept_ns = 0; slept_ns < 1000000000; slept_ns += sleep_ns) {
        if (edge_spin_pays(spin)) {
            looked_ns += EDGE_SPIN_NS;
            edge_spin_tried(spin, false);
        }
        edge_spin_slept(spin, sleep_ns, true);
    }
    return looked_ns;
}

/* As when the other one can only work while this one sleeps; or when he takes his time. */
Test(edge_spin, where_it_never_helps_it_takes_one_part_in_sixty_five)
{
    for (int64_t sleep_ns = 1000; sleep_ns < EDGE_SPIN_NEAR_NS; sleep_ns *= 3) {
        edge_spin_t spin = {.is_allowed = true};
        const int64_t looked_ns = time_in_vain(&spin, sleep_ns);
        cr_expect_gt(looked_ns, 1000000000 / 100);
        cr_expect_lt(looked_ns, 1000000000 / 60, "%ld ns of sleeps of %ld", (long)looked_ns,
                     (long)sleep_ns);
    }
}

Test(edge_spin, one_success_makes_up_for_all)
{
    edge_spin_t spin = {.is_allowed = true};
    (void)time_in_vain(&spin, SHORT_NS);
    while (!edge_spin_pays(&spin)) {
        edge_spin_slept(&spin, SHORT_NS, true);
    }
    edge_spin_tried(&spin, true);
    cr_expect(edge_spin_pays(&spin));
    edge_spin_tried(&spin, false);
    edge_spin_slept(&spin, EDGE_SPIN_NS, true);
    cr_expect(edge_spin_pays(&spin), "the next one in vain is as the first one");
}

Test(edge_spin, on_one_processor_nobody_looks_on)
{
    edge_spin_t spin = {.is_allowed = false};
    edge_spin_slept(&spin, SHORT_NS, true);
    cr_expect_not(edge_spin_pays(&spin));
}
