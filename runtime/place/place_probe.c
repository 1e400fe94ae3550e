/* SPDX-License-Identifier: MIT */
#include "runtime/place/place_probe.h"

#include <stdio.h>

#define PROBE_MS       1000
#define UNANSWERED_MAX 2 /* one may be late on a machine that is overloaded */
#define NS_OF_MS       1000000LL

/* A limit for handlers is looked at more often than it is long. */
static int64_t period_ms(const trp_limits_t *limits)
{
    const int64_t probe_ms = limits->probe_ms > 0 ? limits->probe_ms : PROBE_MS;
    const int64_t stuck_ms = limits->stuck_ms / 4 + 1;
    return limits->stuck_ms > 0 && stuck_ms < probe_ms ? stuck_ms : probe_ms;
}

void place_probe_begin(trp_ctx_t *ctx, place_probe_t *probe, const place_link_t *link)
{
    if (probe->timer == 0 && link->box.head != NULL) {
        probe->credited = link->channel.credited.messages;
        probe->unanswered = 0;
        (void)!trp_timer_start(ctx, period_ms(&link->limits), 0, TRP_SIGNAL_LOOK, &probe->timer);
    }
}

/* How long it has had the message in its hands, 0: none. What it says is not believed further than
 * that: a worker that lies is one that is not found to be stuck. */
static int64_t in_hand_ms(trp_ctx_t *ctx, const place_link_t *link)
{
    const int64_t since_ns = atomic_load_explicit(&link->box.head->since_ns, memory_order_relaxed);
    const int64_t now_ns = runtime_now_ns(runtime_of(ctx));
    return since_ns > 0 && since_ns < now_ns ? (now_ns - since_ns) / NS_OF_MS : 0;
}

bool place_probe_look(trp_ctx_t *ctx, place_probe_t *probe, place_link_t *link,
                      trp_reason_t *reason)
{
    const channel_t *channel = &link->channel;
    const int64_t stuck_ms = link->limits.stuck_ms;
    char text[TRP_REASON_TEXT_MAX];
    probe->timer = 0;
    if (channel->forwarded.messages == channel->credited.messages) {
        return false; /* it owes nothing */
    }
    const bool moves = channel->credited.messages != probe->credited;
    probe->credited = channel->credited.messages;
    probe->unanswered = moves || black_box_has_answered(&link->box) ? 0 : probe->unanswered + 1;
    if (probe->unanswered >= UNANSWERED_MAX) {
        *reason = trp_reason(TRP_REASON_STOPPED, 0, "it does not answer its probe");
        return true;
    }
    const int64_t hand_ms = stuck_ms > 0 ? in_hand_ms(ctx, link) : 0;
    if (stuck_ms > 0 && hand_ms > stuck_ms) {
        snprintf(text, sizeof(text), "%lld ms in one message", (long long)hand_ms);
        *reason = trp_reason(TRP_REASON_STUCK, 0, text);
        return true;
    }
    if (probe->unanswered == 0) {
        black_box_ask(&link->box);
    }
    (void)!trp_timer_start(ctx, period_ms(&link->limits), 0, TRP_SIGNAL_LOOK, &probe->timer);
    return false;
}
