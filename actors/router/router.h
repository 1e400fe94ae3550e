/* SPDX-License-Identifier: MIT */
/* The router: takes tasks from clients of the Majordomo port and from actors, gives each to a
 * worker of its tool's pool, and answers it exactly once. Registered under the name "router"; lives
 * on the edge. */
#ifndef TRP_ACTORS_ROUTER_H
#define TRP_ACTORS_ROUTER_H

#include "runtime/troupe.h"

extern TRP_API const trp_class_t router_class;

#endif
