/* SPDX-License-Identifier: MIT */
/* A program for test_layout.py, built with LAYOUT=1, 2 and 3. Workers of class gauge serve the tool
 * `weigh`: each has its measure read, changed and sent back by the actor `scale` in the node, as a
 * struct both ways. In build 2 the struct has another layout, and a member more; build 3 wants a
 * member that the others do not send. */
#include <string.h>

#include "actors/router/router.h"
#include "actors/tool.h"
#include "runtime/log.h"
#include "runtime/typed.h"

#if LAYOUT == 1
#define MEASURE_FIELDS(F)                                  \
    F(INT, number, _, 0, 1000000, "counts up")             \
    F(REAL, celsius, _, -300, 3000, "how hot")             \
    F(ENUM, state, "off|idle|busy", 0, 0, "of the sensor") \
    F(INT, sensor, _, 0, 100, "which sensor")
#elif LAYOUT == 2
#define MEASURE_FIELDS(F)                                          \
    F(OPT_INT, humidity, _, 0, 100, "what build 1 has no idea of") \
    F(INT, sensor, _, 0, 100, "which sensor")                      \
    F(ENUM, state, "busy|off|idle", 0, 0, "of the sensor")         \
    F(INT, number, _, 0, 1000000, "counts up")                     \
    F(REAL, celsius, _, -300, 3000, "how hot")
#else
#define MEASURE_FIELDS(F)                                  \
    F(INT, number, _, 0, 1000000, "counts up")             \
    F(REAL, celsius, _, -300, 3000, "how hot")             \
    F(ENUM, state, "off|idle|busy", 0, 0, "of the sensor") \
    F(INT, sensor, _, 0, 100, "which sensor")              \
    F(INT, unit, _, 0, 9, "what the other builds never send")
#endif

TRP_SCHEMA_DECLARE(measure, MEASURE_FIELDS)
TRP_SCHEMA_DEFINE(measure, TRP_TAG_USER, TRP_SCHEMA_FIXED | TRP_SCHEMA_OPEN, MEASURE_FIELDS,
                  "what a sensor says")

#define WEIGH_FIELDS(F) F(INT, number, _, 0, 1000, "of the measure")
TRP_SCHEMA_DECLARE(weigh, WEIGH_FIELDS)
TRP_SCHEMA_DEFINE(weigh, 0, 0, WEIGH_FIELDS, "has a measure weighed")

/* The index of a word differs from build to build. */
static int state_named(const char *name)
{
#if LAYOUT == 2
    static const char *const words[] = {"busy", "off", "idle"};
#else
    static const char *const words[] = {"off", "idle", "busy"};
#endif
    int index = 0;
    while (index < 2 && strcmp(words[index], name) != 0) {
        index++;
    }
    return index;
}

/* ---- in the worker: the gauge ---- */

typedef struct gauge {
    trp_reply_address_t asker; /* of the task in hand */
} gauge_t;

static trp_status_t weigh_run(tool_call_t *call, const void *request)
{
    gauge_t *gauge = call->state;
    const int64_t number = ((const weigh_t *)request)->number;
    measure_t measure = {
        .number = number, .celsius = 21.5, .state = state_named("busy"), .sensor = 7};
#if LAYOUT == 2
    measure.has_humidity = true;
    measure.humidity = 50;
#endif
    gauge->asker = trp_reply_address(call->message);
    const trp_status_t status =
        trp_send_as(call->ctx, trp_whereis(call->ctx, "scale"), measure, &measure);
    return status == TRP_OK ? TRP_PENDING : status;
}

/* Half of a packed measure, and bytes that are nothing. */
static trp_status_t garble_run(tool_call_t *call, const void *request)
{
    static const char half[] = "\x84\xa6number\x01\xa7"
                               "celsi";
    static const char nothing[] = "\xc1\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff";
    const trp_pid_t scale = trp_whereis(call->ctx, "scale");
    (void)request;
    trp_status_t status = trp_send(call->ctx, scale, measure_schema.tag, half, sizeof(half) - 1);
    if (status == TRP_OK) {
        status = trp_send(call->ctx, scale, measure_schema.tag, nothing, sizeof(nothing) - 1);
    }
    trp_write_bool(&call->result, true);
    return status;
}

static void write_result(trp_writer_t *result, const measure_t *measure)
{
    trp_write_map(result, 5);
    trp_put_int(result, "build", LAYOUT);
    trp_put_int(result, "number", measure->number);
    trp_put_real(result, "celsius", measure->celsius);
    trp_put_bool(result, "idle", measure->state == state_named("idle"));
    trp_put_int(result, "sensor", measure->sensor);
}

static trp_status_t on_measure(trp_ctx_t *ctx, const gauge_t *gauge, const trp_envelope_t *message)
{
    measure_t measure;
    trp_fault_t fault;
    trp_writer_t result;
    zmq_msg_t packed;
    trp_status_t status = trp_read_as(ctx, message, measure, &measure, &fault);
    if (status != TRP_OK) {
        return status;
    }
    trp_writer_init(&result);
    write_result(&result, &measure);
    task_done_t done = {.success = true};
    done.body.data = trp_writer_data(&result, &done.body.size);
    status = trp_schema_pack(&task_done_schema, &done, &packed);
    if (status == TRP_OK) {
        status = trp_reply_to(ctx, gauge->asker, TRP_TAG_TASK_DONE, &packed);
        zmq_msg_close(&packed);
    }
    trp_writer_fini(&result);
    return status;
}

static trp_status_t gauge_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    static const tool_t tools[] = {{"weigh", &weigh_schema, weigh_run},
                                   {"garble", &weigh_schema, garble_run}};
    static const tool_table_t table = {tools, sizeof(tools) / sizeof(tools[0]), false};
    return message->tag == measure_schema.tag ? on_measure(ctx, state, message)
                                              : tool_serve(ctx, state, message, &table);
}

/* ---- in the node: the scale ---- */

static trp_status_t scale_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    measure_t measure;
    trp_fault_t fault;
    (void)state;
    if (trp_read_as(ctx, message, measure, &measure, &fault) != TRP_OK) {
        trp_log(ctx, LOG_WARN, "not_weighed", "%s: %s", fault.path, fault.rule);
        return TRP_OK;
    }
    if (measure.state != state_named("busy")) {
        return TRP_PAYLOAD;
    }
    measure.number++;
    measure.celsius *= 2;
    measure.state = state_named("idle");
    return trp_send_as(ctx, message->from, measure, &measure);
}

static const trp_schema_t *const understood[] = {&task_run_schema, &measure_schema, NULL};
static const trp_schema_t *const said[] = {&task_done_schema, &measure_schema, NULL};
static const trp_class_t gauge_class = {.name = "gauge",
                                        .state_size = sizeof(gauge_t),
                                        .receive = gauge_receive,
                                        .messages = understood,
                                        .answers = said};
static const trp_class_t scale_class = {.name = "scale", .receive = scale_receive};

int main(int argc, char **argv)
{
    return trp_main(argc, argv,
                    (const trp_class_t *const[]){&router_class, &gauge_class, &scale_class, NULL});
}
