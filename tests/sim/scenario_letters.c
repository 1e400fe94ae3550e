/* SPDX-License-Identifier: MIT */
/* Messages to an actor whose process is killed: what had not left the node is a dead letter, which
 * who listens hears of. Each message was handled, is one of those, or was in the process's window.
 */
#include "tests/sim/scenario.h"

#define TAG_WORK TRP_TAG_USER
#define MESSAGES 400
#define WINDOW   128 /* of a link */

static uint32_t handled, letters;

static trp_status_t work(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)ctx;
    (void)state;
    handled += message->tag == TAG_WORK;
    return TRP_OK;
}

static trp_status_t subscribe(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)state;
    (void)args;
    return trp_dead_letters(ctx, true);
}

static trp_status_t note(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)ctx;
    (void)state;
    letters += message->tag == TRP_TAG_DEAD_LETTER;
    return TRP_OK;
}

static const trp_class_t worker_class = {.name = "worker", .version = 1, .receive = work};
static const trp_class_t listener_class = {
    .name = "listener", .version = 1, .init = subscribe, .receive = note};
static const trp_class_t *const classes[] = {&worker_class, &listener_class, NULL};

static void play(trp_sim_t *sim)
{
    handled = letters = 0;
    trp_sim_node(sim, &(trp_sim_node_t){.name = "a", .classes = classes});
    (void)trp_sim_spawn(sim, "a", &(trp_spawn_t){.class = &listener_class});
    const trp_pid_t worker =
        trp_sim_spawn(sim, "a", &(trp_spawn_t){.class = &worker_class, .place = TRP_PLACE_PROCESS});
    trp_sim_advance(sim, (int64_t)(trp_sim_random(sim) % 20));
    for (int i = 0; i < MESSAGES; i++) {
        trp_sim_send(sim, worker, TAG_WORK, "", 0);
    }
    trp_sim_advance(sim, 1000);
    if (handled + letters > MESSAGES || handled + letters + WINDOW < MESSAGES) {
        trp_sim_fail(sim, "of %d messages %u were handled and %u are dead letters", MESSAGES,
                     handled, letters);
    }
}

const scenario_t scenario_letters = {
    .name = "letters",
    .text = "messages to a process that is killed, and who hears of those that it never got",
    .faults = {.process_kills = 1,
               .pauses = 2,
               .pause_ms = 20,
               .slow_share = 50000,
               .slow_ms = 5,
               .over_ms = 30},
    .play = play,
};
