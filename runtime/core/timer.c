/* SPDX-License-Identifier: MIT */
#include "runtime/core/timer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define TICK_SHIFT  16 /* 65,536 ns */
#define LEVEL_BITS  6
#define LEVEL_FREE  0xff /* on the free list, or fired */
#define BLOCK_COUNT 64
#define TICK_MAX    ((uint64_t)INT64_MAX >> TICK_SHIFT)

_Static_assert(LEVEL_BITS *TIMER_LEVELS >= 63 - TICK_SHIFT, "every time has a level");

typedef struct timer_block {
    struct timer_block *next;
    timer_record_t timers[BLOCK_COUNT];
} timer_block_t;

void timer_wheel_init(timer_wheel_t *wheel, int64_t now_ns)
{
    memset(wheel, 0, sizeof(*wheel));
    pthread_mutex_init(&wheel->lock, NULL);
    wheel->tick = (uint64_t)now_ns >> TICK_SHIFT;
}

void timer_wheel_fini(timer_wheel_t *wheel)
{
    while (wheel->blocks != NULL) {
        timer_block_t *block = wheel->blocks;
        wheel->blocks = block->next;
        free(block);
    }
    pthread_mutex_destroy(&wheel->lock);
}

static trp_status_t add_block(timer_wheel_t *wheel)
{
    timer_block_t *block = calloc(1, sizeof(*block));
    if (block == NULL) {
        return TRP_NO_MEMORY;
    }
    block->next = wheel->blocks;
    wheel->blocks = block;
    for (size_t i = 0; i < BLOCK_COUNT; i++) {
        block->timers[i].level = LEVEL_FREE;
        block->timers[i].next = wheel->free;
        wheel->free = &block->timers[i];
    }
    return TRP_OK;
}

static void insert(timer_wheel_t *wheel, timer_record_t *timer)
{
    uint64_t differs = timer->tick ^ wheel->tick;
    unsigned level = differs == 0 ? 0 : (63u - (unsigned)__builtin_clzll(differs)) / LEVEL_BITS;
    unsigned at = (timer->tick >> level * LEVEL_BITS) % TIMER_SLOTS;
    timer_slot_t *slot = &wheel->slots[level][at];
    timer->level = (uint8_t)level;
    timer->slot = (uint8_t)at;
    timer->next = NULL;
    timer->before = slot->last;
    if (slot->last == NULL) {
        slot->first = timer;
    } else {
        slot->last->next = timer;
    }
    slot->last = timer;
    wheel->occupied[level] |= 1ull << at;
}

static void unlink_timer(timer_wheel_t *wheel, timer_record_t *timer)
{
    timer_slot_t *slot = &wheel->slots[timer->level][timer->slot];
    if (timer->before == NULL) {
        slot->first = timer->next;
    } else {
        timer->before->next = timer->next;
    }
    if (timer->next == NULL) {
        slot->last = timer->before;
    } else {
        timer->next->before = timer->before;
    }
    if (slot->first == NULL) {
        wheel->occupied[timer->level] &= ~(1ull << timer->slot);
    }
}

static void count(timer_wheel_t *wheel, uint32_t change)
{
    /* Relaxed: written under the lock; a hint for the wheel's own thread, which alone adds. */
    uint32_t pending = atomic_load_explicit(&wheel->count, memory_order_relaxed);
    atomic_store_explicit(&wheel->count, pending + change, memory_order_relaxed);
}

static void release(timer_wheel_t *wheel, timer_record_t *timer)
{
    timer->level = LEVEL_FREE;
    timer->next = wheel->free;
    wheel->free = timer;
    count(wheel, (uint32_t)-1);
}

trp_status_t timer_start(timer_wheel_t *wheel, int64_t due_ns, trp_pid_t owner, uint64_t ref,
                         timer_handle_t *handle)
{
    assert(due_ns >= 0);
    pthread_mutex_lock(&wheel->lock);
    if (wheel->free == NULL && add_block(wheel) != TRP_OK) {
        pthread_mutex_unlock(&wheel->lock);
        return TRP_NO_MEMORY;
    }
    timer_record_t *timer = wheel->free;
    wheel->free = timer->next;
    uint64_t tick = ((uint64_t)due_ns >> TICK_SHIFT) + 1; /* rounded up: never early */
    tick = tick > TICK_MAX ? TICK_MAX : tick;
    timer->due_ns = due_ns;
    timer->tick = tick < wheel->tick ? wheel->tick : tick;
    timer->sequence = ++wheel->sequence;
    timer->owner = owner;
    timer->ref = ref;
    insert(wheel, timer);
    handle->timer = timer;
    handle->sequence = timer->sequence;
    count(wheel, 1);
    pthread_mutex_unlock(&wheel->lock);
    return TRP_OK;
}

void timer_cancel(timer_wheel_t *wheel, const timer_handle_t *handle)
{
    pthread_mutex_lock(&wheel->lock);
    timer_record_t *timer = handle->timer;
    if (timer->sequence == handle->sequence && timer->level != LEVEL_FREE) {
        unlink_timer(wheel, timer);
        release(wheel, timer);
    }
    pthread_mutex_unlock(&wheel->lock);
}

/* First tick of the next occupied slot: lower levels come before higher ones. */
static bool next_slot(const timer_wheel_t *wheel, unsigned *level, uint64_t *tick)
{
    for (unsigned i = 0; i < TIMER_LEVELS; i++) {
        if (wheel->occupied[i] != 0) {
            uint64_t at = (uint64_t)__builtin_ctzll(wheel->occupied[i]);
            unsigned shift = i * LEVEL_BITS;
            uint64_t above = shift + LEVEL_BITS >= 64 ? 0 : wheel->tick >> (shift + LEVEL_BITS);
            *tick = (above << LEVEL_BITS | at) << shift;
            *level = i;
            return true;
        }
    }
    return false;
}

static bool before(const timer_record_t *a, const timer_record_t *b)
{
    return a->due_ns < b->due_ns || (a->due_ns == b->due_ns && a->sequence < b->sequence);
}

/* Into a list by (due, sequence), searched from its end: most come in order. */
static void sort_in(timer_slot_t *list, timer_record_t *timer)
{
    timer_record_t *after = list->last;
    while (after != NULL && before(timer, after)) {
        after = after->before;
    }
    timer->before = after;
    timer->next = after == NULL ? list->first : after->next;
    if (timer->next == NULL) {
        list->last = timer;
    } else {
        timer->next->before = timer;
    }
    if (after == NULL) {
        list->first = timer;
    } else {
        after->next = timer;
    }
}

/* Moves the wheel to its next slot up to `target`: cascades it, or sorts it into `due`. */
static bool turn(timer_wheel_t *wheel, uint64_t target, timer_slot_t *due)
{
    unsigned level = 0;
    uint64_t tick = 0;
    if (!next_slot(wheel, &level, &tick) || tick > target) {
        wheel->tick = wheel->tick < target ? target : wheel->tick;
        return false;
    }
    wheel->tick = wheel->tick < tick ? tick : wheel->tick;
    unsigned at = (unsigned)(tick >> level * LEVEL_BITS) % TIMER_SLOTS;
    timer_record_t *timer = wheel->slots[level][at].first;
    wheel->slots[level][at] = (timer_slot_t){NULL, NULL};
    wheel->occupied[level] &= ~(1ull << at);
    while (timer != NULL) {
        timer_record_t *next = timer->next;
        if (timer->tick <= tick) {
            timer->level = LEVEL_FREE; /* fired: a cancel from now on finds nothing */
            sort_in(due, timer);
        } else {
            insert(wheel, timer);
        }
        timer = next;
    }
    return true;
}

void timer_advance(timer_wheel_t *wheel, int64_t now_ns,
                   void (*fire)(void *user, trp_pid_t owner, uint64_t ref), void *user)
{
    timer_slot_t due = {NULL, NULL};
    pthread_mutex_lock(&wheel->lock);
    while (turn(wheel, (uint64_t)now_ns >> TICK_SHIFT, &due)) {
    }
    pthread_mutex_unlock(&wheel->lock);
    for (timer_record_t *timer = due.first; timer != NULL;) {
        timer_record_t *next = timer->next;
        fire(user, timer->owner, timer->ref);
        pthread_mutex_lock(&wheel->lock);
        release(wheel, timer);
        pthread_mutex_unlock(&wheel->lock);
        timer = next;
    }
}

int64_t timer_next_ns(timer_wheel_t *wheel)
{
    unsigned level = 0;
    uint64_t tick = 0;
    pthread_mutex_lock(&wheel->lock);
    bool any = next_slot(wheel, &level, &tick);
    pthread_mutex_unlock(&wheel->lock);
    return any && tick < TICK_MAX ? (int64_t)(tick << TICK_SHIFT) : INT64_MAX;
}
