/* SPDX-License-Identifier: MIT */
/* What a supervisor reports: a line in the log with the words of Erlang/OTP's error and progress
 * reports, and a message to who joined TRP_REPORT_TOPIC. The lines are held back in a storm: at
 * most REPORT_LINES_MAX in a second, then one line with their number and the time of the first and
 * the last. Owner: one supervisor. */
#ifndef TRP_SUPERVISOR_REPORT_H
#define TRP_SUPERVISOR_REPORT_H

#include "supervisor/policy.h"

#define REPORT_LINES_MAX 60
#define REPORT_WINDOW_NS INT64_C(1000000000)

typedef struct report {
    const char *supervisor;          /* its name */
    int64_t window_ns;               /* when the present window began */
    int lines;                       /* written in it */
    int64_t held, first_ms, last_ms; /* since the epoch */
} report_t;

/** Whether a line may be written now; if not, it is counted. Writes the line about those held back
 * when their window is over. `epoch_ms`: the same moment, for people. */
bool report_allow(report_t *report, int64_t now_ns, int64_t epoch_ms);

/** Writes the line about those held back, if there are any. */
void report_flush(report_t *report);

/** A child is ready. */
void report_started(report_t *report, trp_ctx_t *ctx, const policy_child_t *child);

/** A POLICY_REPORT action of the supervisor of that spec. */
void report_action(report_t *report, trp_ctx_t *ctx, const trp_supervisor_spec_t *spec,
                   const policy_action_t *action);

#endif
