/* SPDX-License-Identifier: MIT */
/* A struct of fixed size to an actor of each place and back, sent and forwarded: in the node it
 * stays one, into a thread or process and out of it it is packed, and the same call reads both. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

#include "runtime/typed.h"
#include "tests/runtime/node/node_fixture.h"

#define MEASURE_FIELDS(F)                   \
    F(INT, number, _, 0, 1000, "counts up") \
    F(OPT_REAL, celsius, _, -90, 90, "how hot")

TRP_SCHEMA_DECLARE(measure, MEASURE_FIELDS)
TRP_SCHEMA_DEFINE(measure, TRP_TAG_USER, TRP_SCHEMA_FIXED, MEASURE_FIELDS, "a measure")

#define FIRST   10   /* the number that goes out ... */
#define LAST    13   /* ... and what has become of it when it comes back the second time */
#define CELSIUS 21.5 /* comes back unchanged */

static trp_place_t place;

/* Reads a measure, which is a struct or not as `native` says, and sends it on with 1 more. */
static trp_status_t count_up(trp_ctx_t *ctx, const trp_envelope_t *message, bool native,
                             trp_pid_t to)
{
    measure_t measure;
    trp_fault_t fault;
    if (((message->flags & TRP_ENVELOPE_STRUCT) != 0) != native) {
        fprintf(stderr, "place %d: number %s\n", (int)place, native ? "packed" : "as a struct");
        return TRP_STATE;
    }
    trp_status_t status = trp_read_as(ctx, message, measure, &measure, &fault);
    measure.number++;
    return status == TRP_OK ? trp_send_as(ctx, to, measure, &measure) : status;
}

/* ---- in the place: the subject, and an actor that it has spawned there ---- */

typedef struct subject {
    trp_pid_t asker, inner;
} subject_t;

/* Forwards what it gets to whom its spawner has told it: out of the place. */
static trp_status_t inner_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    size_t size = 0;
    (void)ctx;
    memcpy(state, trp_message_data(args, &size), sizeof(trp_pid_t));
    return TRP_OK;
}

static trp_status_t inner_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    const bool native = (message->flags & TRP_ENVELOPE_STRUCT) != 0;
    return native ? trp_forward(ctx, message, *(trp_pid_t *)state) : TRP_STATE;
}

static const trp_class_t inner_class = {
    .name = "inner", .state_size = sizeof(trp_pid_t), .init = inner_init, .receive = inner_receive};

static trp_status_t subject_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    subject_t *subject = state;
    const bool native = place == TRP_PLACE_POOL;
    if (trp_pid_is_none(subject->asker)) {
        subject->asker = message->from;
        return count_up(ctx, message, native, subject->asker);
    }
    const trp_spawn_t spawn = {.class = &inner_class,
                               .link = true,
                               .args = &subject->asker,
                               .args_size = sizeof(subject->asker)};
    const trp_status_t status = trp_spawn(ctx, &spawn, &subject->inner);
    return status == TRP_OK ? count_up(ctx, message, native, subject->inner) : status;
}

static const trp_class_t subject_class = {
    .name = "subject", .state_size = sizeof(subject_t), .receive = subject_receive};

static const trp_class_t *const worker_classes[] = {&subject_class, NULL};

/* ---- in the node: who asks, and a relay that knows nothing of measures ---- */

typedef struct asker {
    trp_pid_t subject, relay;
    int answers;
} asker_t;

static trp_status_t asker_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    asker_t *asker = state;
    uint64_t ref;
    const trp_spawn_t subject = {
        .class = &subject_class, .place = place, .monitor = true, .monitor_ref = &ref, .ack = true};
    (void)args;
    trp_status_t status = trp_spawn(ctx, &subject, &asker->subject);
    if (status == TRP_OK) {
        const trp_spawn_t relay = {
            .class = &inner_class, .args = &asker->subject, .args_size = sizeof(asker->subject)};
        status = trp_spawn(ctx, &relay, &asker->relay);
    }
    return status;
}

static bool is_right(trp_ctx_t *ctx, const trp_envelope_t *message)
{
    measure_t measure;
    trp_fault_t fault;
    return trp_read_as(ctx, message, measure, &measure, &fault) == TRP_OK &&
           measure.number == LAST && measure.has_celsius && measure.celsius == CELSIUS;
}

/* To the subject, back, to the relay, from that one to the subject, to the inner, and from that
 * one back. */
static trp_status_t asker_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    asker_t *asker = state;
    const measure_t measure = {.number = FIRST, .celsius = CELSIUS, .has_celsius = true};
    if (message->tag == TRP_TAG_STARTED) {
        return trp_send_as(ctx, asker->subject, measure, &measure);
    }
    const bool native = place == TRP_PLACE_POOL;
    if (message->tag == measure_schema.tag && asker->answers++ == 0 &&
        count_up(ctx, message, native, asker->relay) == TRP_OK) {
        return TRP_OK;
    }
    node_end(runtime_of(ctx),
             asker->answers == 2 && is_right(ctx, message) ? NODE_PASSED : NODE_FAILED);
    return TRP_OK;
}

static const trp_class_t asker_class = {
    .name = "asker", .state_size = sizeof(asker_t), .init = asker_init, .receive = asker_receive};

ParameterizedTestParameters(place_struct, is_the_same_in_every_place)
{
    static trp_place_t places[] = {TRP_PLACE_POOL, TRP_PLACE_THREAD, TRP_PLACE_PROCESS};
    return cr_make_param_array(trp_place_t, places, TRP_PLACE_COUNT);
}

ParameterizedTest(const trp_place_t *where, place_struct, is_the_same_in_every_place, .timeout = 20)
{
    place = *where;

    cr_expect_eq(node_fixture_drive(&asker_class, worker_classes), NODE_PASSED, "place %d",
                 (int)place);
}
