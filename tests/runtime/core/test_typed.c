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

/* Of the same size and tag as a reading, with its members in another order. */
#define SHADOW_FIELDS(F)                         \
    F(REAL, celsius, _, -90, 60, "what it says") \
    F(INT, sensor, _, 0, 100, "which sensor")

#define EIGHT_FIELDS(F)                                        \
    F(INT, a, _, 0, 9, "the first of these several numbers")   \
    F(INT, b, _, 0, 9, "the second of these several numbers")  \
    F(INT, c, _, 0, 9, "the third of these several numbers")   \
    F(INT, d, _, 0, 9, "the fourth of these several numbers")  \
    F(INT, e, _, 0, 9, "the fifth of these several numbers")   \
    F(INT, f, _, 0, 9, "the sixth of these several numbers")   \
    F(INT, g, _, 0, 9, "the seventh of these several numbers") \
    F(INT, h, _, 0, 9, "the eighth of these several numbers")

TRP_SCHEMA_DECLARE(shadow, SHADOW_FIELDS)
TRP_SCHEMA_DECLARE(eight, EIGHT_FIELDS)
TRP_SCHEMA_DEFINE(shadow, 0x2101, TRP_SCHEMA_FIXED, SHADOW_FIELDS, "not a reading")
TRP_SCHEMA_DEFINE(eight, 0x2103, TRP_SCHEMA_FIXED, EIGHT_FIELDS, "64 bytes")

static void open_node(void)
{
    node_open(true);
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

static eight_t got_eight;

static trp_status_t read_eight(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    probe->status = trp_read_as(ctx, message, eight, &got_eight, &fault);
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

static void send_shadow(trp_ctx_t *ctx, probe_t *probe)
{
    const shadow_t shadow = {.celsius = 21.5, .sensor = 4};
    probe->status = trp_send_as(ctx, probe->other, shadow, &shadow);
}

static void send_eight(trp_ctx_t *ctx, probe_t *probe)
{
    const eight_t eight = {1, 2, 3, 4, 5, 6, 7, 8};
    probe->status = trp_send_as(ctx, probe->other, eight, &eight);
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

static size_t cut_at;

static void send_cut(trp_ctx_t *ctx, probe_t *probe)
{
    const reading_t reading = {.sensor = 5, .celsius = -3};
    zmq_msg_t message;
    cr_assert_eq(trp_schema_pack(&reading_schema, &reading, &message), TRP_OK);
    cr_assert_gt(zmq_msg_size(&message), cut_at);
    probe->status = trp_send(ctx, probe->other, reading_schema.tag, zmq_msg_data(&message), cut_at);
    zmq_msg_close(&message);
}

Test(typed, a_packed_struct_that_is_cut_anywhere_is_refused)
{
    spawn_two();

    for (cut_at = 0; cut_at < 26; cut_at++) { /* it has 26 bytes */
        b.status = TRP_OK;
        probe_do(&a, send_cut);

        cr_expect_eq(b.status, TRP_PAYLOAD, "cut at %zu", cut_at);
    }
}

Test(typed, another_message_is_refused_with_both_names)
{
    spawn_two();

    probe_do(&a, send_label);

    cr_assert_eq(b.status, TRP_PAYLOAD);
    cr_assert_not_null(strstr(fault.rule, "`reading` (tag 0x2101)"), "%s", fault.rule);
    cr_assert_not_null(strstr(fault.rule, "`label` (tag 0x2102)"), "%s", fault.rule);
}

Test(typed, a_struct_by_another_schema_of_its_tag_is_refused_with_that_name)
{
    spawn_two();

    probe_do(&a, send_shadow);

    cr_assert_eq(b.status, TRP_PAYLOAD);
    cr_assert_str_eq(fault.message, "reading");
    cr_assert_not_null(strstr(fault.rule, "`shadow`"), "%s", fault.rule);
}

Test(typed, a_struct_that_does_not_fit_an_envelope_is_packed)
{
    spawn_two();
    b.receive = read_eight;

    probe_do(&a, send_eight);

    cr_assert_eq(b.status, TRP_OK);
    cr_assert_eq(got_eight.h, 8);
    cr_assert_eq(probe_last(&b)->flags & TRP_ENVELOPE_STRUCT, 0);
}

/* ---- out of the runtime ---- */

#define FAR_NODE ((7u << 16) | 1u)

static probe_t proxy;
static const trp_pid_t far = {FAR_NODE, 5, 2, 9};

/* A proxy that is shown what is sent to itself and to all of FAR_NODE. */
static void spawn_proxy(void)
{
    spawn_two();
    proxy.receive = read_reading;
    probe_spawn(&proxy, &(trp_spawn_t){.class = &probe_proxy_class});
    node_settle();
    cr_assert_eq(runtime_route(node, FAR_NODE, far.incarnation, proxy.pid), TRP_OK);
}

static void expect_packed(void)
{
    cr_assert_eq(proxy.count, 1);
    cr_assert_eq(probe_last(&proxy)->flags & TRP_ENVELOPE_STRUCT, 0);
    cr_assert_eq(proxy.status, TRP_OK);
    cr_assert_eq(got.sensor, 4);
    cr_assert_eq(got.celsius, 21.5);
}

static trp_status_t pass_on(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    probe->status = trp_forward(ctx, message, probe->other);
    return TRP_OK;
}

Test(typed, a_struct_to_a_proxy_is_packed)
{
    spawn_proxy();
    a.other = proxy.pid;

    probe_do(&a, send_reading);

    expect_packed();
}

Test(typed, a_struct_to_another_node_is_packed)
{
    spawn_proxy();
    a.other = far;

    probe_do(&a, send_reading);

    expect_packed();
}

Test(typed, a_struct_that_is_forwarded_to_a_proxy_is_packed_also_by_who_does_not_know_it)
{
    spawn_proxy();
    static probe_t ignorant;
    ignorant.receive = pass_on;
    probe_spawn(&ignorant, NULL);
    node_settle();
    a.other = ignorant.pid;
    ignorant.other = far;

    probe_do(&a, send_reading);

    cr_assert_eq(ignorant.status, TRP_OK);
    cr_assert_neq(probe_last(&ignorant)->flags & TRP_ENVELOPE_STRUCT, 0);
    expect_packed();
}

Test(typed, a_struct_that_is_forwarded_inside_the_runtime_stays_one)
{
    spawn_two();
    static probe_t relay;
    relay.receive = pass_on;
    probe_spawn(&relay, NULL);
    node_settle();
    relay.other = b.pid;
    a.other = relay.pid;

    probe_do(&a, send_reading);

    cr_assert_neq(probe_last(&b)->flags & TRP_ENVELOPE_STRUCT, 0);
    cr_assert_eq(got.sensor, 4);
}

Test(typed, a_schema_with_strings_says_how_it_is_read)
{
    spawn_two();
    b.receive = read_label;

    probe_do(&a, send_label);

    cr_assert_eq(b.status, TRP_UNSUPPORTED);
    cr_assert_not_null(strstr(fault.rule, "trp_message_unpack"));
}
