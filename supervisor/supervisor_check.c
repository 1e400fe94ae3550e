/* SPDX-License-Identifier: MIT */
/* Combinations that are refused before anything starts, and one that is only unwise. */
#include "supervisor/supervisor_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/log.h"
#include "supervisor/tally.h"

#define DEPTH_MAX    64
#define PERIOD_S_MAX (INT64_MAX / 1000000000) /* the window is counted in nanoseconds */

static trp_status_t refuse(char rule[160], const trp_child_spec_t *child, const char *why)
{
    snprintf(rule, 160, "child %s: %s", child->id, why);
    return TRP_INVALID;
}

/* Enumerations come from programs and from configurations: any number may be in them. */
static const char *check_enums(const trp_child_spec_t *child)
{
    if ((unsigned)child->restart >= TRP_RESTART_COUNT) {
        return "restart is permanent, transient or temporary";
    }
    if ((unsigned)child->jitter >= TRP_JITTER_COUNT) {
        return "jitter is equal or full";
    }
    if ((unsigned)child->give_up >= TRP_GIVE_UP_COUNT) {
        return "give_up is stop, hold or escalate";
    }
    for (size_t i = 0; i < TRP_CAUSE_COUNT; i++) {
        if ((unsigned)child->on_exit[i] >= TRP_ON_EXIT_COUNT) {
            return "on_exit is backoff, now, wait, never or give_up for each cause";
        }
    }
    return NULL;
}

static const char *check_backoff(const trp_child_spec_t *child)
{
    if (child->shutdown_ms < TRP_SHUTDOWN_BRUTAL || child->start_ms < 0 || child->backoff_ms < 0 ||
        child->backoff_max_ms < 0 || child->reset_after_ms < 0) {
        return "times are not negative";
    }
    if (child->backoff_ms > child->backoff_max_ms) {
        return "backoff_ms is at most backoff_max_ms";
    }
    if (child->backoff_factor < 0 || child->backoff_steps < 0) {
        return "backoff_factor and backoff_steps are not negative";
    }
    if (child->backoff_factor > 0 && child->backoff_steps > 0) {
        return "backoff_factor or backoff_steps, not both";
    }
    if (child->give_up == TRP_GIVE_UP_HOLD && child->backoff_max_ms == 0) {
        return "give_up hold waits backoff_max_ms, which is 0";
    }
    return NULL;
}

trp_status_t supervisor_check_child(const trp_supervisor_spec_t *spec,
                                    const trp_child_spec_t *child, char rule[160])
{
    if (child->id[0] == '\0' || memchr(child->id, '\0', sizeof(child->id)) == NULL) {
        snprintf(rule, 160, "a child's id has 1 to %d bytes", TRP_CHILD_ID_MAX);
        return TRP_INVALID;
    }
    if (child->class == NULL) {
        snprintf(rule, 160, "child %s needs a class", child->id);
        return TRP_INVALID;
    }
    const char *why = check_enums(child);
    if (why == NULL) {
        why = check_backoff(child);
    }
    if (why == NULL && child->is_significant && child->restart == TRP_PERMANENT) {
        why = "significant needs restart transient or temporary";
    }
    if (why == NULL && child->is_significant && spec->auto_shutdown == TRP_AUTO_SHUTDOWN_NEVER) {
        why = "significant needs a supervisor whose auto_shutdown is not never";
    }
    return why == NULL ? TRP_OK : refuse(rule, child, why);
}

/* What stopping a group may take: the one that crashed is gone already, in the worst case the one
 * with the smallest limit; in rest_for_one the first is stopped for nobody. */
static int64_t group_stop_ms(const trp_supervisor_spec_t *spec)
{
    int64_t sum_ms = 0;
    int64_t crashed_ms = INT64_MAX;
    for (size_t i = 0; i < spec->child_count; i++) {
        const int64_t own_ms = spec->children[i].shutdown_ms;
        const int64_t finite_ms = own_ms > 0 ? own_ms : 0;
        sum_ms += finite_ms;
        if (finite_ms < crashed_ms && (spec->strategy == TRP_ONE_FOR_ALL || i == 0)) {
            crashed_ms = finite_ms;
        }
    }
    return spec->child_count == 0 ? 0 : sum_ms - crashed_ms;
}

/* A group that takes longer to stop than period / intensity never fills the window: it restarts for
 * ever (erlang/otp#4648). Allowed, as there. */
static void warn_of_immortality(const trp_supervisor_spec_t *spec)
{
    if ((spec->strategy != TRP_ONE_FOR_ALL && spec->strategy != TRP_REST_FOR_ONE) ||
        spec->intensity == 0 || spec->window == TRP_WINDOW_ACTIVE) {
        return;
    }
    int64_t sum_ms = group_stop_ms(spec);
    int64_t limit_ms = 1000 * spec->period_s / spec->intensity;
    if (sum_ms >= limit_ms) {
        log_event(LOG_WARN, "supervisor_may_never_give_up", LOG_TEXT("supervisor", spec->name),
                  LOG_INT("shutdown_ms_sum", sum_ms), LOG_INT("limit_ms", limit_ms),
                  LOG_TEXT("rule",
                           "the sum of shutdown_ms should stay below period / intensity, or window "
                           "be active"));
    }
}

static trp_status_t check_template(const trp_supervisor_spec_t *spec, char rule[160])
{
    if (spec->strategy != TRP_SIMPLE_ONE_FOR_ONE) {
        return TRP_OK;
    }
    if (spec->template == NULL || spec->child_count != 0) {
        snprintf(rule, 160, "simple_one_for_one has exactly one child, its template");
    } else if (spec->auto_shutdown != TRP_AUTO_SHUTDOWN_NEVER) {
        snprintf(rule, 160, "simple_one_for_one has auto_shutdown never");
    } else if (spec->template->is_named) {
        snprintf(rule, 160, "the children of simple_one_for_one have no names");
    } else {
        return TRP_OK;
    }
    return TRP_INVALID;
}

static trp_status_t check_flags(const trp_supervisor_spec_t *spec, char rule[160])
{
    if ((unsigned)spec->strategy >= TRP_STRATEGY_COUNT) {
        snprintf(rule, 160,
                 "strategy is one_for_one, one_for_all, rest_for_one or simple_one_for_one");
    } else if (spec->intensity < 0 || spec->intensity > TALLY_LIMIT_MAX) {
        snprintf(rule, 160, "intensity is 0 to %d", TALLY_LIMIT_MAX);
    } else if (spec->period_s <= 0 || spec->period_s > PERIOD_S_MAX) {
        snprintf(rule, 160, "period_s is 1 to %lld", (long long)PERIOD_S_MAX);
    } else if ((unsigned)spec->auto_shutdown >= TRP_AUTO_SHUTDOWN_COUNT) {
        snprintf(rule, 160, "auto_shutdown is never, any_significant or all_significant");
    } else if ((unsigned)spec->starts >= TRP_STARTS_COUNT) {
        snprintf(rule, 160, "starts is ordered, parallel or awaited");
    } else if (spec->starts == TRP_STARTS_PARALLEL && spec->strategy == TRP_REST_FOR_ONE) {
        snprintf(rule, 160, "rest_for_one is about an order: starts is not parallel");
    } else if ((unsigned)spec->window >= TRP_WINDOW_COUNT) {
        snprintf(rule, 160, "window is passing or active");
    } else {
        return TRP_OK;
    }
    return TRP_INVALID;
}

static int compare_ids(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static trp_status_t check_ids(const trp_supervisor_spec_t *spec, char rule[160])
{
    const char **ids = malloc((spec->child_count + 1) * sizeof(*ids));
    if (ids == NULL) {
        return TRP_NO_MEMORY;
    }
    for (size_t i = 0; i < spec->child_count; i++) {
        ids[i] = spec->children[i].id;
    }
    qsort(ids, spec->child_count, sizeof(*ids), compare_ids);
    trp_status_t status = TRP_OK;
    for (size_t i = 1; i < spec->child_count && status == TRP_OK; i++) {
        if (strcmp(ids[i - 1], ids[i]) == 0) {
            snprintf(rule, 160, "two children have the id %s", ids[i]);
            status = TRP_INVALID;
        }
    }
    free(ids);
    return status;
}

static trp_status_t check(const trp_supervisor_spec_t *spec, unsigned depth, char rule[160]);

/* Says which supervisor is meant. */
static trp_status_t check_nested(const trp_supervisor_spec_t *spec, unsigned depth, char rule[160])
{
    char own[160];
    trp_status_t status = check(spec, depth, own);
    if (status == TRP_INVALID) {
        snprintf(rule, 160, "%s: %.90s", spec->name, own);
    }
    return status;
}

/* `depth`: supervisors above; a tree that holds itself would never end. */
static trp_status_t check(const trp_supervisor_spec_t *spec, unsigned depth, char rule[160])
{
    if (depth > DEPTH_MAX) {
        snprintf(rule, 160, "supervisors are nested at most %d deep", DEPTH_MAX);
        return TRP_INVALID;
    }
    trp_status_t status = check_flags(spec, rule);
    if (status == TRP_OK) {
        status = check_template(spec, rule);
    }
    if (status == TRP_OK && spec->template != NULL) {
        status = supervisor_check_child(spec, spec->template, rule);
    }
    for (size_t i = 0; i < spec->child_count && status == TRP_OK; i++) {
        const trp_child_spec_t *child = &spec->children[i];
        status = supervisor_check_child(spec, child, rule);
        if (status == TRP_OK && child->is_supervisor) {
            status = check_nested(child->args, depth + 1, rule);
        }
    }
    if (status == TRP_OK) {
        status = check_ids(spec, rule);
    }
    if (status == TRP_OK) {
        warn_of_immortality(spec);
    }
    return status;
}

trp_status_t trp_supervisor_check(const trp_supervisor_spec_t *spec, char rule[160])
{
    return check(spec, 0, rule);
}
