/* SPDX-License-Identifier: MIT */
/* What an actor deferred, and its idle time-out. Internal to the core; runner only. */
#ifndef TRP_RUNTIME_DEFER_H
#define TRP_RUNTIME_DEFER_H

#include "runtime/core/cell.h"

/** Takes what is deferred, oldest first: the actor ends. Each still has its charge. NULL: nothing
 */
trp_envelope_t *defer_take_all(cell_t *cell);

/** The timer of the idle time-out has fired: notes whether anything was handled since it last did.
 * True: nothing for the whole time. */
bool defer_idle_passed(cell_t *cell);

#endif
