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

#include "supervisor/client.h"
#include "supervisor/command.h"
#include "supervisor/text_table.h"

#define PREFIX_MAX 96

static void add_row(text_table_t *table, const msgpack_object *row, const char *prefix)
{
    char name[TEXT_TABLE_CELL_MAX];
    const char *state = client_text(row, "state");
    const char *place = client_text(row, "place");
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

int command_tree(const command_call_t *call)
{
    static const char *const headings[] = {
        "NAME", "STATE", "CLASS", "PLACE", "#OS_PID", "#RESTARTS", "STRATEGY", "LAST REASON", NULL};
    client_answer_t answer;
    if (!client_ask_verb(call, "tree", &answer)) {
        return EXIT_FAILED;
    }
    int status = EXIT_OK;
    if (call->json) {
        status = command_print_json(call, answer.result);
    } else {
        text_table_t table;
        text_table_init(&table, headings);
        add_row(&table, answer.result, "");
        add_children(&table, answer.result, "");
        status = text_table_print(&table) ? EXIT_OK : EXIT_FAILED;
    }
    client_answer_fini(&answer);
    return status;
}
