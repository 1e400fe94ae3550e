/* SPDX-License-Identifier: MIT */
/* When the work of one thread is shared with another. Internal to the core; a worker's own, save
 * what others read.
 *
 * What is measured at each look at the clock: how long a slice takes, and how long a message that
 * is handled or sent in it. Handlers as short as the transport of their messages are *light*: who
 * takes such a cell over fetches its lines and each message's from the other processor, and who
 * sends to it next fetches them back. So light cells stay where they are until they would wait for
 * long; heavy ones go to any thread that is awake, and wake one when they would wait longer than
 * that takes. */
#ifndef TRP_RUNTIME_SHARE_H
#define TRP_RUNTIME_SHARE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/** The time between two looks, by what was done in it; the units are nanoseconds. */
typedef struct share_means {
    int64_t slice_ns;
    int64_t message_ns; /* handled or sent */
} share_means_t;

typedef struct share {
    share_means_t of_late; /* an average over the looks; 0: not known yet */
    share_means_t last;    /* at the last look alone */
    uint32_t bearable;     /* cells that may wait before another thread is woken for them */
    _Atomic uint32_t kept; /* ... before one that is awake takes half of them; others read it */
} share_t;

/** All unknown: nothing is kept, nobody is woken. */
void share_init(share_t *share);

/** Since the last look `slices` were run in `took_ns`, with `messages` handled and sent. */
void share_look(share_t *share, int64_t took_ns, uint32_t slices, uint32_t messages);

/** Whether another thread had better take some of the `waiting` cells; any thread. */
static inline bool share_is_offered(const share_t *share, uint32_t waiting)
{
    /* Relaxed: a hint; who waits behind a worker that moves runs in any case. */
    return waiting > atomic_load_explicit(&share->kept, memory_order_relaxed);
}

#endif
