/* SPDX-License-Identifier: MIT */
#include "actors/router/dispatch/router_poison.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "runtime/log.h"

#define POISON_MAX   100
#define POISON_BYTES (64u * 1024 * 1024)

/* A death that the work itself may have caused: not a kill from outside, nor a stop. */
static bool is_crash(const trp_reason_t *reason)
{
    switch (reason->kind) {
    case TRP_REASON_SIGNAL:
        return reason->code != SIGKILL && reason->code != SIGTERM;
    case TRP_REASON_EXIT_CODE:
    case TRP_REASON_ERROR:
    case TRP_REASON_PROTOCOL:
    case TRP_REASON_STUCK:
    case TRP_REASON_MEMORY:
    case TRP_REASON_CPU:
    case TRP_REASON_SECCOMP:
        return true;
    default:
        return false;
    }
}

void router_note_death(task_t *task, const trp_reason_t *reason)
{
    if (task->reasons == NULL) {
        task->reasons = calloc(TASK_REASONS, sizeof(*task->reasons));
    }
    if (task->reasons != NULL && task->attempts > 0) {
        task->reasons[(task->attempts - 1) % TASK_REASONS] = *reason;
    }
    task->crashes += is_crash(reason);
}

void poison_drop(router_t *router, poison_t *poison)
{
    DL_DELETE(router->poison.first, poison);
    router->poison.count--;
    router->poison.bytes -= zmq_msg_size(&poison->payload);
    zmq_msg_close(&poison->payload);
    free(poison);
}

void router_set_aside(router_t *router, task_t *task)
{
    poison_t *poison = calloc(1, sizeof(*poison));
    size_t size = zmq_msg_size(&task->payload);
    log_event(LOG_ERROR, "task_set_aside", LOG_TEXT("task_id", task->waiter.id),
              LOG_TEXT("tool", task->service->name), LOG_INT("attempts", task->attempts),
              LOG_TEXT("hint", "troupe poison lists such tasks"));
    if (poison == NULL || size > POISON_BYTES) {
        free(poison);
        return;
    }
    snprintf(poison->id, sizeof(poison->id), "%s", task->waiter.id);
    snprintf(poison->tool, sizeof(poison->tool), "%s", task->service->name);
    zmq_msg_init(&poison->payload);
    zmq_msg_copy(&poison->payload, &task->payload);
    poison->form = task->waiter.form;
    poison->attempts = task->attempts;
    poison->epoch_ms = router->ctx != NULL ? trp_epoch_ms(router->ctx) : 0;
    for (uint32_t i = 0; task->reasons != NULL && i < task->attempts && i < TASK_REASONS; i++) {
        trp_reason_format(&task->reasons[i], poison->reasons[i]);
    }
    DL_APPEND(router->poison.first, poison);
    router->poison.count++;
    router->poison.bytes += size;
    while (router->poison.count > POISON_MAX || router->poison.bytes > POISON_BYTES) {
        poison_drop(router, router->poison.first);
    }
}

void router_free_poison(router_t *router)
{
    while (router->poison.first != NULL) {
        poison_drop(router, router->poison.first);
    }
}

poison_t *poison_find(const router_t *router, trp_text_t id)
{
    poison_t *poison;
    DL_FOREACH(router->poison.first, poison)
    {
        if (strlen(poison->id) == id.size && memcmp(poison->id, id.data, id.size) == 0) {
            return poison;
        }
    }
    return NULL;
}
