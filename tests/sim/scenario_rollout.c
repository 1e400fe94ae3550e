/* SPDX-License-Identifier: MIT */
/* A second pool gets half of a tool's calls, compared or taken, while workers of both die. */
#include "actors/router/intake.h"
#include "actors/router/router.h"
#include "tests/sim/scenario.h"
#include "tests/sim/scenario_echo.h"

#define POOLS(MODE)                             \
    "majordomo\n"                               \
    "    endpoint = \"tcp://127.0.0.1:5555\"\n" \
    "pools\n"                                   \
    "    old\n"                                 \
    "        class = lazy\n"                    \
    "        place = process\n"                 \
    "        intensity = 100\n"                 \
    "        min = 2\n"                         \
    "        tools = lazy\n"                    \
    "    new\n"                                 \
    "        class = lazy\n"                    \
    "        place = process\n"                 \
    "        intensity = 100\n"                 \
    "        min = 2\n"                         \
    "        run_ms = 45\n"                     \
    "        rollout_tools = lazy\n"            \
    "        rollout_share = 50\n"              \
    "        rollout_mode = " MODE "\n"

static const trp_class_t *const classes[] = {&router_class, &intake_class, &lazy_class, NULL};

static void play(trp_sim_t *sim)
{
    const bool compares = trp_sim_random(sim) % 2 == 0;
    trp_sim_node(sim, &(trp_sim_node_t){.name = "a",
                                        .classes = classes,
                                        .threads = 2,
                                        .config = compares ? POOLS("compare") : POOLS("take")});
    trp_sim_client_t *client = trp_sim_client(sim, "client", "tcp://127.0.0.1:5555");
    for (int i = 0; i < 30; i++) {
        trp_sim_call(client, "lazy", "{\"n\":1}", i % 4 == 0 ? 40 : 0);
        trp_sim_advance(sim, 20);
    }
}

const scenario_t scenario_rollout = {
    .name = "rollout",
    .text = "half of the calls compared with a second pool's, or taken by it, over deaths of both",
    .faults =
        {.process_kills = 4, .actor_kills = 1, .slow_share = 20000, .slow_ms = 20, .over_ms = 800},
    .play = play,
};
