/* SPDX-License-Identifier: MIT */
/* A request across a partition: it is answered once, when the net is whole again. */
#include "actors/router/router.h"
#include "tests/sim/scenario.h"
#include "tests/sim/scenario_echo.h"

static const trp_class_t *const classes[] = {&router_class, &echo_class, NULL};

static void play(trp_sim_t *sim)
{
    trp_sim_node(sim, &(trp_sim_node_t){
                          .name = "b",
                          .classes = classes,
                          .config = "majordomo\n"
                                    "    endpoint = \"tcp://10.0.0.2:5555\"\n    insecure = 1\n"
                                    "pools\n"
                                    "    echo\n"
                                    "        class = echo\n"
                                    "        min = 2\n"
                                    "        tools = echo\n"});
    trp_sim_client_t *a = trp_sim_client(sim, "a", "tcp://10.0.0.2:5555");
    trp_sim_advance(sim, 100);
    trp_sim_fault(sim, trp_sim_random(sim) % 2 == 0 ? "split a | b" : "cut b -> a");
    trp_sim_call(a, "echo", "{\"n\":7}", 0);
    trp_sim_advance(sim, 3000);
    if (trp_sim_answers(a) != 0) {
        trp_sim_fail(sim, "an answer came through a partition");
    }
    trp_sim_fault(sim, "heal");
}

const scenario_t scenario_partition = {
    .name = "partition",
    .text = "a request to another node across a partition",
    .faults = {.slow_share = 10000, .slow_ms = 50, .skew_ms = 60000},
    .play = play,
};
