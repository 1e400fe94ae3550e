/* SPDX-License-Identifier: MIT */
#include "actors/router/state/router_task_end.h"

#include "actors/router/base/heap.h"

int64_t task_end(const task_t *task)
{
    int64_t limit = task->state == TASK_QUEUED    ? task->expires_ns
                    : task->state == TASK_RESTING ? task->again_ns
                                                  : task->run_end_ns;
    int64_t deadline = task->answered ? INT64_MAX : task->waiter.deadline_ns;
    return limit < deadline ? limit : deadline;
}

void task_note_end(task_t *task)
{
    uint64_t end = (uint64_t)task_end(task);
    if (heap_holds(&task->end) && task->end.score != end) {
        (void)heap_put(&task->service->pool->ends, &task->end, end); /* moved: takes no memory */
    }
}
