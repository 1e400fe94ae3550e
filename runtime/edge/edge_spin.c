/* SPDX-License-Identifier: MIT */
#include "runtime/edge/edge_spin.h"

void edge_spin_tried(edge_spin_t *spin, bool found)
{
    if (found) {
        spin->price_ns = EDGE_SPIN_NS;
        return;
    }
    spin->debt_ns = spin->price_ns < EDGE_SPIN_NS ? EDGE_SPIN_NS : spin->price_ns;
    spin->price_ns =
        2 * spin->debt_ns < EDGE_SPIN_DEBT_MAX ? 2 * spin->debt_ns : EDGE_SPIN_DEBT_MAX;
}

void edge_spin_slept(edge_spin_t *spin, int64_t ns, bool found)
{
    spin->is_near = found && ns < EDGE_SPIN_NEAR_NS;
    spin->debt_ns = spin->debt_ns > ns ? spin->debt_ns - ns : 0;
}
