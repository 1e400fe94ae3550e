/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "messages/reason.h"

Test(reason, a_long_text_is_cut_to_its_bound)
{
    trp_reason_t reason =
        trp_reason(TRP_REASON_ERROR, TRP_PAYLOAD,
                   "a text that is much longer than the forty-eight bytes that a reason has");

    cr_expect_eq(strlen(reason.text), TRP_REASON_TEXT_MAX - 1);
}

Test(reason, only_normal_and_shutdown_are_clean)
{
    for (int kind = 0; kind < TRP_REASON_COUNT; kind++) {
        trp_reason_t reason = trp_reason((trp_reason_kind_t)kind, 0, NULL);

        bool clean = trp_reason_is_clean(&reason);

        cr_expect_eq(clean, kind == TRP_REASON_NORMAL || kind == TRP_REASON_SHUTDOWN);
        cr_expect_str_neq(trp_reason_name(reason.kind), "unknown");
    }
}

Test(reason, a_line_names_what_the_code_means)
{
    char line[TRP_REASON_LINE_MAX];
    trp_reason_t error = trp_reason(TRP_REASON_ERROR, TRP_PAYLOAD, "field x");
    trp_reason_t signal = trp_reason(TRP_REASON_SIGNAL, 11, NULL);
    trp_reason_t exited = trp_reason(TRP_REASON_EXIT_CODE, 3, NULL);

    cr_expect_str_eq(trp_reason_format(&error, line), "error payload: field x");
    cr_expect_str_eq(trp_reason_format(&signal, line), "signal 11 (Segmentation fault)");
    cr_expect_str_eq(trp_reason_format(&exited, line), "exit_code 3");
}

Test(reason, bytes_from_outside_are_checked)
{
    trp_reason_t reason = trp_reason(TRP_REASON_SIGNAL, 9, "killed");
    trp_reason_t out;

    cr_expect_eq(trp_reason_read(&reason, sizeof(reason), &out), TRP_OK);
    cr_expect_str_eq(out.text, "killed");
    cr_expect_eq(trp_reason_read(&reason, sizeof(reason) - 1, &out), TRP_PROTOCOL);
    memset(reason.text, 'x', sizeof(reason.text));
    cr_expect_eq(trp_reason_read(&reason, sizeof(reason), &out), TRP_PROTOCOL);
    reason = trp_reason(TRP_REASON_NORMAL, 0, NULL);
    reason.kind = TRP_REASON_COUNT;
    cr_expect_eq(trp_reason_read(&reason, sizeof(reason), &out), TRP_PROTOCOL);
}
