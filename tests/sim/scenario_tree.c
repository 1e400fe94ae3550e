/* SPDX-License-Identifier: MIT */
/* A tree whose children end by themselves, by kills and by each other, under each strategy. */
#include <stdio.h>

#include "tests/sim/scenario.h"

#define TAG_TICK TRP_TAG_USER

static trp_status_t init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)state;
    (void)args;
    uint64_t timer;
    const int64_t delay_ms = (int64_t)(trp_random(ctx) % 2000);
    return trp_timer_start(ctx, delay_ms, 500, TAG_TICK, &timer);
}

static trp_status_t receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    const uint64_t luck = trp_random(ctx) % 8;
    if (message->tag == TAG_TICK && luck == 0) {
        return TRP_FAILED;
    }
    if (message->tag == TAG_TICK && luck == 1) {
        trp_stop(ctx, NULL);
    }
    return TRP_OK;
}

static const trp_class_t mortal_class = {
    .name = "mortal", .version = 1, .init = init, .receive = receive};

static const trp_class_t *const classes[] = {&mortal_class, NULL};

static void play(trp_sim_t *sim)
{
    static const char *const strategies[] = {"one_for_one", "one_for_all", "rest_for_one"};
    static char config[512]; /* the world reads it while it lives */
    const char *strategy = strategies[trp_sim_random(sim) % 3];
    const char *place = trp_sim_random(sim) % 2 == 0 ? "pool" : "process";
    snprintf(config, sizeof(config),
             "tree\n"
             "    strategy = %s\n"
             "    intensity = 1000\n"
             "    children\n"
             "        first\n"
             "            class = mortal\n"
             "        second\n"
             "            class = mortal\n"
             "            restart = transient\n"
             "        third\n"
             "            class = mortal\n"
             "            place = %s\n",
             strategy, place);
    trp_sim_node(
        sim, &(trp_sim_node_t){.name = "a", .classes = classes, .threads = 2, .config = config});
    trp_sim_advance(sim, 6000);
    /* A death during the first start has ended the node, as it would end OTP's tree. */
    if (!trp_pid_is_none(trp_sim_whereis(sim, "a", "root"))) {
        trp_sim_fault(sim, "stop node a");
    }
}

const scenario_t scenario_tree = {
    .name = "tree",
    .text = "a supervisor and children that die, under each strategy",
    .faults = {.actor_kills = 3, .process_kills = 1, .pauses = 1, .over_ms = 5000},
    .play = play,
};
