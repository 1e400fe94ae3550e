/* SPDX-License-Identifier: MIT */
#include "supervisor/observers.h"

#include <string.h>

#include "runtime/log.h"

trp_status_t observers_add(observers_t *observers, trp_ctx_t *ctx, trp_pid_t pid)
{
    for (size_t i = 0; i < observers->count; i++) {
        if (trp_pid_equal(observers->rows[i].pid, pid)) {
            return TRP_OK;
        }
    }
    if (observers->count == OBSERVER_COUNT_MAX) {
        return TRP_FULL;
    }
    uint64_t monitor = 0;
    trp_status_t status = trp_monitor(ctx, pid, &monitor);
    if (status == TRP_OK) {
        observers->rows[observers->count].pid = pid;
        observers->rows[observers->count].monitor = monitor;
        observers->count++;
    }
    return status;
}

bool observers_down(observers_t *observers, uint64_t monitor)
{
    for (size_t i = 0; i < observers->count; i++) {
        if (observers->rows[i].monitor == monitor) {
            observers->rows[i] = observers->rows[--observers->count];
            return true;
        }
    }
    return false;
}

static void send_event(trp_ctx_t *ctx, trp_pid_t to, const child_event_t *event)
{
    trp_status_t status = trp_send_struct(ctx, to, &child_event_schema, event);
    if (status != TRP_OK) {
        char pid[TRP_PID_TEXT_MAX];
        log_event(LOG_ERROR, "observer_not_told", LOG_TEXT("observer", trp_pid_format(to, pid)),
                  LOG_TEXT("error", trp_status_name(status)));
    }
}

void observers_tell(const observers_t *observers, trp_ctx_t *ctx, trp_pid_t to,
                    const child_event_t *event)
{
    if (!trp_pid_is_none(to)) {
        send_event(ctx, to, event);
        return;
    }
    for (size_t i = 0; i < observers->count; i++) {
        send_event(ctx, observers->rows[i].pid, event);
    }
}

child_event_t observers_event(const char *supervisor, const policy_child_t *child,
                              child_change_t change, char pid[TRP_PID_TEXT_MAX])
{
    trp_pid_format(child->pid, pid);
    return (child_event_t){.supervisor = {supervisor, strlen(supervisor)},
                           .id = {child->spec->id, strlen(child->spec->id)},
                           .pid = {pid, strlen(pid)},
                           .change = (int)change,
                           .restarts = child->incarnation - 1};
}
