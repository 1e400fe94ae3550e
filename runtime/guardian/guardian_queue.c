/* SPDX-License-Identifier: MIT */
#include "runtime/guardian/guardian_queue.h"

#include <stdlib.h>
#include <string.h>

bool guardian_queue_init(guardian_queue_t *queue)
{
    memset(queue, 0, sizeof(*queue));
    queue->messages = calloc(GUARDIAN_QUEUE_MAX, sizeof(*queue->messages));
    return queue->messages != NULL;
}

void guardian_queue_fini(guardian_queue_t *queue)
{
    free(queue->messages);
    queue->messages = NULL;
}

void guardian_queue_clear(guardian_queue_t *queue)
{
    queue->count = 0;
}

void guardian_queue_flush(guardian_queue_t *queue, int fd, int64_t now_ns)
{
    size_t sent = 0;
    while (sent < queue->count && guardian_send(fd, &queue->messages[sent]) == TRP_OK) {
        sent++;
    }
    if (sent > 0) {
        queue->count -= sent;
        queue->since_ns = now_ns;
        memmove(queue->messages, queue->messages + sent, queue->count * sizeof(*queue->messages));
    }
}

bool guardian_queue_push(guardian_queue_t *queue, int fd, const guardian_message_t *message,
                         int64_t now_ns)
{
    if (queue->count == GUARDIAN_QUEUE_MAX) {
        return false;
    }
    if (queue->count == 0) {
        queue->since_ns = now_ns;
    }
    queue->messages[queue->count++] = *message;
    guardian_queue_flush(queue, fd, now_ns);
    return true;
}
