/* SPDX-License-Identifier: MIT */
/* A template supervisor and start_child with a spec, as actors of a node that the test steps. */
#include <string.h>

#include "runtime/log.h"
#include "supervisor/supervisor.h"
#include "tests/runtime/fixture.h"

#define TAG_FAIL 0x1100

static trp_supervisor_spec_t spec;
static trp_child_spec_t template;
static probe_t parent;
static int starts, last_note;
static trp_status_t answer_of_init;
static trp_pid_t last_kid;

static trp_status_t kid_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)state;
    size_t size = 0;
    const void *data = args == NULL ? NULL : trp_message_data(args, &size);
    if (size == sizeof(last_note)) {
        memcpy(&last_note, data, size);
    }
    starts++;
    last_kid = trp_self(ctx);
    return answer_of_init;
}

static trp_status_t kid_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)ctx;
    (void)state;
    return message->tag == TAG_FAIL ? TRP_FAILED : TRP_OK;
}

static const trp_class_t kid_class = {.name = "kid", .init = kid_init, .receive = kid_receive};

static void spawn_supervisor(trp_ctx_t *ctx, probe_t *probe)
{
    trp_supervisor_args_t args = {.spec = &spec, .parent = trp_self(ctx)};
    trp_spawn_t spawn = {.class = &trp_supervisor_class,
                         .args = &args,
                         .args_size = sizeof(args),
                         .monitor = true,
                         .monitor_ref = &probe->ref,
                         .ack = true};
    cr_assert_eq(trp_spawn(ctx, &spawn, &probe->other), TRP_OK);
}

static void open_template(void)
{
    log_level_set(LOG_FATAL + 1);
    node_open(false);
    parent = (probe_t){0};
    starts = last_note = 0;
    answer_of_init = TRP_OK;
    template = (trp_child_spec_t){.id = "kid", .class = &kid_class, .shutdown_ms = 1000};
    spec = (trp_supervisor_spec_t){.name = "kids",
                                   .strategy = TRP_SIMPLE_ONE_FOR_ONE,
                                   .intensity = 5,
                                   .period_s = 5,
                                   .template = &template};
    probe_spawn(&parent, NULL);
    node_settle();
    probe_do(&parent, spawn_supervisor);
}

static void stop_supervisor(trp_ctx_t *ctx, probe_t *probe)
{
    uint64_t id = 0;
    cr_assert_eq(trp_supervisor_ask(ctx, probe->other, TRP_CHILDREN_STOP, &id), TRP_OK);
}

static void close_template(void)
{
    probe_do(&parent, stop_supervisor);
    node_close();
}

TestSuite(supervisor_template, .init = open_template, .fini = close_template);

static int note_of_next;

static void start_instance(trp_ctx_t *ctx, probe_t *probe)
{
    trp_child_spec_t child = {.args = &note_of_next, .args_size = sizeof(note_of_next)};
    uint64_t id = 0;
    cr_assert_eq(trp_supervisor_start_child(ctx, probe->other, &child, &id), TRP_OK);
}

static void start_with_class(trp_ctx_t *ctx, probe_t *probe)
{
    uint64_t id = 0;
    cr_assert_eq(trp_supervisor_start_child(ctx, probe->other, &template, &id), TRP_OK);
}

static void fail_last(void)
{
    trp_envelope_t *envelope = envelope_alloc();
    envelope->to = last_kid;
    envelope->tag = TAG_FAIL;
    cr_assert_eq(runtime_send(node, envelope), TRP_OK);
    node_settle();
}

Test(supervisor_template, instance_starts_again_with_its_own_arguments)
{
    note_of_next = 41;
    probe_do(&parent, start_instance);
    last_note = 0;

    fail_last();

    cr_assert_eq(starts, 2);
    cr_assert_eq(last_note, 41);
}

Test(supervisor_template, m12_temporary_instance_keeps_no_arguments_and_is_not_restarted)
{
    template.restart = TRP_TEMPORARY;
    note_of_next = 42;
    probe_do(&parent, start_instance);

    fail_last();

    cr_assert_eq(starts, 1);
}

Test(supervisor_template, spec_with_a_class_is_refused)
{
    probe_do(&parent, start_with_class);

    cr_assert_eq(probe_last(&parent)->tag, TRP_TAG_CHILD_ANSWER);
    cr_assert_eq(starts, 0);
}

static void end_instance(trp_ctx_t *ctx, probe_t *probe)
{
    uint64_t id = 0;
    cr_assert_eq(trp_supervisor_ask_instance(ctx, probe->other, TRP_CHILD_TERMINATE, last_kid, &id),
                 TRP_OK);
}

Test(supervisor_template, instance_is_terminated_by_its_pid)
{
    probe_do(&parent, start_instance);
    cr_assert(runtime_lives(node, last_kid));

    probe_do(&parent, end_instance);

    cr_assert_not(runtime_lives(node, last_kid));
    cr_assert_eq(starts, 1, "and is not restarted");
}

Test(supervisor_template, thousands_of_instances_start_crash_and_stop)
{
    spec.intensity = 100000;

    for (int i = 0; i < 2000; i++) {
        probe_do(&parent, start_instance);
        parent.count = 0;
    }
    fail_last();

    cr_assert_eq(starts, 2001);
}

static void kill_supervisor(trp_ctx_t *ctx, probe_t *probe)
{
    trp_reason_t killed = trp_reason(TRP_REASON_KILLED, 0, NULL);
    trp_exit(ctx, probe->other, &killed);
}

Test(supervisor_template, m13_children_end_with_a_supervisor_that_is_killed)
{
    probe_do(&parent, start_instance);

    probe_do(&parent, kill_supervisor);

    cr_assert_not(runtime_lives(node, last_kid));
}

Test(supervisor_template, m17_init_that_fails_reaches_who_asked_and_leaves_nothing)
{
    answer_of_init = TRP_FAILED;

    probe_do(&parent, start_instance);

    cr_assert_eq(probe_last(&parent)->tag, TRP_TAG_CHILD_ANSWER);
    cr_assert_not(runtime_lives(node, last_kid));
    cr_assert(runtime_lives(node, parent.other), "the supervisor goes on");
    cr_assert_eq(starts, 1, "what was asked for is not tried again");
}
