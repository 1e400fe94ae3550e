/* SPDX-License-Identifier: MIT */
#include "supervisor/command/client.h"
#include "supervisor/command/command.h"

static void add_classes(text_table_t *table, const msgpack_object *result)
{
    for (uint32_t i = 0; result->type == MSGPACK_OBJECT_ARRAY && i < result->via.array.size; i++) {
        const msgpack_object *row = &result->via.array.ptr[i];
        text_table_text(table, client_text(row, "class"));
        text_table_text(table, client_text(row, "runs"));
        text_table_int(table, client_int(row, "actors"));
        text_table_int(table, client_int(row, "handled"));
        text_table_ms(table, client_int(row, "busy_ns"));
        text_table_int(table, client_int(row, "sampled"));
        text_table_ms(table, client_int(row, "queue_p50_ns"));
        text_table_ms(table, client_int(row, "queue_p99_ns"));
        text_table_ms(table, client_int(row, "queue_max_ns"));
    }
}

int command_classes(const command_call_t *call)
{
    static const char *const headings[] = {"CLASS",    "RUNS",    "#ACTORS", "#HANDLED", "#BUSY_MS",
                                           "#SAMPLED", "#P50_MS", "#P99_MS", "#MAX_MS",  NULL};
    return command_show(call, "classes", headings, add_classes);
}
