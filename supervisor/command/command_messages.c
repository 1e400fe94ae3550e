/* SPDX-License-Identifier: MIT */
/* Prints docs/messages.md: the messages of troupe itself, then those of the program's classes. */
#include <stdio.h>
#include <stdlib.h>

#include "messages/control.h"
#include "messages/supervisor.h"
#include "messages/task.h"
#include "supervisor/command/command.h"

static const trp_schema_t *const own[] = {
    &task_run_schema,          &task_done_schema,    &call_schema,
    &pools_status_schema,      &pool_status_schema,  &pool_worker_schema,
    &control_request_schema,   &child_start_schema,  &child_id_schema,
    &child_answer_schema,      &children_schema,     &child_info_schema,
    &children_counted_schema,  &child_event_schema,  &child_spec_schema,
    &supervisor_report_schema, &router_order_schema,
};

/* Prints a schema once: of classes that share one, the first shows it. */
static bool print_schema(const command_call_t *call, const trp_schema_t *schema,
                         const trp_class_t *class)
{
    for (size_t i = 0; class != NULL && i < sizeof(own) / sizeof(own[0]); i++) {
        if (own[i] == schema) {
            return true;
        }
    }
    for (size_t i = 0; class != NULL && call->classes[i] != class; i++) {
        const trp_schema_t *const *earlier = call->classes[i]->messages;
        for (; earlier != NULL && *earlier != NULL; earlier++) {
            if (*earlier == schema) {
                return true;
            }
        }
    }
    char *text = trp_schema_document(schema);
    if (text != NULL) {
        printf("\n%s", text);
    }
    free(text);
    return text != NULL;
}

static bool print_class(const command_call_t *call, const trp_class_t *class)
{
    bool is_complete = true;
    if (class->messages == NULL && class->options == NULL) {
        return true;
    }
    printf("\n# Class `%s`\n", class->name);
    for (size_t i = 0; class->messages != NULL && class->messages[i] != NULL; i++) {
        is_complete &= print_schema(call, class->messages[i], class);
    }
    if (class->options != NULL) {
        is_complete &= print_schema(call, class->options, class);
    }
    return is_complete;
}

int command_messages(const command_call_t *call)
{
    bool is_complete = true;
    printf("# Messages of troupe\n\n"
           "Printed by `troupe messages` from the tables that pack, unpack and check them.\n");
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        is_complete &= print_schema(call, own[i], NULL);
    }
    for (size_t i = 0; call->classes[i] != NULL; i++) {
        is_complete &= print_class(call, call->classes[i]);
    }
    return is_complete ? EXIT_OK
                       : command_fail(call, EXIT_FAILED, "%s", trp_status_text(TRP_NO_MEMORY));
}
