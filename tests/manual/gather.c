/* SPDX-License-Identifier: MIT */
/* The actor of runtime/gather.h asks three others and has their answers. */
#include "runtime/gather.h"

#include "tests/manual/manual.h"

enum { TAG_PRICE = 0x1000 };

static trp_status_t answer(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    return trp_reply(ctx, message, TAG_PRICE, NULL, 0);
}

static const trp_class_t shop_class = {.name = "shop", .receive = answer};

static trp_status_t compare(trp_ctx_t *ctx, uint32_t replies)
{
    (void)ctx;
    EXPECT(replies == 3);
    manual_done();
    return TRP_OK;
}

MANUAL("runtime/gather.h", 1)

static trp_status_t begin(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    const trp_spawn_t spawn = {.class = &shop_class};
    trp_pid_t shops[3];
    (void)args;
    for (int i = 0; i < 3; i++) {
        EXPECT(trp_spawn(ctx, &spawn, &shops[i]) == TRP_OK);
    }
    return ask_all(ctx, state, shops);
}

static const trp_class_t buyer_class = {
    .name = "buyer", .state_size = sizeof(struct buyer), .init = begin, .receive = receive};

int main(void)
{
    return manual_run(&buyer_class);
}
