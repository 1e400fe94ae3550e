/* SPDX-License-Identifier: MIT */
/* Who was refused by a full mailbox and waits for room. The wish is a signal of the urgent lane, so
 * the runner sees it before the next message; it keeps the envelope and sends it back, one at a
 * time while messages are handled, when at most half of the bounds is in use. Internal to the core;
 * the runner of the cell only. */
#ifndef TRP_RUNTIME_ROOM_H
#define TRP_RUNTIME_ROOM_H

#include "runtime/core/send.h"

/** A TRP_SIGNAL_ROOM that was taken from the urgent lane. owns: taken. */
void room_wait(const sender_t *sender, cell_t *cell, trp_envelope_t *wish);

/** Tells up to `count_max` of those that wait, the first ones first, if there is room now. */
void room_tell(const sender_t *sender, cell_t *cell, uint32_t count_max);

/** Tells all: the actor has ended, and what is sent to it now is a dead letter. */
void room_end(const sender_t *sender, cell_t *cell);

/** Sends a wish back to whom it is from. owns: taken. */
void room_answer(const sender_t *sender, trp_envelope_t *wish);

static inline bool room_is_awaited(const cell_t *cell)
{
    return cell->life != NULL && cell->life->waiting_first != NULL;
}

#endif
