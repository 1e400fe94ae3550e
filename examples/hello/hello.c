/* SPDX-License-Identifier: MIT */
/* A first actor: build/examples/hello run examples/hello/hello.conf, then `tree`, `ps`, `stop`. */
#include "runtime/log.h"
#include "runtime/troupe.h"

#define TAG_TICK TRP_TAG_USER

struct greeter {
    unsigned ticks;
};

static trp_status_t init(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    (void)state;
    (void)args;
    uint64_t timer;
    return trp_timer_start(ctx, 1000, 1000, TAG_TICK, &timer);
}

static trp_status_t receive(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    struct greeter *greeter = state;
    if (message->tag == TAG_TICK) {
        trp_log(ctx, LOG_INFO, "hello", "tick %u", ++greeter->ticks);
    }
    return greeter->ticks < 10 ? TRP_OK : TRP_FAILED; /* let it crash: it is started again */
}

static const trp_class_t greeter_class = {
    .name = "greeter", .state_size = sizeof(struct greeter), .init = init, .receive = receive};

int main(int argc, char **argv)
{
    return trp_main(argc, argv, (const trp_class_t *const[]){&greeter_class, NULL});
}
