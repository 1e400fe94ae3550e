/* SPDX-License-Identifier: MIT */
/* A runtime for tests that look into the router's state: fixture.h has the core's own, whose worker
 * is another one. */
#ifndef TRP_TESTS_BARE_NODE_H
#define TRP_TESTS_BARE_NODE_H

#include "runtime/core/runtime.h"

trp_runtime_t *bare_node_open(void);
void bare_node_close(void);

#endif
