/* SPDX-License-Identifier: MIT */
/* Messages for a named child while it is down: a node that the test steps. */
#include "supervisor/front.h"

#include <string.h>

#include "runtime/log.h"
#include "tests/runtime/fixture.h"

#define TAG_FAIL 0x1100
#define TAG_ASK  0x1101

static trp_pid_t kid;
static int starts, notes[16], note_count;
static trp_child_spec_t child;
static trp_supervisor_spec_t spec;
static probe_t parent;

static trp_status_t kid_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)state;
    (void)args;
    kid = trp_self(ctx);
    starts++;
    return TRP_OK;
}

static trp_status_t kid_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    size_t size = 0;
    if (message->tag == TAG_NOTE) {
        memcpy(&notes[note_count++ % 16], trp_message_data(message, &size), sizeof(int));
    }
    if (message->tag == TAG_ASK) {
        return trp_reply(ctx, message, TAG_ASK, NULL, 0);
    }
    return message->tag == TAG_FAIL ? TRP_FAILED : TRP_OK;
}

static const trp_class_t kid_class = {
    .name = "kid", .version = 1, .init = kid_init, .receive = kid_receive};

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

static void exit_supervisor(trp_ctx_t *ctx, probe_t *probe)
{
    trp_reason_t reason = trp_reason(TRP_REASON_SHUTDOWN, 0, NULL);
    trp_exit(ctx, probe->other, &reason);
}

static void init(void)
{
    log_level_set(LOG_FATAL + 1);
    node_open(false);
    starts = note_count = 0;
    parent = (probe_t){0};
    probe_spawn(&parent, NULL);
    node_settle();
}

static void fini(void)
{
    probe_do(&parent, exit_supervisor);
    cr_assert(trp_pid_is_none(runtime_whereis(node, "kid")), "its front ends with the supervisor");
    node_close();
}

TestSuite(front, .init = init, .fini = fini);

static void post(trp_pid_t to, uint16_t tag, int note)
{
    trp_envelope_t *envelope = envelope_alloc();
    envelope->to = to;
    envelope->tag = tag;
    cr_assert_eq(envelope_set(envelope, &note, sizeof(note)), TRP_OK);
    cr_assert_eq(runtime_send(node, envelope), TRP_OK);
    node_settle();
}

static trp_pid_t address(void)
{
    return runtime_whereis(node, "kid");
}

/* A child that has died twice and starts again in about 100 ms. */
static void supervise(trp_while_down_t while_down, uint32_t mailbox_max)
{
    child = (trp_child_spec_t){.id = "kid",
                               .class = &kid_class,
                               .is_named = true,
                               .shutdown_ms = 1000,
                               .start_ms = 1000,
                               .backoff_ms = 100,
                               .backoff_max_ms = 100,
                               .mailbox_max = mailbox_max,
                               .while_down = while_down};
    spec = (trp_supervisor_spec_t){
        .name = "s", .intensity = 9, .period_s = 5, .children = &child, .child_count = 1};
    probe_do(&parent, spawn_supervisor);
    post(address(), TAG_FAIL, 0);
    post(address(), TAG_FAIL, 0);
}

static void ask(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    uint64_t id;
    trp_request_t request = {.to = address(), .tag = TAG_ASK, .timeout_ms = 1000};
    cr_assert_eq(trp_request(ctx, &request, &id), TRP_OK);
}

Test(front, messages_wait_for_the_next_incarnation_in_order_under_one_address)
{
    supervise(TRP_WHILE_DOWN_QUEUE, 0);
    const trp_pid_t before = address();
    cr_assert_eq(starts, 2);
    for (int i = 1; i <= 3; i++) {
        post(before, TAG_NOTE, i);
    }
    cr_assert_eq(note_count, 0);

    node_advance_ms(101);
    post(before, TAG_NOTE, 4);

    cr_assert_eq(starts, 3);
    cr_assert(trp_pid_equal(address(), before));
    cr_assert_not(trp_pid_equal(kid, before));
    cr_assert_eq(note_count, 4);
    for (int i = 0; i < 4; i++) {
        cr_assert_eq(notes[i], i + 1);
    }
}

Test(front, keeps_no_more_than_its_bound_and_tells_who_asked)
{
    supervise(TRP_WHILE_DOWN_QUEUE, 2);
    for (int i = 1; i <= 2; i++) {
        post(address(), TAG_NOTE, i);
    }

    probe_do(&parent, ask);

    cr_assert_eq(probe_last(&parent)->tag, TRP_TAG_DOWN);
    node_advance_ms(101);
    cr_assert_eq(note_count, 2);
}

Test(front, request_fails_at_once_where_nothing_is_kept)
{
    supervise(TRP_WHILE_DOWN_FAIL, 0);

    probe_do(&parent, ask);

    cr_assert_eq(probe_last(&parent)->tag, TRP_TAG_DOWN);
    cr_assert_eq(probe_last(&parent)->reason.kind, TRP_REASON_NO_PROCESS);
    node_advance_ms(101);
    probe_do(&parent, ask);
    cr_assert_eq(probe_last(&parent)->tag, TAG_ASK);
    cr_assert(trp_pid_equal(probe_last(&parent)->from, kid));
}
