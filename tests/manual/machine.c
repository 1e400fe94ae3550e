/* SPDX-License-Identifier: MIT */
/* The door of runtime/machine.h is opened, and closes by itself. */
#include "runtime/machine.h"

#include "tests/manual/manual.h"

enum { TAG_PUSH = 0x1000 };

MANUAL("runtime/machine.h", 1)

static trp_status_t begin(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    const trp_status_t status = init(ctx, state, args);
    EXPECT(status == TRP_OK && ((struct door *)state)->machine.state == CLOSED);
    return trp_send(ctx, trp_self(ctx), TAG_PUSH, NULL, 0);
}

static trp_status_t show(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    struct door *door = state;
    const bool was_open = door->machine.state == OPEN;
    const trp_status_t status = receive(ctx, state, message);
    if (was_open && door->machine.state == CLOSED) {
        EXPECT(door->times_open == 1);
        manual_done();
    }
    return status;
}

static const trp_class_t door_class = {
    .name = "door", .state_size = sizeof(struct door), .init = begin, .receive = show};

int main(void)
{
    return manual_run(&door_class);
}
