/* SPDX-License-Identifier: MIT */
#include "supervisor/command/client.h"
#include "supervisor/command/command.h"

int command_show_value(const command_call_t *call, const msgpack_object *value,
                       const char *const *headings, command_fill_t *fill)
{
    if (call->json) {
        return command_print_json(call, value);
    }
    text_table_t table;
    text_table_init(&table, headings);
    fill(&table, value);
    return text_table_print(&table) ? EXIT_OK : EXIT_FAILED;
}

int command_show(const command_call_t *call, const char *verb, const char *const *headings,
                 command_fill_t *fill)
{
    client_answer_t answer;
    if (!client_ask_verb(call, verb, &answer)) {
        return EXIT_FAILED;
    }
    int status = command_show_value(call, answer.result, headings, fill);
    client_answer_fini(&answer);
    return status;
}
