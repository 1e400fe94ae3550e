/* SPDX-License-Identifier: MIT */
#include "runtime/place/place_process.h"

#include <signal.h>
#include <sys/wait.h>

#include "runtime/place/place_exit.h"

static trp_status_t start(void *user, place_link_t *link, const place_birth_t *birth)
{
    return hub_spawn(user, link, birth->program); /* the start frame names the class */
}

static void end(void *user, place_link_t *link)
{
    hub_kill(user, link, SIGKILL);
}

static bool reason_of(const place_link_t *link, trp_reason_t *reason)
{
    *reason = place_exit_reason(link);
    return WIFSIGNALED(link->wait_status) && WTERMSIG(link->wait_status) == SIGKILL &&
           !link->memory;
}

/* A process ends when it is killed: if that is not told, the guardian is stopped, or starved. */
const place_carrier_t place_process = {
    .name = "process",
    .place = TRP_PLACE_PROCESS,
    .late = "the guardian is silent",
    .start = start,
    .end = end,
    .reason = reason_of,
};
