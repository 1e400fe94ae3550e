/* SPDX-License-Identifier: MIT */
#include "supervisor/report.h"

#include <string.h>
#include <unistd.h>

#include "runtime/log.h"

#define MS INT64_C(1000000)

#define PROGRAM_MAX 256

#define GAVE_UP "reached_max_restart_intensity"

static const struct {
    const char *event;
    int level;
    int context; /* index into REPORT_CONTEXTS */
} contexts[POLICY_CONTEXT_COUNT] = {
    [POLICY_CHILD_TERMINATED] = {"child_terminated", LOG_WARN, 0},
    [POLICY_RESTARTING] = {"child_restarting", LOG_WARN, 1},
    [POLICY_START_ERROR] = {"child_start_failed", LOG_ERROR, 2},
    [POLICY_SHUTDOWN_ERROR] = {"child_shutdown_error", LOG_WARN, 3},
    [POLICY_GAVE_UP] = {"supervisor_gave_up", LOG_ERROR, 4},
    [POLICY_HELD] = {"child_held", LOG_ERROR, 5},
    [POLICY_NOT_RESTARTED] = {"child_not_restarted", LOG_ERROR, 6},
};

static const char *const restarts[TRP_RESTART_COUNT] = {"permanent", "transient", "temporary"};

bool report_allow(report_t *report, int64_t now_ns, int64_t epoch_ms)
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
        report->first_ms = epoch_ms;
    }
    report->last_ms = epoch_ms;
    return false;
}

void report_flush(report_t *report)
{
    if (report->held > 0) {
        log_event(LOG_WARN, "supervisor_reports_held_back",
                  LOG_TEXT("supervisor", report->supervisor), LOG_INT("count", report->held),
                  LOG_INT("first_ms", report->first_ms), LOG_INT("last_ms", report->last_ms));
        report->held = 0;
    }
}

/* Of a process: the program that was given, else the node's own, of which it is a fork. */
static const char *program_of(const trp_child_spec_t *spec, char own[PROGRAM_MAX])
{
    if (spec->program != NULL && spec->program[0] != '\0') {
        return spec->program;
    }
    if (spec->place != TRP_PLACE_PROCESS) {
        return "";
    }
    ssize_t size = readlink("/proc/self/exe", own, PROGRAM_MAX - 1);
    own[size > 0 ? size : 0] = '\0';
    return own;
}

void report_started(report_t *report, trp_ctx_t *ctx, const policy_child_t *child)
{
    const int64_t now_ns = trp_now_ns(ctx);
    if (!report_allow(report, now_ns, trp_epoch_ms(ctx))) {
        return;
    }
    char pid[TRP_PID_TEXT_MAX], own[PROGRAM_MAX];
    log_event(LOG_INFO, "child_started", LOG_TEXT("supervisor", report->supervisor),
              LOG_TEXT("child", child->spec->id),
              LOG_TEXT("actor", trp_pid_format(child->pid, pid)),
              LOG_TEXT("class", child->spec->class->name),
              LOG_TEXT("program", program_of(child->spec, own)),
              LOG_INT("restarts", child->incarnation - 1),
              LOG_INT("start_us", (now_ns - child->started_ns) / 1000));
}

/* What is said of a child; of none: of those of the template. */
typedef struct offender {
    const trp_child_spec_t *spec;
    char pid[TRP_PID_TEXT_MAX];
} offender_t;

static offender_t offender_of(const trp_supervisor_spec_t *spec, const policy_action_t *action)
{
    offender_t offender = {.spec = spec->template, .pid = ""};
    if (action->child != NULL) {
        offender.spec = action->child->spec;
        trp_pid_format(action->child->pid, offender.pid);
    }
    return offender;
}

static trp_text_t text(const char *string)
{
    return (trp_text_t){string, strlen(string)};
}

static void publish(const report_t *report, trp_ctx_t *ctx, const supervisor_report_t *message)
{
    zmq_msg_t body;
    if (trp_members(ctx, TRP_REPORT_TOPIC, NULL, 0) == 0 ||
        trp_schema_pack(&supervisor_report_schema, message, &body) != TRP_OK) {
        return; /* the log has it */
    }
    trp_publication_t publication = {
        .topic = TRP_REPORT_TOPIC, .tag = TRP_TAG_SUPERVISOR_REPORT, .message = &body};
    if (trp_publish(ctx, &publication, NULL) != TRP_OK) {
        log_event(LOG_DEBUG, "report_not_published", LOG_TEXT("supervisor", report->supervisor));
    }
    zmq_msg_close(&body);
}

static supervisor_report_t message_of(const report_t *report, const offender_t *offender,
                                      const policy_action_t *action)
{
    bool gave_up = action->context == POLICY_GAVE_UP;
    const trp_child_spec_t *spec = offender->spec;
    return (supervisor_report_t){
        .supervisor = text(report->supervisor),
        .context = contexts[action->context].context,
        .reason = text(gave_up ? GAVE_UP : trp_reason_name(action->reason.kind)),
        .detail = text(gave_up ? "" : action->reason.text),
        .code = gave_up ? 0 : action->reason.code,
        .id = text(spec->id),
        .pid = text(offender->pid),
        .count = action->count,
        .delay_ms = action->delay_ns / MS,
        .memory = action->child == NULL ? 0 : action->child->memory,
        .class = text(spec->class->name),
        .type = spec->is_supervisor,
        .restart = (int)spec->restart,
        .significant = spec->is_significant,
        .shutdown_ms = spec->shutdown_ms,
    };
}

static void write_line(const report_t *report, const offender_t *offender,
                       const policy_action_t *action)
{
    char reason[TRP_REASON_LINE_MAX];
    const trp_child_spec_t *spec = offender->spec;
    trp_reason_format(&action->reason, reason);
    if (action->context == POLICY_RESTARTING) {
        log_event(LOG_WARN, "child_restarting", LOG_TEXT("supervisor", report->supervisor),
                  LOG_TEXT("child", spec->id), LOG_INT("streak", action->child->streak),
                  LOG_INT("delay_ms", action->delay_ns / MS),
                  LOG_INT("memory", action->child->memory));
        return;
    }
    log_event(contexts[action->context].level, contexts[action->context].event,
              LOG_TEXT("supervisor", report->supervisor), LOG_TEXT("child", spec->id),
              LOG_TEXT("actor", offender->pid), LOG_INT("count", action->count),
              LOG_TEXT("reason", reason), LOG_TEXT("class", spec->class->name),
              LOG_TEXT("type", spec->is_supervisor ? "supervisor" : "worker"),
              LOG_TEXT("restart", restarts[spec->restart]),
              LOG_FLAG("significant", spec->is_significant),
              LOG_INT("shutdown_ms", spec->shutdown_ms));
}

void report_action(report_t *report, trp_ctx_t *ctx, const trp_supervisor_spec_t *spec,
                   const policy_action_t *action)
{
    offender_t offender = offender_of(spec, action);
    supervisor_report_t message = message_of(report, &offender, action);
    if (spec->on_report != NULL) {
        spec->on_report(spec->on_report_user, &message);
    }
    publish(report, ctx, &message);
    if (action->context == POLICY_GAVE_UP ||
        report_allow(report, trp_now_ns(ctx), trp_epoch_ms(ctx))) {
        write_line(report, &offender, action);
    }
}
