/* SPDX-License-Identifier: MIT */
/* A worker class under test in a runtime of its own: the test's thread asks for tasks as the router
 * would, and waits for each answer. */
#ifndef TRP_TESTS_ACTORS_TOOL_PROBE_H
#define TRP_TESTS_ACTORS_TOOL_PROBE_H

#include "messages/task.h"
#include "runtime/core/runtime.h"

typedef struct tool_probe tool_probe_t;

/** One answer. */
typedef struct tool_probe_answer {
    bool success;
    char body[64 * 1024]; /* JSON: the result, or the error map */
    char bind[TRP_TASK_KEY_MAX + 1];
    char unbind[TRP_TASK_KEY_MAX + 1];
} tool_probe_answer_t;

/** Starts a runtime of `threads` and the class with these options (JSON map, or NULL). Ends the
 * test when it does not start. */
tool_probe_t *tool_probe_new(const trp_class_t *class, const char *options, uint32_t threads);
void tool_probe_free(tool_probe_t *probe);

/** One task, body in JSON; the answer, valid until the next call. Ends the test when none comes in
 * 10 s. */
const tool_probe_answer_t *tool_probe_ask(tool_probe_t *probe, const char *tool, const char *body);

/** Sends `count` tasks at once, `write` making the body of each, and waits for all answers; the
 * number of successes. */
size_t tool_probe_flood(tool_probe_t *probe, const char *tool, size_t count,
                        void (*write)(size_t index, char body[512]));

/** Waits until a key was given back by task_release; ends the test after 10 s. */
void tool_probe_wait_release(tool_probe_t *probe, const char *key);

/** Copies a string member of an answer; ends the test when there is none. */
void tool_probe_text(const tool_probe_answer_t *answer, const char *member, char *out, size_t size);

/** Ends the worker's root as a supervisor would, and waits for it; ends the test after 10 s. */
void tool_probe_stop_root(tool_probe_t *probe);

#endif
