/* SPDX-License-Identifier: MIT */
#include "runtime/mailbox.h"

#include <criterion/criterion.h>

static mailbox_t mailbox;
static trp_envelope_t one, two, three;

static void open_mailbox(void)
{
    mailbox_init(&mailbox);
    mailbox_open(&mailbox, 10, 1000);
}

TestSuite(mailbox, .init = open_mailbox);

Test(mailbox, push_after_close_is_refused)
{
    cr_assert_null(mailbox_close(&mailbox));

    cr_assert_eq(mailbox_push(&mailbox, &one), MAILBOX_SHUT);
    cr_assert_eq(mailbox_push_urgent(&mailbox, &one), MAILBOX_SHUT);
}

Test(mailbox, only_the_push_that_wakes_says_so)
{
    cr_assert(mailbox_sleep(&mailbox));

    cr_assert_eq(mailbox_push(&mailbox, &one), MAILBOX_WOKE);
    cr_assert_eq(mailbox_push(&mailbox, &two), MAILBOX_PUSHED);
    cr_assert_eq(mailbox_push_urgent(&mailbox, &three), MAILBOX_PUSHED);
}

Test(mailbox, a_running_one_is_not_woken)
{
    cr_assert_eq(mailbox_push(&mailbox, &one), MAILBOX_PUSHED);
}

Test(mailbox, it_does_not_sleep_on_what_has_come)
{
    mailbox_push(&mailbox, &one);
    cr_assert(!mailbox_sleep(&mailbox));
    cr_assert_eq(mailbox_take(&mailbox), &one);

    mailbox_push_urgent(&mailbox, &two);
    cr_assert(!mailbox_sleep(&mailbox));
    cr_assert_eq(mailbox_take_urgent(&mailbox), &two);

    cr_assert(mailbox_sleep(&mailbox));
}

Test(mailbox, an_urgent_push_wakes_a_sleeper)
{
    cr_assert(mailbox_sleep(&mailbox));

    cr_assert_eq(mailbox_push_urgent(&mailbox, &one), MAILBOX_WOKE);
    cr_assert(mailbox_has_urgent(&mailbox));
}

Test(mailbox, take_and_reverse_give_the_order_of_the_pushes)
{
    two.flags = TRP_ENVELOPE_SIGNAL;
    mailbox_push(&mailbox, &one);
    mailbox_push(&mailbox, &two);
    mailbox_push(&mailbox, &three);

    trp_envelope_t *last = NULL;
    unsigned flags = 0;
    trp_envelope_t *first = mailbox_reverse(mailbox_take(&mailbox), &last, &flags);

    cr_assert_eq(first, &one);
    cr_assert_eq(one.next, &two);
    cr_assert_eq(two.next, &three);
    cr_assert_null(three.next);
    cr_assert_eq(last, &three);
    cr_assert_eq(flags, TRP_ENVELOPE_SIGNAL);
}

Test(mailbox, close_gives_urgent_ones_first)
{
    mailbox_push(&mailbox, &one);
    mailbox_push(&mailbox, &two);
    mailbox_push_urgent(&mailbox, &three);

    trp_envelope_t *list = mailbox_close(&mailbox);

    cr_assert_eq(list, &three);
    cr_assert_eq(three.next, &one);
    cr_assert_eq(one.next, &two);
    cr_assert_null(two.next);
}

Test(mailbox, charges_hold_both_bounds_and_come_back)
{
    for (int i = 0; i < 10; i++) {
        cr_assert(mailbox_charge(&mailbox, mailbox_sum(1, 10)));
    }
    cr_assert(!mailbox_charge(&mailbox, mailbox_sum(1, 10)), "count");

    mailbox_credit(&mailbox, mailbox_sum(5, 50));
    cr_assert(mailbox_charge(&mailbox, mailbox_sum(1, 950)));
    cr_assert(!mailbox_charge(&mailbox, mailbox_sum(1, 1)), "bytes");

    mailbox_credit(&mailbox, mailbox_sum(6, 1000));
    cr_assert_eq(atomic_load(&mailbox.charge), 0);
}

Test(mailbox, a_charge_outlives_the_actor_that_it_was_for)
{
    cr_assert(mailbox_charge(&mailbox, mailbox_sum(1, 10)));
    mailbox_close(&mailbox);
    mailbox_open(&mailbox, 1, 1000);

    cr_assert(!mailbox_charge(&mailbox, mailbox_sum(1, 1)), "the late sender has not yet seen");
    mailbox_credit(&mailbox, mailbox_sum(1, 10));
    cr_assert(mailbox_charge(&mailbox, mailbox_sum(1, 1)));
}

Test(mailbox, signals_cost_nothing)
{
    one.flags = TRP_ENVELOPE_SIGNAL;
    one.inline_size = 50;
    two.flags = 0;
    two.inline_size = 50;

    cr_assert_eq(mailbox_charge_of(&one), 0);
    cr_assert_eq(mailbox_charge_of(&two), mailbox_sum(1, 50));
}
