/* SPDX-License-Identifier: MIT */
/* Deadlines about as long as the work takes: the worker answers, or the deadline does, never both.
 */
#include "actors/router/router.h"
#include "tests/sim/scenario.h"
#include "tests/sim/scenario_echo.h"

static const trp_class_t *const classes[] = {&router_class, &lazy_class, NULL};

static void play(trp_sim_t *sim)
{
    trp_sim_node(sim, &(trp_sim_node_t){.name = "a",
                                        .classes = classes,
                                        .threads = 2,
                                        .config = "majordomo\n"
                                                  "    endpoint = \"tcp://127.0.0.1:5555\"\n"
                                                  "pools\n"
                                                  "    lazy\n"
                                                  "        class = lazy\n"
                                                  "        place = process\n"
                                                  "        intensity = 100\n"
                                                  "        min = 2\n"
                                                  "        run_ms = 40\n"
                                                  "        tools = lazy\n"});
    trp_sim_client_t *client = trp_sim_client(sim, "client", "tcp://127.0.0.1:5555");
    trp_sim_advance(sim, 100);
    for (int i = 0; i < 20; i++) {
        trp_sim_call(client, "lazy", "{\"n\":1}", 5 + (int64_t)(trp_sim_random(sim) % 40));
        trp_sim_advance(sim, 30);
    }
}

const scenario_t scenario_late = {
    .name = "late",
    .text = "deadlines and limits about as long as the work takes",
    .faults = {.process_kills = 2, .slow_share = 50000, .slow_ms = 20, .over_ms = 700},
    .play = play,
};
