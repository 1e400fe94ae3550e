/* SPDX-License-Identifier: MIT */
/* child: asks a supervisor about its children, or to start, stop or forget one. */
#include <stdio.h>
#include <string.h>

#include "supervisor/command/client.h"
#include "supervisor/command/command.h"

#define ASK_MS 65000 /* a little longer than the node waits for the supervisor */

int command_child(const command_call_t *call)
{
    trp_writer_t request;
    client_answer_t answer;
    bool has_id = call->argument_count > 2;
    trp_writer_init(&request);
    trp_write_map(&request, has_id ? 4 : 3);
    trp_put_text(&request, "cmd", "child");
    trp_put_text(&request, "action", call->arguments[0]);
    trp_put_text(&request, "who", call->arguments[1]);
    if (has_id) {
        trp_put_text(&request, "id", call->arguments[2]);
    }
    if (!client_ask(call, &request, ASK_MS, &answer)) {
        return EXIT_FAILED;
    }
    const char *outcome = client_text(answer.result, "outcome");
    int status = EXIT_OK;
    if (call->json || outcome[0] == '\0') {
        status = command_print_json(call, answer.result);
    } else {
        const char *reason = client_text(answer.result, "reason");
        printf("%s%s%s\n", outcome, reason[0] == '\0' ? "" : ": ", reason);
    }
    if (outcome[0] != '\0' && strcmp(outcome, "ok") != 0) {
        status = EXIT_FAILED;
    }
    client_answer_fini(&answer);
    return status;
}
