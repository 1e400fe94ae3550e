/* SPDX-License-Identifier: MIT */
#include "supervisor/policy_table.h"

#include <stdlib.h>
#include <string.h>

#define S INT64_C(1000000000)

trp_status_t policy_init(policy_t *policy, const trp_supervisor_spec_t *spec, policy_sink_t *sink,
                         void *user)
{
    *policy = (policy_t){.spec = spec, .next_key = 1, .sink = sink, .user = user};
    if (spec->period_s <= 0 || spec->period_s > INT64_MAX / S) {
        return TRP_INVALID;
    }
    return tally_init(&policy->tally, spec->intensity, spec->period_s * S);
}

static void free_row(const policy_t *policy, policy_child_t *child)
{
    if (child->spec != policy->spec->template) {
        free(child->spec);
    }
    free(child->args);
    free(child);
}

void policy_fini(policy_t *policy)
{
    if (policy->spec == NULL) {
        return; /* never made, or ended before */
    }
    HASH_CLEAR(by_id, policy->ids);
    while (policy->first != NULL) {
        policy_child_t *child = policy->first;
        policy->first = child->next;
        free_row(policy, child);
    }
    policy_table_sweep(policy);
    tally_fini(&policy->tally);
    *policy = (policy_t){0};
}

/* The row's own spec; an instance has its template's. */
static trp_status_t fill_row(policy_t *policy, policy_child_t *child, const trp_child_spec_t *spec)
{
    if (spec == NULL) {
        /* Nobody writes to the template: the members that are written are the row's. */
        child->spec = (trp_child_spec_t *)(uintptr_t)policy->spec->template;
        return TRP_OK;
    }
    child->spec = malloc(sizeof(*child->spec));
    if (child->spec == NULL) {
        return TRP_NO_MEMORY;
    }
    *child->spec = *spec;
    HASH_ADD_KEYPTR(by_id, policy->ids, child->spec->id, strlen(child->spec->id), child);
    if (child->by_id.tbl == NULL) {
        free(child->spec);
        return TRP_NO_MEMORY;
    }
    return TRP_OK;
}

trp_status_t policy_add(policy_t *policy, const trp_child_spec_t *spec, policy_child_t **child)
{
    policy_child_t *present = spec == NULL ? NULL : policy_child_by_id(policy, spec->id);
    if (present != NULL) {
        if (child != NULL) {
            *child = present;
        }
        return TRP_EXISTS;
    }
    policy_child_t *row = calloc(1, sizeof(*row));
    if (row == NULL) {
        return TRP_NO_MEMORY;
    }
    if (fill_row(policy, row, spec) != TRP_OK) {
        free(row);
        return TRP_NO_MEMORY;
    }

    row->key = policy->next_key++;
    row->is_fresh = policy->mode != POLICY_NEW;
    row->prev = policy->last;
    *(policy->last == NULL ? &policy->first : &policy->last->next) = row;
    policy->last = row;
    policy->child_count++;
    policy->supervisor_count += row->spec->is_supervisor;
    policy->phases[POLICY_IDLE]++;
    if (child != NULL) {
        *child = row;
    }
    return TRP_OK;
}

void policy_table_remove(policy_t *policy, policy_child_t *child)
{
    policy_table_phase(policy, child, POLICY_IDLE);
    if (policy->stop_from == child) {
        policy->stop_from = child->prev;
    }
    if (policy->start_from == child) {
        policy->start_from = child->next;
    }
    *(child->prev == NULL ? &policy->first : &child->prev->next) = child->next;
    *(child->next == NULL ? &policy->last : &child->next->prev) = child->prev;
    if (child->by_id.tbl != NULL) {
        HASH_DELETE(by_id, policy->ids, child);
    }
    policy->phases[POLICY_IDLE]--;
    policy->child_count--;
    policy->supervisor_count -= child->spec->is_supervisor;
    child->is_removed = true;
    child->prev = NULL;
    child->next = policy->removed;
    policy->removed = child;
    policy_act(policy, POLICY_REMOVE, child);
}

void policy_table_sweep(policy_t *policy)
{
    while (policy->removed != NULL) {
        policy_child_t *child = policy->removed;
        policy->removed = child->next;
        free_row(policy, child);
    }
}

void policy_table_phase(policy_t *policy, policy_child_t *child, policy_phase_t phase)
{
    policy->starting_ordered -= child->phase == POLICY_STARTING && child->is_ordered;
    policy->phases[child->phase]--;
    child->phase = phase;
    policy->phases[phase]++;
    policy->starting_ordered += phase == POLICY_STARTING && child->is_ordered;
    if (phase >= POLICY_DOOMED &&
        (policy->stop_from == NULL || policy->stop_from->key < child->key)) {
        policy->stop_from = child;
    }
    if (phase == POLICY_QUEUED &&
        (policy->start_from == NULL || policy->start_from->key > child->key)) {
        policy->start_from = child;
    }
}

policy_action_t *policy_act(policy_t *policy, policy_action_kind_t kind, policy_child_t *child)
{
    if (policy->action_count == POLICY_BATCH) {
        policy_flush(policy);
    }
    policy_action_t *action = &policy->actions[policy->action_count++];
    *action = (policy_action_t){.kind = kind, .child = child};
    return action;
}

void policy_flush(policy_t *policy)
{
    policy->sink(policy->user, policy->actions, policy->action_count);
    policy->action_count = 0;
}

policy_child_t *policy_child_by_id(const policy_t *policy, const char *id)
{
    policy_child_t *child = NULL;
    HASH_FIND(by_id, policy->ids, id, strlen(id), child);
    return child;
}

bool policy_is_alive(const policy_child_t *child)
{
    return child->phase >= POLICY_STARTING && child->phase != POLICY_GONE;
}

bool policy_is_busy(const policy_t *policy)
{
    return policy->phases[POLICY_STARTING] > 0 || policy->phases[POLICY_QUEUED] > 0 ||
           policy_leaving_count(policy) > 0;
}
