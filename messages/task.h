/* SPDX-License-Identifier: MIT */
/* What the router and a worker say about one attempt at a task. The envelope's request_id names the
 * attempt: an answer with another one is late and dropped (the fence). The envelope's deadline
 * travels with it. */
#ifndef TRP_MESSAGES_TASK_H
#define TRP_MESSAGES_TASK_H

#include "messages/schema.h"

#define TRP_TASK_ID_MAX   64
#define TRP_TOOL_NAME_MAX 255
#define TRP_TASK_KEY_MAX  64
#define TRP_BODY_MAX      (64 * 1024 * 1024) /* bytes of one request or reply body */

enum {
    TRP_TAG_TASK_RUN = 0x0100,     /* router to worker, a request */
    TRP_TAG_TASK_DONE = 0x0101,    /* worker to router, its reply */
    TRP_TAG_TASK_RELEASE = 0x0102, /* worker to router, at any time */
    TRP_TAG_TASK_PART = 0x0103,    /* worker to router, before DONE [u64: request_id of the attempt;
                                    * bytes: one value, encoded in the form of the request] */
    TRP_TAG_TASK_KEYS = 0x0104,    /* worker to router, each so often while it holds any */
};

#define TASK_KEYS_MAX 10000 /* that a worker may hold */

#define TASK_RUN_FIELDS(F)                                       \
    F(STRING, task_id, _, 1, TRP_TASK_ID_MAX, "id of the task")  \
    F(STRING, tool, _, 1, TRP_TOOL_NAME_MAX, "name of the tool") \
    F(BYTES, body, _, 0, TRP_BODY_MAX, "the request's body, verbatim: MessagePack or JSON map")

#define TASK_DONE_FIELDS(F)                                                               \
    F(BOOL, success, _, 0, 1, "body is a result; else an error map")                      \
    F(BYTES, body, _, 0, TRP_BODY_MAX, "one value, encoded in the form of the request")   \
    F(INT, exec_us, _, 0, 9e15, "time the tool ran")                                      \
    F(OPT_STRING, code, _, 1, 63, "of the error")                                         \
    F(OPT_STRING, bind, _, 1, TRP_TASK_KEY_MAX, "key that this worker holds from now on") \
    F(OPT_STRING, unbind, _, 1, TRP_TASK_KEY_MAX, "key that it holds no longer")          \
    F(OPT_INT, rss_bytes, _, 0, 9e15, "most memory that its process had in use")

#define TASK_RELEASE_FIELDS(F) \
    F(STRING, key, _, 1, TRP_TASK_KEY_MAX, "key that this worker holds no longer")

#define TASK_KEYS_FIELDS(F) F(TEXTS, keys, _, 0, TASK_KEYS_MAX, "all that this worker holds")

TRP_SCHEMA_DECLARE(task_run, TASK_RUN_FIELDS)
TRP_SCHEMA_DECLARE(task_done, TASK_DONE_FIELDS)
TRP_SCHEMA_DECLARE(task_release, TASK_RELEASE_FIELDS)
TRP_SCHEMA_DECLARE(task_keys, TASK_KEYS_FIELDS)

#endif
