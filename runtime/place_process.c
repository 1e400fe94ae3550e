/* SPDX-License-Identifier: MIT */
#include "runtime/place_process.h"

#include <signal.h>
#include <sys/wait.h>

static trp_status_t start(void *user, place_link_t *link, const trp_class_t *class,
                          const char *program)
{
    (void)class; /* the start frame names it */
    return hub_spawn(user, link, program);
}

static void end(void *user, place_link_t *link)
{
    hub_kill(user, link, SIGKILL);
}

static bool reason_of(const place_link_t *link, trp_reason_t *reason)
{
    if (WIFSIGNALED(link->wait_status)) {
        *reason = trp_reason(TRP_REASON_SIGNAL, WTERMSIG(link->wait_status), NULL);
        return WTERMSIG(link->wait_status) == SIGKILL;
    }
    const int code = WEXITSTATUS(link->wait_status);
    *reason = code == 0 && link->said_bye ? link->bye
                                          : trp_reason(TRP_REASON_EXIT_CODE, code,
                                                       code == 0 ? "it left without a word" : NULL);
    return false;
}

const place_carrier_t place_process = {
    .name = "process",
    .place = TRP_PLACE_PROCESS,
    .start = start,
    .end = end,
    .reason = reason_of,
};
