/* SPDX-License-Identifier: MIT */
/* What a worker's death is called, from the signal and what its black box says of it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "runtime/guardian/black_box_read.h"

/* The box of a worker that died of a segmentation fault with all its memory in use. */
static black_box_copy_t full_box(void)
{
    return (black_box_copy_t){.memory_max = 1 << 20,
                              .death = {.signal = SIGSEGV, .data_bytes = 1 << 20}};
}

static const trp_reason_t fault = {.kind = TRP_REASON_SIGNAL, .code = SIGSEGV};

TestSuite(black_box_reason);

Test(black_box_reason, a_fault_at_the_limit_is_the_memory_limit)
{
    const black_box_copy_t copy = full_box();

    cr_expect_eq(black_box_reason(&copy, &fault).kind, TRP_REASON_MEMORY);
}

Test(black_box_reason, a_fault_after_a_refused_allocation_is_the_memory_limit)
{
    black_box_copy_t copy = full_box();
    copy.death.data_bytes = 0;
    copy.death.error = ENOMEM;

    cr_expect_eq(black_box_reason(&copy, &fault).kind, TRP_REASON_MEMORY);
}

Test(black_box_reason, a_fault_far_from_the_limit_has_its_address)
{
    black_box_copy_t copy = full_box();
    copy.death.data_bytes = 0;
    copy.death.address = 16;

    const trp_reason_t reason = black_box_reason(&copy, &fault);

    cr_expect_eq(reason.kind, TRP_REASON_SIGNAL);
    cr_expect_str_eq(reason.text, "at address 0x10");
}

Test(black_box_reason, a_signal_that_was_sent_is_no_limit_however_full_the_memory)
{
    black_box_copy_t copy = full_box();
    copy.death.sender = 77;

    const trp_reason_t reason = black_box_reason(&copy, &fault);

    cr_expect_eq(reason.kind, TRP_REASON_SIGNAL);
    cr_expect(strstr(reason.text, "77") != NULL, "%s", reason.text);
}
