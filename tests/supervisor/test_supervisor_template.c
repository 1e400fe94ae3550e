/* SPDX-License-Identifier: MIT */
/* A template supervisor and start_child with a spec, as actors of a node that the test steps. */
#include <malloc.h>
#include <string.h>

#include "runtime/log.h"
#include "supervisor/report.h"
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

#define LARGE     ((size_t)64 << 10)
#define INSTANCES 100

static void start_large(trp_ctx_t *ctx, probe_t *probe)
{
    static char large[LARGE];
    trp_child_spec_t child = {.args = large, .args_size = sizeof(large)};
    uint64_t id = 0;
    cr_assert_eq(trp_supervisor_start_child(ctx, probe->other, &child, &id), TRP_OK);
}

/* Bytes of the heap that instances with large arguments take while they live. */
static size_t bytes_of_instances(void)
{
    probe_do(&parent, start_large); /* what is made once, is made */
    const size_t before = mallinfo2().uordblks;
    for (int i = 0; i < INSTANCES; i++) {
        probe_do(&parent, start_large);
    }
    return mallinfo2().uordblks - before;
}

Test(supervisor_template, m12_temporary_instance_keeps_no_arguments_and_is_not_restarted)
{
#if !defined(__SANITIZE_ADDRESS__) /* whose heap mallinfo2 does not know */
    cr_assert_geq(bytes_of_instances(), INSTANCES * LARGE, "those that may start again do");
#endif
    template.restart = TRP_TEMPORARY;

    cr_assert_lt(bytes_of_instances(), INSTANCES * LARGE / 10);
    starts = 0;
    fail_last();

    cr_assert_eq(starts, 0);
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

/* ---- reports in a storm ---- */

static struct {
    int written;
    int64_t held, first_ms, last_ms;
} said;

static void hear(void *user, int level, const log_field_t *fields)
{
    (void)user;
    (void)level;
    said.written++;
    for (; fields->kind != LOG_KIND_END; fields++) {
        int64_t *figure = strcmp(fields->key, "count") == 0      ? &said.held
                          : strcmp(fields->key, "first_ms") == 0 ? &said.first_ms
                          : strcmp(fields->key, "last_ms") == 0  ? &said.last_ms
                                                                 : NULL;
        if (figure != NULL) {
            *figure = fields->value.integer;
        }
    }
}

static void spawn_patient_supervisor(void)
{
    probe_do(&parent, stop_supervisor);
    spec.intensity = 1000;
    probe_do(&parent, spawn_supervisor);
}

Test(supervisor_template, m20_storm_is_some_lines_and_one_with_count_and_times)
{
    const int crashes = 100, lines = 2 * crashes; /* of its end, and of what is done */
    spawn_patient_supervisor();
    probe_do(&parent, start_instance);
    log_level_set(LOG_WARN);
    log_redirect(hear, NULL);

    for (int i = 0; i < crashes; i++) {
        fail_last();
    }
    cr_assert_eq(said.written, REPORT_LINES_MAX);
    node_advance_ms(2 * REPORT_WINDOW_NS / 1000000);

    log_redirect(NULL, NULL);
    log_level_set(LOG_FATAL + 1);
    cr_assert_eq(said.written, REPORT_LINES_MAX + 1);
    cr_assert_eq(said.held, lines - REPORT_LINES_MAX);
    cr_assert(said.first_ms > 0 && said.first_ms <= said.last_ms);
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
