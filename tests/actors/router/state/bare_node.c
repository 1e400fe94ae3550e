/* SPDX-License-Identifier: MIT */
#include "tests/actors/router/state/bare_node.h"

#include "tests/runtime/fixture.h"

trp_runtime_t *bare_node_open(void)
{
    node_open(false);
    return node;
}

void bare_node_close(void)
{
    node_close();
}
