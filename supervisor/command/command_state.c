/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "supervisor/command/client.h"
#include "supervisor/command/command.h"

#define STATE_MS 10000

int command_state(const command_call_t *call)
{
    trp_writer_t request;
    client_answer_t answer;
    trp_writer_init(&request);
    trp_write_map(&request, 2);
    trp_put_text(&request, "cmd", "state");
    trp_put_text(&request, "who", call->arguments[0]);
    if (!client_ask(call, &request, STATE_MS, &answer)) {
        return EXIT_FAILED;
    }
    int status = EXIT_FAILED;
    const msgpack_object *state = trp_member(answer.result, "state");
    if (call->json) {
        status = command_print_json(call, answer.result);
    } else if (state != NULL) {
        printf("%s %s, version %lld\n", client_text(answer.result, "pid"),
               client_text(answer.result, "class"),
               (long long)client_int(answer.result, "version"));
        status = command_print_json(call, state);
    }
    client_answer_fini(&answer);
    return status;
}
