/* SPDX-License-Identifier: MIT */
#include "supervisor/client.h"
#include "supervisor/command.h"

int command_show(const command_call_t *call, const char *verb, const char *const *headings,
                 void (*fill)(text_table_t *table, const msgpack_object *result))
{
    client_answer_t answer;
    if (!client_ask_verb(call, verb, &answer)) {
        return EXIT_FAILED;
    }
    int status;
    if (call->json) {
        status = command_print_json(call, answer.result);
    } else {
        text_table_t table;
        text_table_init(&table, headings);
        fill(&table, answer.result);
        status = text_table_print(&table) ? EXIT_OK : EXIT_FAILED;
    }
    client_answer_fini(&answer);
    return status;
}
