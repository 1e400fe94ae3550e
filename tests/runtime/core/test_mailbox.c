/* SPDX-License-Identifier: MIT */
#include "runtime/core/mailbox.h"

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
    cr_assert_eq(mailbox_take(&mailbox).first, &one);

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

Test(mailbox, a_take_gives_the_order_of_the_pushes)
{
    two.flags = TRP_ENVELOPE_SIGNAL;
    mailbox_push(&mailbox, &one);
    mailbox_push(&mailbox, &two);
    mailbox_push(&mailbox, &three);

    mailbox_taken_t taken = mailbox_take(&mailbox);

    cr_assert_eq(taken.first, &one);
    cr_assert_eq(one.next, &two);
    cr_assert_eq(two.next, &three);
    cr_assert_null(three.next);
    cr_assert_eq(taken.last, &three);
    cr_assert_eq(taken.flags, TRP_ENVELOPE_SIGNAL);
}

Test(mailbox, a_post_counts_until_its_message_is_paid_for)
{
    mailbox_open(&mailbox, 3, 1 << 20);
    three.inline_size = 10;
    cr_assert_eq(mailbox_post(&mailbox, &one), MAILBOX_PUSHED);
    cr_assert_eq(mailbox_post(&mailbox, &two), MAILBOX_PUSHED);
    cr_assert_eq(mailbox_post(&mailbox, &three), MAILBOX_PUSHED);
    trp_envelope_t four = {.tag = 4};

    cr_assert_eq(mailbox_post(&mailbox, &four), MAILBOX_FULL, "in the inbox");
    cr_assert_eq(mailbox_depth(&mailbox), 3);

    mailbox_taken_t taken = mailbox_take(&mailbox);
    cr_assert_eq(mailbox_post(&mailbox, &four), MAILBOX_FULL, "taken and not yet handled");
    cr_assert_eq(mailbox_depth(&mailbox), 3);

    mailbox_credit(&mailbox, taken.excess + mailbox_sum(3, 10));
    cr_assert_eq(atomic_load(&mailbox.charge), 0);
    cr_assert_eq(mailbox_post(&mailbox, &four), MAILBOX_PUSHED);
}

Test(mailbox, a_single_message_is_never_charged)
{
    mailbox_open(&mailbox, 3, 1 << 20);
    one.inline_size = 10;
    cr_assert_eq(mailbox_post(&mailbox, &one), MAILBOX_PUSHED);

    mailbox_taken_t taken = mailbox_take(&mailbox);

    cr_assert_eq(atomic_load(&mailbox.charge), 0);
    cr_assert_eq(taken.excess + mailbox_sum(1, 10), 0, "handling it leaves nothing to give back");
}

Test(mailbox, what_is_queued_when_it_closes_is_charged_as_if_it_had_been_taken)
{
    mailbox_open(&mailbox, 3, 1 << 20);
    one.inline_size = 10;
    two.inline_size = 20;
    cr_assert_eq(mailbox_post(&mailbox, &one), MAILBOX_PUSHED);
    cr_assert_eq(mailbox_post(&mailbox, &two), MAILBOX_PUSHED);

    cr_assert_eq(mailbox_close(&mailbox), &one);

    cr_assert_eq(atomic_load(&mailbox.charge), mailbox_sum(2, 30));
}

Test(mailbox, a_low_bound_of_bytes_is_exact)
{
    mailbox_open(&mailbox, 100, 50);
    one.inline_size = 20;
    two.inline_size = 30;
    three.inline_size = 1;

    cr_assert_eq(mailbox_post(&mailbox, &one), MAILBOX_PUSHED);
    cr_assert_eq(mailbox_post(&mailbox, &two), MAILBOX_PUSHED);
    cr_assert_eq(mailbox_post(&mailbox, &three), MAILBOX_FULL);
    cr_assert_eq(mailbox_take(&mailbox).excess, 0, "their senders have charged them");
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
