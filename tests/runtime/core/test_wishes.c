/* SPDX-License-Identifier: MIT */
/* The mistakes of new runtimes, after a published audit of one (pathosDev/actor-ts, issue 913): a
 * test for each that concerns the core, named by the number of its issue there. 920 is in
 * tests/system/test_mistakes.py; 948 to 950 are about what lives on several nodes, which there is
 * not. */
#include <string.h>

#include "runtime/log.h"
#include "runtime/place/dead_log.h"
#include "supervisor/supervisor.h"
#include "supervisor/tree/tree.h"
#include "tests/runtime/fixture.h"

static int restart_lines;

/* All that is logged; the lines that tell of a restart are counted. */
static void count_line(void *user, int level, const log_field_t *fields)
{
    (void)user;
    (void)level;
    restart_lines += strcmp(fields->value.text, "child_restarting") == 0 ||
                     strcmp(fields->value.text, "child_started") == 0;
}

static void open_node(void)
{
    node_open(false);
    log_redirect(count_line, NULL);
}

static void close_node(void)
{
    log_redirect(NULL, NULL);
    node_close();
}

TestSuite(wishes, .init = open_node, .fini = close_node);

static probe_t a, b, child;

static void stop(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    trp_stop(ctx, NULL);
}

static void order(const probe_t *probe, probe_act_t act)
{
    trp_envelope_t *envelope = envelope_alloc();
    envelope->to = probe->pid;
    envelope->tag = TAG_DO;
    cr_assert_eq(envelope_set(envelope, &act, sizeof(act)), TRP_OK);
    cr_assert_eq(runtime_send(node, envelope), TRP_OK);
}

/* ---- #914 ---- */

static void spawn_named_child(trp_ctx_t *ctx, probe_t *probe)
{
    trp_trap_exit(ctx, true);
    trp_spawn_t spawn = {
        .name = "child", .link = true, .monitor = true, .monitor_ref = &probe->ref};
    probe->status = probe_spawn_by(ctx, &child, spawn);
}

Test(wishes, w914_a_failing_init_leaves_no_zombie_and_its_watchers_hear)
{
    child.init_status = TRP_DENIED;
    probe_spawn(&a, NULL);
    node_settle();

    probe_do(&a, spawn_named_child);

    cr_assert_eq(a.count, 2, "DOWN and EXIT");
    cr_assert_eq(a.seen[0].reason.kind, TRP_REASON_START_FAILED);
    cr_assert_eq(a.seen[1].reason.code, TRP_DENIED);
    cr_assert_not(probe_lives(&child));
    cr_assert(trp_pid_is_none(runtime_whereis(node, "child")));
}

/* ---- #915 ---- */

Test(wishes, w915_a_stopping_actor_with_queued_messages_does_not_spin)
{
    probe_spawn(&a, NULL);
    node_settle();
    order(&a, stop);
    for (int note = 0; note < 1000; note++) {
        cr_assert_eq(probe_note(&a, note), TRP_OK);
    }

    int steps = 0;
    while (node_step()) {
        steps++;
    }

    runtime_ledger_t ledger;
    runtime_ledger(node, &ledger);
    cr_assert_leq(steps, 2);
    cr_assert_eq(a.count, 0);
    cr_assert_eq(ledger.dead_by[TRP_DEAD_ENDED], 1000);
}

/* ---- #916, #665: a supervised child that fails ---- */

static probe_t *child_pointer = &child;
static trp_child_spec_t child_spec;
static trp_supervisor_spec_t supervisor_spec;

static trp_status_t fail(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    (void)ctx;
    (void)probe;
    return message->tag == TAG_NOTE ? TRP_FAILED : TRP_OK;
}

static void start_supervisor(trp_ctx_t *ctx, probe_t *probe)
{
    trp_supervisor_args_t args = {.spec = &supervisor_spec, .parent = trp_self(ctx)};
    trp_spawn_t spawn = {.class = &trp_supervisor_class,
                         .name = "boss",
                         .args = &args,
                         .args_size = sizeof(args),
                         .ack = true};
    probe->status = trp_spawn(ctx, &spawn, &probe->other);
}

static void end_supervisor(trp_ctx_t *ctx, probe_t *probe)
{
    trp_reason_t reason = trp_reason(TRP_REASON_SHUTDOWN, 0, NULL);
    trp_exit(ctx, probe->other, &reason);
}

static void describe_child(void)
{
    child_spec = (trp_child_spec_t){.id = "child",
                                    .class = &probe_class,
                                    .args_tag = TAG_DO,
                                    .args = &child_pointer,
                                    .args_size = sizeof(child_pointer),
                                    .is_named = true,
                                    .shutdown_ms = 1000,
                                    .start_ms = 1000,
                                    .backoff_ms = 100,
                                    .backoff_max_ms = 1000};
}

static void supervise(void)
{
    describe_child();
    supervisor_spec = (trp_supervisor_spec_t){
        .name = "boss", .intensity = 10, .period_s = 60, .children = &child_spec, .child_count = 1};
    child.receive = fail;
    probe_spawn(&a, NULL);
    node_settle();
    probe_do(&a, start_supervisor);
    cr_assert_eq(child.inits, 1);
}

static void fail_child(void)
{
    cr_assert_eq(probe_note(&child, 1), TRP_OK);
    node_settle();
    node_advance_ms(2000);
}

Test(wishes, w916_no_restart_without_a_log_line)
{
    supervise();
    int before = restart_lines;

    fail_child();

    cr_assert_eq(child.inits, 2);
    cr_assert_gt(restart_lines, before);
    probe_do(&a, end_supervisor);
}

Test(wishes, w665_back_off_does_not_change_the_address_of_the_actor)
{
    supervise();

    for (int failure = 0; failure < 4; failure++) { /* at once, then later and later */
        fail_child();
    }

    cr_assert_eq(child.inits, 5);
    cr_assert(trp_pid_equal(runtime_whereis(node, "child"), child.pid));
    cr_assert(probe_lives(&child));
    probe_do(&a, end_supervisor);
}

/* ---- #917 ---- */

static probe_t cousin;
static probe_t *cousin_pointer = &cousin;

static void fail_twice(const probe_t *probe)
{
    for (int failure = 0; failure < 2; failure++) {
        cr_assert_eq(probe_note(probe, 1), TRP_OK);
        node_settle();
        node_advance_ms(2000);
    }
}

/* A supervisor with one child of its own, which may fail twice. */
static trp_child_spec_t branch(const char *id, trp_supervisor_spec_t *of, trp_child_spec_t *leaf,
                               probe_t **pointer)
{
    trp_child_spec_t spec = {.class = &trp_supervisor_class,
                             .args = of,
                             .is_supervisor = true,
                             .shutdown_ms = TRP_SHUTDOWN_INFINITY};
    *leaf = child_spec;
    leaf->args = pointer;
    snprintf(leaf->id, sizeof(leaf->id), "%s's", id);
    *of = (trp_supervisor_spec_t){.intensity = 2, .period_s = 60};
    of->children = leaf;
    of->child_count = 1;
    snprintf(of->name, sizeof(of->name), "%s", id);
    snprintf(spec.id, sizeof(spec.id), "%s", id);
    return spec;
}

Test(wishes, w917_the_restart_budget_is_not_shared_by_siblings)
{
    trp_supervisor_spec_t bosses[2];
    trp_child_spec_t leaves[2];
    describe_child();
    const trp_child_spec_t branches[] = {branch("one", &bosses[0], &leaves[0], &child_pointer),
                                         branch("two", &bosses[1], &leaves[1], &cousin_pointer)};
    supervisor_spec = (trp_supervisor_spec_t){
        .name = "top", .intensity = 0, .period_s = 60, .children = branches, .child_count = 2};
    child.receive = cousin.receive = fail;
    probe_spawn(&a, NULL);
    node_settle();
    probe_do(&a, start_supervisor);

    fail_twice(&child);
    fail_twice(&cousin);

    cr_expect_eq(child.inits, 3);
    cr_expect_eq(cousin.inits, 3);
    cr_expect(runtime_lives(node, a.other), "four restarts, of two that may have two each");
    cr_assert_eq(probe_note(&child, 1), TRP_OK);
    node_settle();
    cr_expect_not(runtime_lives(node, a.other), "the third of one, and `top` allows none");
}

/* ---- #918 ---- */

static void watch_other(trp_ctx_t *ctx, probe_t *probe)
{
    probe->status = trp_monitor(ctx, probe->other, &probe->ref);
}

Test(wishes, w918_a_watch_on_a_remote_pid_is_no_silent_nothing)
{
    const trp_reason_t lost = trp_reason(TRP_REASON_SIGNAL, 9, NULL);
    probe_spawn(&a, NULL);
    probe_spawn(&b, &(trp_spawn_t){.class = &probe_proxy_class});
    node_settle();
    a.other = (trp_pid_t){.node = 77, .slot = 3, .generation = 1, .incarnation = 5};

    probe_do(&a, watch_other); /* nobody knows that node */
    cr_assert_eq(a.count, 1);
    cr_expect_eq(a.seen[0].tag, TRP_TAG_DOWN);
    cr_expect_eq(a.seen[0].request_id, a.ref);
    cr_expect_eq(a.seen[0].reason.kind, TRP_REASON_NO_PROCESS);

    cr_assert_eq(runtime_route(node, 77, 5, b.pid), TRP_OK);
    probe_do(&a, watch_other); /* now it is told, and told on */
    cr_assert_eq(a.count, 1);
    cr_expect_eq(probe_last(&b)->tag, TRP_SIGNAL_MONITOR);

    cr_assert_eq(runtime_route(node, 77, 5, TRP_PID_NONE), TRP_OK);
    runtime_node_down(node, 77, 5, &lost);
    node_settle();
    cr_assert_eq(a.count, 2);
    cr_expect_eq(a.seen[1].tag, TRP_TAG_DOWN);
    cr_expect_eq(a.seen[1].request_id, a.ref);
    cr_expect_eq(a.seen[1].reason.kind, TRP_REASON_SIGNAL);
}

/* ---- #919 ---- */

static void send_too_many(trp_ctx_t *ctx, probe_t *probe)
{
    int note = 0;
    do {
        probe->status = trp_send(ctx, probe->other, TAG_NOTE, &note, sizeof(note));
    } while (probe->status == TRP_OK);
}

Test(wishes, w919_a_full_mailbox_is_a_status_and_does_not_end_the_sender)
{
    probe_spawn(&a, NULL);
    probe_spawn(&b, &(trp_spawn_t){.depth_max = 10});
    node_settle();
    a.other = b.pid;

    probe_do(&a, send_too_many);

    cr_assert_eq(a.status, TRP_FULL);
    cr_assert(probe_lives(&a));
    cr_assert_eq(a.terminations, 0);
    cr_assert_eq(b.count, 10);
}

/* ---- #921 ---- */

static int64_t fired_ns[8];
static int fired;

static trp_status_t be_slow(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    (void)probe;
    (void)message;
    fired_ns[fired++] = trp_now_ns(ctx);
    node_skip_ms(30); /* the handler takes a third of the period */
    return TRP_OK;
}

static void start_periodic(trp_ctx_t *ctx, probe_t *probe)
{
    cr_assert_eq(trp_timer_start(ctx, 100, 100, TAG_NOTE, &probe->ref), TRP_OK);
}

Test(wishes, w921_a_periodic_timer_keeps_its_rate_however_long_its_handler_takes)
{
    a.receive = be_slow;
    probe_spawn(&a, NULL);
    node_settle();
    probe_do(&a, start_periodic);

    while (fired < 5) {
        node_advance_ms(1);
    }

    for (int i = 1; i < 5; i++) {
        int64_t off_ns = fired_ns[i] - fired_ns[0] - i * 100000000LL;
        cr_assert(off_ns > -2000000 && off_ns < 2000000, "a tick of the wheel, never a sum");
    }
}

/* ---- #1148, #729, #732, #985 ---- */

static void monitor_other(trp_ctx_t *ctx, probe_t *probe)
{
    cr_assert_eq(trp_monitor(ctx, probe->other, &probe->ref), TRP_OK);
}

static void check_notice_survives(trp_overflow_t overflow)
{
    probe_spawn(&a, &(trp_spawn_t){.depth_max = 2, .overflow = overflow});
    probe_spawn(&b, NULL);
    node_settle();
    a.other = b.pid;
    probe_do(&a, monitor_other);
    cr_assert_eq(probe_note(&a, 1), TRP_OK); /* a waits in the queue first ... */
    order(&b, stop);
    for (int note = 2; note < 50; note++) {
        (void)probe_note(&a, note);
    }
    node_step(); /* ... takes what there is, and then b ends */
    for (int note = 50; note < 100; note++) {
        (void)probe_note(&a, note);
    }
    node_settle();

    int downs = 0;
    for (int i = 0; i < a.count; i++) {
        downs += a.seen[i].tag == TRP_TAG_DOWN;
    }
    cr_assert_eq(downs, 1);
}

Test(wishes, w1148_w729_w732_w985_overflow_by_refusal_evicts_no_death_notice)
{
    check_notice_survives(TRP_OVERFLOW_REFUSE);
}

Test(wishes, w1148_w729_w732_w985_dropping_new_messages_evicts_no_death_notice)
{
    check_notice_survives(TRP_OVERFLOW_DROP_NEW);
}

Test(wishes, w1148_w729_w732_w985_dropping_old_messages_evicts_no_death_notice)
{
    check_notice_survives(TRP_OVERFLOW_DROP_OLD);
}

/* ---- #773, #518 ---- */

Test(wishes, w773_bounded_drops_become_dead_letters)
{
    probe_spawn(&a, &(trp_spawn_t){.depth_max = 1, .overflow = TRP_OVERFLOW_DROP_OLD});
    probe_spawn(&b, NULL);
    node_settle();
    cr_assert_eq(group_listen(&node->groups, b.pid), TRP_OK);

    cr_assert_eq(probe_note(&a, 1), TRP_OK);
    cr_assert_eq(probe_note(&a, 2), TRP_OK);
    node_settle();

    cr_assert_eq(probe_last(&b)->tag, TRP_TAG_DEAD_LETTER);
}

static trp_status_t defer_all(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    (void)probe;
    return trp_defer(ctx, message, 10, 1000);
}

Test(wishes, w518_what_was_put_off_becomes_dead_letters_on_stop)
{
    a.receive = defer_all;
    probe_spawn(&a, NULL);
    node_settle();
    cr_assert_eq(probe_note(&a, 1), TRP_OK);
    cr_assert_eq(probe_note(&a, 2), TRP_OK);
    node_settle();

    probe_do(&a, stop);

    runtime_ledger_t ledger;
    runtime_ledger(node, &ledger);
    cr_assert_eq(ledger.dead_by[TRP_DEAD_ENDED], 2);
}

static trp_status_t defer_or_fail(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    return probe->inits == 1 && probe->ref++ == 2 ? TRP_FAILED : trp_defer(ctx, message, 10, 1000);
}

Test(wishes, w518_what_was_put_off_becomes_dead_letters_on_restart)
{
    supervise();
    child.receive = defer_or_fail;
    cr_assert_eq(probe_note(&child, 1), TRP_OK);
    cr_assert_eq(probe_note(&child, 2), TRP_OK);
    cr_assert_eq(probe_note(&child, 3), TRP_OK); /* it fails */
    node_settle();
    node_advance_ms(2000);

    runtime_ledger_t ledger;
    runtime_ledger(node, &ledger);
    cr_assert_eq(child.inits, 2);
    cr_assert_eq(ledger.dead_by[TRP_DEAD_ENDED], 2);
    probe_do(&a, end_supervisor);
}

/* ---- #1000 ---- */

Test(wishes, w1000_somebody_subscribes_to_dead_letters_by_default)
{
    static const trp_class_t *const none[] = {NULL};
    config_t config = {.tree.supervisor = {.intensity = 1, .period_s = 1}};
    tree_t *tree = NULL;
    config_fault_t fault;
    cr_assert_eq(tree_build(&config, none, &tree, &fault), TRP_OK, "%s", fault.rule);

    bool is_there = false;
    for (size_t i = 0; i < tree->root.child_count; i++) {
        is_there |= tree->root.children[i].class == &dead_log_class;
    }
    trp_pid_t pid;
    cr_assert_eq(runtime_spawn(node, &(trp_spawn_t){.class = &dead_log_class}, &pid), TRP_OK);
    node_settle();

    cr_assert(is_there, "an empty configuration has it");
    cr_assert_eq(node->groups.listener_count, 1);
    tree_free(&tree);
}
