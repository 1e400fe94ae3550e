/* SPDX-License-Identifier: MIT */
/* The counter of runtime/snapshot.h is saved, and another one begins with that. */
#include "runtime/snapshot.h"

#include "tests/manual/manual.h"

#define COUNTER_FIELDS(F) F(INT, total, _, 0, 1000, "what it has counted")
TRP_SCHEMA_DECLARE(counter, COUNTER_FIELDS)
TRP_SCHEMA_DEFINE(counter, 0x1001, 0, COUNTER_FIELDS, "a counter's state")

MANUAL("runtime/snapshot.h", 1)

static trp_status_t receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    return TRP_OK;
}

static trp_status_t count(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    ((counter_t *)state)->total = 42;
    return TRP_OK;
}

static const trp_class_t counter_class = {.name = "counter",
                                          .version = 1,
                                          .state_size = sizeof(counter_t),
                                          .init = count,
                                          .receive = receive,
                                          .save = save,
                                          .restore = restore};

static trp_status_t begin(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    const trp_spawn_t spawn = {.class = &counter_class};
    trp_pid_t pid;
    uint64_t id;
    const trp_status_t status = trp_spawn(ctx, &spawn, &pid);
    return status == TRP_OK ? trp_snapshot_take(ctx, pid, 0, &id) : status;
}

static trp_status_t hand_over(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    EXPECT(message->tag == TRP_TAG_SNAPSHOT || message->tag == TRP_TAG_STARTED);
    if (message->tag == TRP_TAG_STARTED) { /* restore has succeeded */
        manual_done();
        return TRP_OK;
    }
    trp_spawn_t spawn = {.class = &counter_class, .ack = true};
    trp_pid_t pid;
    spawn.snapshot = trp_message_data(message, &spawn.snapshot_size);
    return trp_spawn(ctx, &spawn, &pid);
}

static const trp_class_t owner_class = {.name = "owner", .init = begin, .receive = hand_over};

int main(void)
{
    return manual_run(&owner_class);
}
