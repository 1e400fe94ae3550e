/* SPDX-License-Identifier: MIT */
/* A supervised pool under kills: whatever happens to its workers, each call has one answer. */
#include "actors/router/router.h"
#include "tests/sim/scenario.h"
#include "tests/sim/scenario_echo.h"

static const trp_class_t *const classes[] = {&router_class, &echo_class, NULL};

static void play(trp_sim_t *sim)
{
    trp_sim_node(sim, &(trp_sim_node_t){.name = "a",
                                        .classes = classes,
                                        .threads = 2,
                                        .config = "majordomo\n"
                                                  "    endpoint = \"tcp://127.0.0.1:5555\"\n"
                                                  "pools\n"
                                                  "    echo\n"
                                                  "        class = echo\n"
                                                  "        place = process\n"
                                                  "        intensity = 100\n"
                                                  "        min = 2\n"
                                                  "        tools = echo\n"});
    trp_sim_client_t *client = trp_sim_client(sim, "client", "tcp://127.0.0.1:5555");
    for (int i = 0; i < 20; i++) {
        trp_sim_call(client, "echo", "{\"n\":1}", i % 3 == 0 ? 10 : 0);
        trp_sim_advance(sim, 100);
    }
}

const scenario_t scenario_pool = {
    .name = "pool",
    .text = "a supervised pool of worker processes under kills",
    .faults = {.process_kills = 4,
               .pauses = 1,
               .slow_share = 10000,
               .slow_ms = 20,
               .refusal_share = 50000,
               .over_ms = 2000},
    .play = play,
};
