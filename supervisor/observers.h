/* SPDX-License-Identifier: MIT */
/* Who wants to know the children of a supervisor: a list of actors, each monitored so that it is
 * forgotten when it ends. Owner: one supervisor. */
#ifndef TRP_SUPERVISOR_OBSERVERS_H
#define TRP_SUPERVISOR_OBSERVERS_H

#include "supervisor/policy.h"

#define OBSERVER_COUNT_MAX 64

typedef struct observers {
    size_t count;
    struct {
        trp_pid_t pid;
        uint64_t monitor;
    } rows[OBSERVER_COUNT_MAX];
} observers_t;

/** Adds one, once. errors: TRP_FULL, those of trp_monitor */
TRP_MUST_USE trp_status_t observers_add(observers_t *observers, trp_ctx_t *ctx, trp_pid_t pid);

/** True when the monitor was of an observer, who is forgotten then. */
bool observers_down(observers_t *observers, uint64_t monitor);

/** Sends a child_event to `to`, or to all when it is nobody. `supervisor`: its name. */
void observers_tell(const observers_t *observers, trp_ctx_t *ctx, trp_pid_t to,
                    const child_event_t *event);

/** The event of a child; its texts point into `child`, `pid` and `reason`. */
child_event_t observers_event(const char *supervisor, const policy_child_t *child,
                              child_change_t change, char pid[TRP_PID_TEXT_MAX]);

#endif
