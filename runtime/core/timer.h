/* SPDX-License-Identifier: MIT */
/* A hierarchical timer wheel: 8 levels of 64 slots, a tick of 65.5 us. A timer stands in the level
 * of the highest bit in which its tick differs from the wheel's, so each is moved at most once a
 * level, and the next one is found by the lowest bit set. Due at most one tick late, never early;
 * equal times fire in the order of their start. Each scheduler worker has one: only its thread
 * starts timers; any thread may cancel them, and turn the wheel of a worker that is stuck. One
 * mutex, a leaf in the lock order.
 * source: G. Varghese, T. Lauck, "Hashed and hierarchical timing wheels", 1987 */
#ifndef TRP_RUNTIME_TIMER_H
#define TRP_RUNTIME_TIMER_H

#include <pthread.h>
#include <stdatomic.h>

#include "runtime/core/watch.h"

#define TIMER_LEVELS 8
#define TIMER_SLOTS  64

typedef struct timer {
    struct timer *next, *before; /* of the slot; `next` also of the free list and of a due list */
    int64_t due_ns;
    uint64_t tick;
    uint64_t sequence; /* raised at each start: tells a handle that its timer is another one now */
    trp_pid_t owner;
    uint64_t ref;
    uint8_t level, slot;
} timer_record_t;

typedef struct timer_slot {
    timer_record_t *first, *last;
} timer_slot_t;

typedef struct timer_wheel {
    pthread_mutex_t lock;
    uint64_t tick;
    uint64_t sequence;
    uint64_t occupied[TIMER_LEVELS];
    timer_slot_t slots[TIMER_LEVELS][TIMER_SLOTS];
    timer_record_t *free;
    struct timer_block *blocks; /* memory of all timers; type-stable until timer_wheel_fini */
    _Atomic uint32_t count;     /* pending; a hint outside the lock */
} timer_wheel_t;

void timer_wheel_init(timer_wheel_t *wheel, int64_t now_ns);
void timer_wheel_fini(timer_wheel_t *wheel);

/** Starts a timer; `handle` gets all but its worker. errors: TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t timer_start(timer_wheel_t *wheel, int64_t due_ns, trp_pid_t owner,
                                      uint64_t ref, timer_handle_t *handle);

/** Takes it off the wheel; one that has fired is no error. */
void timer_cancel(timer_wheel_t *wheel, const timer_handle_t *handle);

/** Calls `fire` for each timer that is due, in order, without the lock. It may start timers. */
void timer_advance(timer_wheel_t *wheel, int64_t now_ns,
                   void (*fire)(void *user, trp_pid_t owner, uint64_t ref), void *user);

/** When timer_advance should be called next; INT64_MAX: no timer. Never later than one is due. */
int64_t timer_next_ns(timer_wheel_t *wheel);

#endif
