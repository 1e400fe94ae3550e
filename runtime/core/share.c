/* SPDX-License-Identifier: MIT */
#include "runtime/core/share.h"

#define WAKE_NS       20000  /* what waking another thread costs, roughly */
#define LIGHT_NS      250    /* messages that take less are not worth their way elsewhere ... */
#define LIGHT_WAIT_NS 200000 /* ... unless their cells would wait for this long */

void share_init(share_t *share)
{
    *share = (share_t){.bearable = UINT32_MAX};
}

/* How many slices are so long together. */
static uint32_t slices_in(int64_t wait_ns, int64_t slice_ns)
{
    return (uint32_t)(wait_ns / (slice_ns > 0 ? slice_ns : 1));
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The smaller one of two looks in a row counts: in the other the system may have taken the
 * processor away. */
static int64_t average(int64_t before, int64_t last, int64_t now)
{
    return before == 0 ? now : (before + smaller(last, now)) / 2;
}

void share_look(share_t *share, int64_t took_ns, uint32_t slices, uint32_t messages)
{
    if (slices == 0) {
        return;
    }
    const share_means_t now = {.slice_ns = took_ns / slices,
                               .message_ns = took_ns / (messages > 0 ? messages : 1)};
    share_means_t *mean = &share->of_late;
    mean->slice_ns = average(mean->slice_ns, share->last.slice_ns, now.slice_ns);
    mean->message_ns = average(mean->message_ns, share->last.message_ns, now.message_ns);
    share->last = now;
    const bool light = mean->message_ns < LIGHT_NS;
    const uint32_t much = slices_in(light ? LIGHT_WAIT_NS : WAKE_NS, mean->slice_ns);
    const bool known = mean->slice_ns > 0;
    share->bearable = known ? much : UINT32_MAX;
    /* Relaxed: a number that others go by; nothing is published with it. */
    atomic_store_explicit(&share->kept, known && light ? much : 0, memory_order_relaxed);
}
