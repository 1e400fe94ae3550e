/* SPDX-License-Identifier: MIT */
/* What an actor author gets, for an actor in a process of its own: each driver says by the node's
 * exit status whether it saw what it should. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "runtime/core/scheduler.h"
#include "runtime/memory.h"
#include "runtime/snapshot.h"
#include "tests/runtime/node/node_fixture.h"

enum { TAG_ECHO = 0x1000, TAG_ADD, TAG_TOTAL, TAG_ALLOCATE, TAG_LINK, TAG_LINKED };

TestSuite(place_actor, .timeout = 30);

/* ---- the actor in the worker process ---- */

static bool is_linked(const trp_ctx_t *ctx, trp_pid_t pid)
{
    const cell_life_t *life = ctx->cell->life;
    return life != NULL && watch_find(&life->theirs, WATCH_LINK, pid, 0) != NULL;
}

static trp_status_t echo_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    size_t size = 0;
    if (message->tag == TAG_LINK) {
        return trp_link(ctx, message->from);
    }
    if (message->tag == TAG_LINKED) {
        const bool linked = is_linked(ctx, message->from);
        return trp_send(ctx, message->from, TAG_LINKED, &linked, sizeof(linked));
    }
    const void *data = trp_message_data(message, &size);
    return trp_send(ctx, message->from, message->tag, data, size);
}

static const trp_class_t echo_class = {.name = "echo", .version = 1, .receive = echo_receive};

/* Counts, and can be saved and restored. */
typedef struct counter {
    int64_t total;
} counter_t;

static trp_status_t counter_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    counter_t *counter = state;
    if (message->tag == TAG_TOTAL) {
        return trp_reply(ctx, message, TAG_TOTAL, &counter->total, sizeof(counter->total));
    }
    if (message->tag == TAG_ALLOCATE) {
        (void)trp_alloc(ctx, 100000);
    }
    counter->total += message->tag == TAG_ADD;
    return TRP_OK;
}

static trp_status_t counter_save(trp_ctx_t *ctx, const void *state, trp_writer_t *writer)
{
    (void)ctx;
    trp_write_map(writer, 1);
    trp_put_int(writer, "total", ((const counter_t *)state)->total);
    return TRP_OK;
}

static trp_status_t counter_restore(trp_ctx_t *ctx, void *state, const trp_envelope_t *args,
                                    const trp_snapshot_t *snapshot)
{
    (void)ctx;
    (void)args;
    trp_document_t document;
    trp_fault_t fault;
    trp_status_t status =
        trp_document_init(&document, snapshot->state.data, snapshot->state.size, &fault);
    if (status == TRP_OK) {
        ((counter_t *)state)->total = trp_member(&document.root, "total")->via.i64;
        trp_document_fini(&document);
    }
    return status;
}

static const trp_class_t counter_class = {.name = "counter",
                                          .version = 1,
                                          .state_size = sizeof(counter_t),
                                          .receive = counter_receive,
                                          .save = counter_save,
                                          .restore = counter_restore};

/* ---- the drivers ---- */

static const trp_class_t *const worker_classes[] = {&echo_class, &counter_class, NULL};

typedef struct driver {
    trp_pid_t worker;
    uint64_t ref;
    int seen;
} driver_t;

static void end(trp_ctx_t *ctx, bool passed, int line)
{
    if (!passed) {
        fprintf(stderr, "driver: not so in line %d\n", line);
    }
    node_end(runtime_of(ctx), passed ? NODE_PASSED : NODE_FAILED);
}

#define END(ctx, passed) end((ctx), (passed), __LINE__)

static int drive(trp_status_t (*init)(trp_ctx_t *, void *, const trp_envelope_t *),
                 trp_status_t (*receive)(trp_ctx_t *, void *, const trp_envelope_t *))
{
    const trp_class_t class = {.name = "driver",
                               .version = 1,
                               .state_size = sizeof(driver_t),
                               .init = init,
                               .receive = receive};
    return node_fixture_drive(&class, worker_classes);
}

/* Sends 1..6 before the process can have started, to a mailbox of four. */
static trp_status_t init_overflow(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    driver_t *driver = state;
    (void)args;
    const trp_spawn_t spawn = {.class = &echo_class,
                               .place = TRP_PLACE_PROCESS,
                               .depth_max = 4,
                               .overflow = TRP_OVERFLOW_DROP_OLD};
    trp_status_t status = trp_spawn(ctx, &spawn, &driver->worker);
    for (int number = 1; number <= 6 && status == TRP_OK; number++) {
        status = trp_send(ctx, driver->worker, TAG_ECHO, &number, sizeof(number));
    }
    return status;
}

static trp_status_t receive_last_four(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    driver_t *driver = state;
    size_t size = 0;
    int number = 0;
    memcpy(&number, trp_message_data(message, &size), sizeof(number));
    if (number != 3 + driver->seen++) {
        END(ctx, false);
    } else if (number == 6) {
        runtime_ledger_t ledger;
        runtime_ledger(runtime_of(ctx), &ledger);
        END(ctx, ledger.dead_by[TRP_DEAD_DROP_OLD] == 2);
    }
    return TRP_OK;
}

Test(place_actor, a_full_mailbox_drops_old_messages_in_the_proxy)
{
    cr_expect_eq(drive(init_overflow, receive_last_four), NODE_PASSED);
}

/* ---- snapshots, out of an actor in each place and into another one in each place ---- */

static trp_place_t place, to;

static trp_status_t spawn_counter(trp_ctx_t *ctx, driver_t *driver, const void *snapshot,
                                  size_t size)
{
    const trp_spawn_t spawn = {.class = &counter_class,
                               .place = snapshot == NULL ? place : to,
                               .snapshot = snapshot,
                               .snapshot_size = size,
                               .memory_quota = 50000,
                               .monitor = true,
                               .monitor_ref = &driver->ref};
    trp_status_t status = trp_spawn(ctx, &spawn, &driver->worker);
    for (int i = 0; i < 3 && status == TRP_OK; i++) {
        status = trp_send(ctx, driver->worker, TAG_ADD, NULL, 0);
    }
    return status;
}

static trp_status_t init_counter(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    driver_t *driver = state;
    uint64_t id;
    (void)args;
    trp_status_t status = spawn_counter(ctx, driver, NULL, 0);
    return status == TRP_OK ? trp_snapshot_take(ctx, driver->worker, 0, &id) : status;
}

static trp_status_t receive_snapshot(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    driver_t *driver = state;
    size_t size = 0;
    const void *data = trp_message_data(message, &size);
    if (message->tag == TRP_TAG_SNAPSHOT) {
        uint64_t id;
        trp_status_t status = spawn_counter(ctx, driver, data, size);
        const trp_request_t request = {.to = driver->worker, .tag = TAG_TOTAL};
        return status == TRP_OK ? trp_request(ctx, &request, &id) : status;
    }
    int64_t total = 0;
    if (size == sizeof(total)) {
        memcpy(&total, data, sizeof(total));
    }
    END(ctx, message->tag == TAG_TOTAL && total == 6);
    return TRP_OK;
}

Test(place_actor, a_snapshot_of_one_in_any_place_begins_another_in_every_place)
{
    for (place = TRP_PLACE_POOL; place < TRP_PLACE_COUNT; place++) {
        for (to = TRP_PLACE_POOL; to < TRP_PLACE_COUNT; to++) {
            cr_expect_eq(drive(init_counter, receive_snapshot), NODE_PASSED, "place %d to %d",
                         (int)place, (int)to);
        }
    }
}

/* ---- the quota ---- */

static trp_status_t init_quota(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    driver_t *driver = state;
    (void)args;
    trp_status_t status = spawn_counter(ctx, driver, NULL, 0);
    return status == TRP_OK ? trp_send(ctx, driver->worker, TAG_ALLOCATE, NULL, 0) : status;
}

static trp_status_t receive_memory_end(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    trp_reason_t reason;
    size_t size = 0;
    const void *data = trp_message_data(message, &size);
    END(ctx, message->tag == TRP_TAG_DOWN && trp_reason_read(data, size, &reason) == TRP_OK &&
                 reason.kind == TRP_REASON_QUOTA);
    return TRP_OK;
}

Test(place_actor, a_quota_that_is_passed_is_the_same_typed_reason_in_every_place)
{
    for (place = TRP_PLACE_POOL; place < TRP_PLACE_COUNT; place++) {
        cr_expect_eq(drive(init_quota, receive_memory_end), NODE_PASSED, "place %d", (int)place);
    }
}

/* ---- links that cross unlinks on their way between processes ---- */

#define LINK_ROUNDS 50

static trp_status_t begin_round(trp_ctx_t *ctx, driver_t *driver)
{
    const bool unlink_first = driver->seen / 2 % 2 == 0;
    trp_status_t status = trp_send(ctx, driver->worker, TAG_LINK, NULL, 0);
    for (int i = 0; i < 3 && status == TRP_OK; i++) {
        if (unlink_first == (i % 2 == 0)) {
            trp_unlink(ctx, driver->worker);
        } else {
            status = trp_link(ctx, driver->worker);
        }
    }
    /* two: the answer to the second comes behind all that the first round trip set going */
    for (int i = 0; i < 2 && status == TRP_OK; i++) {
        status = trp_send(ctx, driver->worker, TAG_LINKED, NULL, 0);
    }
    return status;
}

static trp_status_t init_links(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    driver_t *driver = state;
    (void)args;
    const trp_spawn_t spawn = {.class = &echo_class, .place = TRP_PLACE_PROCESS};
    trp_status_t status = trp_spawn(ctx, &spawn, &driver->worker);
    return status == TRP_OK ? begin_round(ctx, driver) : status;
}

static trp_status_t receive_linked(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    driver_t *driver = state;
    bool linked = false;
    size_t size = 0;
    memcpy(&linked, trp_message_data(message, &size), sizeof(linked));
    if (++driver->seen % 2 == 1) {
        return TRP_OK;
    }
    if (linked != is_linked(ctx, driver->worker)) {
        END(ctx, false);
    } else if (driver->seen == 2 * LINK_ROUNDS) {
        END(ctx, true);
    } else {
        return begin_round(ctx, driver);
    }
    return TRP_OK;
}

Test(place_actor, both_ends_agree_on_a_link_whatever_crosses_between_processes)
{
    cr_expect_eq(drive(init_links, receive_linked), NODE_PASSED);
}
