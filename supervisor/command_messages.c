/* SPDX-License-Identifier: MIT */
/* Prints docs/messages.md: the messages of troupe itself, then those of the program's classes. */
#include <stdio.h>
#include <stdlib.h>

#include "messages/control.h"
#include "messages/supervisor.h"
#include "messages/task.h"
#include "supervisor/command.h"

static const trp_schema_t *const own[] = {
    &task_run_schema,         &task_done_schema,   &call_schema,
    &pools_status_schema,     &pool_status_schema, &pool_worker_schema,
    &control_request_schema,  &child_start_schema, &child_id_schema,
    &child_answer_schema,     &children_schema,    &child_info_schema,
    &children_counted_schema, &child_event_schema,
};

static bool print_schema(const trp_schema_t *schema)
{
    char *text = trp_schema_document(schema);
    if (text != NULL) {
        printf("\n%s", text);
    }
    free(text);
    return text != NULL;
}

int command_messages(const command_call_t *call)
{
    bool is_complete = true;
    printf("# Messages\n\n"
           "Printed by `%s messages` from the tables that pack, unpack and check them.\n\n"
           "# Messages of troupe\n",
           "troupe");
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        is_complete &= print_schema(own[i]);
    }
    for (size_t i = 0; call->classes[i] != NULL; i++) {
        const trp_class_t *class = call->classes[i];
        if (class->messages == NULL && class->options == NULL) {
            continue;
        }
        printf("\n# Class `%s`\n", class->name);
        for (size_t m = 0; class->messages != NULL && class->messages[m] != NULL; m++) {
            is_complete &= print_schema(class->messages[m]);
        }
        if (class->options != NULL) {
            is_complete &= print_schema(class->options);
        }
    }
    return is_complete ? EXIT_OK
                       : command_fail(call, EXIT_FAILED, "%s", trp_status_text(TRP_NO_MEMORY));
}
