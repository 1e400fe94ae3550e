/* SPDX-License-Identifier: MIT */
/* order = key while workers die: the tasks of a key begin one after another, in their order. */
#include "actors/router/router.h"
#include "tests/sim/scenario.h"
#include "tests/sim/scenario_step.h"

static const trp_class_t *const classes[] = {&router_class, &step_class, NULL};

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
                                                  "        order = key\n"
                                                  "        key_member = key\n"
                                                  "        tools = step\n"});
    trp_sim_client_t *client = trp_sim_client(sim, "client", "tcp://127.0.0.1:5555");
    step_play(client, 10, 0);
    if (!trp_pid_is_none(trp_sim_whereis(sim, "a", "router"))) {
        trp_sim_fault(sim, "kill actor a/router"); /* workers that stand still keep what they got */
    }
    step_play(client, 20, 0);
}

const scenario_t scenario_key = {
    .name = "key",
    .text = "tasks of a key one after another, over deaths of workers and the router",
    .faults = {.process_kills = 2, .actor_kills = 1, .pauses = 4, .pause_ms = 60, .over_ms = 200},
    .play = play,
};
