/* SPDX-License-Identifier: MIT */
/* The greeter, tested in a simulated node: eleven seconds of its life take no time. */
#define main hello_main
#include "examples/hello/hello.c" // NOLINT(bugprone-suspicious-include): its class is static
#undef main

#include <assert.h>

#include "tests/sim/trp_sim.h"

int main(void)
{
    trp_sim_t *sim = trp_sim_open(NULL);
    const trp_pid_t greeter = trp_sim_spawn(sim, "node", &(trp_spawn_t){.class = &greeter_class});
    trp_reason_t reason;

    trp_sim_advance(sim, 9500);
    assert(trp_sim_lives(sim, greeter) && trp_sim_handled(sim, TAG_TICK) == 9);
    trp_sim_advance(sim, 1000);
    assert(trp_sim_ended(sim, greeter, &reason));
    assert(reason.kind == TRP_REASON_ERROR && reason.code == TRP_FAILED);

    return trp_sim_close(&sim) ? 0 : 1;
}
