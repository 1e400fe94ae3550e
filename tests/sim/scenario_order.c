/* SPDX-License-Identifier: MIT */
/* Order between two actors, over a process's border: numbers come without gaps, the news of a death
 * after all that the dead had sent, and of a normal end after everything. The numbers are structs,
 * which are packed on their way into a process and out of it. */
#include <string.h>

#include "runtime/typed.h"
#include "tests/sim/scenario.h"

#define TAG_GO     TRP_TAG_USER
#define TAG_NUMBER (TRP_TAG_USER + 1)
#define NUMBERS    300 /* more than a window */
#define ROUNDS     4

#define ITEM_FIELDS(F)                    \
    F(INT, n, _, 0, NUMBERS, "counts up") \
    F(INT, of, _, 0, NUMBERS, "how many come")
TRP_SCHEMA_DECLARE(item, ITEM_FIELDS)
TRP_SCHEMA_DEFINE(item, TAG_NUMBER, TRP_SCHEMA_FIXED, ITEM_FIELDS, "a number")

static trp_sim_t *world;

/* ---- says the numbers, and ends ---- */

static trp_status_t talker_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    size_t size = 0;
    uint32_t count = 0;
    const void *data = trp_message_data(message, &size);
    if (message->tag != TAG_GO || size != sizeof(count)) {
        return TRP_OK;
    }
    memcpy(&count, data, size);
    for (uint32_t n = 0; n < count; n++) {
        const item_t item = {.n = n, .of = count};
        if (trp_send_as(ctx, message->from, item, &item) != TRP_OK) {
            const trp_reason_t full =
                trp_reason(TRP_REASON_ERROR, (int32_t)n, "its window is full");
            trp_stop(ctx, &full);
            return TRP_OK;
        }
    }
    trp_stop(ctx, NULL);
    return TRP_OK;
}

static const trp_class_t talker_class = {.name = "talker", .version = 1, .receive = talker_receive};

/* ---- hears them ---- */

typedef struct teller {
    uint32_t next, round, count;
    uint64_t ref;
} teller_t;

static trp_status_t begin(trp_ctx_t *ctx, teller_t *teller)
{
    trp_pid_t talker;
    const trp_spawn_t spawn = {.class = &talker_class,
                               .place =
                                   trp_random(ctx) % 4 == 0 ? TRP_PLACE_POOL : TRP_PLACE_PROCESS,
                               .monitor = true,
                               .monitor_ref = &teller->ref};
    teller->next = 0;
    teller->count = (uint32_t)(trp_random(ctx) % NUMBERS);
    trp_status_t status = trp_spawn(ctx, &spawn, &talker);
    for (uint32_t n = 0; n < NUMBERS && status == TRP_OK; n++) { /* that way has a window too */
        const item_t item = {.n = n, .of = NUMBERS};
        status = n + 1 == NUMBERS
                     ? trp_send(ctx, talker, TAG_GO, &teller->count, sizeof(teller->count))
                     : trp_send_as(ctx, talker, item, &item);
    }
    return status == TRP_BUSY ? TRP_OK : status;
}

static trp_status_t init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)args;
    return begin(ctx, state);
}

/* Whoever ends by itself has its last word after all that it said. */
static void check_end(const teller_t *teller, const trp_envelope_t *message)
{
    trp_reason_t reason;
    size_t size = 0;
    const void *data = trp_message_data(message, &size);
    if (trp_reason_read(data, size, &reason) != TRP_OK) {
        trp_sim_fail(world, "the end of the talker came without a reason");
        return;
    }
    const bool is_own = reason.kind == TRP_REASON_NORMAL || reason.kind == TRP_REASON_ERROR;
    const uint32_t said = reason.kind == TRP_REASON_ERROR ? (uint32_t)reason.code : teller->count;
    if (is_own && teller->next != said) {
        trp_sim_fail(world, "the end of the talker came with %u of %u numbers", teller->next, said);
    } else if (reason.kind == TRP_REASON_EXIT_CODE && reason.code == 0) {
        trp_sim_fail(world, "the talker left without a word");
    }
}

static trp_status_t receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    teller_t *teller = state;
    item_t item;
    trp_fault_t fault = {.path = ""};
    if (message->tag == TAG_NUMBER) {
        if (trp_read_as(ctx, message, item, &item, &fault) != TRP_OK || item.of != teller->count) {
            trp_sim_fail(world, "a number can't be read: %s: %s", fault.path, fault.rule);
        } else if (item.n != teller->next++) {
            trp_sim_fail(world, "number %u came as the %u.", (unsigned)item.n, teller->next);
        }
    } else if (message->tag == TRP_TAG_DOWN && message->request_id == teller->ref) {
        check_end(teller, message);
        if (++teller->round < ROUNDS) {
            return begin(ctx, teller);
        }
    }
    return TRP_OK;
}

static const trp_class_t teller_class = {.name = "teller",
                                         .version = 1,
                                         .state_size = sizeof(teller_t),
                                         .init = init,
                                         .receive = receive};

static const trp_class_t *const classes[] = {&talker_class, &teller_class, NULL};

static void play(trp_sim_t *sim)
{
    world = sim;
    trp_sim_node(sim, &(trp_sim_node_t){.name = "a", .classes = classes, .threads = 2});
    (void)trp_sim_spawn(sim, "a", &(trp_spawn_t){.class = &teller_class});
    trp_sim_advance(sim, 3000);
}

const scenario_t scenario_order = {
    .name = "order",
    .text = "numbers over a process's border, and the news of ends",
    .faults = {.process_kills = 1,
               .pauses = 1,
               .pause_ms = 100,
               .slow_share = 20000,
               .slow_ms = 5,
               .over_ms = 200},
    .play = play,
};
