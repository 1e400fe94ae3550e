/* SPDX-License-Identifier: MIT */
/* What classes cost, with a clock that the test moves. */
#include <criterion/criterion.h>
#include <string.h>

#include "messages/wire.h"
#include "runtime/core/meter.h"
#include "tests/runtime/fixture.h"

static probe_t first, second;
static trp_class_t other_class;

static void open_stepped(void)
{
    node_open(false);
    other_class = probe_class;
    other_class.name = "other";
}

TestSuite(meter, .init = open_stepped, .fini = node_close);

typedef struct search {
    const char *name;
    runtime_class_info_t info;
    int found;
} search_t;

static void note_class(void *user, const runtime_class_info_t *info)
{
    search_t *search = user;
    if (strcmp(info->name, search->name) == 0) {
        search->info = *info;
        search->found++;
    }
}

static runtime_class_info_t class_named(const char *name)
{
    search_t search = {.name = name};
    runtime_classes(node, note_class, &search);
    cr_assert_eq(search.found, 1, "%s: %d rows", name, search.found);
    return search.info;
}

static void note_actor(void *user, const actor_info_t *info)
{
    actor_info_t *wanted = user;
    if (trp_pid_equal(info->pid, wanted->pid)) {
        *wanted = *info;
    }
}

static uint64_t busy_of(const probe_t *probe)
{
    actor_info_t info = {.pid = probe->pid};
    runtime_each(node, note_actor, &info);
    return info.busy_ns;
}

static trp_status_t take_10_ms(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    (void)ctx;
    (void)message;
    probe->count = 0; /* it sees much */
    node_skip_ms(10);
    return TRP_OK;
}

static trp_status_t forget(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    (void)ctx;
    (void)message;
    probe->count = 0;
    return TRP_OK;
}

static void run_notes(const probe_t *probe, int count)
{
    for (int i = 0; i < count; i++) {
        cr_assert_eq(probe_note(probe, i), TRP_OK);
        node_settle();
    }
}

/* ---- busy time ---- */

Test(meter, slow_slices_are_timed_each)
{
    const trp_spawn_t spawn = {.class = &other_class};
    probe_spawn(&first, NULL);
    probe_spawn(&second, &spawn);
    first.receive = second.receive = take_10_ms;
    node_settle();
    run_notes(&first, 200); /* slices are known to be slow now */
    const uint64_t before = class_named("probe").busy_ns;
    const uint64_t others = class_named("other").busy_ns;
    const uint64_t own = busy_of(&first);

    run_notes(&first, 7);
    run_notes(&second, 3);

    cr_expect_eq(class_named("probe").busy_ns - before, 70000000);
    cr_expect_eq(busy_of(&first) - own, 70000000);
    cr_expect_eq(class_named("other").busy_ns - others, 30000000);
}

Test(meter, time_between_slices_is_nobodys)
{
    probe_spawn(&first, NULL);
    first.receive = take_10_ms;
    node_settle();
    run_notes(&first, 200);
    const uint64_t before = class_named("probe").busy_ns;

    node_advance_ms(5000);
    run_notes(&first, 1);

    cr_expect_eq(class_named("probe").busy_ns - before, 10000000);
}

/* ---- queue time ---- */

Test(meter, one_message_in_256_shows_how_long_it_waited)
{
    probe_spawn(&first, NULL);
    node_settle();
    first.receive = forget;
    for (int round = 0; round < 256; round++) {
        for (int i = 0; i < 100; i++) {
            cr_assert_eq(probe_note(&first, i), TRP_OK);
        }
        node_advance_ms(round == 255 ? 100 : 20);
    }

    const runtime_class_info_t info = class_named("probe");
    cr_expect(info.sampled > 50 && info.sampled < 200, "of 25,600: %lu", info.sampled);
    cr_expect(info.queue_p50_ns >= 20000000 && info.queue_p50_ns <= 25000000, "%lu",
              info.queue_p50_ns);
    cr_expect_geq(info.queue_max_ns, info.queue_p99_ns);
    cr_expect_geq(info.queue_p99_ns, info.queue_p50_ns);
}

static trp_status_t look_for_stamps(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    (void)ctx;
    probe->count = 0;
    probe->ref += message->trace_id != 0;
    return TRP_OK;
}

Test(meter, a_stamp_is_gone_when_its_message_is_seen)
{
    const trp_spawn_t proxy = {.class = &probe_proxy_class};
    probe_spawn(&first, NULL);
    probe_spawn(&second, &proxy);
    node_settle();
    first.receive = second.receive = look_for_stamps;

    run_notes(&first, 2000);
    run_notes(&second, 2000);

    cr_expect_gt(class_named(probe_proxy_class.name).sampled, 0);
    cr_expect_eq(first.ref, 0);
    cr_expect_eq(second.ref, 0);
}

Test(meter, a_stamp_from_a_wire_is_none)
{
    const wire_item_t item = {.trace_id = TRP_TRACE_STAMP | 5, .tag = TAG_NOTE, .data = ""};
    trp_envelope_t *envelope = envelope_alloc();

    cr_assert_eq(wire_envelope(&item, envelope), TRP_OK);

    cr_expect_eq(envelope->trace_id, 5);
    envelope_free(envelope);
}

/* ---- the waits of one actor ---- */

static void stop(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    trp_stop(ctx, NULL);
}

static runtime_waits_t waits_of(uint32_t wait)
{
    runtime_waits_t waits;
    runtime_waits_read(node, wait, &waits);
    return waits;
}

/* Notes that wait for `ms` each. */
static void run_late_notes(const probe_t *probe, int count, int64_t ms)
{
    for (int i = 0; i < count; i++) {
        cr_assert_eq(probe_note(probe, i), TRP_OK);
    }
    node_skip_ms(ms);
    node_settle();
}

Test(meter, each_message_of_an_actor_is_noted_while_somebody_asks)
{
    uint32_t wait = 0;
    probe_spawn(&first, NULL);
    probe_spawn(&second, NULL);
    first.receive = second.receive = forget;
    node_settle();
    run_late_notes(&first, 7, 1000);

    cr_assert_eq(runtime_waits_begin(node, first.pid, &wait), TRP_OK);
    run_late_notes(&second, 1, 0); /* a worker hears of it at its next slice */
    run_late_notes(&first, 30, 2);
    run_late_notes(&second, 50, 50);
    run_late_notes(&first, 10, 20);

    const runtime_waits_t waits = waits_of(wait);
    cr_expect_eq(waits.count, 40);
    cr_expect_eq(waits.rows, 2);
    cr_expect_eq(waits.row[0].count, 30);
    cr_expect_eq(waits.row[1].count, 10);
    cr_expect(waits.row[0].below_ns > 2000000 && waits.row[0].below_ns <= 2500000);
    cr_expect(waits.p50_ns > 2000000 && waits.p50_ns <= 2500000, "%lu", waits.p50_ns);
    cr_expect(waits.p99_ns > 20000000 && waits.p99_ns <= 25000000, "%lu", waits.p99_ns);
    cr_expect(waits.max_ns >= 20000000 && waits.max_ns < 20001000, "%lu", waits.max_ns);
    runtime_waits_end(node, wait);
}

Test(meter, nothing_is_noted_of_an_actor_for_whom_nobody_asks)
{
    uint32_t wait = 0, next = 0;
    probe_spawn(&first, NULL);
    node_settle();
    cr_assert_eq(runtime_waits_begin(node, first.pid, &wait), TRP_OK);
    run_late_notes(&first, 3, 1);
    runtime_waits_end(node, wait);
    run_late_notes(&first, 20, 1);
    cr_expect_eq(waits_of(wait).count, 3);

    cr_assert_eq(runtime_waits_begin(node, first.pid, &next), TRP_OK);

    cr_expect_eq(next, wait);
    cr_expect_eq(waits_of(next).count, 0, "who asks next begins with nothing");
    runtime_waits_end(node, next);
}

/* Sends itself from inside of the runtime, where stamps are drawn in gaps. */
static trp_status_t pass_on(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    probe->count = 0;
    return trp_send(ctx, second.pid, message->tag, NULL, 0);
}

Test(meter, messages_of_actors_are_noted_from_the_first_on_and_classes_are_not_flooded)
{
    uint32_t wait = 0;
    probe_spawn(&first, NULL);
    probe_spawn(&second, NULL);
    first.receive = pass_on;
    second.receive = forget;
    node_settle();
    cr_assert_eq(runtime_waits_begin(node, second.pid, &wait), TRP_OK);
    const uint64_t sampled = class_named("probe").sampled;

    run_notes(&first, 2000);

    cr_expect_eq(waits_of(wait).count, 2000);
    const uint64_t more = class_named("probe").sampled - sampled;
    cr_expect(more > 0 && more < 100, "%lu of 4000", more);
    runtime_waits_end(node, wait);
}

Test(meter, who_asks_for_nobody_for_a_proxy_or_for_too_many_is_told)
{
    uint32_t wait = 0;
    const trp_spawn_t spawn = {.class = &probe_proxy_class};
    probe_spawn(&first, NULL);
    probe_spawn(&second, &spawn);
    node_settle();
    trp_pid_t other = first.pid;
    other.generation++;

    cr_expect_eq(runtime_waits_begin(node, other, &wait), TRP_NOT_FOUND);
    cr_expect_eq(runtime_waits_begin(node, second.pid, &wait), TRP_UNSUPPORTED);
    for (int i = 0; i < METER_WAITS; i++) {
        cr_expect_eq(runtime_waits_begin(node, first.pid, &wait), TRP_OK);
    }
    cr_expect_eq(runtime_waits_begin(node, first.pid, &wait), TRP_FULL);
    for (uint32_t i = 0; i < METER_WAITS; i++) {
        runtime_waits_end(node, i);
    }
}

Test(meter, waits_of_an_actor_that_has_ended_can_still_be_read)
{
    uint32_t wait = 0;
    actor_info_t info;
    probe_spawn(&first, NULL);
    node_settle();
    cr_assert_eq(runtime_waits_begin(node, first.pid, &wait), TRP_OK);
    cr_expect(runtime_look(node, first.pid, &info));
    run_late_notes(&first, 3, 1);

    const trp_pid_t pid = first.pid;
    probe_do(&first, stop);

    cr_expect_eq(waits_of(wait).count, 4, "the last is the order to stop");
    cr_expect(!runtime_look(node, pid, &info));
    runtime_waits_end(node, wait);
}

/* ---- classes ---- */

Test(meter, what_an_actor_handled_stays_with_its_class)
{
    probe_spawn(&first, NULL);
    node_settle();
    run_notes(&first, 5);

    probe_do(&first, stop);

    const runtime_class_info_t info = class_named("probe");
    cr_expect_eq(info.actors, 0);
    cr_expect_eq(info.handled, 6);
}

Test(meter, classes_beyond_the_table_share_a_row)
{
    static trp_class_t many[METER_CLASSES + 10];
    probe_t *probes = probes_new(METER_CLASSES + 10);
    for (int i = 0; i < METER_CLASSES + 10; i++) {
        const trp_spawn_t spawn = {.class = &many[i]};
        many[i] = probe_class;
        probe_spawn(&probes[i], &spawn);
    }
    node_settle();

    cr_expect_geq(class_named("(others)").actors, 10);
}

Test(meter, buckets_follow_each_other_without_gaps, .init = NULL, .fini = NULL)
{
    cr_expect_eq(meter_bucket(0), 0);
    cr_expect_eq(meter_bucket((1u << 31) - 1), METER_BUCKETS - 1);
    for (uint32_t bucket = 0; bucket + 1 < METER_BUCKETS; bucket++) {
        const uint32_t beyond = meter_beyond(bucket);
        cr_expect_eq(meter_bucket(beyond), bucket + 1);
        cr_expect_eq(meter_bucket(beyond - 1), bucket);
    }
}
