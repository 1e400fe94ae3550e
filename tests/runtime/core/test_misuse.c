/* SPDX-License-Identifier: MIT */
/* Debug builds end with a text where others would go wrong in silence: each test expects the abort
 * there, and is left out elsewhere. */
#include "messages/misuse.h"

#include <signal.h>

#include "tests/runtime/fixture.h"

#define DIES .signal = SIGABRT, .disabled = !TRP_CHECKED

static void open_node(void)
{
    node_open(false);
}

TestSuite(misuse, .init = open_node);

static probe_t a, b;
static trp_ctx_t *kept_ctx;
static const trp_envelope_t *kept_message;

static trp_status_t keep_message(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    (void)ctx;
    (void)probe;
    kept_message = message;
    return TRP_OK;
}

static void keep_ctx(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    kept_ctx = ctx;
}

static void spawn_two(void)
{
    a.receive = keep_message;
    probe_spawn(&a, NULL);
    probe_spawn(&b, NULL);
    node_settle();
}

Test(misuse, a_context_that_sends_after_the_return_is_caught, DIES)
{
    spawn_two();
    probe_do(&a, keep_ctx);

    (void)!trp_send(kept_ctx, b.pid, TAG_NOTE, NULL, 0);
}

Test(misuse, a_context_that_spawns_after_the_return_is_caught, DIES)
{
    spawn_two();
    probe_do(&a, keep_ctx);
    trp_pid_t pid;

    (void)!trp_spawn(kept_ctx, &(trp_spawn_t){.class = &probe_class}, &pid);
}

static void use_on_another_thread(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    scheduler_enter(NULL); /* what the thread is for the runtime */
    (void)!trp_send(ctx, b.pid, TAG_NOTE, NULL, 0);
}

Test(misuse, a_context_on_another_thread_is_caught, DIES)
{
    spawn_two();

    probe_do(&a, use_on_another_thread);
}

Test(misuse, a_message_that_is_read_after_the_return_is_caught, DIES)
{
    spawn_two();
    cr_assert_eq(probe_note(&a, 1), TRP_OK);
    node_settle();
    size_t size = 0;

    (void)trp_message_data(kept_message, &size);
}

static void reply_late(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    (void)!trp_reply(ctx, kept_message, TAG_NOTE, NULL, 0);
}

Test(misuse, a_message_that_is_answered_after_the_return_is_caught, DIES)
{
    spawn_two();
    cr_assert_eq(probe_note(&a, 1), TRP_OK);
    node_settle();

    probe_do(&a, reply_late);
}

static void forward_late(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    (void)!trp_forward(ctx, kept_message, b.pid);
}

Test(misuse, a_message_that_is_forwarded_after_the_return_is_caught, DIES)
{
    spawn_two();
    cr_assert_eq(probe_note(&a, 1), TRP_OK);
    node_settle();

    probe_do(&a, forward_late);
}

Test(misuse, an_envelope_that_is_sent_twice_is_caught, DIES)
{
    spawn_two();
    trp_envelope_t *envelope = envelope_alloc();
    envelope->to = b.pid;
    envelope->tag = TAG_NOTE;
    cr_assert_eq(runtime_send(node, envelope), TRP_OK);
    node_settle();

    (void)!runtime_send(node, envelope);
}

Test(misuse, an_envelope_that_is_freed_twice_is_caught, DIES)
{
    trp_envelope_t *envelope = envelope_alloc();
    envelope_free(envelope);

    envelope_free(envelope);
}

Test(misuse, proper_use_is_let_alone)
{
    spawn_two();
    probe_do(&a, keep_ctx);
    for (int note = 0; note < 1000; note++) {
        cr_assert_eq(probe_note(&b, note % 7), TRP_OK);
        if (note % 100 == 0) {
            node_settle();
        }
        b.count = 0;
    }
    node_close();
}
