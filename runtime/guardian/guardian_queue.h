/* SPDX-License-Identifier: MIT */
/* Messages that wait until their reader takes them, in order and bounded. One thread. */
#ifndef TRP_RUNTIME_GUARDIAN_QUEUE_H
#define TRP_RUNTIME_GUARDIAN_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/guardian/guardian_proto.h"

#define GUARDIAN_QUEUE_MAX 4096 /* far above one message for each worker that there may be */

typedef struct guardian_queue {
    guardian_message_t *messages;
    size_t count;
    int64_t since_ns; /* when the reader last took one, or the first one began to wait */
} guardian_queue_t;

/** False: no memory. */
bool guardian_queue_init(guardian_queue_t *queue);
void guardian_queue_fini(guardian_queue_t *queue);
void guardian_queue_clear(guardian_queue_t *queue);

/** Sends what the reader of `fd` takes now. */
void guardian_queue_flush(guardian_queue_t *queue, int fd, int64_t now_ns);

/** Adds a message and flushes. False: full. */
bool guardian_queue_push(guardian_queue_t *queue, int fd, const guardian_message_t *message,
                         int64_t now_ns);

#endif
