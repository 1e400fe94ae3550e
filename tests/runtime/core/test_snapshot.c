/* SPDX-License-Identifier: MIT */
#include "runtime/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "tests/runtime/fixture.h"

static void open_node(void)
{
    node_open(false);
}

TestSuite(snapshot, .init = open_node, .fini = node_close);

/* ---- an actor that counts what it gets ---- */

enum { TAG_ADD = 0x2000 };

typedef struct counter {
    int64_t total;
} counter_t;

static trp_status_t save_status, restore_status;
static bool writes_garbage;
static int64_t restored_version, last_total;
static int restores, inits;
static char restore_args[8];

static trp_status_t counter_init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)ctx;
    (void)state;
    (void)args;
    inits++;
    return TRP_OK;
}

static trp_status_t counter_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)ctx;
    counter_t *counter = state;
    counter->total += message->tag == TAG_ADD;
    last_total = counter->total;
    return TRP_OK;
}

static trp_status_t counter_save(trp_ctx_t *ctx, const void *state, trp_writer_t *writer)
{
    (void)ctx;
    const counter_t *counter = state;
    trp_write_map(writer, 1);
    trp_put_int(writer, "total", counter->total);
    if (writes_garbage) {
        trp_write_int(writer, 1); /* a second value */
    }
    return save_status;
}

static trp_status_t counter_restore(trp_ctx_t *ctx, void *state, const trp_envelope_t *args,
                                    const trp_snapshot_t *snapshot)
{
    (void)ctx;
    counter_t *counter = state;
    trp_document_t document;
    trp_fault_t fault;
    size_t size = 0;
    restores++;
    restored_version = snapshot->version;
    if (args != NULL) {
        const void *data = trp_message_data(args, &size);
        memcpy(restore_args, data, size < sizeof(restore_args) ? size : sizeof(restore_args) - 1);
    }
    trp_status_t status =
        trp_document_init(&document, snapshot->state.data, snapshot->state.size, &fault);
    if (status == TRP_OK) {
        counter->total = trp_member(&document.root, "total")->via.i64;
        trp_document_fini(&document);
    }
    return status == TRP_OK ? restore_status : status;
}

static const trp_class_t counter_class = {.name = "counter",
                                          .version = 3,
                                          .state_size = sizeof(counter_t),
                                          .init = counter_init,
                                          .receive = counter_receive,
                                          .save = counter_save,
                                          .restore = counter_restore};

/* ---- who asks ---- */

static probe_t asker;
static trp_pid_t counter;
static unsigned char bytes[4096];
static size_t bytes_size;
static int32_t refusal;

static trp_status_t keep_answer(trp_ctx_t *ctx, probe_t *probe, const trp_envelope_t *message)
{
    (void)ctx;
    (void)probe;
    size_t size = 0;
    const void *data = trp_message_data(message, &size);
    if (message->tag == TRP_TAG_SNAPSHOT) {
        cr_assert_leq(size, sizeof(bytes));
        memcpy(bytes, data, size);
        bytes_size = size;
    } else if (message->tag == TRP_TAG_NO_SNAPSHOT) {
        memcpy(&refusal, data, sizeof(refusal));
    }
    return TRP_OK;
}

static void take(trp_ctx_t *ctx, probe_t *probe)
{
    probe->status = trp_snapshot_take(ctx, counter, 100, &probe->ref);
}

static trp_status_t tell_counter(uint16_t tag)
{
    trp_envelope_t *envelope = envelope_alloc();
    envelope->to = counter;
    envelope->tag = tag;
    return runtime_send(node, envelope);
}

static void spawn_counter(const trp_class_t *class)
{
    asker.receive = keep_answer;
    probe_spawn(&asker, NULL);
    cr_assert_eq(runtime_spawn(node, &(trp_spawn_t){.class = class}, &counter), TRP_OK);
    node_settle();
}

/* A counter that has counted to three, and its snapshot. */
static void snapshot_of_three(void)
{
    spawn_counter(&counter_class);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(tell_counter(TAG_ADD), TRP_OK);
    }
    probe_do(&asker, take);
    cr_assert_eq(asker.status, TRP_OK);
}

static trp_status_t spawn_from(const trp_class_t *class, size_t size)
{
    trp_spawn_t spawn = {.class = class,
                         .args_tag = 1,
                         .args = "args",
                         .args_size = 5,
                         .snapshot = bytes,
                         .snapshot_size = size};
    return runtime_spawn(node, &spawn, &counter);
}

Test(snapshot, another_actor_begins_with_what_a_live_one_saved)
{
    snapshot_of_three();
    trp_status_t status = spawn_from(&counter_class, bytes_size);
    node_settle();

    cr_assert_eq(tell_counter(TAG_ADD), TRP_OK);
    node_settle();

    cr_assert_eq(status, TRP_OK);
    cr_assert_eq(last_total, 4);
    cr_assert_eq(restores, 1);
    cr_assert_eq(inits, 1, "of the first alone");
    cr_assert_eq(restored_version, 3);
    cr_assert_str_eq(restore_args, "args");
}

Test(snapshot, it_is_taken_between_messages_in_their_order)
{
    spawn_counter(&counter_class);
    cr_assert_eq(tell_counter(TAG_ADD), TRP_OK);

    probe_do(&asker, take); /* behind the first */
    cr_assert_eq(tell_counter(TAG_ADD), TRP_OK);
    node_settle();
    cr_assert_eq(spawn_from(&counter_class, bytes_size), TRP_OK);
    node_settle();
    cr_assert_eq(tell_counter(TAG_NOTE), TRP_OK);
    node_settle();

    cr_assert_eq(last_total, 1);
}

Test(snapshot, the_answer_is_a_reply_to_the_request)
{
    snapshot_of_three();

    cr_assert_eq(probe_last(&asker)->tag, TRP_TAG_SNAPSHOT);
    cr_assert_eq(probe_last(&asker)->request_id, asker.ref);
    cr_assert(trp_pid_equal(probe_last(&asker)->from, counter));
    cr_assert_neq(probe_last(&asker)->flags & TRP_ENVELOPE_REPLY, 0);
}

static int32_t refusal_of(const trp_class_t *class)
{
    spawn_counter(class);
    probe_do(&asker, take);
    cr_assert_eq(probe_last(&asker)->tag, TRP_TAG_NO_SNAPSHOT);
    return refusal;
}

Test(snapshot, a_class_without_save_says_so)
{
    static trp_class_t silent; /* outlives the node */
    silent = counter_class;
    silent.save = NULL;

    cr_assert_eq(refusal_of(&silent), TRP_UNSUPPORTED);
}

Test(snapshot, what_save_returns_reaches_who_asked)
{
    save_status = TRP_BUSY;

    cr_assert_eq(refusal_of(&counter_class), TRP_BUSY);
}

Test(snapshot, what_is_not_one_value_is_no_snapshot)
{
    writes_garbage = true;

    cr_assert_eq(refusal_of(&counter_class), TRP_PROTOCOL);
}

static trp_status_t never_ready(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)ctx;
    (void)state;
    (void)args;
    return TRP_PENDING;
}

Test(snapshot, who_is_not_ready_has_none)
{
    static trp_class_t slow; /* outlives the node */
    slow = counter_class;
    slow.init = never_ready;

    cr_assert_eq(refusal_of(&slow), TRP_STATE);
}

Test(snapshot, who_asks_a_dead_actor_hears_so)
{
    spawn_counter(&counter_class);
    counter.generation++;

    probe_do(&asker, take);

    cr_assert_eq(probe_last(&asker)->tag, TRP_TAG_DOWN);
    cr_assert_eq(probe_last(&asker)->reason.kind, TRP_REASON_NO_PROCESS);
}

static void kill_and_take(trp_ctx_t *ctx, probe_t *probe)
{
    trp_reason_t reason = trp_reason(TRP_REASON_KILLED, 0, NULL);
    take(ctx, probe);
    trp_exit(ctx, counter, &reason);
}

Test(snapshot, who_asks_an_actor_that_ends_first_hears_so)
{
    spawn_counter(&counter_class);

    probe_do(&asker, kill_and_take);

    cr_assert_eq(asker.count, 1);
    cr_assert_eq(probe_last(&asker)->tag, TRP_TAG_DOWN);
    cr_assert_eq(probe_last(&asker)->request_id, asker.ref);
}

Test(snapshot, a_class_without_restore_is_no_spawn)
{
    snapshot_of_three();
    static trp_class_t stiff; /* outlives the node */
    stiff = counter_class;
    stiff.restore = NULL;

    cr_assert_eq(spawn_from(&stiff, bytes_size), TRP_UNSUPPORTED);
}

Test(snapshot, that_of_another_class_is_refused)
{
    snapshot_of_three();
    static trp_class_t other; /* outlives the node */
    other = counter_class;
    other.name = "other";

    cr_assert_eq(spawn_from(&other, bytes_size), TRP_INVALID);
}

Test(snapshot, one_that_is_cut_or_mangled_is_refused)
{
    snapshot_of_three();

    for (size_t size = 0; size < bytes_size; size++) {
        cr_assert_eq(spawn_from(&counter_class, size), TRP_INVALID, "cut at %zu", size);
    }
    memset(bytes, 0xc1, bytes_size);
    cr_assert_eq(spawn_from(&counter_class, bytes_size), TRP_INVALID);
}

static void spawn_failing(trp_ctx_t *ctx, probe_t *probe)
{
    trp_spawn_t spawn = {.class = &counter_class,
                         .snapshot = bytes,
                         .snapshot_size = bytes_size,
                         .monitor = true,
                         .monitor_ref = &probe->ref};
    probe->status = trp_spawn(ctx, &spawn, &probe->other);
}

Test(snapshot, a_restore_that_fails_is_a_start_that_fails)
{
    snapshot_of_three();
    restore_status = TRP_PAYLOAD;

    probe_do(&asker, spawn_failing);

    cr_assert_eq(probe_last(&asker)->tag, TRP_TAG_DOWN);
    cr_assert_eq(probe_last(&asker)->reason.kind, TRP_REASON_START_FAILED);
    cr_assert_eq(probe_last(&asker)->reason.code, TRP_PAYLOAD);
}
