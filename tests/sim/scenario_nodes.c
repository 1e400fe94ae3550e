/* SPDX-License-Identifier: MIT */
/* Two nodes and everything that may go wrong with nodes and the net between them and clients. */
#include "actors/router/router.h"
#include "tests/sim/scenario.h"
#include "tests/sim/scenario_echo.h"

static const trp_class_t *const classes[] = {&router_class, &echo_class, NULL};

#define POOL                    \
    "pools\n"                   \
    "    echo\n"                \
    "        class = echo\n"    \
    "        place = process\n" \
    "        intensity = 100\n" \
    "        queue_ms = 2000\n" \
    "        tools = echo\n"

static void play(trp_sim_t *sim)
{
    trp_sim_node(
        sim, &(trp_sim_node_t){
                 .name = "a",
                 .classes = classes,
                 .threads = 2,
                 .restart_ms = 300,
                 .config =
                     "majordomo\n    endpoint = \"tcp://10.0.0.1:5555\"\n    insecure = 1\n" POOL});
    trp_sim_node(
        sim, &(trp_sim_node_t){
                 .name = "b",
                 .classes = classes,
                 .restart_ms = 300,
                 .config =
                     "majordomo\n    endpoint = \"tcp://10.0.0.2:5555\"\n    insecure = 1\n" POOL});
    trp_sim_client_t *to_a = trp_sim_client(sim, "b.out", "tcp://10.0.0.1:5555");
    trp_sim_client_t *to_b = trp_sim_client(sim, "a.out", "tcp://10.0.0.2:5555");
    for (int i = 0; i < 10; i++) {
        trp_sim_call(to_a, "echo", "{\"n\":1}", i % 2 == 0 ? 0 : 500);
        trp_sim_call(to_b, "echo", "{\"n\":2}", 0);
        trp_sim_advance(sim, 300);
    }
}

const scenario_t scenario_nodes = {
    .name = "nodes",
    .text = "two nodes that call each other; kills, splits, loss, pauses, skew",
    .faults = {.node_kills = 1,
               .process_kills = 1,
               .partitions = 2,
               .pauses = 1,
               .slow_nodes = 1,
               .loss_share = 20000,
               .double_share = 20000,
               .pass_share = 50000,
               .slow_share = 20000,
               .slow_ms = 200,
               .skew_ms = 60000,
               .over_ms = 3000},
    .play = play,
};
