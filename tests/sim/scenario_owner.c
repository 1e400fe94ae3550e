/* SPDX-License-Identifier: MIT */
#include "tests/sim/scenario_owner.h"

#include <string.h>

#include "runtime/store.h"

#define TAG_TICK    TRP_TAG_USER
#define NUMBERS_MAX 4096
#define ROUNDS_MAX  90 /* of one owner: a world has to come to rest */

static const trp_text_t key = {"log", 3};

typedef enum claim { CLAIM_NONE, CLAIM_SEEN, CLAIM_DURABLE } claim_t;

static claim_t claims[NUMBERS_MAX]; /* what its owner was told of each number */
static uint32_t numbers, acknowledged;

void owners_begin(void)
{
    memset(claims, 0, sizeof(claims));
    numbers = acknowledged = 0;
}

typedef struct owner {
    uint64_t asked; /* 0: nothing under way */
    int64_t version;
    uint64_t timer;
    uint32_t rounds;
    uint32_t size; /* of the log */
    uint32_t number;
    bool knows, writes, wants_sync;
    uint32_t log[NUMBERS_MAX];
} owner_t;

static trp_status_t init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    owner_t *owner = state;
    (void)args;
    return trp_timer_start(ctx, 1 + (int64_t)(trp_random(ctx) % 20), 20, TAG_TICK, &owner->timer);
}

/* Reads what it does not know, else writes one number more. */
static trp_status_t go_on(trp_ctx_t *ctx, owner_t *owner)
{
    const trp_pid_t store = trp_whereis(ctx, "store");
    owner->writes = owner->knows && owner->size < NUMBERS_MAX && numbers < NUMBERS_MAX;
    if (!owner->writes) {
        return trp_store_get(ctx, store, &(store_get_t){.key = key}, 500, &owner->asked);
    }
    owner->number = numbers++;
    owner->log[owner->size] = owner->number;
    owner->wants_sync = trp_random(ctx) % 2 == 0;
    const store_put_t put = {
        .key = key,
        .value = {(const char *)owner->log, (owner->size + 1) * sizeof(owner->log[0])},
        .has_expect = true,
        .expect = owner->version,
        .sync = owner->wants_sync};
    return trp_store_put(ctx, store, &put, 500, &owner->asked);
}

static void hear(owner_t *owner, const store_answer_t *answer)
{
    if (owner->writes && answer->status == TRP_OK) {
        claims[owner->number] = owner->wants_sync ? CLAIM_DURABLE : CLAIM_SEEN;
        acknowledged++;
        owner->size++;
        owner->version = answer->version;
        return;
    }
    owner->knows = !owner->writes && (answer->status == TRP_OK || answer->status == TRP_NOT_FOUND);
    if (owner->knows) {
        owner->version = answer->version; /* 0: it is to be made */
        owner->size = (uint32_t)(answer->value.size / sizeof(owner->log[0]));
        if (owner->size > 0) {
            memcpy(owner->log, answer->value.data, answer->value.size);
        }
    }
}

static trp_status_t receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    owner_t *owner = state;
    store_answer_t answer = {.status = TRP_TIMEOUT};
    trp_document_t document;
    trp_fault_t fault;
    if (message->tag == TAG_TICK) {
        if (++owner->rounds == ROUNDS_MAX) {
            trp_timer_cancel(ctx, owner->timer);
        }
        return owner->asked == 0 ? go_on(ctx, owner) : TRP_OK;
    }
    if (message->request_id != owner->asked) {
        return TRP_OK;
    }
    owner->asked = 0;
    if (message->tag != TRP_TAG_STORE_ANSWER) { /* a time-out, or the store has ended */
        hear(owner, &answer);
        return TRP_OK;
    }
    const trp_status_t status =
        trp_message_unpack(&store_answer_schema, message, &document, &answer, &fault);
    if (status == TRP_OK) {
        hear(owner, &answer);
        trp_document_fini(&document);
    }
    return status;
}

const trp_class_t owner_class = {
    .name = "owner", .version = 1, .state_size = sizeof(owner_t), .init = init, .receive = receive};

void owners_check(trp_sim_t *sim, const char *store)
{
    static bool found[NUMBERS_MAX];
    trp_store_record_t record;
    memset(found, 0, sizeof(found));
    const bool exists = trp_sim_stored(sim, store, "log", &record);
    for (size_t at = 0; exists && at < record.value.size / sizeof(uint32_t); at++) {
        uint32_t number;
        memcpy(&number, record.value.data + at * sizeof(number), sizeof(number));
        if (number >= numbers || found[number]) {
            trp_sim_fail(sim, "number %u stands in the log and nobody put it there", number);
            return;
        }
        found[number] = true;
    }
    for (uint32_t number = 0; number < numbers; number++) {
        if (claims[number] == CLAIM_DURABLE && !found[number]) {
            trp_sim_fail(sim, "number %u was acknowledged as durable and is lost", number);
        }
    }
}

uint32_t owners_acknowledged(void)
{
    return acknowledged;
}
