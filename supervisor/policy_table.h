/* SPDX-License-Identifier: MIT */
/* The rows of a child table and the list of actions, for supervisor/policy.c only. */
#ifndef TRP_SUPERVISOR_POLICY_TABLE_H
#define TRP_SUPERVISOR_POLICY_TABLE_H

#include "supervisor/policy.h"

/** Takes out the rows that were removed in the step before. */
void policy_table_sweep(policy_t *policy);

/** The next action, of that child (NULL: of none). Never fails: policy_add made room for a step's
 * worst case. */
policy_action_t *policy_act(policy_t *policy, policy_action_kind_t kind,
                            const policy_child_t *child);

#endif
