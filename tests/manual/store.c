/* SPDX-License-Identifier: MIT */
/* The actor of runtime/store.h counts its starts; another one has written in between. */
#include "runtime/store.h"

#include "tests/manual/manual.h"

typedef struct counter {
    trp_pid_t store;
    trp_text_t key;
    uint64_t count, asked;
    int64_t version;
} counter_t;

MANUAL("runtime/store.h", 1)

static const trp_store_t my_backend; /* the second example only has to compile */

MANUAL("runtime/store.h", 2)

static counter_t counter = {.key = {"starts", 6}};
static int step;

static trp_status_t begin(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)state;
    (void)args;
    EXPECT(strcmp(my_store_class.name, trp_store_class.name) == 0 && my_backend.open == NULL);
    const trp_spawn_t spawn = {.class = &trp_store_class, .name = "store"};
    EXPECT(trp_spawn(ctx, &spawn, &counter.store) == TRP_OK);
    return load(ctx, &counter);
}

static trp_status_t receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    static const trp_status_t expected[] = {TRP_NOT_FOUND, TRP_OK, TRP_CONFLICT, TRP_OK, TRP_OK};
    trp_status_t status = TRP_FAILED;
    (void)state;
    EXPECT(message->tag == TRP_TAG_STORE_ANSWER && message->request_id == counter.asked);
    EXPECT(hear(message, &counter, &status) == TRP_OK);
    EXPECT(status == expected[step]);
    switch (step++) {
    case 0: /* there is none: the first is written, then a stale owner tries again */
        counter.count = 1;
        return save(ctx, &counter);
    case 1:
        EXPECT(counter.version > 0);
        counter.version = 0;
        counter.count = 7;
        return save(ctx, &counter);
    case 2:
        EXPECT(counter.version > 0);
        return load(ctx, &counter);
    case 3:
        EXPECT(counter.count == 1);
        counter.count++;
        return save(ctx, &counter);
    default:
        manual_done();
        return TRP_OK;
    }
}

static const trp_class_t driver_class = {.name = "driver", .init = begin, .receive = receive};

int main(void)
{
    return manual_run(&driver_class);
}
