/* SPDX-License-Identifier: MIT */
#include "actors/router/dispatch/router_foreign.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/router/base/frame.h"
#include "actors/router/base/majordomo.h"
#include "actors/router/dispatch/router_retry.h"
#include "actors/router/state/router_tasks.h"
#include "actors/router/state/router_turn.h"
#include "runtime/log.h"

#define SERIAL_BIT (UINT64_C(1) << 63) /* the runtime's request ids never have it */

foreign_t *foreign_find(const router_t *router, const edge_peer_t *peer)
{
    foreign_t *foreign = NULL;
    HASH_FIND(hh, router->foreign.workers, peer->id, peer->size, foreign);
    return foreign;
}

void foreign_say(router_t *router, const edge_peer_t *peer, majordomo_version_t version,
                 majordomo_command_t command)
{
    zmq_msg_t frames[MAJORDOMO_REPLY_FRAMES];
    size_t count = majordomo_order(version, command, NULL, frames);
    if (count > 0 &&
        (router->socket == NULL || edge_send(router->socket, peer, frames, count) != TRP_OK)) {
        frames_close(frames, count);
    }
}

/* ---- coming and going ---- */

void foreign_forget(router_t *router, foreign_t *foreign, const char *why)
{
    worker_t *worker = foreign->worker;
    trp_reason_t reason = trp_reason(TRP_REASON_NO_PROCESS, 0, why);
    log_event(LOG_INFO, "foreign_worker_left", LOG_TEXT("tool", worker->pool->name),
              LOG_TEXT("worker", worker->name), LOG_TEXT("why", why));
    HASH_DEL(router->foreign.workers, foreign);
    router_worker_down(worker, &reason);
    free(foreign);
    router_nudge(router);
}

void foreign_disconnect(router_t *router, foreign_t *foreign, const char *why)
{
    foreign_say(router, &foreign->peer, foreign->version, MAJORDOMO_DISCONNECT);
    foreign_forget(router, foreign, why);
}

void router_free_foreign(router_t *router)
{
    foreign_t *foreign, *next;
    HASH_ITER(hh, router->foreign.workers, foreign, next)
    {
        HASH_DEL(router->foreign.workers, foreign);
        free(foreign);
    }
}

/* ---- work ---- */

static void write_address(uint64_t request_id, char text[17])
{
    snprintf(text, 17, "%016" PRIx64, request_id);
}

/* The task that an answer belongs to; NULL: a former attempt, or none of ours. */
task_t *foreign_task(const foreign_t *foreign, const trp_text_t *address)
{
    char text[17];
    for (task_t *task = foreign->worker->tasks; task != NULL; task = task->next) {
        write_address(task->request_id, text);
        if (address->size == 16 && memcmp(address->data, text, 16) == 0) {
            return task;
        }
    }
    return NULL;
}

/* The first frame of a request: its options, where the pool takes them, with what time is left. */
static void copy_first(const router_t *router, task_t *task, zmq_msg_t *frame)
{
    zmq_msg_t *first = &task->payload;
    const int64_t left_ms = task_left_ms(task, runtime_now_ns(router->runtime));
    if (!task->waiter.origin.has_options || left_ms == INT64_MAX ||
        !majordomo_shrink(frame, first, left_ms)) {
        zmq_msg_init(frame);
        zmq_msg_copy(frame, first);
    }
}

trp_status_t foreign_send(router_t *router, const worker_t *worker, task_t *task)
{
    char address[17];
    size_t total = MAJORDOMO_REPLY_FRAMES + 1 + task->more_count;
    zmq_msg_t *frames = malloc(total * sizeof(*frames));
    if (frames == NULL) {
        return TRP_NO_MEMORY;
    }
    task->request_id = SERIAL_BIT | ++router->foreign.serial;
    write_address(task->request_id, address);
    size_t count = majordomo_order(worker->foreign->version, MAJORDOMO_WORK,
                                   &(trp_text_t){address, 16}, frames);
    if (count == 0) {
        free(frames);
        return TRP_NO_MEMORY;
    }
    copy_first(router, task, &frames[count++]);
    for (uint32_t i = 0; i < task->more_count; i++) {
        zmq_msg_init(&frames[count]);
        zmq_msg_copy(&frames[count++], &task->more[i]);
    }
    trp_status_t status = edge_send(router->socket, &worker->foreign->peer, frames, count);
    if (status != TRP_OK) {
        frames_close(frames, count);
    }
    free(frames);
    return status;
}

void router_end_foreign(router_t *router)
{
    foreign_t *foreign, *next;
    HASH_ITER(hh, router->foreign.workers, foreign, next)
    {
        foreign_disconnect(router, foreign, "the node stops");
    }
}
