/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "messages/pid.h"

Test(pid, what_is_written_reads_back)
{
    static const trp_pid_t pids[] = {
        {0, 0, 0, 0}, {0x10002, 3, 4, 5}, {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX}};
    for (size_t i = 0; i < sizeof(pids) / sizeof(pids[0]); i++) {
        char text[TRP_PID_TEXT_MAX];
        trp_pid_t pid;

        trp_status_t status = trp_pid_parse(trp_pid_format(pids[i], text), &pid);

        cr_expect_eq(status, TRP_OK, "%s", text);
        cr_expect(trp_pid_equal(pid, pids[i]), "%s", text);
    }
}

Test(pid, what_is_no_pid_is_refused)
{
    static const char *const texts[] = {"",
                                        "<",
                                        "<1.2.3.4>",
                                        "<1.2.3.4.5",
                                        "1.2.3.4.5",
                                        "<1.2.3.4.5>x",
                                        "<1.2.3.4.-5>",
                                        "<1.2.3.4.4294967296>",
                                        "<65536.1.1.1.1>",
                                        "<a.b.c.d.e>",
                                        "< 1.2.3.4.5>"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        trp_pid_t pid;

        trp_status_t status = trp_pid_parse(texts[i], &pid);

        cr_expect_eq(status, TRP_INVALID, "'%s'", texts[i]);
    }
}

Test(pid, the_number_of_a_worker_process_holds_its_node)
{
    uint32_t number = trp_node_worker(0x00070000u, 3);

    cr_expect_eq(number, 0x00070003u);
}
