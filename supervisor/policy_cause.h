/* SPDX-License-Identifier: MIT */
/* What the reason of an end says to the policy: its cause, what the child's spec wants done then,
 * and how long to wait. Values in, values out. */
#ifndef TRP_SUPERVISOR_POLICY_CAUSE_H
#define TRP_SUPERVISOR_POLICY_CAUSE_H

#include "supervisor/policy.h"

/** The row of a spec's table of exit causes that a reason belongs to. */
trp_cause_t policy_cause(const trp_reason_t *reason);

/** What the spec says about that cause; never DEFAULT. */
trp_on_exit_t policy_choice(const trp_child_spec_t *spec, const trp_reason_t *reason);

/** The limits of a child's process as its spec has them now; NULL: the defaults. */
const trp_limits_t *policy_limits(const trp_child_spec_t *spec);

/** Raises the limit of memory for the next start. False: there is none, or it is at its ceiling. */
bool policy_raise_memory(policy_child_t *child);

/** The delay before the next start, by the child's streak. */
int64_t policy_backoff_ns(const policy_child_t *child, uint64_t random);

/** What is left of the streak of a child that ends now. */
uint32_t policy_streak_left(const policy_child_t *child, int64_t now_ns);

#endif
