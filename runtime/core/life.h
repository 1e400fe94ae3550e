/* SPDX-License-Identifier: MIT */
/* Birth and end of actors. Internal to the core. */
#ifndef TRP_RUNTIME_LIFE_H
#define TRP_RUNTIME_LIFE_H

#include "runtime/core/lease.h"
#include "runtime/core/send.h"

typedef struct birth {
    const trp_spawn_t *spawn;
    cell_t *spawner; /* runs now, on this thread; NULL: none */
    trp_pid_t known; /* what it is to be known by; NONE: by its own pid */
} birth_t;

/** Makes an actor and has it scheduled; init is called on its first turn. errors: TRP_INVALID,
 * TRP_EXISTS, TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t life_spawn(const sender_t *sender, const birth_t *birth, trp_pid_t *pid);

/** The first turn. False: the actor has ended. */
bool life_start(worker_t *worker, cell_t *cell);

/** A callback has returned: its scratch is taken back. */
void life_take_scratch(worker_t *worker, const cell_t *cell);

/** It is ready: its spawner hears of it. */
void life_ready(worker_t *worker, cell_t *cell);

/** Ends it: `terminate` if `orderly`, then names, mailbox, signals, memory. The caller must not
 * touch the cell after. */
void life_end(worker_t *worker, cell_t *cell, const trp_reason_t *reason, bool orderly);

/** Ends an actor whose callback does not return and has lost its lease: as killed, "stuck"; no
 * terminate. The cell's memory stays the callback's. Under the watchdog's lock. */
void life_write_off(const sender_t *sender, cell_t *cell, const lease_lost_t *lost);

/** The callback of an actor that was written off has returned after all: gives its cell back. */
void life_abandon(worker_t *worker, cell_t *cell);

/** The pid of the actor that is in the cell now. */
trp_pid_t life_pid(const trp_runtime_t *runtime, const cell_t *cell);

#endif
