/* SPDX-License-Identifier: MIT */
#include "supervisor/command/client.h"
#include "supervisor/command/command.h"

static void add_number(text_table_t *table, const char *name, int64_t number)
{
    text_table_text(table, name);
    text_table_int(table, number);
}

static void add_books(text_table_t *table, const msgpack_object *result)
{
    static const char *const books[] = {"sent",    "handled", "queued", "refused",
                                        "dropped", "dead",    "missing"};
    for (size_t i = 0; i < sizeof(books) / sizeof(books[0]); i++) {
        add_number(table, books[i], client_int(result, books[i]));
    }
    const msgpack_object *causes = trp_member(result, "causes");
    for (unsigned why = 0; causes != NULL && why < TRP_DEAD_COUNT; why++) {
        const char *name = trp_dead_name(why);
        if (client_int(causes, name) != 0) {
            add_number(table, name, client_int(causes, name));
        }
    }
}

int command_ledger(const command_call_t *call)
{
    static const char *const headings[] = {"MESSAGES", "#COUNT", NULL};
    return command_show(call, "ledger", headings, add_books);
}
