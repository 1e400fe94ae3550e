/* SPDX-License-Identifier: MIT */
#include "runtime/machine.h"

#include <stdio.h>
#include <string.h>

#include "tests/runtime/fixture.h"

enum { SHUT, OPEN, PASSING, ROUND, STATES };
enum { TAG_KEY = 0x1040, TAG_ASK, TAG_LATER, TAG_ROUND, TAG_LOOP, TAG_BAD, TAG_FAIL, TAG_AGAIN };

/* What happened, a word for each thing. */
static char story[400];
static trp_status_t late;
static trp_pid_t door;
static bool ended;

static void tell(const char *word)
{
    size_t used = strlen(story);
    snprintf(story + used, sizeof(story) - used, "%s ", word);
}

static trp_next_t shut_enter(trp_ctx_t *ctx, void *data)
{
    (void)ctx;
    (void)data;
    tell("shut");
    return TRP_STAY;
}

static trp_next_t shut_receive(trp_ctx_t *ctx, void *data, const trp_envelope_t *message)
{
    switch (message->tag) {
    case TAG_KEY:
        return OPEN;
    case TAG_LATER:
        late = trp_machine_defer(ctx, data, message);
        tell(late == TRP_OK ? "later" : "full");
        return TRP_STAY;
    case TAG_ROUND:
        return PASSING;
    case TAG_LOOP:
        return ROUND;
    case TAG_BAD:
        return STATES;
    case TAG_FAIL:
        return trp_machine_fail(TRP_PAYLOAD);
    case TAG_AGAIN:
        return SHUT;
    default:
        tell("shown");
        return TRP_STAY;
    }
}

static trp_next_t shut_quiet(trp_ctx_t *ctx, void *data)
{
    (void)ctx;
    (void)data;
    tell("quiet");
    return TRP_STAY;
}

static trp_next_t open_enter(trp_ctx_t *ctx, void *data)
{
    (void)ctx;
    (void)data;
    tell("open");
    return TRP_STAY;
}

static trp_next_t open_receive(trp_ctx_t *ctx, void *data, const trp_envelope_t *message)
{
    (void)ctx;
    (void)data;
    tell(message->tag == TAG_LATER ? "came" : "shown");
    return message->tag == TAG_AGAIN ? OPEN : message->tag == TAG_KEY ? SHUT : TRP_STAY;
}

static trp_next_t open_timeout(trp_ctx_t *ctx, void *data)
{
    (void)ctx;
    (void)data;
    tell("timeout");
    return SHUT;
}

static trp_next_t passing_enter(trp_ctx_t *ctx, void *data)
{
    (void)ctx;
    (void)data;
    tell("passing");
    return OPEN;
}

static trp_next_t round_enter(trp_ctx_t *ctx, void *data)
{
    (void)ctx;
    (void)data;
    return ROUND;
}

static const trp_machine_state_t states[STATES] = {
    [SHUT] = {.name = "shut",
              .enter = shut_enter,
              .receive = shut_receive,
              .quiet_ms = 300,
              .quiet = shut_quiet},
    [OPEN] = {.name = "open",
              .enter = open_enter,
              .receive = open_receive,
              .timeout_ms = 100,
              .timeout = open_timeout},
    [PASSING] = {.name = "passing",
                 .enter = passing_enter,
                 .timeout_ms = 10,
                 .timeout = open_timeout},
    [ROUND] = {.name = "round", .enter = round_enter},
};

static const trp_machine_table_t table = {
    .states = states, .count = STATES, .defer_max = 2, .describe = true};
static int first;

static trp_status_t init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)args;
    return trp_machine_start(ctx, state, &table, state, first);
}

static trp_status_t receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    return trp_machine_receive(ctx, state, message);
}

static void terminate(trp_ctx_t *ctx, void *state, const trp_reason_t *reason)
{
    (void)ctx;
    (void)state;
    ended = true;
    tell(trp_status_name((trp_status_t)reason->code));
}

static const trp_class_t door_class = {.name = "door",
                                       .state_size = sizeof(trp_machine_t),
                                       .init = init,
                                       .receive = receive,
                                       .terminate = terminate};

static void begin(int state)
{
    first = state;
    trp_spawn_t spawn = {.class = &door_class};
    cr_assert_eq(runtime_spawn(node, &spawn, &door), TRP_OK);
    node_settle();
}

static void open_node(void)
{
    node_open(false);
}

TestSuite(machine, .init = open_node, .fini = node_close);

static void post(uint16_t tag)
{
    trp_envelope_t *envelope = envelope_alloc();
    envelope->to = door;
    envelope->tag = tag;
    cr_assert_eq(runtime_send(node, envelope), TRP_OK);
}

static void give(uint16_t tag)
{
    post(tag);
    node_settle();
}

static void is_told(const char *expected)
{
    cr_assert_str_eq(story, expected);
}

Test(machine, the_first_state_is_entered_by_init)
{
    begin(SHUT);

    is_told("shut ");
}

Test(machine, a_message_goes_to_the_state_and_a_change_enters_the_next)
{
    begin(SHUT);

    give(TAG_ASK);
    give(TAG_KEY);
    give(TAG_ASK);

    is_told("shut shown open shown ");
}

Test(machine, a_state_ends_by_its_time_out_whatever_comes)
{
    begin(SHUT);
    give(TAG_KEY);

    node_advance_ms(60);
    give(TAG_ASK);
    node_advance_ms(39);
    is_told("shut open shown ");
    node_advance_ms(2);

    is_told("shut open shown timeout shut ");
}

Test(machine, the_time_out_of_a_state_that_was_left_is_never_seen)
{
    begin(SHUT);
    give(TAG_KEY);
    node_advance_ms(90);
    give(TAG_KEY);
    give(TAG_KEY);

    node_advance_ms(90);
    is_told("shut open shown shut open ");
    node_advance_ms(20);

    is_told("shut open shown shut open timeout shut ");
}

Test(machine, its_own_index_enters_a_state_anew)
{
    begin(SHUT);
    give(TAG_KEY);
    node_advance_ms(90);

    give(TAG_AGAIN);
    node_advance_ms(90);

    is_told("shut open shown open ");
}

Test(machine, quiet_runs_from_the_last_message)
{
    begin(SHUT);
    node_advance_ms(200);
    give(TAG_ASK);

    node_advance_ms(290);
    is_told("shut shown ");
    node_advance_ms(20);
    node_advance_ms(2000);

    is_told("shut shown quiet ");
}

Test(machine, enter_may_go_on_and_keeps_no_time_out_of_what_it_passed)
{
    begin(SHUT);

    give(TAG_ROUND);
    node_advance_ms(50);

    is_told("shut passing open ");
}

Test(machine, enter_that_goes_round_for_ever_ends_the_actor)
{
    begin(SHUT);

    give(TAG_LOOP);

    cr_assert(ended);
    is_told("shut state ");
}

Test(machine, a_first_state_that_is_not_there_fails_the_start)
{
    begin(STATES);

    cr_assert_not(ended);
    is_told("");
}

Test(machine, a_state_that_is_not_there_ends_the_actor)
{
    begin(SHUT);

    give(TAG_BAD);

    cr_assert(ended);
    is_told("shut invalid ");
}

Test(machine, a_handler_can_fail)
{
    begin(SHUT);

    give(TAG_FAIL);

    cr_assert(ended);
    is_told("shut payload ");
}

Test(machine, what_was_deferred_comes_after_the_change_and_before_newer_ones)
{
    begin(SHUT);
    post(TAG_LATER);
    post(TAG_LATER);
    post(TAG_KEY);
    post(TAG_ASK);

    node_settle();

    is_told("shut later later open came came shown ");
}

Test(machine, a_re_entry_shows_nothing_again)
{
    begin(SHUT);
    give(TAG_LATER);

    give(TAG_AGAIN);
    give(TAG_KEY);

    is_told("shut later shut open came ");
}

Test(machine, deferring_past_the_bound_is_refused)
{
    begin(SHUT);

    give(TAG_LATER);
    give(TAG_LATER);
    give(TAG_LATER);
    give(TAG_KEY);

    cr_assert_eq(late, TRP_FULL);
    is_told("shut later later full open came came ");
}

Test(machine, what_is_deferred_ends_with_the_actor)
{
    begin(SHUT);
    give(TAG_LATER);
    runtime_ledger_t before;
    runtime_ledger(node, &before);

    give(TAG_FAIL);

    runtime_ledger_t after;
    runtime_ledger(node, &after);
    cr_assert_eq(before.queued, 1);
    cr_assert_eq(after.queued, 0);
    cr_assert_eq(after.dead, before.dead + 1);
}

static void kill_door(trp_ctx_t *ctx, probe_t *probe)
{
    (void)probe;
    trp_reason_t reason = trp_reason(TRP_REASON_KILLED, 0, NULL);
    trp_exit(ctx, door, &reason);
}

Test(machine, a_kill_leaves_nothing_of_it)
{
    static probe_t killer;
    begin(SHUT);
    probe_spawn(&killer, NULL);
    give(TAG_LATER);

    probe_do(&killer, kill_door);
    node_advance_ms(1000);

    runtime_ledger_t after;
    runtime_ledger(node, &after);
    cr_assert_not(ended);
    cr_assert_eq(after.queued, 0);
    cr_assert_eq(after.dead, 1);
    is_told("shut later ");
}

static void find_detail(void *user, const actor_info_t *info)
{
    if (trp_pid_equal(info->pid, door)) {
        snprintf(user, 32, "%s", info->detail);
    }
}

Test(machine, ps_shows_the_state)
{
    begin(SHUT);
    give(TAG_KEY);
    char detail[32] = "";

    runtime_each(node, find_detail, detail);

    cr_assert_str_eq(detail, "open");
}
