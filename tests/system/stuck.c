/* SPDX-License-Identifier: MIT */
/* A program for test_stuck.py: actors whose first message never returns, in the pool or on the
 * edge, while a file `stick` is in the folder that the node runs in. On the edge the file is
 * removed first, so that the node that is started again is well. */
#include <unistd.h>

#include "runtime/log.h"
#include "runtime/troupe.h"

enum { TAG_STICK = 0x1000 };

__attribute__((noinline)) static void wait_for_ever(void)
{
    for (;;) {
        (void)pause();
    }
}

static trp_status_t begin(trp_ctx_t *ctx, void *state, const trp_envelope_t *args)
{
    uint64_t timer = 0;
    (void)state;
    (void)args;
    return access("stick", F_OK) != 0 ? TRP_OK : trp_timer_start(ctx, 50, 0, TAG_STICK, &timer);
}

static trp_status_t stick(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    (void)state;
    (void)message;
    trp_log(ctx, LOG_INFO, "stuck_now", "until it is killed");
    wait_for_ever();
    return TRP_OK;
}

static trp_status_t stick_once(trp_ctx_t *ctx, void *state, const trp_envelope_t *message)
{
    return unlink("stick") == 0 ? stick(ctx, state, message) : TRP_OK;
}

static const trp_class_t stuck_class = {.name = "stuck", .init = begin, .receive = stick};
static const trp_class_t edge_class = {
    .name = "stuck_edge", .init = begin, .receive = stick_once, .flags = TRP_CLASS_EDGE};

int main(int argc, char **argv)
{
    return trp_main(argc, argv, (const trp_class_t *const[]){&stuck_class, &edge_class, NULL});
}
