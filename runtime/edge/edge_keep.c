/* SPDX-License-Identifier: MIT */
#include "runtime/edge/edge.h"

static void *same(void *edge)
{
    return edge;
}

void edge_attach(edge_t *edge, trp_runtime_t *runtime)
{
    (void)runtime_keep(runtime, "edge", same, NULL, edge);
}

edge_t *edge_of(trp_runtime_t *runtime)
{
    return runtime_keep(runtime, "edge", same, NULL, NULL);
}
