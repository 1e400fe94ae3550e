/* SPDX-License-Identifier: MIT */
/* Requests to an actor in a process that is paused, killed and answers late, some of them for its
 * state: each request is over once, by its answer, its time limit or the end of who was asked. */
#include <string.h>

#include "runtime/snapshot.h"
#include "tests/sim/scenario.h"

#define TAG_ASK   TRP_TAG_USER
#define TAG_REPLY (TRP_TAG_USER + 1)
#define TAG_TICK  (TRP_TAG_USER + 2)
#define ASKS      60
#define LATER_MAX 32

static trp_sim_t *world;

/* ---- answers at once, or 7 ms after the first that it did not ---- */

typedef struct answerer {
    trp_reply_address_t later[LATER_MAX];
    size_t count;
} answerer_t;

static trp_status_t answerer_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    answerer_t *answerer = state;
    if (message->tag == TAG_TICK) {
        while (answerer->count > 0) {
            zmq_msg_t nothing;
            (void)zmq_msg_init(&nothing);
            (void)!trp_reply_to(ctx, answerer->later[--answerer->count], TAG_REPLY, &nothing);
            (void)zmq_msg_close(&nothing);
        }
    } else if (message->tag == TAG_ASK && answerer->count < LATER_MAX && trp_random(ctx) % 2 == 0) {
        uint64_t timer;
        answerer->later[answerer->count++] = trp_reply_address(message);
        return answerer->count > 1 ? TRP_OK : trp_timer_start(ctx, 7, 0, TAG_TICK, &timer);
    } else if (message->tag == TAG_ASK) {
        return trp_reply(ctx, message, TAG_REPLY, NULL, 0);
    }
    return TRP_OK;
}

static const trp_class_t answerer_class = {.name = "answerer",
                                           .version = 1,
                                           .state_size = sizeof(answerer_t),
                                           .receive = answerer_receive};

/* ---- asks ---- */

typedef struct asker {
    trp_pid_t answerer;
    uint64_t ref, timer;
    uint64_t open[ASKS]; /* 0: over */
    size_t asked;
} asker_t;

static size_t still_open;

static trp_status_t find_answerer(trp_ctx_t *ctx, asker_t *asker)
{
    const trp_spawn_t spawn = {.class = &answerer_class,
                               .place = TRP_PLACE_PROCESS,
                               .monitor = true,
                               .monitor_ref = &asker->ref};
    return trp_spawn(ctx, &spawn, &asker->answerer);
}

static trp_status_t asker_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)args;
    const trp_status_t status = trp_timer_start(ctx, 5, 5, TAG_TICK, &((asker_t *)state)->timer);
    return status == TRP_OK ? find_answerer(ctx, state) : status;
}

static trp_status_t ask(trp_ctx_t *ctx, asker_t *asker)
{
    const trp_request_t request = {
        .to = asker->answerer, .tag = TAG_ASK, .timeout_ms = trp_random(ctx) % 2 == 0 ? 3 : -1};
    if (asker->asked == ASKS) {
        trp_timer_cancel(ctx, asker->timer); /* so that the world comes to rest */
        return TRP_OK;
    }
    uint64_t *id = &asker->open[asker->asked];
    const trp_status_t status =
        trp_random(ctx) % 8 == 0
            ? trp_snapshot_take(ctx, request.to, request.timeout_ms, id) /* it has no `save` */
            : trp_request(ctx, &request, id);
    if (status == TRP_OK) {
        asker->asked++;
        still_open++;
    }
    return status;
}

static void close_request(asker_t *asker, uint64_t id)
{
    for (size_t i = 0; i < asker->asked; i++) {
        if (asker->open[i] == id) {
            asker->open[i] = 0;
            still_open--;
            return;
        }
    }
    trp_sim_fail(world, "request %llu is over a second time", (unsigned long long)id);
}

static trp_status_t asker_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    asker_t *asker = state;
    if (message->tag == TAG_TICK) {
        return ask(ctx, asker);
    }
    if (message->tag == TRP_TAG_DOWN && message->request_id == asker->ref) {
        return find_answerer(ctx, asker);
    }
    if (message->tag == TAG_REPLY || message->tag == TRP_TAG_TIMEOUT ||
        message->tag == TRP_TAG_DOWN || message->tag == TRP_TAG_NO_SNAPSHOT) {
        close_request(asker, message->request_id);
    }
    return TRP_OK;
}

static const trp_class_t asker_class = {.name = "asker",
                                        .version = 1,
                                        .state_size = sizeof(asker_t),
                                        .init = asker_init,
                                        .receive = asker_receive};

static const trp_class_t *const classes[] = {&answerer_class, &asker_class, NULL};

static void play(trp_sim_t *sim)
{
    world = sim;
    still_open = 0;
    trp_sim_node(sim, &(trp_sim_node_t){.name = "a", .classes = classes});
    (void)trp_sim_spawn(sim, "a", &(trp_spawn_t){.class = &asker_class});
    trp_sim_advance(sim, 1500);
    if (still_open != 0) {
        trp_sim_fail(sim, "%zu requests are never over", still_open);
    }
}

const scenario_t scenario_ask = {
    .name = "ask",
    .text = "requests with and without time limits to an actor that comes and goes",
    .faults = {.process_kills = 3,
               .pauses = 2,
               .pause_ms = 20,
               .slow_share = 20000,
               .slow_ms = 5,
               .refusal_share = 50000,
               .over_ms = 400},
    .play = play,
};
