/* SPDX-License-Identifier: MIT */
/* The rows of a child table and the list of actions, for supervisor/policy*.c only. */
#ifndef TRP_SUPERVISOR_POLICY_TABLE_H
#define TRP_SUPERVISOR_POLICY_TABLE_H

#include "supervisor/policy.h"

/** Frees the rows that were removed in the step before. */
void policy_table_sweep(policy_t *policy);

/** Takes a row out of the table. */
void policy_table_remove(policy_t *policy, policy_child_t *child);

/** Moves a row to another phase, and the cursors with it. */
void policy_table_phase(policy_t *policy, policy_child_t *child, policy_phase_t phase);

/** The next action, of that child (NULL: of none): to be filled before the next call. */
policy_action_t *policy_act(policy_t *policy, policy_action_kind_t kind, policy_child_t *child);

/** Gives the actions so far to the sink. */
void policy_flush(policy_t *policy);

static inline bool policy_is_template(const policy_t *policy)
{
    return policy->spec->strategy == TRP_SIMPLE_ONE_FOR_ONE;
}

/** Rows in a phase of those from DOOMED on. */
static inline size_t policy_leaving_count(const policy_t *policy)
{
    return policy->phases[POLICY_DOOMED] + policy->phases[POLICY_STOPPING] +
           policy->phases[POLICY_KILLING] + policy->phases[POLICY_GONE];
}

#endif
