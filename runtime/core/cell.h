/* SPDX-License-Identifier: MIT */
/* Cells: where actors live. One reservation of memory; a cell keeps its address and type for ever,
 * so a pid is turned into one by arithmetic and may safely be stale. Senders touch the first cache
 * line only; the rest belongs to the runner, the thread that took the cell from a run queue (before
 * that to its spawner, after the end to the free list). */
#ifndef TRP_RUNTIME_CELL_H
#define TRP_RUNTIME_CELL_H

#include <pthread.h>

#include "runtime/core/group.h"
#include "runtime/core/mailbox.h"
#include "runtime/core/quota.h"
#include "runtime/core/watch.h"
#include "runtime/troupe.h"

typedef enum cell_phase {
    CELL_VACANT,
    CELL_NEW,      /* init has not been called */
    CELL_STARTING, /* init returned TRP_PENDING */
    CELL_LIVE,
    CELL_ENDING,
    CELL_STUCK, /* written off: closed, its callback has not returned */
} cell_phase_t;

/** Messages that the actor put off, oldest first; each has its charge. */
typedef struct deferred {
    trp_envelope_t *first, *last;
    uint32_t count;
    size_t size; /* bytes of payload */
} deferred_t;

/** The idle time-out: a periodic timer that looks whether anything was handled. */
typedef struct idle {
    uint64_t timer;   /* 0: none */
    uint64_t handled; /* the actor's count at the last look */
    uint32_t quiet;   /* looks in a row that found it unchanged ... */
    uint32_t parts;   /* ... of so many that make up the time */
} idle_t;

/** The timer of an answered request, left on its wheel for the next one: runtime/core/timeout.h. */
typedef struct spare_timer {
    timer_handle_t timer;
    int64_t due_ns;
    uint64_t fires;    /* with this reference */
    uint64_t taken_by; /* the request that it is for now; 0: none */
} spare_timer_t;

/** What only some actors need: made when first used. */
typedef struct cell_life {
    watch_table_t mine, theirs;
    trp_pid_t spawner; /* hears of readiness; NONE: nobody */
    bool fail_down;    /* ... and of a failed start by DOWN 0: it has neither link nor monitor */
    bool trap_exit;
    bool hears_dead; /* subscribes to dead letters */
    uint64_t taken;  /* charge of what a proxy took and has not given back */
    trp_envelope_t *waiting_first, *waiting_last; /* who waits for room: runtime/core/room.h */
    deferred_t deferred;
    idle_t idle;
    spare_timer_t spare;
    group_member_t *groups;
    quota_t quota;
    trp_envelope_t *snapshot; /* to begin with, until its first turn */
    /* the rest is written under the cell's inspect lock */
    char name[TRP_NAME_MAX];
    char detail[32];
    int32_t os_pid;
    uint8_t place; /* trp_place_t, of a proxy */
    uint32_t restarts;
} cell_life_t;

/** Marks in cell.flags, above those of trp_class_t: what a full mailbox does. */
#define CELL_DROPS_NEW (1u << 30)
#define CELL_DROPS_OLD (1u << 31)

typedef struct cell {
    /* senders, and the scheduler's links */
    _Alignas(64) _Atomic uint32_t generation; /* raised at each end */
    _Atomic uint32_t flags;                   /* of the class, and CELL_ marks */
    struct cell *run_next;                    /* of the run queue, or of the free list */
    uint32_t slot;
    _Atomic uint32_t turned_away; /* messages that found no room; written by their senders */
    uint8_t held;                 /* index + 1 of the only worker that runs it; 0: any may */
    trp_envelope_t *args;         /* the spawner's, then for init */
    mailbox_t mailbox;            /* its last word begins the next line: */
    /* the runner */
    trp_envelope_t *first; /* taken, oldest first */
    trp_envelope_t *last;
    trp_pid_t self; /* what others know it by */
    const trp_class_t *class;
    void *state;
    cell_life_t *life;
    _Atomic uint64_t handled; /* written by the runner alone; an atomic for who looks in */
    _Atomic uint64_t died;    /* messages that it took and never saw; as `handled` */
    uint64_t next_ref;
    uint64_t owed;           /* charge taken and not yet given back; it is given back in lumps: */
    uint64_t owed_max;       /* ... when this sum of count or bytes is reached, or the slice ends */
    _Atomic uint8_t phase;   /* cell_phase_t; as `handled` */
    _Atomic uint8_t running; /* as `handled` */
    uint8_t meter;           /* of its class; set under the inspect lock */
    _Atomic uint64_t busy_ns; /* of its slices */
    const char *origin;       /* trp_spawn_t.origin, or its spawner's */
} cell_t;

_Static_assert(offsetof(cell_t, mailbox.urgent) == 64, "what the runner reads for each message");

typedef struct cell_table {
    cell_t *cells;
    uint32_t capacity;
    _Atomic uint32_t used; /* cells ever used, the unused cell 0 included */
    pthread_mutex_t lock;  /* of the free list; a leaf */
    cell_t *free_first, *free_last;
    _Atomic uint64_t *remote;    /* a bit for each cell: it is party to a pid of another node */
    pthread_mutex_t inspect[16]; /* by slot: who looks in against birth, description and end */
} cell_table_t;

/** errors: TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t cell_table_init(cell_table_t *table, uint32_t capacity);
void cell_table_fini(cell_table_t *table);

/** A vacant cell, or NULL: all are in use. */
cell_t *cell_take(cell_table_t *table);

/** Raises the generation and puts the cell at the tail of the free list. */
void cell_release(cell_table_t *table, cell_t *cell);

/** The cell of a slot; NULL when it never had an actor. */
static inline cell_t *cell_at(const cell_table_t *table, uint32_t slot)
{
    /* Acquire: the cell as cell_take initialised it. */
    if (slot >= atomic_load_explicit(&table->used, memory_order_acquire) || slot == 0) {
        return NULL;
    }
    return &table->cells[slot];
}

/** Made when missing; NULL: no memory. */
cell_life_t *cell_life_make(cell_table_t *table, cell_t *cell);

/** Remembers that the cell is party to a pid of another node, for cell_next_remote. */
void cell_mark_remote(cell_table_t *table, const cell_t *cell);

/** The next marked slot after `slot`; 0: none. */
uint32_t cell_next_remote(cell_table_t *table, uint32_t slot);

static inline pthread_mutex_t *cell_inspect_lock(cell_table_t *table, const cell_t *cell)
{
    return &table->inspect[cell->slot % 16];
}

static inline cell_phase_t cell_phase(const cell_t *cell)
{
    /* Relaxed: as in cell_set_phase. */
    return (cell_phase_t)atomic_load_explicit(&cell->phase, memory_order_relaxed);
}

static inline void cell_set_phase(cell_t *cell, cell_phase_t phase)
{
    /* Relaxed: the runner's own; others only show it. */
    atomic_store_explicit(&cell->phase, (uint8_t)phase, memory_order_relaxed);
}

static inline bool cell_is_proxy(const cell_t *cell)
{
    return (cell->class->flags & TRP_CLASS_PROXY) != 0;
}

#endif
