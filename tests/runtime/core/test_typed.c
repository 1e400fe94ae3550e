/* SPDX-License-Identifier: MIT */
/* That a wrong type does not compile is shown by tests/system/test_typed.py. */
#include "runtime/typed.h"

#include <string.h>

#include "tests/runtime/fixture.h"

#define READING_FIELDS(F)                     \
    F(INT, sensor, _, 0, 100, "which sensor") \
    F(REAL, celsius, _, -90, 60, "what it says")

#define LABEL_FIELDS(F) F(STRING, text, _, 0, 100, "a text")

TRP_SCHEMA_DECLARE(reading, READING_FIELDS)
TRP_SCHEMA_DECLARE(label, LABEL_FIELDS)
TRP_SCHEMA_DEFINE(reading, 0x2101, TRP_SCHEMA_FIXED, READING_FIELDS, "a reading")
TRP_SCHEMA_DEFINE(label, 0x2102, 0, LABEL_FIELDS, "a label")

static void open_node(void)
{
    node_open(false);
}

TestSuite(typed, .init = open_node, .fini = node_close);

static probe_t a, b;
static reading_t got;
static trp_fault_t fault;

static trp_status_t read_reading(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    probe->status = trp_read_as(ctx, message, reading, &got, &fault);
    return TRP_OK;
}

static trp_status_t read_label(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    label_t label;
    probe->status = trp_read_as(ctx, message, label, &label, &fault);
    return TRP_OK;
}

static void spawn_two(void)
{
    static trp_class_t class;
    static const trp_schema_t *const known[] = {&reading_schema, &label_schema, NULL};
    class = probe_class;
    class.messages = known;
    b.receive = read_reading;
    probe_spawn(&a, NULL);
    probe_spawn(&b, &(trp_spawn_t){.class = &class});
    node_settle();
    a.other = b.pid;
}

static void send_reading(trp_ctx_t *ctx, probe_t *probe)
{
    const reading_t reading = {.sensor = 4, .celsius = 21.5};
    probe->status = trp_send_as(ctx, probe->other, reading, &reading);
}

static void send_label(trp_ctx_t *ctx, probe_t *probe)
{
    label_t label = {.text = {"hot", 3}};
    probe->status = trp_send_as(ctx, probe->other, label, &label);
}

static void send_packed(trp_ctx_t *ctx, probe_t *probe)
{
    const reading_t reading = {.sensor = 5, .celsius = -3};
    zmq_msg_t message;
    cr_assert_eq(trp_schema_pack(&reading_schema, &reading, &message), TRP_OK);
    probe->status = trp_send_move(ctx, probe->other, reading_schema.tag, &message);
    zmq_msg_close(&message);
}

static void send_short(trp_ctx_t *ctx, probe_t *probe)
{
    trp_schema_t older = reading_schema;
    older.size = 8;
    const int64_t sensor = 4;
    probe->status = trp_send_struct(ctx, probe->other, &older, &sensor);
}

Test(typed, a_struct_arrives_as_it_was)
{
    spawn_two();

    probe_do(&a, send_reading);

    cr_assert_eq(b.status, TRP_OK);
    cr_assert_eq(got.sensor, 4);
    cr_assert_eq(got.celsius, 21.5);
    cr_assert_neq(probe_last(&b)->flags & TRP_ENVELOPE_STRUCT, 0);
}

Test(typed, what_a_boundary_packed_is_read_by_the_same_call)
{
    spawn_two();

    probe_do(&a, send_packed);

    cr_assert_eq(b.status, TRP_OK);
    cr_assert_eq(got.sensor, 5);
    cr_assert_eq(got.celsius, -3);
}

Test(typed, another_message_is_refused_with_both_names)
{
    spawn_two();

    probe_do(&a, send_label);

    cr_assert_eq(b.status, TRP_PAYLOAD);
    cr_assert_not_null(strstr(fault.rule, "`reading` (tag 0x2101)"), "%s", fault.rule);
    cr_assert_not_null(strstr(fault.rule, "`label` (tag 0x2102)"), "%s", fault.rule);
}

Test(typed, a_struct_of_another_size_is_refused)
{
    spawn_two();

    probe_do(&a, send_short);

    cr_assert_eq(b.status, TRP_PAYLOAD);
}

Test(typed, a_schema_with_strings_says_how_it_is_read)
{
    spawn_two();
    b.receive = read_label;

    probe_do(&a, send_label);

    cr_assert_eq(b.status, TRP_UNSUPPORTED);
    cr_assert_not_null(strstr(fault.rule, "trp_message_unpack"));
}
