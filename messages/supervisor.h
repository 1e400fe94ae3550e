/* SPDX-License-Identifier: MIT */
/* What is said to supervisors and by them. Every request below is sent by trp_request and answered
 * once; a supervisor never waits inside a handler, so it answers start_child when the child is
 * ready, terminate_child when it has ended. Supervisors of a configured tree are registered: the
 * root as `root`, that of a pool as `pool.NAME`; workers as `NAME.1`, `NAME.2` ... .
 *
 * Who wants to know the children of a supervisor observes it: it gets a `child_event` for each
 * child that is up already, then one for each change, in order. Observing `root` tells when
 * supervisors of pools come and go, so nobody needs to poll for names. */
#ifndef TRP_MESSAGES_SUPERVISOR_H
#define TRP_MESSAGES_SUPERVISOR_H

#include "messages/schema.h"

#define TRP_CHILD_ID_MAX 63 /* bytes */

enum {
    TRP_TAG_CHILD_START = 0x0500,     /* request [child_start] -> CHILD_ANSWER */
    TRP_TAG_CHILD_TERMINATE = 0x0501, /* request [child_id] -> CHILD_ANSWER; keeps the spec, but of
                                       * temporary ones and those of a pool */
    TRP_TAG_CHILD_RESTART = 0x0502,   /* request [child_id] -> CHILD_ANSWER; of one that is down */
    TRP_TAG_CHILD_DELETE = 0x0503,    /* request [child_id] -> CHILD_ANSWER; of one that is down */
    TRP_TAG_CHILDREN_WHICH = 0x0504,  /* request [] -> CHILDREN */
    TRP_TAG_CHILDREN_COUNT = 0x0505,  /* request [] -> CHILDREN_COUNTED */
    TRP_TAG_OBSERVE = 0x0506,         /* request or message [] -> CHILD_ANSWER, then CHILD_EVENTs */
    TRP_TAG_CHILD_ADD = 0x0507,  /* request [trp_child_spec_t, args] -> CHILD_ANSWER; within one
                                       * process: supervisor/supervisor.h */
    TRP_TAG_CHILD_SPEC = 0x0508, /* request [child_id] -> CHILD_SPEC_SHOWN, or CHILD_ANSWER */
    TRP_TAG_SUPERVISOR_STOP = 0x0509,  /* request [] -> CHILD_ANSWER when all children have ended;
                                       * it ends with `normal` after that */
    TRP_TAG_CHILD_TEMPLATE = 0x050a,   /* request [child_start] -> CHILD_ANSWER: the template, and
                                        * with it later children, get its `program` */
    TRP_TAG_CHILD_ANSWER = 0x0510,     /* [child_answer] */
    TRP_TAG_CHILDREN = 0x0511,         /* [children] */
    TRP_TAG_CHILDREN_COUNTED = 0x0512, /* [children_counted] */
    TRP_TAG_CHILD_EVENT = 0x0513,      /* supervisor to observer [child_event] */
    TRP_TAG_DRAINED = 0x0514, /* reply to TRP_TAG_STOP: all that was accepted is answered [] */
    TRP_TAG_CHILD_SPEC_SHOWN = 0x0515,  /* [child_spec] */
    TRP_TAG_SUPERVISOR_REPORT = 0x0516, /* published: TRP_REPORT_TOPIC [supervisor_report] */
};

/** What a supervisor has to report is a line in the log, and is published here (trp_group_join). In
 * the order in which it decided; not held back in a storm. */
#define TRP_REPORT_TOPIC "supervision.report"

/** What became of a request, by the words of Erlang/OTP. */
#define CHILD_OUTCOMES \
    "ok|failed|already_started|already_present|running|restarting|not_found|refused|stopping"
typedef enum child_outcome {
    CHILD_OK,
    CHILD_FAILED,          /* its start failed: `reason` says why; no spec is kept */
    CHILD_ALREADY_STARTED, /* the id is taken by a child that is up: `pid` */
    CHILD_ALREADY_PRESENT, /* the id is taken by a child that is not up */
    CHILD_RUNNING,
    CHILD_RESTARTING,
    CHILD_NOT_FOUND,
    CHILD_REFUSED,  /* this supervisor does not do that, or the spec is wrong: `reason` */
    CHILD_STOPPING, /* the supervisor itself is ending */
} child_outcome_t;

#define CHILD_STATES "idle|backoff|queued|starting|up|stopping"

#define CHILD_START_FIELDS(F)                                                                \
    F(OPT_STRING, id, _, 1, TRP_CHILD_ID_MAX,                                                \
      "id of the new child, made from the pool's template; default: the lowest free NAME.n") \
    F(OPT_STRING, program, _, 1, 255, "program to run; default: the template's")             \
    F(OPT_BOOL, over_max, _, 0, 0, "one child more than the maximum is taken, for a while")  \
    F(OPT_INT, max, _, 1, 65535, "the maximum, where it is no longer the spec's")

#define CHILD_ID_FIELDS(F)                                                              \
    F(STRING, id, _, 0, TRP_CHILD_ID_MAX, "id of the child; \"\" where `pid` names it") \
    F(OPT_STRING, pid, _, 1, 63, "of a supervisor whose strategy is simple_one_for_one: its pid")

#define CHILD_ANSWER_FIELDS(F)                                           \
    F(ENUM, outcome, CHILD_OUTCOMES, 0, 0, "what became of the request") \
    F(STRING, id, _, 0, TRP_CHILD_ID_MAX, "the child")                   \
    F(OPT_STRING, pid, _, 1, 63, "its pid, when it is up")               \
    F(OPT_STRING, reason, _, 1, 127, "why not, for people")

#define CHILD_INFO_FIELDS(F)                                                            \
    F(STRING, id, _, 1, TRP_CHILD_ID_MAX, "unique among the children")                  \
    F(ENUM, state, CHILD_STATES, 0, 0, "where it is in its life")                       \
    F(OPT_STRING, pid, _, 1, 63, "of its present incarnation")                          \
    F(ENUM, type, "worker|supervisor", 0, 0, "what it is")                              \
    F(STRING, class, _, 1, 63, "its class")                                             \
    F(ENUM, place, "pool|thread|process", 0, 0, "where it runs")                        \
    F(ENUM, restart, "permanent|transient|temporary", 0, 0, "when it is started again") \
    F(INT, restarts, _, 0, 9e15, "times it was started again")                          \
    F(INT, streak, _, 0, 9e15, "restarts since it was last stable")                     \
    F(BOOL, is_held, _, 0, 0, "past the limit of restarts, and held")                   \
    F(BOOL, is_quarantined, _, 0, 0, "in a process since it brought its node down")     \
    F(INT, next_ms, _, 0, 9e15, "time until its next start, in state backoff")          \
    F(OPT_STRING, last_reason, _, 1, 127, "why its last incarnation ended")

#define CHILD_STRATEGIES "one_for_one|one_for_all|rest_for_one|simple_one_for_one"
#define CHILDREN_FIELDS(F)                                                  \
    F(STRING, supervisor, _, 1, 63, "its name")                             \
    F(ENUM, strategy, CHILD_STRATEGIES, 0, 0, "who is restarted with whom") \
    F(LIST, children, child_info, 0, 1000000, "in the order of their start")

#define CHILDREN_COUNTED_FIELDS(F)                                                             \
    F(INT, specs, _, 0, 9e15, "rows of the table")                                             \
    F(INT, active, _, -9e15, 9e15, "children that live; of an awaited template as OTP counts") \
    F(INT, supervisors, _, 0, 9e15, "specs of supervisors")                                    \
    F(INT, workers, _, 0, 9e15, "specs of workers")

#define CHILD_SPEC_FIELDS(F)                                                              \
    F(STRING, id, _, 0, TRP_CHILD_ID_MAX, "unique among the children")                    \
    F(STRING, class, _, 1, 63, "its class")                                               \
    F(ENUM, type, "worker|supervisor", 0, 0, "what it is")                                \
    F(ENUM, place, "pool|thread|process", 0, 0, "where it runs")                          \
    F(ENUM, restart, "permanent|transient|temporary", 0, 0, "when it is started again")   \
    F(BOOL, significant, _, 0, 0, "auto_shutdown looks at it")                            \
    F(INT, shutdown_ms, _, -2, 9e15, "time to end; -1 = infinity, -2 = killed at once")   \
    F(INT, start_ms, _, 0, 9e15, "time to become ready; 0 = no limit")                    \
    F(INT, backoff_ms, _, 0, 9e15, "delay of the second restart in a row; 0 = no delays") \
    F(INT, backoff_max_ms, _, 0, 9e15, "its cap")                                         \
    F(ENUM, give_up, "stop|hold|escalate", 0, 0, "after one restart too many")

/** The words of Erlang/OTP's error reports, and what troupe has beside them. */
#define REPORT_CONTEXTS \
    "child_terminated|restarting|start_error|shutdown_error|shutdown|held|not_restarted"
#define SUPERVISOR_REPORT_FIELDS(F)                                                              \
    F(STRING, supervisor, _, 0, 63, "its name")                                                  \
    F(ENUM, context, REPORT_CONTEXTS, 0, 0, "what happened")                                     \
    F(STRING, reason, _, 0, 31, "kind of the reason; of shutdown reached_max_restart_intensity") \
    F(STRING, detail, _, 0, 47, "the reason's text")                                             \
    F(INT, code, _, -2147483648.0, 2147483647.0, "the reason's code")                            \
    F(STRING, id, _, 0, TRP_CHILD_ID_MAX, "the child")                                           \
    F(STRING, pid, _, 0, 63, "its last incarnation")                                             \
    F(INT, count, _, 0, 9e15, "children of a template that ended so at a stop; else 0")          \
    F(INT, delay_ms, _, 0, 9e15, "of restarting and held: time until it is started")             \
    F(INT, memory, _, 0, 9e15, "bytes: its limit, where on_memory = raise raised it; else 0")    \
    F(STRING, class, _, 0, 63, "its class")                                                      \
    F(ENUM, type, "worker|supervisor", 0, 0, "what it is")                                       \
    F(ENUM, restart, "permanent|transient|temporary", 0, 0, "when it is started again")          \
    F(BOOL, significant, _, 0, 0, "auto_shutdown looks at it")                                   \
    F(INT, shutdown_ms, _, -2, 9e15, "time to end; -1 = infinity, -2 = killed at once")

/** up: ready for messages. leaving: asked to end, or about to be; it finishes what it has. down: it
 * is dead; comes after leaving, or alone when it crashed. */
#define CHILD_EVENT_FIELDS(F)                                    \
    F(STRING, supervisor, _, 1, 63, "its name: pool.parser")     \
    F(STRING, id, _, 1, TRP_CHILD_ID_MAX, "the child: parser.2") \
    F(STRING, pid, _, 1, 63, "of the incarnation that is meant") \
    F(ENUM, change, "up|leaving|down", 0, 0, "what happened")    \
    F(INT, restarts, _, 0, 9e15, "times it was started again")   \
    F(OPT_STRING, reason, _, 1, 127, "of down: why it ended")

typedef enum child_change { CHILD_UP, CHILD_LEAVING, CHILD_DOWN } child_change_t;

TRP_SCHEMA_DECLARE(child_start, CHILD_START_FIELDS)
TRP_SCHEMA_DECLARE(child_id, CHILD_ID_FIELDS)
TRP_SCHEMA_DECLARE(child_answer, CHILD_ANSWER_FIELDS)
TRP_SCHEMA_DECLARE(child_info, CHILD_INFO_FIELDS)
TRP_SCHEMA_DECLARE(children, CHILDREN_FIELDS)
TRP_SCHEMA_DECLARE(children_counted, CHILDREN_COUNTED_FIELDS)
TRP_SCHEMA_DECLARE(child_event, CHILD_EVENT_FIELDS)
TRP_SCHEMA_DECLARE(child_spec, CHILD_SPEC_FIELDS)
TRP_SCHEMA_DECLARE(supervisor_report, SUPERVISOR_REPORT_FIELDS)

#endif
