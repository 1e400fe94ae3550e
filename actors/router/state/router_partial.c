/* SPDX-License-Identifier: MIT */
#include "actors/router/state/router_partial.h"

#include <stdlib.h>

trp_status_t router_keep_parts(router_t *router, task_t *task, zmq_msg_t *frames, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < task->part_count; i++) {
        size += zmq_msg_size(&task->parts[i]);
    }
    for (size_t i = 0; i < count; i++) {
        size += zmq_msg_size(&frames[i]);
    }
    if (size > (size_t)router->config->majordomo.body_max ||
        task->part_count + count > TRP_FRAMES_MAX / 2) {
        return TRP_TOO_LARGE;
    }
    zmq_msg_t *parts = realloc(task->parts, (task->part_count + count) * sizeof(*parts));
    if (parts == NULL) {
        return TRP_NO_MEMORY;
    }
    task->parts = parts;
    for (size_t i = 0; i < count; i++) {
        zmq_msg_init(&parts[task->part_count]);
        zmq_msg_copy(&parts[task->part_count], &frames[i]);
        router->bytes += zmq_msg_size(&frames[i]);
        task->part_count++;
    }
    return TRP_OK;
}

void router_forget_parts(task_t *task)
{
    for (waiter_t *waiter = &task->waiter; waiter != NULL; waiter = waiter_next(task, waiter)) {
        waiter->origin.attempt = waiter->origin.parts = 0;
    }
}

void router_drop_parts(router_t *router, task_t *task)
{
    for (size_t i = 0; i < task->part_count; i++) {
        router->bytes -= zmq_msg_size(&task->parts[i]);
        zmq_msg_close(&task->parts[i]);
    }
    free(task->parts);
    task->parts = NULL;
    task->part_count = 0;
}
