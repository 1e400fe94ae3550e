/* SPDX-License-Identifier: MIT */
/* A whole node for a test: the test process is the guardian, its child the node, whose driver actor
 * ends it by node_end with what the test is to see. */
#ifndef TRP_TESTS_RUNTIME_NODE_FIXTURE_H
#define TRP_TESTS_RUNTIME_NODE_FIXTURE_H

#include "runtime/node/node.h"

enum { NODE_PASSED = 0, NODE_FAILED = 1 };

/** Runs a node with one actor of the class `driver`; `classes` (NULL-terminated) are those that its
 * worker processes know. Returns the exit status that it was ended with. */
int node_fixture_drive(const trp_class_t *driver, const trp_class_t *const *classes);

/** The node's run directory, of this test process. */
const char *node_fixture_run_dir(void);

#endif
