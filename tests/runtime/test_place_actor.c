/* SPDX-License-Identifier: MIT */
/* What an actor author gets, for an actor in a process of its own: each driver says by the node's
 * exit status whether it saw what it should. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/runtime/node_fixture.h"

enum { TAG_ECHO = 0x1000 };

TestSuite(place_actor, .timeout = 30);

/* ---- the actor in the worker process ---- */

static trp_status_t echo_receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    size_t size = 0;
    const void *data = trp_message_data(message, &size);
    return trp_send(ctx, message->from, message->tag, data, size);
}

static const trp_class_t echo_class = {.name = "echo", .version = 1, .receive = echo_receive};

/* ---- the drivers ---- */

static const trp_class_t *const worker_classes[] = {&echo_class, NULL};

typedef struct driver {
    trp_pid_t worker;
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
