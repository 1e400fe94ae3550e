/* SPDX-License-Identifier: MIT */
#include "tests/sim/scenario_step.h"

#include <stdio.h>
#include <string.h>

#include "messages/codec.h"
#include "messages/task.h"

#define KEYS      4
#define STEP_MS   20
#define LARGE     20000 /* bytes: more than the edge looks into */
#define TAG_AWAKE TRP_TAG_USER

/* What is known of a key. */
typedef struct key {
    int64_t last;
    bool is_under_way; /* ... */
    trp_pid_t worker;  /* ... unless this one has died */
} step_key_t;

static struct {
    trp_sim_t *sim;
    unsigned calls;
    step_key_t keys[KEYS];
} world;

typedef struct step {
    trp_reply_address_t asked;
    unsigned key;
    int64_t n;
} step_t;

static void begin(const step_t *step, trp_pid_t worker)
{
    step_key_t *key = &world.keys[step->key];
    if (step->n < key->last) {
        trp_sim_fail(world.sim, "k%u: %lld began after %lld", step->key, (long long)step->n,
                     (long long)key->last);
    } else if (step->n > key->last && key->is_under_way && trp_sim_lives(world.sim, key->worker)) {
        trp_sim_fail(world.sim, "k%u: %lld began while %lld was under way", step->key,
                     (long long)step->n, (long long)key->last);
    }
    *key = (step_key_t){.last = step->n, .is_under_way = true, .worker = worker};
}

static bool read_body(trp_text_t body, step_t *step)
{
    trp_document_t document;
    trp_fault_t fault;
    if (trp_document_init(&document, body.data, body.size, &fault) != TRP_OK) {
        return false;
    }
    const msgpack_object *key = trp_member(&document.root, "key");
    const msgpack_object *n = trp_member(&document.root, "n");
    const bool is_sound = key != NULL && key->type == MSGPACK_OBJECT_STR && n != NULL &&
                          key->via.str.size == 2 && n->type == MSGPACK_OBJECT_POSITIVE_INTEGER;
    if (is_sound) {
        step->key = (unsigned)(key->via.str.ptr[1] - '0') % KEYS;
        step->n = n->via.i64;
    }
    trp_document_fini(&document);
    return is_sound;
}

static trp_status_t on_run(trp_ctx_t *ctx, step_t *step, const trp_envelope_t *message)
{
    trp_document_t document;
    task_run_t run;
    trp_fault_t fault;
    uint64_t timer;
    if (trp_message_unpack(&task_run_schema, message, &document, &run, &fault) != TRP_OK) {
        return TRP_FAILED;
    }
    const bool is_sound = read_body(run.body, step);
    trp_document_fini(&document);
    if (!is_sound) {
        return TRP_FAILED;
    }
    step->asked = trp_reply_address(message);
    begin(step, trp_self(ctx));
    return trp_timer_start(ctx, (int64_t)(trp_random(ctx) % STEP_MS), 0, TAG_AWAKE, &timer);
}

static trp_status_t answer(trp_ctx_t *ctx, const step_t *step)
{
    char text[32];
    step_key_t *key = &world.keys[step->key];
    const int size = snprintf(text, sizeof(text), "{\"n\":%lld}", (long long)step->n);
    const task_done_t done = {.success = true, .body = {text, (size_t)size}};
    zmq_msg_t message;
    key->is_under_way &= key->last != step->n;
    trp_status_t status = trp_schema_pack(&task_done_schema, &done, &message);
    if (status == TRP_OK) {
        status = trp_reply_to(ctx, step->asked, TRP_TAG_TASK_DONE, &message);
        (void)zmq_msg_close(&message);
    }
    return status;
}

static trp_status_t receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    if (message->tag == TRP_TAG_TASK_RUN) {
        return on_run(ctx, state, message);
    }
    return message->tag == TAG_AWAKE ? answer(ctx, state) : TRP_OK;
}

static const trp_schema_t *const messages[] = {&task_run_schema, NULL};

const trp_class_t step_class = {.name = "step",
                                .version = 1,
                                .state_size = sizeof(step_t),
                                .receive = receive,
                                .messages = messages};

void step_begin(trp_sim_t *sim)
{
    memset(&world, 0, sizeof(world));
    world.sim = sim;
}

void step_play(trp_sim_client_t *client, unsigned count, unsigned large)
{
    static char pad[LARGE + 1];
    static char body[LARGE + 64];
    memset(pad, 'x', LARGE);
    for (unsigned i = 0; i < count; i++) {
        const unsigned key = (unsigned)(trp_sim_random(world.sim) % KEYS);
        const bool is_large = large > 0 && trp_sim_random(world.sim) % large == 0;
        const bool is_short = trp_sim_random(world.sim) % 8 == 0;
        snprintf(body, sizeof(body), "{\"key\":\"k%u\",\"n\":%u,\"pad\":\"%s\"}", key,
                 ++world.calls, is_large ? pad : "");
        trp_sim_call(client, "step", body, is_short ? STEP_MS : 0);
        trp_sim_advance(world.sim, (int64_t)(trp_sim_random(world.sim) % 15));
    }
}
