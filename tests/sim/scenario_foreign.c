/* SPDX-License-Identifier: MIT */
/* Workers of other programs that are cut off from the router and answer late: after the deadline of
 * their task, or when another worker has it. Each task is answered once. */
#include "actors/router/router.h"
#include "tests/sim/scenario.h"

static const trp_class_t *const classes[] = {&router_class, NULL};

static void play(trp_sim_t *sim)
{
    trp_sim_node(sim, &(trp_sim_node_t){
                          .name = "a",
                          .classes = classes,
                          .config = "majordomo\n"
                                    "    endpoint = \"tcp://10.0.0.1:5555\"\n    insecure = 1\n"
                                    "    heartbeat_ms = 200\n    liveness = 3\n"
                                    "pools\n"
                                    "    echo\n        foreign = 1\n        tools = echo\n"
                                    "        run_ms = 900\n        options = 1\n"});
    static const char *const names[] = {"w1", "w2", "w3"};
    static const int64_t takes_ms[] = {50, 300, 1500};
    for (int i = 0; i < 3; i++) {
        trp_sim_worker(sim, &(trp_sim_worker_spec_t){.name = names[i],
                                                     .endpoint = "tcp://10.0.0.1:5555",
                                                     .tool = "echo",
                                                     .takes_ms = takes_ms[i]});
    }
    trp_sim_client_t *client = trp_sim_client(sim, "a.out", "tcp://10.0.0.1:5555");
    for (int i = 0; i < 15; i++) {
        trp_sim_call(client, "echo", "{\"n\":1}", i % 3 == 0 ? 100 : 0);
        trp_sim_advance(sim, 200);
    }
}

const scenario_t scenario_foreign = {
    .name = "foreign",
    .text = "workers of other programs, cut off from the router, that answer late",
    .faults = {.partitions = 4,
               .pauses = 1,
               .pause_ms = 1500,
               .slow_share = 20000,
               .slow_ms = 300,
               .over_ms = 3000},
    .play = play,
};
