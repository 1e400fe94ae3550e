/* SPDX-License-Identifier: MIT */
/* Calls of a node's tools from any thread of any program, over its Majordomo port. The program is
 * no node and needs nothing but libzmq (link libtroupe_tools.a and -lzmq).
 *
 *     trp_tools_t *tools;
 *     const trp_tools_answer_t *answer;
 *     if (trp_tools_open("tcp://127.0.0.1:5555", NULL, &tools) == TRP_OK) {
 *         const trp_tools_request_t request = {.tool = "code_parse",
 *                                              .body = "{\"filename\": \"a.c\", \"code\": \"\"}",
 *                                              .timeout_ms = 5000};
 *         trp_status_t status = trp_tools_call(tools, &request, &answer);
 *         if (status == TRP_OK) {
 *             show(answer->data, answer->size); // the result, JSON as the body
 *         } else if (status == TRP_FAILED) {
 *             complain(answer->code, answer->message);
 *         }
 *         trp_tools_close(&tools);
 *     }
 *
 * Many calls at a time, and partial answers as they come:
 *
 *     for (size_t i = 0; i < count; i++) {
 *         uint64_t call;
 *         if (trp_tools_start(tools, &requests[i], &call) != TRP_OK) {
 *             break;
 *         }
 *     }
 *     while (trp_tools_next(tools, 0, -1, &answer) == TRP_OK) { // TRP_NOT_FOUND: none is left
 *         if (answer->kind == TRP_TOOLS_ERROR) {
 *             complain(answer->code, answer->message);
 *         } else {
 *             show(answer->data, answer->size);
 *         }
 *     }
 *
 * Every call gets any number of partial answers and then one last answer, whatever happens: a
 * result or an error. Errors that the node did not send:
 *
 *     E_CONNECTION   the connection ended while it was under way: it may have been done or not
 *     E_NO_NODE      its time was up and there had been no connection: it was never sent
 *     E_NO_ANSWER    its time was up, and the node did not say so itself
 *     E_KEY          the node refused the key
 *     E_CANCELLED    by trp_tools_cancel
 *
 * A call is done at most once. With `retry` it is done at least once as far as its time reaches:
 * sent again under one idempotency key when its connection is lost or the node is busy; a node
 * that lives and remembers the key still does it once.
 *
 * threads: one at a time; a second one in a call gets TRP_STATE. A client may be handed over, and
 * each thread may have its own. No thread is started but libzmq's, and nothing is sent or received
 * while no thread is in one of the calls below.
 * bounds: 65,536 calls under way; an answer of at most 1024 frames. */
#ifndef TRP_RUNTIME_TOOLS_H
#define TRP_RUNTIME_TOOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "messages/status.h"

typedef struct trp_tools trp_tools_t;

#define TRP_TOOLS_KEY_SIZE 41 /* a key as text (Z85), with its end */

/** How to connect; all zero: no keys, a libzmq context of its own. */
typedef struct trp_tools_options {
    const char *server_key; /* the node's public key, Z85; NULL: no CURVE */
    const char *public_key; /* of this client ... */
    const char *secret_key;
    void *context; /* of libzmq, to be shared; outlives the client */
} trp_tools_options_t;

/** A frame; not ended by a zero. */
typedef struct trp_tools_frame {
    const void *data;
    size_t size;
} trp_tools_frame_t;

/** A call to be made. Nothing of it is needed afterwards. */
typedef struct trp_tools_request {
    const char *tool;   /* 1 to 255 bytes */
    const void *body;   /* one map, JSON or MessagePack; of a foreign tool what that wants */
    size_t size;        /* 0: the body is a text */
    int64_t timeout_ms; /* for all of it, 1 to 86400000; 0: 60000 */
    const char *key;    /* the worker that holds this key serves it; NULL: none */
    const char *idem;   /* idempotency key; NULL: none, with `retry` a random one */
    bool has_priority;  /* ... */
    unsigned priority;  /* 0 to 9, higher goes first; not said: 4 */
    bool retry;         /* at least once, see above */
    bool stream;        /* partial answers of each attempt, with its number: a task is tried again
                         * though some have gone out. Not said: then it fails with E_WORKER_LOST */
    bool plain;         /* without an options frame, for a foreign tool whose pool takes none: no
                            * other call may be under way, and the node knows none of the above */
    const trp_tools_frame_t *more; /* further frames of a foreign tool's body */
    size_t more_count;
} trp_tools_request_t;

typedef enum trp_tools_kind { TRP_TOOLS_PART, TRP_TOOLS_RESULT, TRP_TOOLS_ERROR } trp_tools_kind_t;

/** One answer of a call; valid until the next call below. */
typedef struct trp_tools_answer {
    uint64_t call;
    trp_tools_kind_t kind;
    const void *data; /* the value of the reply's `result` (ERROR: `error`) in the form of the body,
                       * if the last frame is a reply; else, and of a PART, the first frame. Never
                       * NULL */
    size_t size;
    const trp_tools_frame_t *frames; /* all of them, as they came */
    size_t frame_count;
    const char *code, *message; /* ERROR: as "E_BUSY", and a line for people; else "" */
    int64_t retry_after_ms;     /* E_BUSY, E_RATE: when to come again; else 0 */
    int64_t attempt;            /* with `stream`: whose partial answer; else 0 */
    int64_t lost;               /* of the last answer: partial answers of its attempt that the node
                                 * sent and that came faster than they were read */
} trp_tools_answer_t;

/** Makes a client; the connection is made, and made again, behind it. errors: TRP_INVALID
 * (endpoint, keys), TRP_NO_MEMORY, TRP_SYSTEM */
TRP_API TRP_MUST_USE trp_status_t trp_tools_open(const char *endpoint,
                                                 const trp_tools_options_t *options,
                                                 trp_tools_t **tools);

/** Ends it and forgets its calls; the node finishes those that it has. Clears the pointer. */
TRP_API void trp_tools_close(trp_tools_t **tools);

/** Reads the pair of keys that `troupe keygen FILE` made. errors: TRP_NOT_FOUND (no such file, or
 * unreadable), TRP_INVALID (it holds none) */
TRP_API TRP_MUST_USE trp_status_t trp_tools_read_keys(const char *file,
                                                      char public_key[TRP_TOOLS_KEY_SIZE],
                                                      char secret_key[TRP_TOOLS_KEY_SIZE]);

/** Makes a call and waits for its last answer; partial ones are skipped. TRP_FAILED: `answer` is
 * an error. Else `answer` is untouched: errors: those of trp_tools_start */
TRP_API TRP_MUST_USE trp_status_t trp_tools_call(trp_tools_t *tools,
                                                 const trp_tools_request_t *request,
                                                 const trp_tools_answer_t **answer);

/** Starts a call, whose number comes with its answers. errors: TRP_INVALID (the request), TRP_FULL
 * (calls under way), TRP_STATE (a plain call is under way, or beside others), TRP_NO_MEMORY,
 * TRP_SYSTEM */
TRP_API TRP_MUST_USE trp_status_t trp_tools_start(trp_tools_t *tools,
                                                  const trp_tools_request_t *request,
                                                  uint64_t *call);

/** The next answer of `call`, 0: of any; waits up to `timeout_ms`, negative: until there is one.
 * A signal that was handled ends the wait, too. errors: TRP_TIMEOUT, TRP_NOT_FOUND (its last answer
 * was given, or there was no such call; 0: no call is left), TRP_STATE, TRP_NO_MEMORY */
TRP_API TRP_MUST_USE trp_status_t trp_tools_next(trp_tools_t *tools, uint64_t call,
                                                 int64_t timeout_ms,
                                                 const trp_tools_answer_t **answer);

/** Cancels a call: E_CANCELLED is its last answer, what came before it stays. The node ends the
 * work if it has not begun, else replaces its worker when it does not end soon. errors:
 * TRP_NOT_FOUND (it had its last answer, or there was none such), TRP_STATE */
TRP_API TRP_MUST_USE trp_status_t trp_tools_cancel(trp_tools_t *tools, uint64_t call);

/** Readable when trp_tools_next should be called, with a limit of 0: for a program that waits for
 * other things too (poll, epoll). It stays readable while there is an answer to be taken. errors:
 * -1: no descriptor is left */
TRP_API int trp_tools_fd(trp_tools_t *tools);

/** Messages that belonged to no call: late, or no protocol at all. */
TRP_API uint64_t trp_tools_unexpected(const trp_tools_t *tools);

#endif
