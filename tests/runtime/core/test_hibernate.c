/* SPDX-License-Identifier: MIT */
#include "runtime/hibernate.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/core/group.h"
#include "runtime/log.h"
#include "runtime/memory.h"
#include "runtime/snapshot.h"
#include "tests/runtime/fixture.h"

enum { TAG_ADD = 0x2000, TAG_SLEEP, TAG_TICK, TAG_FAIL, TAG_SLEEP_AND_STOP };

#define LARGE 50000

/* ---- an actor with a large state ---- */

typedef struct sleeper {
    int64_t total;
    char *owned;
    char *block;
    char large[LARGE];
} sleeper_t;

static trp_status_t save_status, restore_status, sleep_status;
static int saves, restores, releases, terminations, timer_starts;
static int64_t last_total;
static bool was_waking, has_args;
static trp_reason_t last_reason;

static trp_status_t fill(trp_ctx_t *ctx, sleeper_t *sleeper)
{
    sleeper->owned = strdup("its own");
    sleeper->block = trp_alloc(ctx, 1000);
    return sleeper->owned == NULL || sleeper->block == NULL ? TRP_NO_MEMORY : TRP_OK;
}

static trp_status_t sleeper_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    uint64_t timer;
    (void)args;
    timer_starts++;
    const trp_status_t status = trp_timer_start(ctx, 1000, 1000, TAG_TICK, &timer);
    return status == TRP_OK ? fill(ctx, state) : status;
}

static trp_status_t sleeper_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    sleeper_t *sleeper = state;
    sleeper->total += message->tag == TAG_ADD;
    last_total = sleeper->total;
    cr_assert_str_eq(sleeper->owned, "its own");
    memset(sleeper->block, 1, 1000);
    memset(sleeper->large, 1, LARGE);
    if (message->tag == TAG_SLEEP || message->tag == TAG_SLEEP_AND_STOP) {
        sleep_status = trp_hibernate(ctx);
    }
    if (message->tag == TAG_SLEEP_AND_STOP) {
        trp_stop(ctx, NULL);
    }
    return message->tag == TAG_FAIL ? TRP_FAILED : TRP_OK;
}

static void sleeper_terminate(trp_ctx_t *ctx, void *state, const trp_reason_t *reason)
{
    (void)ctx;
    terminations++;
    last_reason = *reason;
    last_total = ((sleeper_t *)state)->total;
}

static trp_status_t sleeper_save(trp_ctx_t *ctx, const void *state, trp_writer_t *writer)
{
    (void)ctx;
    saves++;
    trp_write_map(writer, 1);
    trp_put_int(writer, "total", ((const sleeper_t *)state)->total);
    return save_status;
}

static trp_status_t sleeper_restore(trp_ctx_t *ctx, void *state, const trp_envelope_t *args,
                                    const trp_snapshot_t *snapshot)
{
    sleeper_t *sleeper = state;
    trp_document_t document;
    trp_fault_t fault;
    restores++;
    was_waking = trp_is_waking(ctx);
    has_args = args != NULL;
    if (trp_document_init(&document, snapshot->state.data, snapshot->state.size, &fault) !=
        TRP_OK) {
        return TRP_INVALID;
    }
    sleeper->total = trp_member(&document.root, "total")->via.i64;
    trp_document_fini(&document);
    const trp_status_t status = fill(ctx, sleeper);
    return status == TRP_OK ? restore_status : status;
}

static void sleeper_release(void *state)
{
    releases++;
    free(((sleeper_t *)state)->owned);
}

static const trp_class_t sleeper_class = {.name = "sleeper",
                                          .version = 4,
                                          .state_size = sizeof(sleeper_t),
                                          .init = sleeper_init,
                                          .receive = sleeper_receive,
                                          .terminate = sleeper_terminate,
                                          .save = sleeper_save,
                                          .restore = sleeper_restore,
                                          .release = sleeper_release};

static trp_pid_t sleeper;
static probe_t watcher;

static void tell(uint16_t tag)
{
    trp_envelope_t *envelope = envelope_alloc();
    envelope->to = sleeper;
    envelope->tag = tag;
    cr_assert_eq(runtime_send(node, envelope), TRP_OK);
}

static actor_info_t look(void)
{
    actor_info_t info = {.state = "gone"};
    (void)runtime_look(node, sleeper, &info);
    return info;
}

static void no_line(void *user, int level, const log_field_t *fields)
{
    (void)user;
    (void)level;
    (void)fields;
}

static void open_stepped(void)
{
    node_open(false);
    log_redirect(no_line, NULL);
    const trp_spawn_t spawn = {.class = &sleeper_class, .name = "sleeper"};
    cr_assert_eq(runtime_spawn(node, &spawn, &sleeper), TRP_OK);
    node_settle();
    tell(TAG_ADD);
    tell(TAG_ADD);
    node_settle();
}

static void close_stepped(void)
{
    log_redirect(NULL, NULL);
    node_close();
}

TestSuite(hibernate, .init = open_stepped, .fini = close_stepped);

static void lay_down(void)
{
    tell(TAG_SLEEP);
    node_settle();
    cr_assert_eq(sleep_status, TRP_OK);
    cr_assert_str_eq(look().state, "asleep");
}

/* ---- down and up again ---- */

Test(hibernate, gives_back_its_memory_and_has_its_state_again_at_the_next_message)
{
    cr_assert_gt(look().memory, LARGE + 1000);

    lay_down();

    cr_expect_lt(look().memory, 300, "%zu", look().memory);
    cr_expect_eq(releases, 1);
    cr_expect_eq(restores, 0);
    cr_expect_str_eq(look().class_name, "sleeper");
    tell(TAG_ADD);
    node_settle();
    cr_expect_eq(last_total, 3);
    cr_expect(was_waking && !has_args);
    cr_expect_str_eq(look().state, "idle");
    cr_expect_gt(look().memory, LARGE + 1000);
}

Test(hibernate, a_name_and_timers_stay_and_a_timer_wakes)
{
    lay_down();

    cr_expect(trp_pid_equal(runtime_whereis(node, "sleeper"), sleeper));
    node_advance_ms(1500);

    cr_expect_eq(restores, 1);
    cr_expect_eq(timer_starts, 1);
    cr_expect_eq(last_total, 2);
    lay_down();
    node_advance_ms(1000);
    cr_expect_eq(restores, 2, "a periodic one goes on");
}

static void monitor_and_ask(trp_ctx_t *ctx, probe_t *probe)
{
    uint64_t ref;
    cr_assert_eq(trp_monitor(ctx, sleeper, &ref), TRP_OK);
    cr_assert_eq(trp_snapshot_take(ctx, sleeper, 0, &probe->ref), TRP_OK);
}

Test(hibernate, signals_and_who_looks_in_wake_nobody)
{
    lay_down();
    probe_spawn(&watcher, NULL);

    probe_do(&watcher, monitor_and_ask);

    cr_expect_eq(probe_last(&watcher)->tag, TRP_TAG_SNAPSHOT, "of what is kept");
    cr_expect_eq(restores, 0);
    cr_expect_eq(saves, 1);
    cr_expect_str_eq(look().state, "asleep");
}

Test(hibernate, not_while_messages_wait)
{
    tell(TAG_SLEEP);
    tell(TAG_ADD);
    node_settle();

    cr_expect_eq(saves, 0);
    cr_expect_str_eq(look().state, "idle");
    cr_expect_eq(last_total, 3);
}

Test(hibernate, asked_twice_in_a_row_is_asked_twice)
{
    lay_down();
    lay_down();

    cr_expect_eq(saves, 2);
    cr_expect_eq(restores, 1);
    cr_expect_eq(releases, 2);
}

/* ---- what goes wrong ---- */

Test(hibernate, a_class_without_save_or_restore_is_told)
{
    static const trp_class_t bare = {.name = "bare",
                                     .init = sleeper_init,
                                     .state_size = sizeof(sleeper_t),
                                     .receive = sleeper_receive,
                                     .save = sleeper_save,
                                     .release = sleeper_release};
    const trp_spawn_t spawn = {.class = &bare};
    cr_assert_eq(runtime_spawn(node, &spawn, &sleeper), TRP_OK);
    tell(TAG_SLEEP);
    node_settle();

    cr_expect_eq(sleep_status, TRP_UNSUPPORTED);
    cr_expect_str_eq(look().state, "idle");
}

Test(hibernate, a_save_that_fails_changes_nothing)
{
    save_status = TRP_FAILED;
    tell(TAG_SLEEP);
    node_settle();

    cr_expect_str_eq(look().state, "idle");
    tell(TAG_ADD);
    node_settle();
    cr_expect_eq(last_total, 3);
    cr_expect_eq(restores, 0);
}

Test(hibernate, a_restore_that_fails_ends_the_actor_with_its_status)
{
    probe_spawn(&watcher, NULL);
    lay_down();
    probe_do(&watcher, monitor_and_ask);
    restore_status = TRP_DENIED;

    tell(TAG_ADD);
    node_settle();

    cr_expect_str_eq(look().state, "gone");
    cr_expect_eq(probe_last(&watcher)->tag, TRP_TAG_DOWN);
    cr_expect_eq(probe_last(&watcher)->reason.kind, TRP_REASON_ERROR);
    cr_expect_eq(probe_last(&watcher)->reason.code, TRP_DENIED);
    cr_expect_eq(terminations, 0);
    cr_expect_eq(releases, 1 + restores, "each state was released");
}

/* ---- ends ---- */

static void end_it(trp_reason_kind_t kind)
{
    const trp_reason_t reason = trp_reason(kind, 0, NULL);
    trp_envelope_t *exit = envelope_alloc();
    exit->to = sleeper;
    exit->tag = kind == TRP_REASON_KILLED ? TRP_SIGNAL_KILL : TRP_SIGNAL_EXIT;
    exit->flags = TRP_ENVELOPE_SIGNAL;
    if (kind == TRP_REASON_KILLED) {
        exit->flags |= TRP_ENVELOPE_URGENT;
    }
    cr_assert_eq(envelope_set(exit, &reason, sizeof(reason)), TRP_OK);
    cr_assert_eq(runtime_send(node, exit), TRP_OK);
    node_settle();
    cr_expect_str_eq(look().state, "gone");
}

Test(hibernate, an_exit_wakes_it_for_terminate)
{
    lay_down();

    end_it(TRP_REASON_SHUTDOWN);

    cr_expect_eq(terminations, 1);
    cr_expect_eq(last_total, 2);
    cr_expect_eq(last_reason.kind, TRP_REASON_SHUTDOWN);
    cr_expect_eq(releases, 2);
}

Test(hibernate, a_kill_ends_it_in_its_sleep)
{
    lay_down();

    end_it(TRP_REASON_KILLED);

    cr_expect_eq(restores + terminations, 0);
    cr_expect_eq(releases, 1);
}

Test(hibernate, who_stops_in_the_same_callback_does_not_sleep)
{
    tell(TAG_SLEEP_AND_STOP);
    node_settle();

    cr_expect_str_eq(look().state, "gone");
    cr_expect_eq(saves, 0);
    cr_expect_eq(terminations, 1);
    cr_expect_eq(releases, 1);
}

Test(hibernate, who_fails_when_it_has_been_woken_ends_as_ever)
{
    lay_down();
    tell(TAG_FAIL);
    node_settle();

    cr_expect_str_eq(look().state, "gone");
    cr_expect_eq(terminations, 1);
    cr_expect_eq(last_reason.code, TRP_FAILED);
    cr_expect_eq(releases, 2);
}

Test(hibernate, a_node_that_ends_leaks_nothing_of_a_sleeper)
{
    lay_down(); /* the leak sanitizer sees the rest */
}
