/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "supervisor/command/client.h"
#include "supervisor/command/command.h"

#define WAIT_MS 120000 /* the guardian kills the node after its own, shorter limit */

/* Waits for the end of a process that is not our child. */
static bool wait_for_end(int64_t os_pid)
{
    int fd = (int)syscall(SYS_pidfd_open, (pid_t)os_pid, 0);
    if (fd < 0) {
        return true; /* it is gone */
    }
    struct pollfd item = {.fd = fd, .events = POLLIN};
    bool has_ended = poll(&item, 1, WAIT_MS) == 1;
    close(fd);
    return has_ended;
}

int command_stop(const command_call_t *call)
{
    client_answer_t answer;
    if (!client_ask_verb(call, "stop", &answer)) {
        return EXIT_FAILED;
    }
    int64_t guardian = client_int(answer.result, "guardian_pid");
    client_answer_fini(&answer);
    if (guardian > 1 && !wait_for_end(guardian)) {
        return command_fail(call, EXIT_FAILED, "the node still runs after %d s", WAIT_MS / 1000);
    }
    puts(call->json ? "{\"stopped\":true}" : "stopped");
    return EXIT_OK;
}
