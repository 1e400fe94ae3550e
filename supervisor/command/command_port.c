/* SPDX-License-Identifier: MIT */
/* What came to the clients' port and was no use, and who is there. */
#include "supervisor/command/command_order.h"

/* The members of the answer, and what each counts. */
static const char *const rows[][2] = {
    {"tasks", "accepted and not answered yet"},
    {"workers", "workers of other programs"},
    {"junk", "messages that were no protocol, dropped"},
    {"oversized", "messages of too many frames, dropped"},
    {"sent_away", "workers told to leave: READY twice, a reserved name, no right"},
    {"locked_out", "connections whose key nobody knows"},
    {"unreachable", "answers whose client had left, or did not read"},
};

static void add_rows(text_table_t *table, const msgpack_object *result)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        text_table_text(table, rows[i][0]);
        text_table_int(table, client_int(result, rows[i][0]));
        text_table_text(table, rows[i][1]);
    }
}

int command_port(const command_call_t *call)
{
    static const char *const headings[] = {"FIGURE", "#COUNT", "WHAT", NULL};
    const order_member_t members[] = {{"action", "port"}};
    client_answer_t answer;
    if (!command_order(call, members, 1, &answer)) {
        return EXIT_FAILED;
    }
    const int status = command_show_value(call, answer.result, headings, add_rows);
    client_answer_fini(&answer);
    return status;
}
