/* SPDX-License-Identifier: MIT */
/* The books of runtime/memory.h: an actor's blocks and a thread's scratch. Internal to the core. */
#ifndef TRP_RUNTIME_QUOTA_H
#define TRP_RUNTIME_QUOTA_H

#include <stdatomic.h>
#include <stddef.h>

/** Blocks of one actor, newest first; the runner's. */
typedef struct quota {
    struct block *blocks;
    _Atomic size_t used; /* its state, blocks and scratch; an atomic for who looks in */
    size_t max;          /* 0: no limit */
} quota_t;

/** Scratch of one thread, for the callback that it runs. One chunk is kept for the next. */
typedef struct scratch {
    struct chunk *first; /* the one in use; behind it full ones */
    size_t charged;      /* to the actor that runs */
} scratch_t;

/** Frees all blocks. */
void quota_fini(quota_t *quota);

/** The callback has returned: gives back what the actor was charged; `quota` NULL: it has none. */
void scratch_reset(scratch_t *scratch, quota_t *quota);

/** Frees the chunks. */
void scratch_fini(scratch_t *scratch);

#endif
