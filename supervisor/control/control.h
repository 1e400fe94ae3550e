/* SPDX-License-Identifier: MIT */
/* The control socket as an actor of the edge: takes requests (messages/control.h), gives each to an
 * inquiry, an actor of its own in the pool, and sends its answer back. So a verb may take its time,
 * and one that fails takes nothing down. */
#ifndef TRP_SUPERVISOR_CONTROL_H
#define TRP_SUPERVISOR_CONTROL_H

#include "messages/control.h"
#include "runtime/troupe.h"

#define CONTROL_OPEN_MAX 128 /* requests at a time; more are refused */

/** Registered as `control`; binds ipc://RUN_DIR/control, mode 0600, of
 * the configuration that is kept with the runtime. */
extern const trp_class_t control_class;

/** Answers one request: init gets it as it came. */
extern const trp_class_t inquiry_class;

#endif
