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
    &supervisor_report_schema, &router_order_schema, NULL,
};

static bool has(const trp_schema_t *const *list, const trp_schema_t *schema)
{
    while (list != NULL && *list != NULL && *list != schema) {
        list++;
    }
    return list != NULL && *list == schema;
}

/* Of classes that share a schema the first shows it, among its messages rather than its answers. */
static bool is_shown(const command_call_t *call, const trp_schema_t *schema,
                     const trp_class_t *class)
{
    bool shown = has(own, schema);
    for (size_t i = 0; call->classes[i] != class && !shown; i++) {
        shown = has(call->classes[i]->messages, schema) || has(call->classes[i]->answers, schema);
    }
    return shown;
}

static bool print_schema(const trp_schema_t *schema)
{
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
        is_complete &=
            is_shown(call, class->messages[i], class) || print_schema(class->messages[i]);
    }
    for (size_t i = 0; class->answers != NULL && class->answers[i] != NULL; i++) {
        is_complete &= is_shown(call, class->answers[i], class) ||
                       has(class->messages, class->answers[i]) || print_schema(class->answers[i]);
    }
    if (class->options != NULL) {
        is_complete &= is_shown(call, class->options, class) || print_schema(class->options);
    }
    return is_complete;
}

int command_messages(const command_call_t *call)
{
    bool is_complete = true;
    printf("# Messages of troupe\n\n"
           "Printed by `troupe messages` from the tables that pack, unpack and check them.\n");
    for (size_t i = 0; own[i] != NULL; i++) {
        is_complete &= print_schema(own[i]);
    }
    for (size_t i = 0; call->classes[i] != NULL; i++) {
        is_complete &= print_class(call, call->classes[i]);
    }
    return is_complete ? EXIT_OK
                       : command_fail(call, EXIT_FAILED, "%s", trp_status_text(TRP_NO_MEMORY));
}
