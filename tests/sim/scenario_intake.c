/* SPDX-License-Identifier: MIT */
/* Large bodies, which the intake reads, between small ones: the tasks of a key still begin in
 * their order, whoever dies meanwhile. */
#include "actors/router/intake.h"
#include "actors/router/router.h"
#include "tests/sim/scenario.h"
#include "tests/sim/scenario_step.h"

static const trp_class_t *const classes[] = {&router_class, &intake_class, &step_class, NULL};

static void play(trp_sim_t *sim)
{
    step_begin(sim);
    trp_sim_node(sim, &(trp_sim_node_t){.name = "a",
                                        .classes = classes,
                                        .threads = 2,
                                        .config = "majordomo\n"
                                                  "    endpoint = \"tcp://127.0.0.1:5555\"\n"
                                                  "pools\n"
                                                  "    step\n"
                                                  "        class = step\n"
                                                  "        place = process\n"
                                                  "        intensity = 100\n"
                                                  "        attempts_max = 20\n"
                                                  "        min = 3\n"
                                                  "        cache = 1\n"
                                                  "        order = key\n"
                                                  "        key_member = key\n"
                                                  "        tools = step\n"});
    step_play(trp_sim_client(sim, "client", "tcp://127.0.0.1:5555"), 20, 6);
}

const scenario_t scenario_intake = {
    .name = "intake",
    .text = "large bodies between small ones, over deaths of the intake, workers and the router",
    .faults =
        {.process_kills = 2, .actor_kills = 3, .slow_share = 20000, .slow_ms = 5, .over_ms = 200},
    .play = play,
};
