/* SPDX-License-Identifier: MIT */
#include "supervisor/client.h"
#include "supervisor/command.h"
#include "supervisor/text_table.h"

int command_ps(const command_call_t *call)
{
    static const char *const headings[] = {"PID",       "NAME",   "CLASS",    "PLACE",
                                           "#OS_PID",   "STATE",  "#MAILBOX", "#HANDLED",
                                           "#RESTARTS", "DETAIL", NULL};
    client_answer_t answer;
    if (!client_ask_verb(call, "ps", &answer)) {
        return EXIT_FAILED;
    }
    int status = EXIT_OK;
    if (call->json) {
        status = command_print_json(call, answer.result);
    } else if (answer.result->type == MSGPACK_OBJECT_ARRAY) {
        text_table_t table;
        text_table_init(&table, headings);
        for (uint32_t i = 0; i < answer.result->via.array.size; i++) {
            const msgpack_object *row = &answer.result->via.array.ptr[i];
            text_table_text(&table, client_text(row, "pid"));
            text_table_text(&table, client_text(row, "name"));
            text_table_text(&table, client_text(row, "class"));
            text_table_text(&table, client_text(row, "place"));
            text_table_int(&table, client_int(row, "os_pid"));
            text_table_text(&table, client_text(row, "state"));
            text_table_int(&table, client_int(row, "mailbox"));
            text_table_int(&table, client_int(row, "handled"));
            text_table_int(&table, client_int(row, "restarts"));
            text_table_text(&table, client_text(row, "detail"));
        }
        status = text_table_print(&table) ? EXIT_OK : EXIT_FAILED;
    }
    client_answer_fini(&answer);
    return status;
}
