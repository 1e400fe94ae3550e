/* SPDX-License-Identifier: MIT */
#include "actors/router/dispatch/router_cancel.h"

#include <stdlib.h>
#include <string.h>

#include "actors/router/answer/router_answer.h"
#include "actors/router/base/refusal.h"
#include "actors/router/state/router_calls.h"
#include "actors/router/state/router_task_end.h"
#include "actors/router/state/router_tasks.h"
#include "actors/router/state/router_turn.h"

/* Nobody waits for the task any more. */
static void abandon(router_t *router, task_t *task)
{
    if (task->state != TASK_RUNNING) {
        if (task->state == TASK_QUEUED) {
            task_dequeue(task, false);
        }
        task_free(router, task);
        router_nudge(router);
        return;
    }
    router_all_answered(router, task);
    task->run_end_ns =
        runtime_now_ns(router->runtime) + task->service->pool->config->cancel_ms * INT64_C(1000000);
    task_note_end(task);
    router_nudge(router); /* its pool's timer may be late for that */
}

bool router_cancel(router_t *router, const origin_t *origin)
{
    task_t *task = router_call_find(router, origin);
    if (task == NULL) {
        return false;
    }
    waiter_t gone;
    refusal_t refusal;
    bool is_left = task_take_waiter(task, origin, &gone);
    refusal_init(&refusal, "E_CANCELLED", "cancelled by its client");
    router_refuse_waiter(router, task, is_left ? &gone : &task->waiter, &refusal);
    if (is_left) {
        router_waiter_gone(router, &gone);
        task_note_end(task);
    } else {
        abandon(router, task);
    }
    return true;
}
