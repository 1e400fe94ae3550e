/* SPDX-License-Identifier: MIT */
/* The frame around a worker's tools: decodes and validates the body of a task, runs the tool,
 * encodes its result or error in the form of the request (MessagePack or JSON) and replies to the
 * router. Used inside `receive` of a worker class. */
#ifndef TRP_ACTORS_TOOL_H
#define TRP_ACTORS_TOOL_H

#include "messages/task.h"
#include "runtime/troupe.h"

typedef struct tool_call tool_call_t;

/** One tool of a class. */
typedef struct tool {
    const char *name;
    const trp_schema_t *request; /* struct that `run` gets, validated */

    /** Writes exactly one value to call->result and returns TRP_OK; or returns what tool_fail gave;
     * or TRP_PENDING when the reply comes from elsewhere (call->message was forwarded, or
     * trp_reply_address kept). Any other status is a fault of ours: E_INTERNAL to the client, and
     * the actor ends with it. */
    trp_status_t (*run)(tool_call_t *call, const void *request);
} tool_t;

/** The tools of a class. */
typedef struct tool_table {
    const tool_t *tools;
    size_t count;
    bool lenient; /* unknown members of bodies are ignored instead of refused */
} tool_table_t;

struct tool_call {
    trp_ctx_t *ctx; /* NULL: no actor around it (tests of a tool alone) */
    void *state;    /* of the actor */
    const tool_table_t *table;
    int64_t rss_bytes; /* most memory that the process had in use; 0: not known */
    const tool_t *tool;
    const trp_envelope_t *message; /* the task_run envelope */
    task_run_t task;
    const trp_document_t *document; /* the decoded body */
    msgpack_zone *zone;             /* scratch memory, freed after the call */
    trp_writer_t result;
    char bind[TRP_TASK_KEY_MAX + 1]; /* set to bind or unbind a key with this reply */
    char unbind[TRP_TASK_KEY_MAX + 1];
    int64_t started_ns; /* monotonic */
    char error_code[32];
    char error_message[400];
    trp_writer_t error_members;
    size_t error_member_count;
};

/** What a class of tools says to the router: its trp_class_t.answers. */
extern const trp_schema_t *const tool_answers[];

/** Serves one TRP_TAG_TASK_RUN message from a table of tools. Other messages: TRP_UNSUPPORTED,
 * untouched. Returns what `receive` should return. */
trp_status_t tool_serve(trp_ctx_t *ctx, void *state, const trp_envelope_t *message,
                        const tool_table_t *table);

/** Sends a partial answer, at once: the one value that `part` holds, which is empty then. Clients
 * that stream get it as it comes, with the number of the attempt where they asked for that; others
 * get it in front of the last answer, or (inside of the node) not at all. When the worker dies and
 * the task is tried again, its parts come again; a client that would not know that gets an error
 * instead (docs/majordomo.md). A tool need not look at the result. errors: TRP_TOO_LARGE (1 MiB),
 * TRP_PAYLOAD (no value), TRP_FULL, TRP_GONE, TRP_TIMEOUT (the router), TRP_NO_MEMORY
 * cost: a round trip to the node in a process of its own, so some hundred a second at most are wise
 */
trp_status_t tool_part(tool_call_t *call, trp_writer_t *part);

/** Monotonic, read at each call. units: nanoseconds */
int64_t tool_now_ns(const tool_call_t *call);

/** Fails the call with an error map {code, message}. Returns TRP_FAILED, for `return
 * tool_fail(...)`. */
TRP_PRINTF(3, 4)
trp_status_t tool_fail(tool_call_t *call, const char *code, const char *format, ...);

/** E_BAD_PAYLOAD (E_BAD_BODY when fault->is_body) with path, rule, value, offset. */
trp_status_t tool_fail_fault(tool_call_t *call, const trp_fault_t *fault);

/** A further member of the error map: writes its key; the caller writes exactly one value to the
 * writer returned. */
trp_writer_t *tool_error_member(tool_call_t *call, const char *key);

#endif
