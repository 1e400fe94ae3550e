/* SPDX-License-Identifier: MIT */
/* The control socket: one request, one answer, each one frame holding one map (MessagePack or JSON,
 * answered in kind) over ipc at run_dir/control, a ROUTER of mode 0600. A leading empty frame (REQ
 * sockets) is mirrored. docs/control.md has every verb with an example.
 *
 * Below that: what the control asks the router, by trp_request to the name `router`. */
#ifndef TRP_MESSAGES_CONTROL_H
#define TRP_MESSAGES_CONTROL_H

#include "messages/schema.h"
#include "messages/task.h"

enum {
    TRP_TAG_CONTROL_FRAME = 0x0540,  /* control to an inquiry: a request as it came [bytes] */
    TRP_TAG_CONTROL_ANSWER = 0x0541, /* inquiry to control: the answer, encoded [bytes] */
    TRP_TAG_POOLS = 0x0542,          /* to the router, a request [] -> POOLS_STATUS */
    TRP_TAG_POOLS_STATUS = 0x0543,   /* [pools_status] */
    TRP_TAG_CALL = 0x0544,           /* to the router, a request [call] -> CALL_RESULT */
    TRP_TAG_WHY = 0x0546,            /* to an actor in a process, a request [] -> WHY_ANSWER */
    TRP_TAG_WHY_ANSWER = 0x0547,     /* [map: what its black box holds] */
    TRP_TAG_ROUTER_ORDER = 0x0548,   /* to the router, a request [router_order] -> ROUTER_ANSWER */
    TRP_TAG_ROUTER_ANSWER = 0x0549,  /* [map: result, or code and message] */
    TRP_TAG_CALL_RESULT = 0x0545,    /* [bytes: the reply map, in the body's form] */
    TRP_TAG_CALL_PART = 0x054a,      /* before it, to who streams [map: call, attempt, part] */
    TRP_TAG_CALL_CANCEL = 0x054b,    /* to the router: its own request [u64: request_id] */
    TRP_TAG_CONTROL_PART = 0x054c,   /* inquiry to control: a partial answer, encoded [bytes] */
    TRP_TAG_CONTROL_LEFT = 0x054d,   /* control to an inquiry: who asked has gone [] */
};

/** A request from outside; members of other verbs are ignored. */
#define CONTROL_REQUEST_FIELDS(F)                                                       \
    F(STRING, cmd, _, 1, 32, "the verb: ping, tree, pools, ps, call, ...")              \
    F(OPT_STRING, tool, _, 1, TRP_TOOL_NAME_MAX, "call: name of the tool")              \
    F(OPT_STRING, who, _, 1, 255,                                                       \
      "why, state, waits: an actor's pid or name; child: the supervisor's name")        \
    F(OPT_STRING, action, _, 1, 32,                                                     \
      "child: start, terminate, restart, delete, spec, which, count")                   \
    F(OPT_STRING, id, _, 1, 63, "child: its id")                                        \
    F(OPT_STRING, pool, _, 1, 63, "roll: name of the pool")                             \
    F(OPT_STRING, program, _, 1, 255, "roll: the new program; default: the one it has") \
    F(OPT_ANY, body, _, 0, 0, "call: the body, a map; router: the order, a map")        \
    F(OPT_INT, timeout_ms, _, 1, 86400000, "call: time for all of it; default 60000")   \
    F(OPT_BOOL, stream, _, 0, 1, "call: partial answers as they come, too")             \
    F(OPT_STRING, key, _, 1, 64, "call: key of the worker that should serve it")        \
    F(OPT_STRING, idem, _, 1, 128, "call: idempotency key")                             \
    F(OPT_INT, priority, _, 0, 9, "call: higher goes first; 4 where it is not said")    \
    F(OPT_INT, seconds, _, 1, 60, "waits: how long to look; default 5")

#define CALL_FIELDS(F)                                                                          \
    F(STRING, tool, _, 1, TRP_TOOL_NAME_MAX, "name of the tool")                                \
    F(BYTES, body, _, 0, TRP_BODY_MAX, "the request's body, verbatim: MessagePack or JSON map") \
    F(OPT_INT, deadline_ms, _, 1, 86400000, "time for all of it")                               \
    F(OPT_STRING, key, _, 1, 64, "key of the worker that should serve it")                      \
    F(OPT_STRING, idem, _, 1, 128, "idempotency key")                                           \
    F(OPT_INT, priority, _, 0, 9, "higher goes first")                                          \
    F(BOOL, stream, _, 0, 1, "partial answers as they come")

#define ROUTER_ORDER_FIELDS(F)                                                          \
    F(STRING, action, _, 1, 32, "set, cache, cache_clear, poison, rollout, ..., crash") \
    F(OPT_STRING, pool, _, 1, 255, "set: name of the pool")                             \
    F(OPT_STRING, option, _, 1, 63,                                                     \
      "set: one of the pool's options; rollout_set: compare or take")                   \
    F(OPT_STRING, value, _, 0, 255,                                                     \
      "set: its value, as one would write it in a file; rollout_set: percent")          \
    F(OPT_STRING, id, _, 1, 64, "poison_...: id of the task")                           \
    F(OPT_STRING, tool, _, 1, TRP_TOOL_NAME_MAX, "rollout_...: name of the tool")

#define POOL_WORKER_FIELDS(F)                                                    \
    F(STRING, id, _, 1, 63, "the child: parser.2")                               \
    F(STRING, pid, _, 1, 63, "its pid")                                          \
    F(ENUM, state, "idle|busy|leaving|understudy|ejected", 0, 0, "what it does") \
    F(INT, running, _, 0, 9e15, "tasks that it has now")                         \
    F(INT, keys, _, 0, 9e15, "keys (matches) that it holds")                     \
    F(INT, done, _, 0, 9e15, "tasks answered by this incarnation")               \
    F(INT, failed, _, 0, 9e15, "of these, answered with an error")

#define POOL_STATUS_FIELDS(F)                                                    \
    F(STRING, name, _, 1, 63, "name of the pool")                                \
    F(TEXTS, tools, _, 0, 1000, "tools that it serves")                          \
    F(INT, min, _, 0, 65535, "workers at least")                                 \
    F(INT, max, _, 0, 65535, "workers at most")                                  \
    F(INT, queued, _, 0, 9e15, "tasks that wait")                                \
    F(INT, running, _, 0, 9e15, "tasks at workers")                              \
    F(INT, accepted, _, 0, 9e15, "tasks taken since the start")                  \
    F(INT, answered, _, 0, 9e15, "tasks answered, errors included")              \
    F(INT, failed, _, 0, 9e15, "of these, answered with an error")               \
    F(INT, retried, _, 0, 9e15, "attempts after a worker's death")               \
    F(INT, refused, _, 0, 9e15, "refused because the queue was full")            \
    F(INT, late, _, 0, 9e15, "answers of former attempts that were fenced off")  \
    F(INT, healthy, _, 0, 65535, "workers that are neither leaving nor ejected") \
    F(INT, queue_avg_us, _, 0, 9e15, "mean wait of answered tasks")              \
    F(INT, exec_avg_us, _, 0, 9e15, "mean time in the tool of answered tasks")   \
    F(INT, exec_p99_us, _, 0, 9e15, "what 99 of 100 of them do not exceed")      \
    F(LIST, workers, pool_worker, 0, 65535, "its workers that are up")

#define POOLS_STATUS_FIELDS(F) F(LIST, pools, pool_status, 0, 10000, "in the order of the file")

TRP_SCHEMA_DECLARE(control_request, CONTROL_REQUEST_FIELDS)
TRP_SCHEMA_DECLARE(call, CALL_FIELDS)
TRP_SCHEMA_DECLARE(router_order, ROUTER_ORDER_FIELDS)
TRP_SCHEMA_DECLARE(pool_worker, POOL_WORKER_FIELDS)
TRP_SCHEMA_DECLARE(pool_status, POOL_STATUS_FIELDS)
TRP_SCHEMA_DECLARE(pools_status, POOLS_STATUS_FIELDS)

#endif
