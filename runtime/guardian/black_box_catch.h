/* SPDX-License-Identifier: MIT */
/* Notes in the black box of what a worker dies, before it does. Worker process only, once. */
#ifndef TRP_RUNTIME_BLACK_BOX_CATCH_H
#define TRP_RUNTIME_BLACK_BOX_CATCH_H

#include "runtime/guardian/black_box.h"

/** Handles the signals of faults, abort and forbidden system calls on a stack of its own (a stack
 * overflow leaves none), then lets the signal end the process as it would have. `box` outlives the
 * process's work. */
void black_box_catch(black_box_t *box);

#endif
