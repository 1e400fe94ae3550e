/* SPDX-License-Identifier: MIT */
/* Combinations that are refused before anything starts, and one that is only unwise. */
#include <stdio.h>
#include <string.h>

#include "runtime/log.h"
#include "supervisor/supervisor.h"
#include "supervisor/tally.h"

#define PERIOD_S_MAX (INT64_MAX / 1000000000) /* the window is counted in nanoseconds */

static trp_status_t check_child(const trp_child_spec_t *child, char rule[160])
{
    if (child->id[0] == '\0' || memchr(child->id, '\0', sizeof(child->id)) == NULL) {
        snprintf(rule, 160, "a child's id has 1 to %d bytes", TRP_CHILD_ID_MAX);
    } else if (child->class == NULL) {
        snprintf(rule, 160, "child %s needs a class", child->id);
    } else if ((unsigned)child->restart >= TRP_RESTART_COUNT) {
        snprintf(rule, 160, "child %s: restart is permanent, transient or temporary", child->id);
    } else if (child->shutdown_ms < TRP_SHUTDOWN_BRUTAL || child->start_ms < 0 ||
               child->backoff_ms < 0 || child->backoff_max_ms < 0) {
        snprintf(rule, 160, "child %s: times are not negative", child->id);
    } else if (child->backoff_ms > child->backoff_max_ms) {
        snprintf(rule, 160, "child %s: backoff_ms is at most backoff_max_ms", child->id);
    } else {
        return TRP_OK;
    }
    return TRP_INVALID;
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
    if (spec->strategy == TRP_ONE_FOR_ONE || spec->intensity == 0) {
        return;
    }
    int64_t sum_ms = group_stop_ms(spec);
    int64_t limit_ms = 1000 * spec->period_s / spec->intensity;
    if (sum_ms >= limit_ms) {
        log_event(LOG_WARN, "supervisor_may_never_give_up", LOG_TEXT("supervisor", spec->name),
                  LOG_INT("shutdown_ms_sum", sum_ms), LOG_INT("limit_ms", limit_ms),
                  LOG_TEXT("rule", "the sum of shutdown_ms should stay below period / intensity"));
    }
}

trp_status_t trp_supervisor_check(const trp_supervisor_spec_t *spec, char rule[160])
{
    if ((unsigned)spec->strategy >= TRP_STRATEGY_COUNT) {
        snprintf(rule, 160, "strategy is one_for_one, one_for_all or rest_for_one");
        return TRP_INVALID;
    }
    if (spec->intensity < 0 || spec->intensity > TALLY_LIMIT_MAX) {
        snprintf(rule, 160, "intensity is 0 to %d", TALLY_LIMIT_MAX);
        return TRP_INVALID;
    }
    if (spec->period_s <= 0 || spec->period_s > PERIOD_S_MAX) {
        snprintf(rule, 160, "period_s is 1 to %lld", (long long)PERIOD_S_MAX);
        return TRP_INVALID;
    }
    for (size_t i = 0; i < spec->child_count; i++) {
        if (check_child(&spec->children[i], rule) != TRP_OK) {
            return TRP_INVALID;
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(spec->children[i].id, spec->children[j].id) == 0) {
                snprintf(rule, 160, "two children have the id %s", spec->children[i].id);
                return TRP_INVALID;
            }
        }
    }
    warn_of_immortality(spec);
    return TRP_OK;
}
