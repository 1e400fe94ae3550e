/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/command/client.h"
#include "supervisor/command/command.h"

static uint32_t count_of(const msgpack_object *row, const char *member)
{
    const msgpack_object *list = trp_member(row, member);
    return list != NULL && list->type == MSGPACK_OBJECT_ARRAY ? list->via.array.size : 0;
}

static void add_tools(text_table_t *table, const msgpack_object *row)
{
    char text[TEXT_TABLE_CELL_MAX] = "";
    const msgpack_object *tools = trp_member(row, "tools");
    for (uint32_t i = 0; i < count_of(row, "tools"); i++) {
        const msgpack_object *tool = &tools->via.array.ptr[i];
        size_t used = strlen(text);
        if (tool->type == MSGPACK_OBJECT_STR) {
            snprintf(text + used, sizeof(text) - used, "%s%.*s", i == 0 ? "" : " ",
                     (int)tool->via.str.size, tool->via.str.ptr);
        }
    }
    text_table_text(table, text);
}

static void add_pool(text_table_t *table, const msgpack_object *row)
{
    static const char *const numbers[] = {"queued", "running", "accepted", "answered",
                                          "failed", "retried", "refused",  "late"};
    char workers[64];
    snprintf(workers, sizeof(workers), "%" PRIu32 " (%" PRId64 "-%" PRId64 ")",
             count_of(row, "workers"), client_int(row, "min"), client_int(row, "max"));
    text_table_text(table, client_text(row, "name"));
    text_table_text(table, workers);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        text_table_int(table, client_int(row, numbers[i]));
    }
    add_tools(table, row);
}

static void add_pools(text_table_t *table, const msgpack_object *result)
{
    for (uint32_t i = 0; result->type == MSGPACK_OBJECT_ARRAY && i < result->via.array.size; i++) {
        add_pool(table, &result->via.array.ptr[i]);
    }
}

int command_pools(const command_call_t *call)
{
    static const char *const headings[] = {"POOL",      "WORKERS",   "#QUEUED", "#RUNNING",
                                           "#ACCEPTED", "#ANSWERED", "#FAILED", "#RETRIED",
                                           "#REFUSED",  "#LATE",     "TOOLS",   NULL};
    return command_show(call, "pools", headings, add_pools);
}
