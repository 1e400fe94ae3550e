/* SPDX-License-Identifier: MIT */
/* The letter of runtime/letter.h arrives, with its deadline. */
#include "runtime/letter.h"

#include "tests/manual/manual.h"

enum { TAG_PRICE = 0x1000 };

static trp_status_t send_price(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    const trp_pid_t chart = trp_self(ctx);
    const double price = 2.5;
    trp_status_t status = TRP_OK;
    (void)state;
    (void)args;
    MANUAL("runtime/letter.h", 1)
    return status;
}

static trp_status_t hear(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    EXPECT(message->tag == TAG_PRICE);
    EXPECT(trp_time_left_ns(ctx, message) <= 200000000);
    manual_done();
    return TRP_OK;
}

static const trp_class_t chart_class = {.name = "chart", .init = send_price, .receive = hear};

int main(void)
{
    return manual_run(&chart_class);
}
