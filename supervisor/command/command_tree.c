/* SPDX-License-Identifier: MIT */
/* The supervision tree, drawn:
 *
 *     NAME             STATE  CLASS       PLACE
 *     root             up     supervisor  pool
 *     ├─ control       up     control     pool
 *     └─ pool.parser   up     supervisor  pool
 *        └─ parser.1   up     parser      process */
#include <stdio.h>
#include <string.h>

#include "supervisor/command/client.h"
#include "supervisor/command/command.h"

#define PREFIX_MAX 96

static void add_row(text_table_t *table, const msgpack_object *row, const char *prefix)
{
    char name[TEXT_TABLE_CELL_MAX];
    const char *state = client_text(row, "state");
    const msgpack_object *quarantined = trp_member(row, "quarantined");
    const char *place = quarantined != NULL && quarantined->via.boolean ? "process (quarantined)"
                                                                        : client_text(row, "place");
    snprintf(name, sizeof(name), "%s%s", prefix, client_text(row, "id"));
    text_table_text(table, name);
    text_table_text(table, state[0] == '\0' ? "up" : state);
    text_table_text(table, client_text(row, "class"));
    text_table_text(table, place[0] == '\0' ? "pool" : place);
    text_table_int(table, client_int(row, "os_pid"));
    text_table_int(table, client_int(row, "restarts"));
    text_table_text(table, client_text(row, "strategy"));
    text_table_text(table, client_text(row, "last_reason"));
}

/* `indent`: what stands before the branches of this level. */
static void add_children(text_table_t *table, const msgpack_object *row, const char *indent)
{
    const msgpack_object *children = trp_member(row, "children");
    if (children == NULL || children->type != MSGPACK_OBJECT_ARRAY ||
        strlen(indent) > PREFIX_MAX - 16) {
        return;
    }
    for (uint32_t i = 0; i < children->via.array.size; i++) {
        bool is_last = i + 1 == children->via.array.size;
        char prefix[PREFIX_MAX];
        snprintf(prefix, sizeof(prefix), "%s%s", indent, is_last ? "└─ " : "├─ ");
        add_row(table, &children->via.array.ptr[i], prefix);
        snprintf(prefix, sizeof(prefix), "%s%s", indent, is_last ? "   " : "│  ");
        add_children(table, &children->via.array.ptr[i], prefix);
    }
}

static void add_tree(text_table_t *table, const msgpack_object *result)
{
    add_row(table, result, "");
    add_children(table, result, "");
}

int command_tree(const command_call_t *call)
{
    static const char *const headings[] = {
        "NAME", "STATE", "CLASS", "PLACE", "#OS_PID", "#RESTARTS", "STRATEGY", "LAST REASON", NULL};
    return command_show(call, "tree", headings, add_tree);
}
