/* SPDX-License-Identifier: MIT */
/* The tool frame without a runtime: from the bytes of a task_run to those of its task_done.
 * actors/tool.c puts a context around it. Any one thread at a time for each call. */
#ifndef TRP_ACTORS_TOOL_FRAME_H
#define TRP_ACTORS_TOOL_FRAME_H

#include "actors/tool.h"

/** What came of a call. */
typedef struct tool_outcome {
    bool has_reply; /* `reply` holds a packed task_done; else the reply comes from elsewhere */
    zmq_msg_t reply;
    trp_status_t fault; /* not TRP_OK: a fault of ours, for the log and as the actor's reason */
    char detail[128];   /* what it was */
} tool_outcome_t;

/** Runs one task. The caller has set ctx, state, message and table of the zeroed call; `body` is
 * the packed task_run. owns: `outcome->reply` is initialised, and the caller's, in any case.
 * errors: TRP_PAYLOAD (`body` is no task_run), TRP_NO_MEMORY; there is no reply then */
TRP_MUST_USE trp_status_t tool_execute(tool_call_t *call, trp_text_t body, tool_outcome_t *outcome);

/** One value in the form of the request; `*json` is malloc'd, or NULL when MessagePack serves.
 * errors: TRP_PAYLOAD (not one value), TRP_TOO_LARGE, TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t tool_encode(const tool_call_t *call, trp_writer_t *value, char **json,
                                      trp_text_t *body);

#endif
