/* SPDX-License-Identifier: MIT */
#include "supervisor/policy_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A step's worst case: of each child DISARM, ANSWER, TELL, REPORT, then START or EXIT with ARM; and
 * a few that occur once. */
#define ACTIONS_PER_CHILD 6
#define ACTIONS_ONCE      10

trp_status_t policy_init(policy_t *policy, trp_strategy_t strategy, int64_t intensity,
                         int64_t period_s)
{
    *policy = (policy_t){.strategy = strategy, .next_key = 1, .action_capacity = ACTIONS_ONCE};
    if (period_s <= 0 || period_s > INT64_MAX / 1000000000) {
        return TRP_INVALID;
    }
    trp_status_t status = tally_init(&policy->tally, intensity, period_s * 1000000000);
    if (status != TRP_OK) {
        return status;
    }
    policy->actions = calloc(ACTIONS_ONCE, sizeof(*policy->actions));
    if (policy->actions == NULL) {
        policy_fini(policy);
        return TRP_NO_MEMORY;
    }
    return TRP_OK;
}

void policy_fini(policy_t *policy)
{
    tally_fini(&policy->tally);
    free(policy->children);
    free(policy->actions);
    *policy = (policy_t){0};
}

static trp_status_t reserve(policy_t *policy, size_t child_count)
{
    if (child_count <= policy->child_capacity) {
        return TRP_OK;
    }

    size_t capacity = child_count * 2;
    policy_child_t *children = realloc(policy->children, capacity * sizeof(*children));
    if (children == NULL) {
        return TRP_NO_MEMORY;
    }
    policy->children = children;

    size_t action_capacity = capacity * ACTIONS_PER_CHILD + ACTIONS_ONCE;
    policy_action_t *actions = realloc(policy->actions, action_capacity * sizeof(*actions));
    if (actions == NULL) {
        return TRP_NO_MEMORY;
    }
    policy->actions = actions;
    policy->action_capacity = action_capacity;
    policy->child_capacity = capacity;
    return TRP_OK;
}

trp_status_t policy_add(policy_t *policy, const trp_child_spec_t *spec)
{
    policy_table_sweep(policy);
    if (policy_child_by_id(policy, spec->id) != NULL) {
        return TRP_EXISTS;
    }
    trp_status_t status = reserve(policy, policy->child_count + 1);
    if (status != TRP_OK) {
        return status;
    }

    policy->children[policy->child_count++] = (policy_child_t){
        .spec = *spec, .key = policy->next_key++, .is_fresh = policy->mode != POLICY_NEW};
    return TRP_OK;
}

void policy_table_sweep(policy_t *policy)
{
    size_t kept = 0;
    for (size_t i = 0; i < policy->child_count; i++) {
        if (!policy->children[i].is_removed) {
            policy->children[kept++] = policy->children[i];
        }
    }
    policy->child_count = kept;
    policy->action_count = 0;
}

size_t policy_child_count(const policy_t *policy)
{
    size_t count = 0;
    for (size_t i = 0; i < policy->child_count; i++) {
        count += !policy->children[i].is_removed;
    }
    return count;
}

policy_action_t *policy_act(policy_t *policy, policy_action_kind_t kind,
                            const policy_child_t *child)
{
    assert(policy->action_count < policy->action_capacity);
    policy_action_t *action = &policy->actions[policy->action_count++];
    *action = (policy_action_t){.kind = kind, .key = child == NULL ? 0 : child->key};
    return action;
}

policy_child_t *policy_child(policy_t *policy, uint32_t key)
{
    for (size_t i = 0; i < policy->child_count; i++) {
        if (policy->children[i].key == key) {
            return &policy->children[i];
        }
    }
    return NULL;
}

policy_child_t *policy_child_by_id(policy_t *policy, const char *id)
{
    for (size_t i = 0; i < policy->child_count; i++) {
        if (!policy->children[i].is_removed && strcmp(policy->children[i].spec.id, id) == 0) {
            return &policy->children[i];
        }
    }
    return NULL;
}

bool policy_is_alive(const policy_child_t *child)
{
    return child->phase >= POLICY_STARTING;
}
