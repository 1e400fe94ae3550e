/* SPDX-License-Identifier: MIT */
/* Links, monitors, requests and timers as their owner sees them: Erlang's rules, carried by signals
 * that keep their order with messages. Internal to the core; the cell's runner only. */
#ifndef TRP_RUNTIME_SIGNAL_H
#define TRP_RUNTIME_SIGNAL_H

#include "runtime/core/send.h"

typedef enum admit {
    ADMIT_SHOW, /* to `receive`, perhaps with another tag now */
    ADMIT_DROP, /* done with: free it */
    ADMIT_SAVE, /* a snapshot is asked for */
    ADMIT_LATE, /* an answer that nobody waits for any more: a dead letter */
    ADMIT_END,  /* the actor ends with the reason in the payload */
    ADMIT_KILL, /* the actor ends as killed */
} admit_t;

/** What becomes of a signal (or of an envelope with TRP_ENVELOPE_REPLY) that is taken from the
 * mailbox. */
admit_t signal_admit(worker_t *worker, cell_t *cell, trp_envelope_t *envelope);

/** Whether an EXIT signal ends this cell when its turn comes. */
bool signal_exit_ends(const cell_t *cell, const trp_envelope_t *envelope);

/** The end of a cell, told to all that it is party to; its timers are cancelled. */
void signal_ended(const sender_t *sender, cell_t *cell, const trp_reason_t *reason);

/** Takes the open request `row` of the cell back: its timer and its monitor. The row is gone. */
void signal_request_done(worker_t *worker, cell_t *cell, watch_t *row);

/** Marks a cell that becomes party to `pid` when that is of another node. */
void signal_note_remote(trp_runtime_t *runtime, const cell_t *cell, trp_pid_t pid);

#endif
