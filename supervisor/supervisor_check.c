/* SPDX-License-Identifier: MIT */
/* Combinations that are refused before anything starts, and one that is only unwise. */
#include "supervisor/supervisor_check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/log.h"
#include "supervisor/tally.h"

#define DEPTH_MAX    64
#define PERIOD_S_MAX (INT64_MAX / 1000000000) /* the window is counted in nanoseconds */

/* What is wrong with a child: the option, and what is expected of it; NULL: nothing is. */
typedef struct complaint {
    const char *option, *expected;
} complaint_t;

/* Enumerations come from programs and from configurations: any number may be in them. */
static complaint_t check_enums(const trp_child_spec_t *child)
{
    if ((unsigned)child->restart >= TRP_RESTART_COUNT) {
        return (complaint_t){"restart", "permanent, transient or temporary"};
    }
    if ((unsigned)child->jitter >= TRP_JITTER_COUNT) {
        return (complaint_t){"jitter", "equal or full"};
    }
    if ((unsigned)child->give_up >= TRP_GIVE_UP_COUNT) {
        return (complaint_t){"give_up", "stop, hold or escalate"};
    }
    if ((unsigned)child->while_down >= TRP_WHILE_DOWN_COUNT) {
        return (complaint_t){"while_down", "gone, fail or queue"};
    }
    if (child->while_down != TRP_WHILE_DOWN_GONE && !child->is_named) {
        return (complaint_t){"while_down", "gone of a child without a name"};
    }
    for (size_t i = 0; i < TRP_CAUSE_COUNT; i++) {
        if ((unsigned)child->on_exit[i] >= TRP_ON_EXIT_COUNT) {
            return (complaint_t){"on_exit", "backoff, now, wait, never or give_up for each cause"};
        }
        if (child->on_exit[i] == TRP_ON_EXIT_RAISE && i != TRP_CAUSE_MEMORY) {
            return (complaint_t){"on_exit", "raise only for the end by want of memory"};
        }
    }
    return (complaint_t){0};
}

static complaint_t check_backoff(const trp_child_spec_t *child)
{
    if (child->shutdown_ms < TRP_SHUTDOWN_BRUTAL || child->start_ms < 0 || child->backoff_ms < 0 ||
        child->backoff_max_ms < 0 || child->reset_after_ms < 0) {
        return (complaint_t){"shutdown_ms", "no time below 0"};
    }
    if (child->backoff_ms > child->backoff_max_ms) {
        return (complaint_t){"backoff_ms", "at most backoff_max_ms"};
    }
    if (child->backoff_factor < 0 || child->backoff_steps < 0) {
        return (complaint_t){"backoff_factor", "no backoff_factor and backoff_steps below 0"};
    }
    if (child->backoff_factor > 0 && child->backoff_steps > 0) {
        return (complaint_t){"backoff_factor", "backoff_factor or backoff_steps, not both"};
    }
    if (child->give_up == TRP_GIVE_UP_HOLD && child->backoff_max_ms == 0) {
        return (complaint_t){"give_up", "with hold a backoff_max_ms, which is its delay"};
    }
    return (complaint_t){0};
}

static complaint_t check_significant(const trp_supervisor_spec_t *spec,
                                     const trp_child_spec_t *child)
{
    if (child->is_significant && child->restart == TRP_PERMANENT) {
        return (complaint_t){"significant", "restart transient or temporary, not permanent"};
    }
    if (child->is_significant && spec->auto_shutdown == TRP_AUTO_SHUTDOWN_NEVER) {
        return (complaint_t){"significant", "a supervisor whose auto_shutdown is not never"};
    }
    return (complaint_t){0};
}

static trp_status_t check_child(const trp_supervisor_spec_t *spec, const trp_child_spec_t *child,
                                supervisor_fault_t *fault)
{
    complaint_t found = {0};
    if (child->id[0] == '\0' || memchr(child->id, '\0', sizeof(child->id)) == NULL) {
        snprintf(fault->expected, sizeof(fault->expected), "an id of 1 to %d bytes",
                 TRP_CHILD_ID_MAX);
        fault->option = "id";
        return TRP_INVALID;
    }
    if (child->class == NULL) {
        found = (complaint_t){"class", "a class"};
    }
    if (found.option == NULL) {
        found = check_enums(child);
    }
    if (found.option == NULL) {
        found = check_backoff(child);
    }
    if (found.option == NULL) {
        found = check_significant(spec, child);
    }
    if (found.option == NULL) {
        return TRP_OK;
    }
    fault->child = child;
    fault->option = found.option;
    snprintf(fault->expected, sizeof(fault->expected), "%s", found.expected);
    return TRP_INVALID;
}

/* Says which supervisor is meant, and which child. */
static void write_rule(const supervisor_fault_t *fault, char rule[160])
{
    const bool is_child = fault->child != NULL;
    snprintf(rule, 160, "%.32s%s%.32s: %s: expected %.60s", fault->supervisor->name,
             is_child ? ": child " : "", is_child ? fault->child->id : "", fault->option,
             fault->expected);
}

trp_status_t supervisor_check_child(const trp_supervisor_spec_t *spec,
                                    const trp_child_spec_t *child, char rule[160])
{
    supervisor_fault_t fault = {.supervisor = spec};
    const trp_status_t status = check_child(spec, child, &fault);
    if (status == TRP_INVALID) {
        write_rule(&fault, rule);
    }
    return status;
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

TRP_PRINTF(3, 4)
static trp_status_t refuse(supervisor_fault_t *fault, const char *option, const char *expected, ...)
{
    va_list arguments;
    va_start(arguments, expected);
    vsnprintf(fault->expected, sizeof(fault->expected), expected, arguments);
    va_end(arguments);
    fault->option = option;
    return TRP_INVALID;
}

static trp_status_t check_template(const trp_supervisor_spec_t *spec, supervisor_fault_t *fault)
{
    if (spec->strategy != TRP_SIMPLE_ONE_FOR_ONE) {
        return TRP_OK;
    }
    if (spec->template == NULL || spec->child_count != 0) {
        return refuse(fault, "strategy", "with simple_one_for_one exactly one child, its template");
    }
    if (spec->auto_shutdown != TRP_AUTO_SHUTDOWN_NEVER) {
        return refuse(fault, "auto_shutdown", "with simple_one_for_one never");
    }
    if (spec->template->is_named) {
        return refuse(fault, "strategy", "with simple_one_for_one children without names");
    }
    return TRP_OK;
}

static trp_status_t check_flags(const trp_supervisor_spec_t *spec, supervisor_fault_t *fault)
{
    if ((unsigned)spec->strategy >= TRP_STRATEGY_COUNT) {
        return refuse(fault, "strategy",
                      "one_for_one, one_for_all, rest_for_one or simple_one_for_one");
    }
    if (spec->intensity < 0 || spec->intensity > TALLY_LIMIT_MAX) {
        return refuse(fault, "intensity", "0 to %d", TALLY_LIMIT_MAX);
    }
    if (spec->period_s <= 0 || spec->period_s > PERIOD_S_MAX) {
        return refuse(fault, "period_s", "1 to %lld", (long long)PERIOD_S_MAX);
    }
    if ((unsigned)spec->auto_shutdown >= TRP_AUTO_SHUTDOWN_COUNT) {
        return refuse(fault, "auto_shutdown", "never, any_significant or all_significant");
    }
    if ((unsigned)spec->starts >= TRP_STARTS_COUNT) {
        return refuse(fault, "starts", "ordered, parallel or awaited");
    }
    if (spec->starts == TRP_STARTS_PARALLEL && spec->strategy == TRP_REST_FOR_ONE) {
        return refuse(fault, "starts", "not parallel with rest_for_one, which is about an order");
    }
    if ((unsigned)spec->window >= TRP_WINDOW_COUNT) {
        return refuse(fault, "window", "passing or active");
    }
    return TRP_OK;
}

static int compare_ids(const void *a, const void *b)
{
    const trp_child_spec_t *const *one = a, *const *other = b;
    return strcmp((*one)->id, (*other)->id);
}

static trp_status_t check_ids(const trp_supervisor_spec_t *spec, supervisor_fault_t *fault)
{
    const trp_child_spec_t **rows = malloc((spec->child_count + 1) * sizeof(*rows));
    if (rows == NULL) {
        return TRP_NO_MEMORY;
    }
    for (size_t i = 0; i < spec->child_count; i++) {
        rows[i] = &spec->children[i];
    }
    qsort(rows, spec->child_count, sizeof(*rows), compare_ids);
    trp_status_t status = TRP_OK;
    for (size_t i = 1; i < spec->child_count && status == TRP_OK; i++) {
        if (strcmp(rows[i - 1]->id, rows[i]->id) == 0) {
            fault->child = rows[i];
            status = refuse(fault, "id", "one that no other child has");
        }
    }
    free(rows);
    return status;
}

/* `depth`: supervisors above; a tree that holds itself would never end. */
static trp_status_t check(const trp_supervisor_spec_t *spec, unsigned depth,
                          supervisor_fault_t *fault)
{
    *fault = (supervisor_fault_t){.supervisor = spec};
    if (depth > DEPTH_MAX) {
        return refuse(fault, "children", "supervisors nested at most %d deep", DEPTH_MAX);
    }
    trp_status_t status = check_flags(spec, fault);
    if (status == TRP_OK) {
        status = check_template(spec, fault);
    }
    if (status == TRP_OK && spec->template != NULL) {
        status = check_child(spec, spec->template, fault);
    }
    for (size_t i = 0; i < spec->child_count && status == TRP_OK; i++) {
        const trp_child_spec_t *child = &spec->children[i];
        status = check_child(spec, child, fault);
        if (status == TRP_OK && child->is_supervisor) {
            status = check(child->args, depth + 1, fault);
            fault->supervisor = status == TRP_OK ? spec : fault->supervisor;
        }
    }
    if (status == TRP_OK) {
        status = check_ids(spec, fault);
    }
    if (status == TRP_OK) {
        warn_of_immortality(spec);
    }
    return status;
}

trp_status_t supervisor_check(const trp_supervisor_spec_t *spec, supervisor_fault_t *fault)
{
    return check(spec, 0, fault);
}

trp_status_t trp_supervisor_check(const trp_supervisor_spec_t *spec, char rule[160])
{
    supervisor_fault_t fault;
    const trp_status_t status = check(spec, 0, &fault);
    if (status == TRP_INVALID) {
        write_rule(&fault, rule);
    }
    return status;
}
