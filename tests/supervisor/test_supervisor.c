/* SPDX-License-Identifier: MIT */
/* The supervisor as an actor of a node that the test steps. */
#include "supervisor/supervisor.h"

#include <stdio.h>
#include <string.h>

#include "runtime/log.h"
#include "tests/runtime/fixture.h"

#define TAG_FAIL  0x1100 /* to a kid: return an error */
#define TAG_READY 0x1101 /* to a kid whose init is pending: it is done */
#define KIDS      4

/* What the test knows of a child, and what the child shall do. */
typedef struct kid {
    trp_pid_t pid;
    int starts, stops;
    trp_status_t init_status; /* of the next starts */
    bool ignores_shutdown;
} kid_t;

static kid_t kids[KIDS];
static char ends[64]; /* letters of kids in the order of their end */
static trp_child_spec_t children[KIDS];
static trp_supervisor_spec_t spec;
static probe_t parent, observer;

/* ---- children ---- */

static kid_t *kid_of(const trp_envelope_t *args)
{
    size_t size = 0;
    int index = 0;
    memcpy(&index, trp_message_data(args, &size), sizeof(index));
    return &kids[index];
}

static trp_status_t kid_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    kid_t *kid = kid_of(args);
    *(kid_t **)state = kid;
    kid->pid = trp_self(ctx);
    kid->starts++;
    trp_trap_exit(ctx, true);
    return kid->init_status;
}

static trp_status_t kid_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    const kid_t *kid = *(kid_t **)state;
    if (message->tag == TAG_FAIL) {
        return TRP_FAILED;
    }
    if (message->tag == TAG_READY) {
        trp_ready(ctx);
    }
    if (message->tag == TRP_TAG_EXIT && !kid->ignores_shutdown) {
        trp_reason_t reason = trp_reason(TRP_REASON_SHUTDOWN, 0, NULL);
        trp_stop(ctx, &reason);
    }
    return TRP_OK;
}

static void kid_terminate(trp_ctx_t *ctx, void *state, const trp_reason_t *reason)
{
    (void)ctx;
    (void)reason;
    kid_t *kid = *(kid_t **)state;
    kid->stops++;
    ends[strlen(ends)] = (char)('a' + (kid - kids));
}

static const trp_class_t kid_class = {.name = "kid",
                                      .version = 1,
                                      .state_size = sizeof(kid_t *),
                                      .init = kid_init,
                                      .receive = kid_receive,
                                      .terminate = kid_terminate};

static int numbers[KIDS] = {0, 1, 2, 3};

static trp_child_spec_t kid_spec(int index)
{
    trp_child_spec_t child = {.class = &kid_class,
                              .args = &numbers[index],
                              .args_size = sizeof(int),
                              .is_named = true,
                              .shutdown_ms = 1000,
                              .start_ms = 2000};
    snprintf(child.id, sizeof(child.id), "kid.%d", index + 1);
    return child;
}

/* ---- the node ---- */

static void open_node(void)
{
    log_level_set(LOG_FATAL + 1); /* what it reports is not looked at here */
    node_open(false);
    memset(kids, 0, sizeof(kids));
    memset(ends, 0, sizeof(ends));
    parent = observer = (probe_t){0};
    probe_spawn(&parent, NULL);
    probe_spawn(&observer, NULL);
    node_settle();
}

static void exit_supervisor(trp_ctx_t *ctx, probe_t *probe)
{
    trp_reason_t reason = trp_reason(TRP_REASON_SHUTDOWN, 0, NULL);
    trp_exit(ctx, probe->other, &reason);
}

/* Ends the supervisor, and so what it holds, before its node. */
static void close_node(void)
{
    if (!trp_pid_is_none(parent.other)) {
        for (int i = 0; i < KIDS; i++) {
            kids[i].ignores_shutdown = false;
        }
        probe_do(&parent, exit_supervisor);
    }
    node_close();
}

TestSuite(supervisor, .init = open_node, .fini = close_node);

static void spawn_supervisor(trp_ctx_t *ctx, probe_t *probe)
{
    trp_supervisor_args_t args = {.spec = &spec, .parent = trp_self(ctx)};
    trp_spawn_t spawn = {.class = &trp_supervisor_class,
                         .name = spec.name,
                         .args = &args,
                         .args_size = sizeof(args),
                         .monitor = true,
                         .monitor_ref = &probe->ref,
                         .ack = true};
    cr_assert_eq(trp_spawn(ctx, &spawn, &probe->other), TRP_OK);
}

static void set_spec(size_t count, trp_strategy_t strategy, int64_t intensity)
{
    for (int i = 0; i < KIDS; i++) {
        children[i] = kid_spec(i);
    }
    spec = (trp_supervisor_spec_t){.name = "pool.kid",
                                   .strategy = strategy,
                                   .intensity = intensity,
                                   .period_s = 5,
                                   .children = children,
                                   .child_count = count};
}

static void supervise(size_t count, trp_strategy_t strategy, int64_t intensity)
{
    set_spec(count, strategy, intensity);
    probe_do(&parent, spawn_supervisor);
}

static void send_to_kid(const kid_t *kid, uint16_t tag)
{
    trp_envelope_t *envelope = envelope_alloc();
    envelope->to = kid->pid;
    envelope->tag = tag;
    cr_assert_eq(runtime_send(node, envelope), TRP_OK);
    node_settle();
}

static void send_fail(const kid_t *kid)
{
    send_to_kid(kid, TAG_FAIL);
}

static bool is_registered(const char *name, trp_pid_t pid)
{
    return trp_pid_equal(runtime_whereis(node, name), pid);
}

/* ---- start, crash, stop ---- */

Test(supervisor, is_ready_when_all_its_children_are)
{
    supervise(2, TRP_ONE_FOR_ONE, 1);

    cr_assert_eq(probe_last(&parent)->tag, TRP_TAG_STARTED);
    cr_assert_eq(kids[0].starts + kids[1].starts, 2);
    cr_assert(is_registered("kid.1", kids[0].pid));
}

Test(supervisor, replaces_a_child_that_failed_under_its_old_name)
{
    supervise(2, TRP_ONE_FOR_ONE, 1);
    trp_pid_t before = kids[0].pid;

    send_fail(&kids[0]);

    cr_assert_eq(kids[0].starts, 2);
    cr_assert_not(trp_pid_equal(kids[0].pid, before));
    cr_assert(is_registered("kid.1", kids[0].pid));
    cr_assert_eq(kids[1].starts, 1);
}

Test(supervisor, one_for_all_restarts_every_child)
{
    supervise(3, TRP_ONE_FOR_ALL, 1);

    send_fail(&kids[1]);

    cr_assert_str_eq(ends, "bca");
    cr_assert(kids[0].starts == 2 && kids[1].starts == 2 && kids[2].starts == 2);
}

Test(supervisor, fails_to_start_when_a_child_does_and_leaves_none_behind)
{
    kids[1].init_status = TRP_CONFIG;

    supervise(3, TRP_ONE_FOR_ONE, 5);

    cr_assert_eq(probe_last(&parent)->tag, TRP_TAG_DOWN);
    cr_assert_eq(probe_last(&parent)->reason.kind, TRP_REASON_START_FAILED);
    cr_assert_str_eq(probe_last(&parent)->reason.text, "kid.2");
    cr_assert_str_eq(ends, "a");
    cr_assert_eq(kids[2].starts, 0);
}

Test(supervisor, child_that_never_gets_ready_is_killed_at_its_limit)
{
    kids[0].init_status = TRP_PENDING;
    supervise(1, TRP_ONE_FOR_ONE, 5);
    cr_assert_eq(parent.count, 0);

    node_advance_ms(2001);

    cr_assert_eq(probe_last(&parent)->reason.kind, TRP_REASON_START_FAILED);
    cr_assert_eq(probe_last(&parent)->reason.code, TRP_TIMEOUT);
}

/* Pending until they are told that they are ready. */
static void supervise_pending(size_t count, trp_starts_t starts, size_t start_max)
{
    for (size_t i = 0; i < count; i++) {
        kids[i].init_status = TRP_PENDING;
    }
    set_spec(count, TRP_ONE_FOR_ONE, 5);
    spec.starts = starts;
    spec.start_max = start_max;
    probe_do(&parent, spawn_supervisor);
}

Test(supervisor, next_child_starts_when_the_one_before_is_ready_and_not_when_it_is_started)
{
    supervise_pending(2, TRP_STARTS_ORDERED, 0);
    cr_assert_eq(kids[0].starts, 1);
    node_advance_ms(1999);
    cr_assert_eq(kids[1].starts, 0, "the first is not ready");

    send_to_kid(&kids[0], TAG_READY);

    cr_assert_eq(kids[1].starts, 1);
    cr_assert_eq(parent.count, 0, "it is ready when both are");
    node_advance_ms(1999);
    send_to_kid(&kids[1], TAG_READY);
    cr_assert_eq(probe_last(&parent)->tag, TRP_TAG_STARTED);
}

Test(supervisor, parallel_starts_are_no_more_at_a_time_than_start_max)
{
    supervise_pending(4, TRP_STARTS_PARALLEL, 2);
    cr_assert(kids[0].starts == 1 && kids[1].starts == 1 && kids[2].starts + kids[3].starts == 0);

    send_to_kid(&kids[1], TAG_READY);
    cr_assert(kids[2].starts == 1 && kids[3].starts == 0, "in the place of the one that is ready");
    send_to_kid(&kids[2], TAG_READY);
    send_to_kid(&kids[3], TAG_READY);

    cr_assert_eq(parent.count, 0, "the first is not ready");
    send_to_kid(&kids[0], TAG_READY);
    cr_assert_eq(probe_last(&parent)->tag, TRP_TAG_STARTED);
}

Test(supervisor, restarted_child_that_is_not_ready_in_time_is_killed_and_tried_again)
{
    supervise(1, TRP_ONE_FOR_ONE, 5);
    kids[0].init_status = TRP_PENDING;
    send_fail(&kids[0]);
    cr_assert_eq(kids[0].starts, 2);

    kids[0].init_status = TRP_OK;
    node_advance_ms(2001);
    node_settle();

    cr_assert_eq(kids[0].starts, 3);
    cr_assert(is_registered("kid.1", kids[0].pid));
}

Test(supervisor, stops_its_children_in_reverse_order_when_its_parent_asks)
{
    supervise(3, TRP_ONE_FOR_ONE, 1);

    probe_do(&parent, exit_supervisor);

    cr_assert_str_eq(ends, "cba");
    cr_assert_eq(probe_last(&parent)->tag, TRP_TAG_DOWN);
    cr_assert_eq(probe_last(&parent)->reason.kind, TRP_REASON_SHUTDOWN);
}

Test(supervisor, kills_a_child_that_does_not_end_in_time)
{
    kids[1].ignores_shutdown = true;
    supervise(2, TRP_ONE_FOR_ONE, 1);
    probe_do(&parent, exit_supervisor);
    cr_assert_str_empty(ends);

    node_advance_ms(1001);

    cr_assert_str_eq(ends, "a", "b was killed, which is not a normal end");
    cr_assert_eq(probe_last(&parent)->tag, TRP_TAG_DOWN);
}

Test(supervisor, gives_up_with_shutdown_after_too_many_restarts)
{
    supervise(2, TRP_ONE_FOR_ONE, 1);
    send_fail(&kids[0]);

    send_fail(&kids[0]);

    cr_assert_eq(probe_last(&parent)->tag, TRP_TAG_DOWN);
    cr_assert_eq(probe_last(&parent)->reason.kind, TRP_REASON_SHUTDOWN);
    cr_assert_eq(kids[1].stops, 1);
}

#ifndef __SANITIZE_ADDRESS__ /* what a killed actor has allocated is lost: no terminate */
static void kill_supervisor(trp_ctx_t *ctx, probe_t *probe)
{
    trp_reason_t reason = trp_reason(TRP_REASON_KILLED, 0, NULL);
    trp_exit(ctx, probe->other, &reason);
}

Test(supervisor, takes_its_children_with_it_when_it_is_killed)
{
    supervise(2, TRP_ONE_FOR_ONE, 1);

    probe_do(&parent, kill_supervisor);

    cr_assert_eq(kids[0].stops + kids[1].stops, 2);
}
#endif

Test(supervisor, of_supervisors_restarts_a_whole_branch)
{
    static trp_supervisor_spec_t inner;
    inner = (trp_supervisor_spec_t){
        .name = "inner", .intensity = 0, .period_s = 5, .children = children, .child_count = 2};
    trp_child_spec_t branch = {.id = "inner",
                               .class = &trp_supervisor_class,
                               .args = &inner,
                               .is_supervisor = true,
                               .shutdown_ms = TRP_SHUTDOWN_INFINITY};
    children[0] = kid_spec(0);
    children[1] = kid_spec(1);
    spec = (trp_supervisor_spec_t){
        .name = "outer", .intensity = 1, .period_s = 5, .children = &branch, .child_count = 1};
    probe_do(&parent, spawn_supervisor);
    cr_assert_eq(probe_last(&parent)->tag, TRP_TAG_STARTED);

    send_fail(&kids[0]);

    cr_assert_eq(parent.count, 1, "the outer one goes on");
    cr_assert(kids[0].starts == 2 && kids[1].starts == 2);
}

/* ---- observers ---- */

static char changes[256];

/* Notes "id:change " of each child_event. */
static trp_status_t note_event(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    (void)ctx;
    (void)probe;
    static const char *const words[] = {"up", "leaving", "down"};
    size_t size = 0;
    const void *data = trp_message_data(message, &size);
    if (message->tag != TRP_TAG_CHILD_EVENT) {
        return TRP_OK;
    }
    trp_document_t document;
    trp_fault_t fault;
    child_event_t event;
    cr_assert_eq(
        trp_schema_unpack(&child_event_schema, (trp_text_t){data, size}, &document, &event, &fault),
        TRP_OK, "%s %s", fault.path, fault.rule);
    size_t used = strlen(changes);
    snprintf(changes + used, sizeof(changes) - used, "%.*s:%s ", (int)event.id.size, event.id.data,
             words[event.change]);
    trp_document_fini(&document);
    return TRP_OK;
}

static void observe(trp_ctx_t *ctx, probe_t *probe)
{
    cr_assert_eq(trp_send(ctx, probe->other, TRP_TAG_OBSERVE, NULL, 0), TRP_OK);
}

static void begin_observing(void)
{
    changes[0] = '\0';
    observer.receive = note_event;
    observer.other = parent.other;
    probe_do(&observer, observe);
}

Test(supervisor, observer_hears_of_the_present_children_and_of_every_change)
{
    supervise(2, TRP_ONE_FOR_ONE, 5);

    begin_observing();
    cr_assert_str_eq(changes, "kid.1:up kid.2:up ");
    changes[0] = '\0';
    send_fail(&kids[1]);
    cr_assert_str_eq(changes, "kid.2:down kid.2:up ");
    changes[0] = '\0';
    probe_do(&parent, exit_supervisor);

    cr_assert_str_eq(changes, "kid.1:leaving kid.2:leaving kid.2:down kid.1:down ");
}

static void stop_observer(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    trp_stop(ctx, NULL);
}

Test(supervisor, forgets_an_observer_that_ended)
{
    supervise(1, TRP_ONE_FOR_ONE, 5);
    begin_observing();
    changes[0] = '\0';

    probe_do(&observer, stop_observer);
    send_fail(&kids[0]);

    cr_assert_str_empty(changes);
    cr_assert_eq(kids[0].starts, 2);
}

/* ---- requests ---- */

static int outcome;
static char answered_id[64];
static char table[512];

/* Notes what a request was answered. */
static trp_status_t note_answer(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    (void)ctx;
    (void)probe;
    trp_text_t bytes;
    bytes.data = trp_message_data(message, &bytes.size);
    trp_document_t document;
    trp_fault_t fault;
    if (message->tag == TRP_TAG_CHILD_ANSWER) {
        child_answer_t answer;
        cr_assert_eq(trp_schema_unpack(&child_answer_schema, bytes, &document, &answer, &fault),
                     TRP_OK);
        outcome = answer.outcome;
        snprintf(answered_id, sizeof(answered_id), "%.*s", (int)answer.id.size, answer.id.data);
        trp_document_fini(&document);
    } else if (message->tag == TRP_TAG_CHILDREN) {
        children_t rows;
        cr_assert_eq(trp_schema_unpack(&children_schema, bytes, &document, &rows, &fault), TRP_OK);
        table[0] = '\0';
        for (size_t i = 0; i < rows.children_count; i++) {
            const child_info_t *row = &rows.children[i];
            size_t used = strlen(table);
            snprintf(table + used, sizeof(table) - used, "%.*s state %d restarts %d; ",
                     (int)row->id.size, row->id.data, row->state, (int)row->restarts);
        }
        trp_document_fini(&document);
    }
    return TRP_OK;
}

static trp_request_t next_request;

static void ask(trp_ctx_t *ctx, probe_t *probe)
{
    uint64_t id = 0;
    next_request.to = probe->other;
    cr_assert_eq(trp_request(ctx, &next_request, &id), TRP_OK);
}

/* Asks the supervisor, with the packed map or nothing. */
static void request(uint16_t tag, const char *id)
{
    char body[80];
    observer.receive = note_answer;
    observer.other = parent.other;
    outcome = -1;
    next_request = (trp_request_t){.tag = tag};
    if (id != NULL) {
        snprintf(body, sizeof(body), "{\"id\":\"%s\"}", id); /* JSON does as well */
        next_request.data = body;
        next_request.size = strlen(body);
    }
    probe_do(&observer, ask);
}

static trp_child_spec_t template;

/* A supervisor of one kid that may have three. */
static void supervise_pool(void)
{
    supervise(1, TRP_ONE_FOR_ONE, 5);
    template = kid_spec(1);
    snprintf(template.id, sizeof(template.id), "kid");
    spec.template = &template;
    spec.child_max = 3;
}

Test(supervisor, start_child_adds_the_lowest_free_number_of_the_template)
{
    supervise_pool();

    request(TRP_TAG_CHILD_START, NULL);

    cr_assert_eq(outcome, CHILD_OK);
    cr_assert_str_eq(answered_id, "kid.2");
    cr_assert(is_registered("kid.2", kids[1].pid));
}

Test(supervisor, start_child_is_refused_beyond_the_maximum_and_without_a_template)
{
    supervise(1, TRP_ONE_FOR_ONE, 5);
    request(TRP_TAG_CHILD_START, NULL);
    cr_assert_eq(outcome, CHILD_REFUSED);

    spec.template = &children[1];
    spec.child_max = 1;
    request(TRP_TAG_CHILD_START, NULL);

    cr_assert_eq(outcome, CHILD_REFUSED);
}

Test(supervisor, start_child_tells_started_from_present)
{
    supervise_pool();
    request(TRP_TAG_CHILD_START, "kid.1");
    cr_assert_eq(outcome, CHILD_ALREADY_STARTED);

    request(TRP_TAG_CHILD_TERMINATE, "kid.1");
    request(TRP_TAG_CHILD_START, "kid.1");

    cr_assert_eq(outcome, CHILD_ALREADY_PRESENT);
}

Test(supervisor, pool_that_shrank_grows_again_under_the_old_name)
{
    supervise_pool();
    template.is_dynamic = true;
    for (int round = 0; round < 5; round++) {
        request(TRP_TAG_CHILD_START, NULL);
        cr_assert_eq(outcome, CHILD_OK);
        cr_assert_str_eq(answered_id, "kid.2");
        request(TRP_TAG_CHILD_TERMINATE, "kid.2");
        cr_assert_eq(outcome, CHILD_OK);
    }
}

Test(supervisor, pool_at_its_maximum_that_shrank_grows_again)
{
    supervise_pool();
    template.is_dynamic = true;
    spec.child_max = 2;
    request(TRP_TAG_CHILD_START, NULL);
    request(TRP_TAG_CHILD_TERMINATE, "kid.2");

    request(TRP_TAG_CHILD_START, NULL);

    cr_assert_eq(outcome, CHILD_OK);
}

Test(supervisor, start_child_that_fails_keeps_no_row)
{
    supervise_pool();
    kids[1].init_status = TRP_NO_MEMORY;

    request(TRP_TAG_CHILD_START, NULL);
    cr_assert_eq(outcome, CHILD_FAILED);
    request(TRP_TAG_CHILD_DELETE, "kid.2");

    cr_assert_eq(outcome, CHILD_NOT_FOUND);
}

Test(supervisor, terminate_restart_and_delete_by_request)
{
    supervise_pool();

    request(TRP_TAG_CHILD_TERMINATE, "kid.1");
    cr_assert(outcome == CHILD_OK && kids[0].stops == 1);
    request(TRP_TAG_CHILD_RESTART, "kid.1");
    cr_assert(outcome == CHILD_OK && kids[0].starts == 2);
    request(TRP_TAG_CHILD_DELETE, "kid.1");
    cr_assert_eq(outcome, CHILD_RUNNING);
    request(TRP_TAG_CHILD_TERMINATE, "kid.1");
    request(TRP_TAG_CHILD_DELETE, "kid.1");
    cr_assert_eq(outcome, CHILD_OK);
    request(TRP_TAG_CHILD_RESTART, "kid.1");

    cr_assert_eq(outcome, CHILD_NOT_FOUND);
}

Test(supervisor, request_that_is_no_map_is_refused)
{
    supervise_pool();

    request(TRP_TAG_CHILD_TERMINATE, NULL);

    cr_assert_eq(outcome, CHILD_REFUSED);
}

Test(supervisor, which_children_shows_state_and_restarts)
{
    supervise(2, TRP_ONE_FOR_ONE, 5);
    send_fail(&kids[1]);
    request(TRP_TAG_CHILD_TERMINATE, "kid.1");

    request(TRP_TAG_CHILDREN_WHICH, NULL);

    cr_assert_str_eq(table, "kid.1 state 0 restarts 0; kid.2 state 4 restarts 1; ");
}

/* ---- checks ---- */

Test(supervisor, check_names_the_rule_that_is_broken)
{
    char rule[160];
    children[0] = children[1] = kid_spec(0);
    spec = (trp_supervisor_spec_t){
        .name = "s", .intensity = 1, .period_s = 5, .children = children, .child_count = 2};
    cr_assert_eq(trp_supervisor_check(&spec, rule), TRP_INVALID);
    cr_assert_str_eq(rule, "s: child kid.1: id: expected one that no other child has");

    spec.child_count = 1;
    cr_assert_eq(trp_supervisor_check(&spec, rule), TRP_OK);
    children[0].shutdown_ms = -3;
    cr_assert_eq(trp_supervisor_check(&spec, rule), TRP_INVALID);
    children[0].shutdown_ms = 0;
    spec.period_s = 0;
    cr_assert_eq(trp_supervisor_check(&spec, rule), TRP_INVALID);
    spec.period_s = 1;
    spec.intensity = -1;
    cr_assert_eq(trp_supervisor_check(&spec, rule), TRP_INVALID);
}
