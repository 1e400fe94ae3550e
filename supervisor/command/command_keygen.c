/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runtime/config/config_keys.h"
#include "supervisor/command/command.h"

int command_keygen(const command_call_t *call)
{
    char public_key[CONFIG_KEY_SIZE + 1];
    trp_status_t status = config_keypair_write(call->arguments[0], public_key);
    if (status != TRP_OK) {
        return command_fail(call, EXIT_FAILED, "%s: %s", call->arguments[0],
                            status == TRP_EXISTS ? "it exists and is left as it is"
                                                 : strerror(errno));
    }
    printf("%s\n", public_key);
    return EXIT_OK;
}
