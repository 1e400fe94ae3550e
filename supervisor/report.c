/* SPDX-License-Identifier: MIT */
#include "supervisor/report.h"

#include "runtime/log.h"

#define MS INT64_C(1000000)

static const struct {
    const char *event;
    int level;
} contexts[] = {
    [POLICY_CHILD_TERMINATED] = {"child_terminated", LOG_WARN},
    [POLICY_RESTARTING] = {"child_restarting", LOG_WARN},
    [POLICY_START_ERROR] = {"child_start_failed", LOG_ERROR},
    [POLICY_SHUTDOWN_ERROR] = {"child_shutdown_error", LOG_WARN},
    [POLICY_GAVE_UP] = {"supervisor_gave_up", LOG_ERROR},
};

bool report_allow(report_t *report, int64_t now_ns)
{
    if (now_ns - report->window_ns >= REPORT_WINDOW_NS) {
        report_flush(report);
        report->window_ns = now_ns;
        report->lines = 0;
    }
    if (report->lines < REPORT_LINES_MAX) {
        report->lines++;
        return true;
    }
    if (report->held++ == 0) {
        report->first_ns = now_ns;
    }
    report->last_ns = now_ns;
    return false;
}

void report_flush(report_t *report)
{
    if (report->held > 0) {
        log_event(LOG_WARN, "supervisor_reports_held_back",
                  LOG_TEXT("supervisor", report->supervisor), LOG_INT("count", report->held),
                  LOG_INT("span_ms", (report->last_ns - report->first_ns) / MS));
        report->held = 0;
    }
}

void report_started(report_t *report, const policy_child_t *child, int64_t now_ns)
{
    if (!report_allow(report, now_ns)) {
        return;
    }
    char pid[TRP_PID_TEXT_MAX];
    log_event(LOG_INFO, "child_started", LOG_TEXT("supervisor", report->supervisor),
              LOG_TEXT("child", child->spec.id), LOG_TEXT("actor", trp_pid_format(child->pid, pid)),
              LOG_INT("restarts", child->incarnation - 1),
              LOG_INT("start_us", (now_ns - child->started_ns) / 1000));
}

void report_action(report_t *report, const policy_child_t *child, const policy_action_t *action,
                   int64_t now_ns)
{
    if (action->context != POLICY_GAVE_UP && !report_allow(report, now_ns)) {
        return;
    }
    char pid[TRP_PID_TEXT_MAX];
    char reason[TRP_REASON_LINE_MAX];
    trp_pid_format(child->pid, pid);
    trp_reason_format(&action->reason, reason);
    if (action->context == POLICY_RESTARTING) {
        log_event(LOG_WARN, "child_restarting", LOG_TEXT("supervisor", report->supervisor),
                  LOG_TEXT("child", child->spec.id), LOG_INT("streak", child->streak),
                  LOG_INT("delay_ms", action->delay_ns / MS));
        return;
    }
    log_event(contexts[action->context].level, contexts[action->context].event,
              LOG_TEXT("supervisor", report->supervisor), LOG_TEXT("child", child->spec.id),
              LOG_TEXT("actor", pid), LOG_TEXT("reason", reason));
}
