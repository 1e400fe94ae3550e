/* SPDX-License-Identifier: MIT */
#include "supervisor/command/client.h"
#include "supervisor/command/command.h"

static void add_actors(text_table_t *table, const msgpack_object *result)
{
    for (uint32_t i = 0; result->type == MSGPACK_OBJECT_ARRAY && i < result->via.array.size; i++) {
        const msgpack_object *row = &result->via.array.ptr[i];
        text_table_text(table, client_text(row, "pid"));
        text_table_text(table, client_text(row, "name"));
        text_table_text(table, client_text(row, "class"));
        text_table_text(table, client_text(row, "place"));
        text_table_int(table, client_int(row, "os_pid"));
        text_table_text(table, client_text(row, "state"));
        text_table_int(table, client_int(row, "mailbox"));
        text_table_int(table, client_int(row, "handled"));
        text_table_ms(table, client_int(row, "busy_ns"));
        text_table_int(table, client_int(row, "restarts"));
        text_table_text(table, client_text(row, "detail"));
    }
}

int command_ps(const command_call_t *call)
{
    static const char *const headings[] = {"PID",      "NAME",      "CLASS",    "PLACE",
                                           "#OS_PID",  "STATE",     "#MAILBOX", "#HANDLED",
                                           "#BUSY_MS", "#RESTARTS", "DETAIL",   NULL};
    return command_show(call, "ps", headings, add_actors);
}
