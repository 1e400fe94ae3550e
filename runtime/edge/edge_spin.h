/* SPDX-License-Identifier: MIT */
/* Whether a thread that has nothing to do looks on for a moment before it sleeps. To wake a thread
 * that sleeps costs a virtual machine 50 us and more where its processor is halted, so between two
 * that answer each other it pays; where the other one needs this very processor it delays him. What
 * came of it decides: looks in vain take at most one part in 65 of the time. Pure; no lock. */
#ifndef TRP_RUNTIME_EDGE_SPIN_H
#define TRP_RUNTIME_EDGE_SPIN_H

#include <stdbool.h>
#include <stdint.h>

#define EDGE_SPIN_NS       30000                 /* it looks on for so long at most */
#define EDGE_SPIN_NEAR_NS  1000000               /* and only after a sleep shorter than this */
#define EDGE_SPIN_DEBT_MAX (64LL * EDGE_SPIN_NS) /* sleep that a look in vain is paid by */

typedef struct edge_spin {
    bool is_allowed; /* there is another processor */
    bool is_near;    /* the last sleep was short */
    int64_t debt_ns; /* to be slept before the next look */
    int64_t
        price_ns; /* of the next one in vain: doubled by each, one EDGE_SPIN_NS after a success */
} edge_spin_t;

/** Whether to look on now. */
static inline bool edge_spin_pays(const edge_spin_t *spin)
{
    return spin->is_allowed && spin->is_near && spin->debt_ns <= 0;
}

/** It looked on; `found`: something came meanwhile. */
void edge_spin_tried(edge_spin_t *spin, bool found);

/** It slept. `found`: it was woken, and not because its time was up. */
void edge_spin_slept(edge_spin_t *spin, int64_t ns, bool found);

#endif
