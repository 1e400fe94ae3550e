/* SPDX-License-Identifier: MIT */
/* Two owners of one key on two nodes, each of which takes itself for the only one: cut off, killed,
 * with a store that fails, is slow and dies. What was acknowledged as durable is never lost, so no
 * stale write was ever taken. */
#include "tests/sim/scenario.h"
#include "tests/sim/scenario_owner.h"

static const trp_class_t *const classes[] = {&owner_class, &trp_sim_store_class, NULL};

static const char config[] = "tree\n"
                             "    intensity = 1000\n"
                             "    children\n"
                             "        store\n"
                             "            class = store\n"
                             "            options\n"
                             "                where = store\n"
                             "        owner\n"
                             "            class = owner\n";

static void play(trp_sim_t *sim)
{
    owners_begin();
    trp_sim_node(sim, &(trp_sim_node_t){
                          .name = "a", .classes = classes, .restart_ms = 100, .config = config});
    trp_sim_node(sim, &(trp_sim_node_t){
                          .name = "b", .classes = classes, .restart_ms = 100, .config = config});
    trp_sim_advance(sim, 1500);
    trp_sim_fault(sim, "heal");
    trp_sim_advance(sim, 500);
    owners_check(sim, "store");
}

const scenario_t scenario_store = {
    .name = "store",
    .text = "two owners of one key, cut off and killed, and a store that fails and dies",
    .faults = {.actor_kills = 3,
               .node_kills = 2,
               .partitions = 3,
               .store_kills = 3,
               .pauses = 1,
               .pause_ms = 300,
               .job_slow_share = 50000,
               .slow_ms = 200,
               .store_fail_share = 30000,
               .store_doubt_share = 30000,
               .skew_ms = 60000,
               .over_ms = 1500},
    .play = play,
};
