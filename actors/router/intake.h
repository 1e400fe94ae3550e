/* SPDX-License-Identifier: MIT */
/* The router's reader: an actor on the pool threads that reads what is too large for the edge
 * thread. Without state; when it ends, what it was asked is asked again or given up by the router.
 * messages/intake.h says what it understands. */
#ifndef TRP_ACTORS_INTAKE_H
#define TRP_ACTORS_INTAKE_H

#include "messages/intake.h"
#include "runtime/troupe.h"

extern TRP_API const trp_class_t intake_class;

#endif
