/* SPDX-License-Identifier: MIT */
/* upgrade and restart: the workers of a pool are replaced one by one, while it goes on serving. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "supervisor/command/client.h"
#include "supervisor/command/command.h"

#define ROLL_MS 3600000 /* workers finish what they have */

static int roll(const command_call_t *call, const char *program)
{
    trp_writer_t request;
    client_answer_t answer;
    trp_writer_init(&request);
    trp_write_map(&request, program == NULL ? 2 : 3);
    trp_put_text(&request, "cmd", "roll");
    trp_put_text(&request, "pool", call->arguments[0]);
    if (program != NULL) {
        trp_put_text(&request, "program", program);
    }
    if (!client_ask(call, &request, ROLL_MS, &answer)) {
        return EXIT_FAILED;
    }
    int status = EXIT_OK;
    if (call->json) {
        status = command_print_json(call, answer.result);
    } else {
        printf("replaced %lld\n", (long long)client_int(answer.result, "replaced"));
    }
    client_answer_fini(&answer);
    return status;
}

int command_upgrade(const command_call_t *call)
{
    char program[PATH_MAX];
    if (realpath(call->arguments[1], program) == NULL) {
        return command_fail(call, EXIT_FAILED, "there is no program %s", call->arguments[1]);
    }
    return roll(call, program);
}

int command_restart(const command_call_t *call)
{
    return roll(call, NULL);
}
