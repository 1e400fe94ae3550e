/* SPDX-License-Identifier: MIT */
/* A rolling restart: the workers are ended one by one through their supervisor while work goes on;
 * nothing is lost and nothing is refused. */
#include <stdio.h>

#include "actors/router/router.h"
#include "tests/sim/scenario.h"
#include "tests/sim/scenario_echo.h"

static const trp_class_t *const classes[] = {&router_class, &echo_class, NULL};

static void play(trp_sim_t *sim)
{
    trp_sim_node(sim, &(trp_sim_node_t){.name = "a",
                                        .classes = classes,
                                        .config = "majordomo\n"
                                                  "    endpoint = \"tcp://127.0.0.1:5555\"\n"
                                                  "pools\n"
                                                  "    echo\n"
                                                  "        class = echo\n"
                                                  "        place = process\n"
                                                  "        intensity = 10\n"
                                                  "        min = 3\n"
                                                  "        tools = echo\n"});
    trp_sim_client_t *client = trp_sim_client(sim, "client", "tcp://127.0.0.1:5555");
    trp_sim_advance(sim, 500);
    for (int i = 0; i < 9; i++) {
        char what[32];
        trp_sim_call(client, "echo", "{\"n\":1}", 0);
        snprintf(what, sizeof(what), "kill process a.%d", i / 3 + 1);
        trp_sim_fault(sim, i % 3 == 1 ? what : "heal");
        trp_sim_advance(sim, 400);
    }
    if (trp_sim_answers(client) != 9 || trp_sim_refusals(client) != 0) {
        trp_sim_fail(sim, "%u answers, %u refusals", trp_sim_answers(client),
                     trp_sim_refusals(client));
    }
}

const scenario_t scenario_rolling = {
    .name = "rolling",
    .text = "a rolling restart of the workers of a pool",
    .faults = {.slow_share = 5000, .slow_ms = 10},
    .play = play,
};
