/* SPDX-License-Identifier: MIT */
/* The session of runtime/hibernate.h sleeps, and counts on when it is woken. */
#include "runtime/hibernate.h"

#include "runtime/snapshot.h"
#include "tests/manual/manual.h"

enum { TAG_IDLE = 0x1001, TAG_COUNT };

struct session {
    int64_t count;
};

static int64_t restored = -1;

MANUAL("runtime/hibernate.h", 1)

static trp_status_t save(trp_ctx_t *ctx, const void *state, trp_writer_t *writer)
{
    trp_write_map(writer, 1);
    trp_put_int(writer, "count", ((const struct session *)state)->count);
    return TRP_OK;
}

static trp_status_t restore(trp_ctx_t *ctx, void *state, const trp_envelope_t *args,
                            const trp_snapshot_t *snapshot)
{
    trp_document_t document;
    trp_fault_t fault;
    EXPECT(trp_is_waking(ctx));
    EXPECT(trp_document_init(&document, snapshot->state.data, snapshot->state.size, &fault) ==
           TRP_OK);
    restored = trp_member(&document.root, "count")->via.i64;
    ((struct session *)state)->count = restored;
    trp_document_fini(&document);
    return TRP_OK;
}

static const trp_class_t session_class = {.name = "session",
                                          .state_size = sizeof(struct session),
                                          .receive = receive,
                                          .save = save,
                                          .restore = restore};

static trp_pid_t session;

/* By turns it is told that it idles, and is given something to count. */
static trp_status_t begin(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    const trp_spawn_t spawn = {.class = &session_class};
    uint64_t timer;
    const trp_status_t status = trp_spawn(ctx, &spawn, &session);
    return status == TRP_OK ? trp_timer_start(ctx, 5, 5, TAG_COUNT, &timer) : status;
}

static trp_status_t take_turns(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    static int turn;
    if (restored > 0) {
        manual_done();
        return TRP_OK;
    }
    return trp_send(ctx, session, turn++ % 2 == 0 ? TAG_COUNT : TAG_IDLE, NULL, 0);
}

static const trp_class_t owner_class = {.name = "owner", .init = begin, .receive = take_turns};

int main(void)
{
    return manual_run(&owner_class);
}
