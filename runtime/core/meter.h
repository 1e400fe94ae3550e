/* SPDX-License-Identifier: MIT */
/* What each class costs: how long its messages wait and its actors run. Internal to the core; shown
 * by runtime_classes (runtime/core/runtime.h).
 *
 * Messages: about 1 in 256 gets a stamp, its time of sending, when it is pushed; who takes it from
 * the mailbox notes the difference. The gaps between stamps are drawn at random, so that no pattern
 * of sends meets always the same class. The stamp is in the envelope's trace_id, with a bit that
 * ids do not have, and is taken off before anything else sees the envelope.
 * While somebody asks how long the messages of one actor wait (runtime_waits_begin), each message
 * has a stamp; the classes note one in 256 of them then.
 * Slices: each is timed when they are slow, else one in so many as the scheduler lets pass between
 * looks at the clock, and counts for those that passed.
 *
 * threads: each worker writes rows of its own; any may read. */
#ifndef TRP_RUNTIME_METER_H
#define TRP_RUNTIME_METER_H

#include <pthread.h>
#include <stdatomic.h>

#include "runtime/core/runtime.h"

#define METER_CLASSES 64 /* the first row is for all classes beyond */
#define METER_BUCKETS \
    120 /* four for each doubling, of times in METER_UNIT_NS, up to 2^31 of them */
#define METER_UNIT_NS 256
#define METER_EVERY   256 /* messages for a stamp */
#define METER_WAITS   4   /* actors that are asked for at a time */

typedef struct cell cell_t;
typedef struct worker worker_t;

/** What one worker has seen of a class. Written by it alone. */
typedef struct meter_row {
    _Atomic uint64_t handled; /* by actors that have ended */
    _Atomic uint64_t busy_ns;
    _Atomic uint32_t queue_max; /* in METER_UNIT_NS */
    _Atomic uint32_t queue[METER_BUCKETS];
} meter_row_t;

/** A class that had actors. */
typedef struct meter_class {
    _Atomic(const trp_class_t *) class; /* NULL: none yet; written after the name */
    char name[TRP_NAME_MAX];
    bool is_proxy; /* with the name */
} meter_class_t;

/** An actor whose messages somebody asks for. */
typedef struct meter_wait {
    _Atomic uint64_t actor; /* meter_wait_key; 0: none */
    _Atomic uint32_t queue_max;
    _Atomic uint32_t queue[METER_BUCKETS]; /* as meter_row_t's */
} meter_wait_t;

typedef struct meter_table {
    meter_class_t classes[METER_CLASSES];
    meter_wait_t waits[METER_WAITS];
    _Atomic uint32_t waiting; /* how many of them there are */
    pthread_mutex_t lock;     /* who adds a class, or a wait; a leaf */
    meter_row_t *rows;        /* METER_CLASSES for each worker */
} meter_table_t;

/** errors: TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t meter_init(meter_table_t *table, uint32_t workers);
void meter_fini(meter_table_t *table);

/** The row of a class; made when it is new. 0: there are too many. */
uint8_t meter_class(meter_table_t *table, const trp_class_t *class);

/** The bucket of a time in METER_UNIT_NS below 2^31, and the least time beyond a bucket. */
uint32_t meter_bucket(uint32_t units);
uint32_t meter_beyond(uint32_t bucket);

/** Draws the next gap: at random from 1 to almost twice `mean`. */
uint32_t meter_gap(worker_t *worker, uint32_t mean);

/** Stamps a message; with `worker`, this thread's, its next is drawn. */
__attribute__((cold)) void meter_stamp(trp_runtime_t *runtime, worker_t *worker,
                                       trp_envelope_t *envelope);

/** Takes the stamp off and notes how long the message has waited. */
__attribute__((cold)) void meter_took(worker_t *worker, const cell_t *cell,
                                      trp_envelope_t *envelope);

/** Whether each message is to have a stamp. */
static inline bool meter_stamps_all(const meter_table_t *table)
{
    /* Relaxed: a message more or less. */
    return atomic_load_explicit(&table->waiting, memory_order_relaxed) != 0;
}

/** Notes a wait of `units` METER_UNIT_NS when somebody asks for this actor. */
void meter_note_wait(meter_table_t *table, const cell_t *cell, uint32_t units);

/** A histogram of waits. */
typedef struct meter_sum {
    uint64_t counts[METER_BUCKETS];
    uint64_t count;
    uint32_t max; /* in METER_UNIT_NS */
} meter_sum_t;

void meter_sum_add(meter_sum_t *sum, const _Atomic uint32_t counts[METER_BUCKETS], uint32_t max);

/** So many of a hundred waited no longer. units: nanoseconds */
uint64_t meter_share_ns(const meter_sum_t *sum, uint64_t percent);

/** The longest wait; 0: there was none. */
uint64_t meter_max_ns(const meter_sum_t *sum);

/** Runs a slice that is timed. */
__attribute__((cold)) void meter_run(worker_t *worker, cell_t *cell);

/** An actor ends: what it has handled stays with its class. */
void meter_ended(worker_t *worker, const cell_t *cell);

#endif
